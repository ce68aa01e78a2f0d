"""The tables of a letter: its invoices with carried sums, how the total comes about, a plan's instalments. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from letters.kinds import DECISIONS, REMINDERS, Kind
from letters.letter_facts import ZERO, Row, sums
from letters.letter_values import Voice

_CARRIED_FROM = 12
"""Tables shorter than this stand on one page or break once; carried sums would only disturb."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; `kind` "r" is a figure, set right."""

    text: str
    kind: str = ""
    small: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its width in per cent of the table."""

    head: str
    width: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table; with a `title` it is a heading over the next rows. `carried` and `brought` are what stands
    under and over the table where a page ends after it.
    """

    cells: tuple[Cell, ...] = ()
    title: str = ""
    style: str = ""
    carried: str = ""
    brought: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `kind` tells the layout what it is among the parts of a letter."""

    columns: tuple[Column, ...]
    rows: tuple[Line, ...]
    style: str = ""
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class _Field:
    """A column of the invoices' table: its label, its share of the width, what it shows of a row, what is summed."""

    label: str
    share: int
    shows: Callable[[Voice, Row], str]
    money: Callable[[Row], Decimal | None] | None = None

    def used(self, voice: Voice, rows: Sequence[Row]) -> bool:
        return any(self.shows(voice, row) for row in rows)


def _number(voice: Voice, row: Row) -> str:
    return row.number if row.kind == "invoice" else f"{voice.label(row.kind)} {row.number}"


def _money(label: str, of: Callable[[Row], Decimal | None], share: int = 16) -> _Field:
    def shows(voice: Voice, row: Row) -> str:
        amount = of(row)
        return "" if amount is None else voice.figures.amount(amount, row.currency)

    return _Field(label, share, shows, of)


_NUMBER = _Field("number", 26, _number)
_ISSUED = _Field("issued", 14, lambda voice, row: voice.figures.short(row.issued) if row.issued else "")
_DUE = _Field("due", 14, lambda voice, row: voice.figures.short(row.due) if row.due else "")
_LATE = _Field("days_late", 11, lambda voice, row: "" if row.days_late is None else voice.figures.number(row.days_late))
_AMOUNT = _money("amount", lambda row: row.amount)
_OPEN = _money("open", lambda row: row.amount if row.open_amount is None else row.open_amount)
_ASKED = _money("asked", lambda row: row.asked)
_DISPUTED = _money("disputed", lambda row: row.disputed)
_CREDITED = _money("credited", lambda row: row.credited)
_REMAINS = _money("remains", lambda row: None if row.disputed is None else row.remains)


def _fields(kind: Kind) -> tuple[_Field, ...]:
    if kind in REMINDERS:
        return (_NUMBER, _ISSUED, _DUE, _LATE, _AMOUNT, _ASKED)
    if kind in DECISIONS:
        return (_NUMBER, _ISSUED, _AMOUNT, _DISPUTED, _CREDITED, _REMAINS)
    if kind == "statement":
        return (_NUMBER, _ISSUED, _DUE, _AMOUNT, _DISPUTED, _OPEN)
    if kind == "payment_plan":
        return (_NUMBER, _ISSUED, _DUE, _AMOUNT, _ASKED)
    return (_NUMBER, _ISSUED, _DUE, _AMOUNT, _DISPUTED)


def items(voice: Voice) -> Iterator[Table]:
    """The letter's rows, a table for each currency: amounts of different currencies are never added."""
    for currency in sums((row.currency, ZERO) for row in voice.facts.rows):
        yield _items(voice, [row for row in voice.facts.rows if row.currency == currency], currency)


def _items(voice: Voice, rows: Sequence[Row], currency: str) -> Table:
    fields = [field for field in _fields(voice.facts.kind) if field.used(voice, rows)]
    lines = [_line(voice, fields, row) for row in rows]
    if len(rows) >= _CARRIED_FROM:
        lines = list(_carried(voice, fields[-1], rows, lines))
    total = _total(voice, fields, rows) if len(rows) > 1 else ()
    return Table(tuple(_columns(voice, fields, currency)), (*lines, *total))


