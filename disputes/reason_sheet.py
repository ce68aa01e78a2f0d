"""Reasons and their codes as a table: as a page shows and takes it, and as CSV out and in. Pure.

A table says what holds, not where it is said: a cell that says what holds anyway says nothing of its own.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.i18n import LANGUAGES, words
from disputes.codes import SYSTEMS, CodeMap, Codes, ReasonCodes
from disputes.own_reasons import OwnReason, Reasons
from disputes.reasons import REASONS, is_reason, kind_of, shipped
from disputes.rulebook import BadPolicy

MOST_BYTES = 1_000_000
MOST_LINES = 1_000
LABELS = tuple(f"label_{language}" for language in LANGUAGES)
COLUMNS = ("reason", "kind", *LABELS, "team", "retired", *SYSTEMS)
_LIVE = ("=", "+", "-", "@", "\t", "\r")
"""What makes spreadsheets take a cell for a formula (S8): such a cell gets an apostrophe before it."""
_YES = frozenset({"yes", "1", "true", "oui"})

Cells = Mapping[tuple[str, str], tuple[str, ...]]
"""(reason, system) -> its codes."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file read: own reasons it holds, as rows of OwnReasons (empty and None: not said); codes; the line each
    reason stands on.
    """

    own: Sequence[Mapping[str, object]] = ()
    cells: Cells = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)


def split(system: str, text: str) -> tuple[str, ...]:
    """Codes as people type them, with commas, semicolons or spaces between; those of standards in capitals.

    X12's have two signs: the nought that spreadsheets take from 06 is given back.
    """
    found: Iterable[str] = text.replace(",", " ").replace(";", " ").split()
    if system != "sap":
        found = (one.upper() for one in found)
    if system == "x12":
        found = (one.zfill(2) if one.isdecimal() else one for one in found)
    return tuple(dict.fromkeys(found))


def layer(base: CodeMap, standing: Codes, cells: Cells) -> list[dict[str, object]]:
    """The rows of Codes that make `cells` hold over `base`; what `cells` does not name or change stays as it stands.

    So a form's cell that nobody touched goes on following its parent, whose codes changed in the same table.
    """
    now = CodeMap(base.reasons, (standing, *base.layers))
    cells = {(name, system): codes for (name, system), codes in cells.items() if codes != now.codes(name, system)}
    named = dict.fromkeys([*base.reasons.every, *base.reasons.own, *(one.name for one in standing.codes)])
    first = _rows(base, standing, cells, (name for name in named if name in REASONS))
    over = CodeMap(base.reasons, (Codes.model_construct(codes=tuple(first)), *base.layers))
    forms = _rows(over, standing, cells, (name for name in named if name not in REASONS))
    return [one.model_dump(mode="json", exclude_none=True) for one in (*first, *forms)]


def _rows(base: CodeMap, standing: Codes, cells: Cells, names: Iterable[str]) -> list[ReasonCodes]:
    found = []
    for name in names:
        said = {system: _said(base, standing, cells, name, system) for system in SYSTEMS}
        if any(codes is not None for codes in said.values()):
            # checked where it is saved: what is wrong must be told at its cell
            found.append(ReasonCodes.model_construct(None, name=name, **said))
    return found


def _said(base: CodeMap, standing: Codes, cells: Cells, name: str, system: str) -> tuple[str, ...] | None:
    if (name, system) not in cells:
        return standing.of(name, system)
    codes = cells[name, system]
    return None if codes == base.codes(name, system) else codes


def written(mapped: CodeMap) -> str:
    """Every reason with what holds for it, as CSV in UTF-8 that spreadsheets open, without a live formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    retired = [one.name for one in mapped.reasons.own.values() if one.retired]
    for name in (*mapped.reasons.every, *retired):
        if kind_of(name) in {"dispute", "query"}:
            writer.writerow(map(_dead, _line(mapped, name)))
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + out.getvalue()


def _line(mapped: CodeMap, name: str) -> list[str]:
    own = mapped.reasons.own.get(name)
    labels = [_label(name, own, language) for language in LANGUAGES]
    codes = [" ".join(mapped.codes(name, system)) for system in SYSTEMS]
    return [name, kind_of(name), *labels, mapped.reasons.team_of(name), "yes" if own and own.retired else "", *codes]


