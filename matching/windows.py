"""Readings of digits as document numbers: strict, folded (O for 0), joined, grown from a list, spanned by a range."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2

from matching.references import as_key, ascii_runs, compact, is_year, lettered_key, split_glued_year

_ATOM = re2.compile(r"[A-Z0-9]*[0-9][A-Z0-9]*")
_JOIN = re2.compile(r"^ ?[-/._°]? ?$|^\r?\n$")
_AND = r"\b(?:AND|ET|UND|Y|E|EN|OU|OR|ODER|O|OF)\b"
_LIST = re2.compile(rf"^[ -]*(?:[,;&+]|\r?\n|{_AND})[ ,;&+(-]*(?:{_AND})?[ -]*$")
_CARRY = re2.compile(rf"^(?:[ ,;/&+()-]|\r?\n|{_AND}){{1,8}}$")
_RANGE = re2.compile(
    r"^ ?(?:(?:TO|THROUGH|THRU|A|A LA|AU|JUSQU'A|JUSQU'A LA|BIS|BIS ZU|BIS ZUR|TOT|TOT EN MET|T/M|AL|HASTA|HASTA LA"
    r"|ALLA|FINO A|FINO ALLA) (?:[A-Z]{1,5}[-/. ]?)?|(?:-|\.\.\.?) ?)$"
)
_FOLDED = str.maketrans({"O": "0", "I": "1", "L": "1", "|": "1", "S": "5", "B": "8", "Z": "2", "G": "6"})
_BEFORE = re2.compile(r"([A-Z]{1,10})[ .:°#/_-]{0,3}$")
_ONE_AND_MORE_LETTERS = re2.compile(r"^([A-Z]*)(.*)$")
_LONGEST_JOIN = 4
_MIN_DIGITS, _MAX_DIGITS = 2, 24
_MAX_ATOMS = 700
_CUE_REACH = 26
_SHORT = 4
_RANGE_LIMIT = 2000
_SHORT_RANGE = 60  # a dash between numbers is a range only where they are close

_CUES = {
    "invoice": "FACTURE FACTURES FACT FAC FACS FA FAS FV FT FTS FATT FATTURA FATTURE FACTURA FACTURAS FACTUUR FACTUREN "
    "FAKTURA INV INVS INVOICE INVOICES BILL BILLS RECHNUNG RECHNUNGEN RECHN RG RE RGN BELEG BELEGE N° NO NR NUM NUMERO "
    "NUMMER AVOIR AVOIRS GUTSCHRIFT GUTSCHRIFTEN CREDIT ABONO RECTIFICATIVA CREDITNOTA NOTA DOCUMENT PIECE",
    "po": "PO POS PURCHASE ORDER ORDERS COMMANDE COMMANDES CDE CMD BC BDC BESTELLUNG BESTELLUNGEN BESTELLNR "
    "BESTELLNUMMER PEDIDO PEDIDOS ORDINE ORDINI ODA BESTELLING BESTELBON INKOOPORDER INKOOPNUMMER ABRUF AUFTRAG SO AB "
    "BON",
    "delivery": "BL BLS LIVRAISON LIVRAISONS DN DELIVERY LS LIEFERSCHEIN LIEFERSCHEINE LIEFERUNG ALBARAN ALBARANES DDT "
    "BOLLA PAKBON LEVERBON LEVERING POD CONSEGNA ENTREGA",
    "account": "KUNDENNR KUNDENNUMMER KUNDE COMPTE ACCOUNT KLANTNUMMER KLANT CLIENTE CLIENT CUSTOMER DEBITOR",
    "other": "DOSSIER TICKET SIRET SIREN TEL FAX HRB HRA RMA AZ AKTENZEICHEN VENDOR SUPPLIER LIEFERANT FOURNISSEUR RCS "
    "CIF NIF UST BTW TVA VAT PAGE SEITE ZEICHEN DEPT TRN CRO SORT POSTBUS EXT",
}
_CUE_KINDS = {word: kind for kind, listed in _CUES.items() for word in listed.split()}
_CUE = re2.compile(r"\b(?:" + "|".join(sorted(map(re2.escape, _CUE_KINDS), key=len, reverse=True)) + r")(?:\b|°)|[#]")


@dataclass(frozen=True, slots=True)
class Window:
    """
    One reading of digits in a text as a number. `letters` stand right before it, `cue` is the kind of document the
    words announce ('' = none), `folded` that letters were read as digits, `grown` that it was completed from the one
    before (1364, 66), `joined` how many tokens it spans. `kd`, `kc` are its look-up keys, `plain` its digits as an int.
    """

    runs: tuple[str, ...]
    digits: str
    start: int
    end: int
    letters: str
    cue: str
    folded: bool
    grown: bool
    joined: int
    kd: tuple[int, ...]
    kc: tuple[int, ...]
    plain: int


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Every number from `low` to `high` (the last runs), as in "1201 to 1207"."""

    low: int
    high: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Atom:
    start: int
    end: int
    letters: str
    strict: tuple[str, ...]
    folded: tuple[str, ...] | None


