"""Where a mail mentions an invoice: its number in any reading, its other references, its amounts, dates and goods."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import re2

from matching.facts import AccountFacts, InvoiceFacts, PaymentFacts
from matching.mentions import Section
from matching.once import once
from matching.references import NumberKeys, digits_key, number_keys, serial_run, without_year_behind
from matching.scoring import one_typo
from matching.text import Kept, clean, digit_runs, fold, folded_words
from matching.values import Amount, Day
from matching.windows import NumberRange, Window, cue_before

# How much a reading of a number is worth; a better claim on the same characters silences the weaker ones.
RANKS = {
    "full": 9,
    "compact": 8,
    "serial": 7,
    "grown": 6,
    "range": 6,
    "short": 5,
    "tail4": 4,
    "tail3": 3,
    "tiny": 3,
    "typo": 2,
}
SURE_REFERENCE = 9
_WEAK_REFERENCE = 5
_LONG = 5  # digits from which a number says enough without words around it
_SERIAL = 4
_TAIL = 3
_AROUND = ".,;:()[]<>\"'!?€£$"
_SMALLEST_ROUNDED = 2000
_LARGEST_COUNT = 10_000_000  # cents of 100,000: no quantity is larger
_STEM = 5
_SHORTEST_WORD = 4
_DAY_REACH = 24
_SEVERAL = re2.compile(r"\b(?:INVOICES|BILLS|FACTURES|RECHNUNGEN|FACTURAS|FATTURE|FACTUREN|REKENINGEN)\b")
_SEVERAL_AFTER = re2.compile(r"^[A-Z]+[ '-]{0,2}S? ?(?:INVOICES|BILLS|RECHNUNGEN|FACTUREN|REKENINGEN)\b")
_ONE_AFTER = re2.compile(r"^[A-Z]+[ '-]{0,2}S? ?(?:INVOICE|BILL|RECHNUNG|FACTUUR|REKENING)\b")
_LETTERS = Kept("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, slots=True)
class Hit:
    """One mention of a candidate: `what` it agrees with, in which section, at which span of its folded text."""

    what: str
    rank: int
    section: Section
    start: int
    end: int
    cue: str = ""
    letters: bool = False
    wrong_letters: bool = False
    folded: bool = False
    length: int = 0
    inside: bool = False


class Known:
    """What of an invoice's number, references and lines is compared: each part once, when a mail first asks for it."""

    def __init__(self, invoice: InvoiceFacts) -> None:
        self._invoice = invoice

    @once
    def _upper(self) -> str:
        return fold(clean(self._invoice.number))

    @once
    def _runs(self) -> list[str]:
        return digit_runs(self._upper)

    @once
    def _counting(self) -> tuple[str, ...]:
        """The runs that may hold the running number: the year of issue behind them is none."""
        return without_year_behind(tuple(self._runs), self._invoice.issued.year)

    @once
    def keys(self) -> NumberKeys:
        """The keys its number is looked up by."""
        return number_keys(self._invoice.number, self._invoice.issued.year)

    @once
    def digits(self) -> str:
        """All digits of its number."""
        return "".join(self._runs)

    @once
    def serial(self) -> str:
        """The running number within it."""
        return serial_run(self._counting)

    @once
    def last(self) -> int:
        """The running number as a number, -1 where there is none."""
        return int(self.serial[-18:]) if self.serial else -1

    @once
    def letters(self) -> str:
        """The letters that stand nearest before its digits, wherever they are (FA-2026-00702: FA)."""
        return _last_letters(self._upper)

    @once
    def references(self) -> tuple[tuple[str, int, int, str], ...]:
        """Purchase order, order and delivery note: what it is, its key, how many digits it has, as it stands."""
        named = (("po", self._invoice.po), ("order", self._invoice.order), ("delivery", self._invoice.delivery))
        return tuple(
            (what, key, sum(map(len, digit_runs(text))), text)
            for what, text in named
            if text and (key := digits_key(text)) is not None
        )

    @once
    def sums(self) -> tuple[tuple[str, int], ...]:
        """The sums it may be named by, in cents, each once under its most telling name."""
        return tuple(_sums(self._invoice))

    @once
    def skus(self) -> frozenset[str]:
        """Article numbers of its lines."""
        return frozenset(line.sku.upper() for line in self._invoice.lines if line.sku)

    @once
    def counts(self) -> tuple[int, ...]:
        """Whole quantities of its lines, 0 where a line has none."""
        return tuple(int(line.quantity) if line.quantity is not None else 0 for line in self._invoice.lines)

    @once
    def stems(self) -> tuple[frozenset[str], ...]:
        """The beginnings of the words of each line."""
        return tuple(frozenset(stems(line.text)) for line in self._invoice.lines)