def _label(name: str, own: OwnReason | None, language: str) -> str:
    return own.labels.get(language, "") if own else words(language).gettext(REASONS[shipped(name)].label)


def _dead(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_LIVE) else cell


def read_table(data: bytes) -> Table:
    """A CSV file as `written` makes it; columns may be missing, which leaves them as they are. Own reasons it names are
    added or changed, none is taken away. Raises BadPolicy with every fault at its line and column.
    """
    rows = list(_read(data))
    faults: dict[str, str] = {}
    own: list[Mapping[str, object]] = []
    cells: dict[tuple[str, str], tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    for number, row in rows:
        name = row["reason"]
        if fault := _fault(name, row, lines):
            faults[f"line {number}"] = fault
            continue
        lines[name] = number
        cells |= {(name, system): split(system, row[system]) for system in SYSTEMS if system in row}
        if name not in REASONS and any(column in row for column in (*LABELS, "team")):
            own.append(_own(name, row))
    if faults:
        raise _bad(faults)
    return Table(own, cells, lines)


def refuse_unknown(table: Table, known: Reasons) -> None:
    """Raise BadPolicy for lines about reasons nobody added, not even the file."""
    lacking = [name for name in table.lines if name not in REASONS and name not in known.own]
    if lacking:
        raise _bad({f"line {table.lines[name]}, reason": f"there is no reason {name}" for name in lacking})


def placed(table: Table, refused: BadPolicy, names: Sequence[str]) -> BadPolicy:
    """A refusal of rows ("codes.3.sap") told by the lines of the file; `names` are the reasons of those rows."""
    faults = {}
    for place, said in refused.fields.items():
        _, _, rest = place.partition(".")
        at, _, column = rest.partition(".")
        name = names[int(at)] if at.isdecimal() and int(at) < len(names) else ""
        line = f"line {table.lines[name]}" if name in table.lines else name or place
        faults[f"{line}, {column}" if column and name else line] = said
    return _bad(faults)


def _own(name: str, row: Mapping[str, str]) -> Mapping[str, object]:
    labels = {column.removeprefix("label_"): row[column] for column in LABELS if row.get(column)}
    retired = row["retired"].lower() in _YES if "retired" in row else None
    return {"name": name, "labels": labels, "team": row.get("team", ""), "retired": retired}


def _fault(name: str, row: Mapping[str, str], seen: Mapping[str, int]) -> str:
    if not is_reason(name):
        return f"there is no reason {name!r}"
    if name in seen:
        return f"{name} stands on line {seen[name]} already"
    if row.get("kind") and row["kind"] != kind_of(name):
        return f"the kind of {name} is {kind_of(name)}"
    return ""


def _read(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with their line numbers, by column; empty lines are left out."""
    if len(data) > MOST_BYTES:
        raise _bad({"file": f"it has over {MOST_BYTES:,} bytes"})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad({"file": "it is no text in UTF-8"}) from error
    head = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
    try:
        columns = [one.strip().lower() for one in next(reader, [])]
        _check_columns(columns)
        for row in reader:
            if len(row) > len(columns) or reader.line_num > MOST_LINES:
                raise _bad({f"line {reader.line_num}": "it has more cells than columns, or the file too many lines"})
            if any(cell.strip() for cell in row):
                yield reader.line_num, {column: _plain(cell) for column, cell in zip(columns, row, strict=False)}
    except csv.Error as error:
        raise _bad({f"line {reader.line_num}": "it cannot be read as CSV"}) from error


def _check_columns(columns: Sequence[str]) -> None:
    unknown = [one for one in columns if one not in COLUMNS]
    if unknown or "reason" not in columns or len(set(columns)) < len(columns):
        said = f"the columns are {', '.join(COLUMNS)}, each once; reason is needed"
        raise _bad({"line 1": f"{said}; there is no {unknown[0][:40]!r}" if unknown else said})


def _plain(cell: str) -> str:
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_LIVE) else cell


def _bad(faults: Mapping[str, str]) -> BadPolicy:
    listed = "; ".join(f"{place}: {said}" for place, said in faults.items())
    return BadPolicy(f"The file cannot be used. {listed}", fields=dict(faults))