def _columns(voice: Voice, fields: Sequence[_Field], currency: str) -> Iterator[Column]:
    whole = sum(field.share for field in fields)
    for field in fields:
        label = (
            "document" if field is _NUMBER and any(row.kind != "invoice" for row in voice.facts.rows) else field.label
        )
        head = f"{voice.label(label)} {currency}" if field.money else voice.label(label)
        yield Column(head, round(field.share * 100 / whole), "r" if field.money or field is _LATE else "")


def _line(voice: Voice, fields: Sequence[_Field], row: Row) -> Line:
    small = f"{voice.label('order')} {row.reference}" if row.reference else ""
    return Line(tuple(_cell(voice, field, row, small) for field in fields))


def _cell(voice: Voice, field: _Field, row: Row, small: str) -> Cell:
    return Cell(
        field.shows(voice, row), "r" if field.money or field is _LATE else "", small if field is _NUMBER else ""
    )


def _carried(voice: Voice, field: _Field, rows: Sequence[Row], lines: Sequence[Line]) -> Iterator[Line]:
    """The lines with the sum so far of the last column, for where a page ends."""
    so_far = ZERO
    for row, line in zip(rows, lines, strict=True):
        so_far += (field.money(row) if field.money else None) or ZERO
        told = voice.figures.money(so_far, row.currency)
        yield Line(line.cells, carried=f"{voice.label('carried')} {told}", brought=f"{voice.label('brought')} {told}")


def _total(voice: Voice, fields: Sequence[_Field], rows: Sequence[Row]) -> Iterator[Line]:
    cells = [Cell(voice.label("total"))]
    for field in fields[1:]:
        amounts = [field.money(row) for row in rows] if field.money else []
        known = [amount for amount in amounts if amount is not None]
        cells.append(Cell(voice.figures.amount(sum(known, ZERO), rows[0].currency) if known else "", "r"))
    yield Line(tuple(cells), style="sum end")


def total_lines(voice: Voice) -> Iterator[Table]:
    """How the total of each currency comes about, where it is more than the invoices."""
    facts = voice.facts
    claim = facts.claim
    parts: Mapping[str, Mapping[str, Decimal]] = {
        "invoices": facts.asked,
        "interest": claim.interest if claim else {},
        "compensation": claim.compensation if claim else {},
        "fees": sums((fee.currency, fee.amount) for fee in facts.fees),
    }
    for currency, total in facts.totals.items():
        found = [(label, amounts[currency]) for label, amounts in parts.items() if amounts.get(currency)]
        if len(found) < 2:  # noqa: PLR2004 - one part is the total itself
            continue
        lines = [_pair(voice, label, amount, currency) for label, amount in found]
        yield Table(
            (Column("", 64), Column(currency, 36, "r")),
            (*lines, _pair(voice, "grand_total", total, currency, style="sum")),
            "sums",
        )


def _pair(voice: Voice, label: str, amount: Decimal, currency: str, *, style: str = "") -> Line:
    return Line((Cell(voice.label(label)), Cell(voice.figures.amount(amount, currency), "r")), style=style)


def plan(voice: Voice) -> Table:
    """The instalments of a plan, numbered."""
    rows = voice.facts.instalments
    lines = [
        Line(
            (
                Cell(f"{voice.label('instalment')} {at}"),
                Cell(voice.figures.day(one.day)),
                Cell(voice.figures.money(one.amount, one.currency), "r"),
            )
        )
        for at, one in enumerate(rows, start=1)
    ]
    total = voice.all(sums((one.currency, one.amount) for one in rows))
    lines.append(Line((Cell(voice.label("total")), Cell(""), Cell(total, "r")), style="sum"))
    heads = (Column("", 30), Column(voice.label("date"), 35), Column(voice.label("amount"), 35, "r"))
    return Table(heads, tuple(lines))