def _last_letters(text: str) -> str:
    letters = text.translate(_LETTERS).split()
    return letters[-1] if letters else ""


@lru_cache(maxsize=8192)
def known(invoice: InvoiceFacts) -> Known:
    """The comparable parts of an invoice (kept: the same candidates come back mail after mail)."""
    return Known(invoice)


@lru_cache(maxsize=8192)
def stems(text: str) -> tuple[str, ...]:
    """The beginnings of the longer words of a text: `whiteboards` and `whiteboard` agree."""
    return tuple(
        word[:_STEM] for word in folded_words(fold(clean(text))) if len(word) >= _SHORTEST_WORD and word.isalpha()
    )


@lru_cache(maxsize=2048)
def figures(text: str) -> frozenset[str]:
    """The tokens of a text that hold three digits or more: sums, numbers, tickets; what two mails may share."""
    tokens = (token.strip(_AROUND) for token in clean(text).split())
    return frozenset(token for token in tokens if sum(map(str.isdigit, token)) >= _TAIL)


class Mentions:
    """Everything a mail mentions, by the key it is looked up with."""

    def __init__(self, sections: Sequence[Section]) -> None:
        self.sections = sections
        self.by_kd: dict[int, list[tuple[Section, Window]]] = defaultdict(list)
        self.by_kc: dict[int, list[tuple[Section, Window]]] = defaultdict(list)
        self.by_digits: dict[str, list[tuple[Section, Window]]] = defaultdict(list)
        self.by_plain: dict[int, list[tuple[Section, Window]]] = defaultdict(list)
        self.ranges: list[tuple[Section, NumberRange]] = []
        self.amounts: dict[int, list[tuple[Section, Amount]]] = defaultdict(list)
        self.whole: dict[int, list[tuple[Section, Amount]]] = defaultdict(list)
        self.days: dict[tuple[int, int, int | None], list[tuple[Section, Day]]] = defaultdict(list)
        for section in sections:
            self._add(section)
        self.stems = _stems_of(sections, quote=False)
        self.words = frozenset().union(*(each.words for each in sections if not each.is_quote))
        self.counts = self._counts()
        self.figures = frozenset().union(
            *(figures(each.text) for each in sections if each.source in {"subject", "new"})
        )

    def _add(self, section: Section) -> None:
        for window in section.windows:
            for key in window.kd:
                self.by_kd[key].append((section, window))
            for key in window.kc:
                self.by_kc[key].append((section, window))
            self.by_plain[window.plain].append((section, window))
            self.by_digits[window.digits].append((section, window))
        self.ranges += [(section, each) for each in section.ranges]
        for amount in section.amounts:
            self.amounts[amount.cents].append((section, amount))
            if amount.whole:
                self.whole[amount.cents].append((section, amount))
        for day in section.days:
            self.days[day.year, day.month, day.day].append((section, day))

    def _counts(self) -> frozenset[int]:
        """Plain whole numbers of the new text: quantities, perhaps."""
        values = (value for value, found in self.whole.items() if any(not section.is_quote for section, _ in found))
        return frozenset(value // 100 for value in values if value < _LARGEST_COUNT)


def _stems_of(sections: Iterable[Section], *, quote: bool) -> frozenset[str]:
    found: set[str] = set()
    for section in sections:
        if section.is_quote == quote:
            found.update(word[:_STEM] for word in section.words if len(word) >= _SHORTEST_WORD and word.isalpha())
    return frozenset(found)


def number_hits(of: Known, mentions: Mentions) -> Iterator[Hit]:
    """The mentions of an invoice by its number, typing errors apart."""
    if not (mentions.by_plain or mentions.ranges) or not of.digits:
        return
    for section, window in mentions.by_kd.get(_key(of.keys.kd), ()):
        long_enough = len(window.digits) >= _LONG or window.letters == of.letters
        yield _hit("full" if long_enough else "short", section, window, of)
    for section, window in mentions.by_kc.get(_key(of.keys.kc), ()):
        if len(window.runs) > 1 or len(window.digits) > _LONG:
            yield _hit("compact", section, window, of)
    yield from _serial_hits(of, mentions)
    for section, span in mentions.ranges:
        if span.low <= of.last <= span.high:
            cue = "invoice" if span.cued else ""
            yield Hit("range", RANKS["range"], section, span.start, span.end, cue=cue, length=_SERIAL)


def _key(key: int | None) -> int:
    return -1 if key is None else key


def _serial_hits(of: Known, mentions: Mentions) -> Iterator[Hit]:
    """The running number alone, or its last digits."""
    for section, window in (*mentions.by_plain.get(_key(of.keys.ks), ()), *_before_the_end(of, mentions)):
        if len(window.runs) == 1 or window.joined > 1:
            yield _serial_hit(section, window, of)
    for size, what in ((_SERIAL, "tail4"), (_TAIL, "tail3")):
        if len(of.serial.lstrip("0")) > size:
            for section, window in mentions.by_digits.get(of.serial[-size:], ()):
                yield _hit(what, section, window, of)


def _before_the_end(of: Known, mentions: Mentions) -> Sequence[tuple[Section, Window]]:
    """The running number where a year or check digits stand behind it (R.1871.25): the stored key is of those."""
    return mentions.by_plain.get(of.last, ()) if len(of.serial) >= _TAIL and of.last != of.keys.ks else ()


def _serial_hit(section: Section, window: Window, of: Known) -> Hit:
    if window.grown:
        return _hit("grown", section, window, of)
    size = len(window.digits)
    return _hit("serial" if size >= _SERIAL else "short" if size >= _TAIL else "tiny", section, window, of)


def _hit(what: str, section: Section, window: Window, of: Known) -> Hit:
    what = "grown" if window.grown and RANKS[what] > RANKS["grown"] else what
    letters = bool(of.letters) and window.letters.endswith(of.letters)
    return Hit(
        what,
        RANKS[what],
        section,
        window.start,
        window.end,
        cue=window.cue,
        letters=letters,
        wrong_letters=bool(window.letters)
        and not letters
        and _belong(section.text, window.start)
        and window.cue in {"", "other"}
        and len(window.letters) <= _SERIAL,
        folded=window.folded,
        length=len(window.digits),
        inside=window.inside,
    )


def _belong(text: str, start: int) -> bool:
    """Whether letters belong to the number at `start` (glued or joined by a sign): a word before a blank may be any."""
    return text[start].isalpha() or text[start - 1 : start] in set("-/._")


def typo_hits(of: Known, suspects: Sequence[tuple[Section, Window]]) -> Iterator[Hit]:
    """Mentions of an invoice with one digit wrong, among the numbers nothing else claims."""
    for section, window in suspects:
        for meant in {of.digits, of.serial, of.serial.lstrip("0")}:
            if len(meant) >= _SERIAL and one_typo(window.digits, meant):
                yield _hit("typo", section, window, of)
                break


def reference_hits(of: Known, mentions: Mentions) -> Iterator[Hit]:
    """The mentions of an invoice by purchase order, order or delivery note."""
    for what, key, length, text in of.references if mentions.by_plain else ():
        for section, window in mentions.by_plain.get(key, ()):
            same = bool(window.letters) and window.letters == _last_letters(fold(clean(text)))
            sure = length >= _LONG or (length >= _TAIL and (same or window.cue == what))
            if sure or length >= _SERIAL:
                rank = SURE_REFERENCE if sure else _WEAK_REFERENCE
                yield Hit(what, rank, section, window.start, window.end, window.cue, letters=same, length=length)


def payment_hits(payments: Iterable[PaymentFacts], mentions: Mentions) -> dict[int, list[Hit]]:
    """The mentions of invoices by the payment that was put against them, by invoice id."""
    found: dict[int, list[Hit]] = defaultdict(list)
    for payment in payments:
        for section, window in mentions.by_plain.get(_key(digits_key(payment.reference)), ()):
            length = len(window.digits)
            hit = Hit("payment", SURE_REFERENCE, section, window.start, window.end, window.cue, length=length)
            for invoice_id in payment.invoice_ids:
                found[invoice_id].append(hit)
    return found


def account_hits(account: AccountFacts, mentions: Mentions) -> Iterator[Hit]:
    """The mentions of an account's number: they are no invoice numbers."""
    key = digits_key(account.number)
    for section, window in mentions.by_plain.get(key or -1, ()):
        if len(window.digits) >= _LONG:
            yield Hit("account_number", SURE_REFERENCE, section, window.start, window.end, window.cue)


def amount_hits(of: Known, mentions: Mentions) -> Iterator[Hit]:
    """The mentions of an invoice by a sum: its total, what is open, what was paid, its net or a line's total."""
    for what, cents in of.sums if mentions.amounts else ():
        for section, amount in mentions.amounts.get(cents, ()):
            yield Hit(what if amount.sure else f"{what}_bare", 1, section, amount.start, amount.end)
        if what in {"total", "balance"} and mentions.whole:
            for section, amount in _rounded(cents, mentions):
                yield Hit("rounded", 1, section, amount.start, amount.end)


def _sums(invoice: InvoiceFacts) -> Iterator[tuple[str, int]]:
    """The sums an invoice may be named by, in cents, each once under its most telling name."""
    seen = {0}
    for what, value in _every_sum(invoice):
        cents = abs(round(value * 100))
        if cents not in seen:
            seen.add(cents)
            yield what, cents


def _every_sum(invoice: InvoiceFacts) -> Iterator[tuple[str, Decimal]]:
    yield "total", invoice.gross
    yield "balance", invoice.open
    yield "paid", invoice.gross - invoice.open
    if invoice.net is not None:
        yield "net", invoice.net
    yield "half", invoice.gross / 2
    if len(invoice.lines) > 1:
        for line in invoice.lines:
            if line.quantity is not None and line.unit_price is not None:
                yield "line", line.quantity * line.unit_price


def _rounded(cents: int, mentions: Mentions) -> Iterator[tuple[Section, Amount]]:
    """`146 euros` for 146.28: only sums that are not whole themselves, and not so small that any count would do."""
    if cents % 100 and cents >= _SMALLEST_ROUNDED:
        for near in {cents - cents % 100, round(cents, -2)}:
            yield from mentions.whole.get(near, ())


def day_hits(invoice: InvoiceFacts, mentions: Mentions) -> Iterator[Hit]:
    """The mentions of an invoice by its date, its due date or the month it was issued in."""
    issued = invoice.issued
    for what, day in (("issued", issued), ("due", invoice.due)):
        if day is not None:
            for section, found in mentions.days.get((day.year, day.month, day.day), ()):
                yield _day_hit(what, section, found)
    for section, found in mentions.days.get((issued.year, issued.month, None), ()):
        yield _day_hit("month", section, found)


def _day_hit(what: str, section: Section, found: Day) -> Hit:
    """A day is named where an invoice is spoken of beside it ("la fattura del 5 giugno"), `_all` where several are."""
    before = section.text[max(found.start - _DAY_REACH, 0) : found.start].rpartition("\n")[2]
    after = section.text[found.start : found.end + _DAY_REACH // 2].partition("\n")[0]
    if _SEVERAL.search(before) or _SEVERAL_AFTER.search(after):
        return Hit(f"{what}_all", 0, section, found.start, found.end)
    named = cue_before(before) == "invoice" or _ONE_AFTER.search(after)
    return Hit(f"{what}_named" if named else what, 0, section, found.start, found.end)