def _atoms(text: str) -> list[_Atom]:
    return [_atom(found[0], found.start()) for found, _ in zip(_ATOM.finditer(text), range(_MAX_ATOMS), strict=False)]


def _atom(token: str, start: int) -> _Atom:
    strict = tuple(ascii_runs(token))
    letters, rest = "", token
    if not token[0].isdigit():
        split = _ONE_AND_MORE_LETTERS.search(token)
        letters, rest = split[1], split[2]
    return _Atom(start, start + len(token), letters, strict, _folded(letters, rest, strict))


def _folded(letters: str, rest: str, strict: tuple[str, ...]) -> tuple[str, ...] | None:
    """The digits with look-alike letters read as digits; of letters in front only the one that touches a digit."""
    if not letters and rest.isdigit():
        return None
    lead = letters[-1:].translate(_FOLDED)
    body = rest.translate(_FOLDED)
    if not body.isdigit():
        return None
    folded = (lead + body) if lead.isdigit() else body
    return (folded,) if (folded,) != strict else None


def find_windows(text: str, masks: Sequence[tuple[int, int]]) -> tuple[list[Window], list[NumberRange]]:
    """The readings of every digit group in folded text that lies outside the masks (sorted spans), and the ranges."""
    cues = [(found.end(), _CUE_KINDS.get(found[0], "invoice")) for found in _CUE.finditer(text)]
    ends = [end for end, _ in cues]
    atoms = [atom for atom in _atoms(text) if not _masked(atom, masks)]
    windows: list[Window] = []
    ranges: list[NumberRange] = []
    before: list[Window] = []
    for place, atom in enumerate(atoms):
        gap = text[before[0].end : atom.start] if before else ""
        cue = _cue(text, atom, cues, ends)
        if not cue and before and _CARRY.search(gap):
            cue = before[0].cue
        here = list(_starting_at(text, atoms, place, cue))
        if before and here:
            ranges.extend(_ranges(text, before, here))
            here.extend(_grown(text, before, here[0]))
        windows.extend(here)
        before = _ending_with(windows, atom.end) or before
    return windows, ranges


def _masked(atom: _Atom, masks: Sequence[tuple[int, int]]) -> bool:
    place = bisect_right(masks, (atom.start, 1 << 40)) - 1
    return any(start < atom.end and atom.start < end for start, end in masks[max(place - 1, 0) : place + 2])


def _cue(text: str, atom: _Atom, cues: list[tuple[int, str]], ends: list[int]) -> str:
    """The document kind announced: by letters glued to the number, else by the nearest word before it."""
    if atom.letters in _CUE_KINDS:
        return _CUE_KINDS[atom.letters]
    place = bisect_right(ends, atom.start) - 1
    if place < 0 or atom.start - ends[place] > _CUE_REACH or "\n" in text[ends[place] : atom.start].strip():
        return ""
    return cues[place][1]


