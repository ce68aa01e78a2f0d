"""Readings of digits as document numbers: strict, folded (O for 0), joined, grown from a list, spanned by a range."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2

from matching.references import as_key, compact, is_year, lettered_key, split_glued_year
from matching.text import digit_runs, folded_words

_ATOM = re2.compile(r"[A-Z0-9]*[0-9][A-Z0-9]*")
_JOINS = frozenset(f"{left}{sign}{right}" for left in ("", " ") for sign in "-/._°" for right in ("", " ")) | {
    " ",
    "\n",
}
_AND = frozenset({"AND", "ET", "UND", "Y", "E", "EN", "OU", "OR", "ODER", "O", "OF"})
_LIST_SIGNS = frozenset(",;&+\n")
_CARRY_SIGNS = " ,;/&+()-\r\n"
_LONGEST_GAP = 9
_LONGEST_RANGE = 28
_RANGE = re2.compile(
    r"^ ?(?:(?:TO|THROUGH|THRU|A|A LA|AU|JUSQU'A|JUSQU'A LA|BIS|BIS ZU|BIS ZUR|TOT|TOT EN MET|T/M|AL|HASTA|HASTA LA"
    r"|ALLA|FINO A|FINO ALLA) (?:[A-Z]{1,5}[-/. ]?)?|(?:-|\.\.\.?) ?)$"
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOOK_ALIKES = "OILSBZG"
_FOLDED = str.maketrans(_LOOK_ALIKES, "0115826")
_LONGEST_JOIN = 4
_MIN_DIGITS, _MAX_DIGITS = 2, 24
_MAX_ATOMS = 700
_CUE_REACH = 26
_SHORT = 4
_LONGEST_SERIAL = 12
_RANGE_LIMIT = 2000
_SAYS_ENOUGH = 5  # digits of a number that may begin a range with no word before it
_CLOSE = 20
_SHORT_RANGE = 60  # a dash between numbers is a range only where they are close

_CUES = {
    "invoice": "FACTURE FACTURES FACT FAC FACS FA FAS FV FT FTS FATT FATTURA FATTURE FACTURA FACTURAS FACTUUR FACTUREN "
    "FAKTURA INV INVS INVOICE INVOICES BILL BILLS RECHNUNG RECHNUNGEN RECHN RG RE RGN BELEG BELEGE N° NO NR NUM NUMERO "
    "NUMMER AVOIR AVOIRS GUTSCHRIFT GUTSCHRIFTEN CREDIT ABONO RECTIFICATIVA CREDITNOTA NOTA DOCUMENT PIECE",
    "po": "PO POS PURCHASE ORDER ORDERS COMMANDE COMMANDES CDE CMD BC BDC BESTELLUNG BESTELLUNGEN BESTELLNR "
    "BESTELLNUMMER PEDIDO PEDIDOS ORDINE ORDINI ODA BESTELLING BESTELBON INKOOPORDER INKOOPNUMMER ABRUF AUFTRAG SO AB "
    "BON",
    "delivery": "BL BLS LIVRAISON LIVRAISONS DN DELIVERY LS LIEFERSCHEIN LIEFERSCHEINE LIEFERUNG ALBARAN ALBARANES DDT "
    "BOLLA PAKBON LEVERBON LEVERING CONSEGNA ENTREGA",
    "account": "KUNDENNR KUNDENNUMMER KUNDE COMPTE ACCOUNT KLANTNUMMER KLANT CLIENTE CLIENT CUSTOMER DEBITOR",
    "other": "DOSSIER TICKET SIRET SIREN TEL TELEFONO TELEFON TELEPHONE TELEFOON PHONE MOBILE MOBIL PORTABLE CELL "
    "CELLULARE MOVIL GSM WHATSAPP ART ARTICLE ARTICOLO ARTIKEL ARTICULO LAW LOI LEGGE LEY GESETZ DL DLGS DPR GDPR RGPD "
    "ISO FAX HRB HRA RMA AZ AKTENZEICHEN VENDOR SUPPLIER LIEFERANT FOURNISSEUR RCS "
    "CIF NIF UST BTW TVA VAT PAGE SEITE ZEICHEN DEPT TRN CRO SORT POSTBUS EXT",
}
_CUE_KINDS = {word: kind for kind, listed in _CUES.items() for word in listed.split()}


@dataclass(frozen=True, slots=True)
class Window:
    """
    One reading of digits in a text as a number. `letters` stand right before it, `cue` is the kind of document the
    words announce ('' = none), `folded` that letters were read as digits, `grown` that it was completed from the one
    before (1364, 66), `joined` how many tokens it spans, `inside` that it is a part of a longer string of numbers.
    `kd`, `kc` are its look-up keys, `plain` its digits as an int.
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
    inside: bool
    kd: tuple[int, ...]
    kc: tuple[int, ...]
    plain: int


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Every number from `low` to `high` (the last runs), as in "1201 to 1207"; `cued` where words announce invoices."""

    low: int
    high: int
    start: int
    end: int
    cued: bool = True


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
    rest = token.lstrip(_LETTERS)
    letters = token[: len(token) - len(rest)]
    return _Atom(start, start + len(token), letters, tuple(digit_runs(token)), _folded(letters, rest))


def _folded(letters: str, rest: str) -> tuple[str, ...] | None:
    """The digits with look-alike letters read as digits; of letters in front only those that touch the digits."""
    lead = letters[len(letters.rstrip(_LOOK_ALIKES)) :].translate(_FOLDED)
    plain = rest.isdigit()
    if plain and not lead:
        return None
    body = rest if plain else rest.translate(_FOLDED)
    return (lead + body,) if body.isdigit() else None


def find_windows(text: str, masks: Sequence[tuple[int, int]]) -> tuple[list[Window], list[NumberRange]]:
    """The readings of every digit group in folded text that lies outside the masks (sorted spans), and the ranges."""
    atoms = [atom for atom in _atoms(text) if not _masked(atom, masks)]
    windows: list[Window] = []
    ranges: list[NumberRange] = []
    before: list[Window] = []
    for place, atom in enumerate(atoms):
        gap = text[before[0].end : atom.start] if before else ""
        cue = _cue(text, atom)
        if not cue and before and _carries(gap):
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


def _cue(text: str, atom: _Atom) -> str:
    """The document kind announced: by letters glued to the number, else by the nearest word before it on the line."""
    if atom.letters in _CUE_KINDS:
        return _CUE_KINDS[atom.letters]
    return cue_before(text[max(atom.start - _CUE_REACH, 0) : atom.start])


def cue_before(before: str) -> str:
    """The document kind that the end of a text announces for a number behind it."""
    line = before.rstrip().rpartition("\n")[2]
    if "#" in line or "N°" in line:
        return "invoice"
    return next((_CUE_KINDS[word] for word in reversed(folded_words(line)) if word in _CUE_KINDS), "")


def _carries(gap: str) -> bool:
    """Whether nothing but list signs and "and" stands between two numbers, so that the second is of the same kind."""
    return len(gap) < _LONGEST_GAP and gap.strip(_CARRY_SIGNS) in _AND | {""}


def goes_on_listing(gap: str) -> bool:
    """Whether a gap goes on a list: a comma, a line break or an "and" between two numbers, no mere blank."""
    if len(gap) >= _LONGEST_GAP:
        return False
    word = gap.strip(_CARRY_SIGNS)
    return word in _AND or (not word and not _LIST_SIGNS.isdisjoint(gap) and "/" not in gap)


def _starting_at(text: str, atoms: list[_Atom], place: int, cue: str) -> Iterator[Window]:
    """Windows of one to four neighbouring atoms, strict and folded."""
    first = atoms[place]
    letters = first.letters or _letters_before(text, first.start)
    cut = _goes_on(text[max(first.start - 2, 0) : first.start][::-1])
    strict: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()
    changed = False
    for count, atom in enumerate(atoms[place : place + _LONGEST_JOIN], start=1):
        if count > 1 and not _joins(text, atoms[place + count - 2], atom):
            return
        strict += atom.strict
        folded += atom.folded or atom.strict
        changed = changed or atom.folded is not None
        inside = cut or _goes_on(text[atom.end : atom.end + 2])
        if count == 1 or _plausible(strict):
            yield from _made(strict, (first.start, atom.end), letters=letters, cue=cue, joined=count, inside=inside)
        if changed:
            span = (first.start, atom.end)
            yield from _made(folded, span, letters=letters, cue=cue, joined=count, folded=True, inside=inside)


def _goes_on(beside: str) -> bool:
    """Whether a number goes on beside a window: a sign that joins and a digit behind it."""
    return len(beside) == 2 and beside[0] in "-/._" and beside[1].isdigit()  # noqa: PLR2004 - the sign and the digit


def _joins(text: str, left: _Atom, right: _Atom) -> bool:
    return text[left.end : right.start] in _JOINS and not right.letters.strip(_LOOK_ALIKES)[1:]


def _plausible(runs: tuple[str, ...]) -> bool:
    return sum(map(len, runs)) <= 18  # noqa: PLR2004 - what a key can hold


def _letters_before(text: str, start: int) -> str:
    """The letters right before a number (`INV ` in `INV 104`), signs between them apart."""
    before = text[max(start - 14, 0) : start].rstrip(" .:°#/_-")
    return before[len(before.rstrip(_LETTERS)) :]


def _made(
    runs: tuple[str, ...],
    span: tuple[int, int],
    *,
    letters: str,
    cue: str,
    joined: int,
    folded: bool = False,
    grown: bool = False,
    inside: bool = False,
) -> Iterator[Window]:
    digits = "".join(runs)
    start, end = span
    if _MIN_DIGITS <= len(digits) <= _MAX_DIGITS:
        kd, kc = _keys(runs, digits, letters)
        yield Window(runs, digits, start, end, letters, cue, folded, grown, joined, inside, kd, kc, as_key(digits))


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
        if len(here.runs) == 1 and not base.folded and goes_on_listing(gap):
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
    gap = text[left.end : right.start] if left and right else ""
    if left is None or right is None or len(gap) > _LONGEST_RANGE or not _RANGE.search(gap):
        return
    own = right.runs[-1] if left.joined <= right.joined else right.runs[0]
    low, high = int(left.runs[-1]), int(left.runs[-1][: -len(own)] + own)
    dash = gap.strip() == "-"
    widest = (_SHORT_RANGE if dash else _RANGE_LIMIT) if left.cue else _widest_unannounced(left.runs[-1], own)
    if 0 < high - low <= widest and not (dash and is_year(left.runs[-1])):
        yield NumberRange(low, high, left.start, right.end, bool(left.cue))


def _widest_unannounced(low: str, high: str) -> int:
    """How far a range may reach that no word announces: long numbers say enough, short ones only close together."""
    if len(low) >= _SAYS_ENOUGH and len(high) <= len(low):
        return _SHORT_RANGE
    return _CLOSE if len(low) == len(high) >= _SHORT - 1 else 0


def structured_windows(start: int, end: int, digits: str) -> Iterator[Window]:
    """
    The readings of a structured reference's digits: whole, and every end of them long enough to be a number.

    What a seller puts into such a reference is his own affair: the number alone, or a customer number before it.
    """
    for size in range(min(len(digits), _LONGEST_SERIAL), _SHORT - 1, -1):
        yield from _made((digits[-size:],), (start, end), letters="", cue="invoice", joined=1)
    if len(digits) > _LONGEST_SERIAL:
        yield from _made((digits,), (start, end), letters="", cue="invoice", joined=1)