def _starting_at(text: str, atoms: list[_Atom], place: int, cue: str) -> Iterator[Window]:
    """Windows of one to four neighbouring atoms, strict and folded."""
    first = atoms[place]
    letters = first.letters or _letters_before(text, first.start)
    strict: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    changed = False
    for count, atom in enumerate(atoms[place : place + _LONGEST_JOIN], start=1):
        if count > 1 and not _joins(text, atoms[place + count - 2], atom):
            return
        strict += atom.strict
        folded += atom.folded or atom.strict
        changed = changed or atom.folded is not None
        if count == 1 or _plausible(strict):
            yield from _made(strict, (first.start, atom.end), letters=letters, cue=cue, joined=count)
        if changed:
            yield from _made(folded, (first.start, atom.end), letters=letters, cue=cue, joined=count, folded=True)


def _joins(text: str, left: _Atom, right: _Atom) -> bool:
    gap = text[left.end : right.start]
    return len(gap) <= 3 and not right.letters[1:] and _JOIN.search(gap) is not None  # noqa: PLR2004 - " / " at most


def _plausible(runs: tuple[str, ...]) -> bool:
    return sum(map(len, runs)) <= 18  # noqa: PLR2004 - what a key can hold


def _letters_before(text: str, start: int) -> str:
    found = _BEFORE.search(text[max(start - 14, 0) : start])
    return found[1] if found else ""


def _made(
    runs: tuple[str, ...],
    span: tuple[int, int],
    *,
    letters: str,
    cue: str,
    joined: int,
    folded: bool = False,
    grown: bool = False,
) -> Iterator[Window]:
    digits = "".join(runs)
    start, end = span
    if _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        kd, kc = _keys(runs, digits, letters)
        yield Window(runs, digits, start, end, letters, cue, folded, grown, joined, kd, kc, as_key(digits))


def _keys(runs: tuple[str, ...], digits: str, letters: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The kd as written (and with its letters where short), kc with the year first whichever side it was written on."""
    split = tuple(part for run in runs for part in split_glued_year(run))
    kd = (as_key(digits), lettered_key(letters, digits)) if letters and len(digits) <= _SHORT else (as_key(digits),)
    if len(split) < 2:  # noqa: PLR2004 - one run has no year beside it
        return kd, (compact(split),)
    return kd, (compact(split), compact((_as_year(split[-1]), *split[:-1])))


def _as_year(run: str) -> str:
    """A trailing year in four or two digits, as in 953/2026 and 1224/26."""
    return run if is_year(run) else run.lstrip("0")


def _ending_with(windows: list[Window], end: int) -> list[Window]:
    """The windows that end where an atom ends, newest last in the list: one token first, then the joined ones."""
    found = []
    for window in reversed(windows):
        if window.end < end and window.start < end - 40:
            break
        if window.end == end:
            found.append(window)
    found.sort(key=lambda window: (window.joined, window.folded))
    return found


def _grown(text: str, before: list[Window], here: Window) -> Iterator[Window]:
    """The short numbers of a list, completed from the number before: 104507, 510 -> 104510."""
    for base in before:
        gap = text[base.end : here.start]
        last = base.runs[-1]
        own = here.runs[-1]
        if len(here.runs) == 1 and len(gap) <= 8 and _LIST.search(gap) and not base.folded:  # noqa: PLR2004
            whole = base.digits
            if len(own) < len(whole) and len(whole) > _MIN_DIGITS:
                runs = (
                    (*base.runs[:-1], last[: -len(own)] + own) if len(own) < len(last) else (whole[: -len(own)] + own,)
                )
                yield from _made(runs, (here.start, here.end), letters=base.letters, cue=base.cue, joined=1, grown=True)


def _ranges(text: str, before: list[Window], here: list[Window]) -> Iterator[NumberRange]:
    """`1201 to 1207`: only between numbers of a likely distance, so that dates and sums are none."""
    left = next((window for window in before if not window.folded and not window.grown), None)
    right = next((window for window in reversed(here) if not window.folded and not window.grown), None)
    if left is None or right is None or not left.cue or not _RANGE.search(text[left.end : right.start]):
        return
    own = right.runs[-1] if left.joined <= right.joined else right.runs[0]
    low, high = int(left.runs[-1]), int(left.runs[-1][: -len(own)] + own)
    dash = text[left.end : right.start].strip() == "-"
    if 0 < high - low <= (_SHORT_RANGE if dash else _RANGE_LIMIT) and not (dash and is_year(left.runs[-1])):
        yield NumberRange(low, high, left.start, right.end)
