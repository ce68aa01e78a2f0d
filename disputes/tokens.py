"""Words, numbers and sentences of foreign text, with their places; the ground the features and rules stand on.

Words are found by translating each character (a table built once) and splitting at blanks: ten times faster than
any regular expression over the whole text. Only numbers go through re2 (linear time).
"""

import itertools
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import re2


def word_set(words: str) -> frozenset[str]:
    """The words of a text as a set: word lists read better as one line of words."""
    return frozenset(words.split())


INTEGER, MONEY, PERCENT, DAY, CLOCK, YEAR, REFERENCE, DECIMAL, LINK, ADDRESS, IBAN = (
    "0int",
    "0money",
    "0percent",
    "0day",
    "0clock",
    "0year",
    "0ref",
    "0decimal",
    "0link",
    "0address",
    "0iban",
)
"""Shapes of numbers and of web, mail and bank addresses; they stand for them wherever the value does not matter."""

_SPECIAL = re2.compile(
    r"(?i:https?://\S+|www\.\S+)|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|"
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b|"
    r"\d{1,3}(?:[ \x{a0}\x{202f}]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,/:'’\-–h]\d+)*"
)
_ISO_DAY = re2.compile(r"(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}")
_DAY = re2.compile(r"\d{1,2}([./-])\d{1,2}(?:[./-](?:\d{2}|\d{4}))?")
_MONEY = re2.compile(
    r"\d{1,3}(?:[ \x{a0}\x{202f}.,'’]\d{3})*[.,]\d{2}|\d+[.,]\d{2}|\d{1,3}(?:[ \x{a0}\x{202f}.,'’]\d{3})+"
)
_CURRENCY = word_set("€ $ £ eur euro euros gbp pound pounds usd chf quid")
_PERCENT = word_set("% percent prozent procent pct")
_PERCENT_TWO = frozenset({("per", "cent"), ("pour", "cent"), ("por", "ciento"), ("per", "cento")})
MONTHS = {
    name: number
    for names in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre",
        "janv fevr mars avr mai juin juil aout sept oct nov dec",
        "januar februar marz april mai juni juli august september oktober november dezember",
        "jan feb maerz apr mai jun jul aug sept okt nov dez",
        "janner feber mrz april mai juni juli august september oktober november dezember",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago setiembre oct nov dic",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
    )
    for number, name in enumerate(names.split(), start=1)
}
"""Month names and short forms in six languages, folded -> 1..12. No form means two months in two languages."""

_STOPS = ".?!;…¶"
_KEPT_SIGNS = "%€$£+&"
_DAYS = range(1, 32)
_MONTH_NUMBERS = range(1, 13)
_BEFORE_DAY = word_set("am vom zum bis den dem seit ab on du le au op per del el al dal")
_YEARS = range(1990, 2100)
_MAX_COUNT_DIGITS = 4
_WRAPPED_FROM = 55
_LONGEST_MONTH = 12


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of one text, folded (lower case, no accents), numbers as written; all tuples are parallel.

    `shapes` holds the shape of a number and "" for a word; `sentences` numbers the sentences, rising; `starts` and
    `ends` count characters of the original text. "?" and "!" are tokens of their own.
    """

    norms: tuple[str, ...]
    shapes: tuple[str, ...]
    sentences: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.norms)


class _Folding(dict[int, str]):
    """Character -> one character: letters folded, digits kept, stops and signs kept, all else blank."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold_character(chr(code))
        return folded


def _fold_character(char: str) -> str:
    if char == "\n":
        return "¶"
    if char in _STOPS or char in _KEPT_SIGNS or char in "ßæœø":
        return char
    base = unicodedata.normalize("NFKD", char)[0].lower()
    return base if len(base) == 1 and base.isalnum() else " "


_FOLDING = _Folding()


@lru_cache(maxsize=50_000)
def _spelled(word: str) -> str:
    return word.replace("ß", "ss").replace("œ", "oe").replace("æ", "ae").replace("ø", "o")


def fold(text: str) -> str:
    """The text as tokens spell it: lower case, no accents, no punctuation, words one blank apart."""
    kept = "".join(char if char not in _STOPS + _KEPT_SIGNS else " " for char in text.translate(_FOLDING))
    return " ".join(_spelled(word) for word in kept.split())


def tokenize(text: str) -> Tokens:
    """The words and numbers of a text in order; linear in its length."""
    text = _unwrapped(text)
    found = _Found()
    end = 0
    for number in _SPECIAL.finditer(text):
        start, stop = number.span()
        _words(text[end:start], end, found)
        found.add(number.group(), start, stop, written=True)
        end = stop + _goes_on(text, stop)
        found.stopped[-1] = end > stop
    _words(text[end:], end, found)
    return found.tokens()


def _goes_on(text: str, at: int) -> bool:
    """Whether a stop after a number belongs to it and the sentence goes on ("am 16.10. bezahlt", "am 30. Oktober")."""
    if text[at : at + 2] != ". ":
        return False
    word = text[at + 2 : at + 2 + _LONGEST_MONTH].split(maxsplit=1)[:1]
    return bool(word) and (word[0][0].islower() or word[0].lower().translate(_FOLDING).strip(" .,;?!") in MONTHS)


def _unwrapped(text: str) -> str:
    """The text with the line breaks a mail program put inside sentences as blanks, every character in its place."""
    lines = text.split("\n")
    breaks = [
        " " if len(line) >= _WRAPPED_FROM and then[:1].islower() else "\n" for line, then in itertools.pairwise(lines)
    ]
    return "".join(part for pair in zip(lines, [*breaks, ""], strict=True) for part in pair)


class _Found:
    """Tokens as they are found."""

    def __init__(self) -> None:
        self.norms: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.sentences: list[int] = []
        self.written: list[bool] = []
        self.stopped: list[bool] = []
        self.sentence = 0

    def add(self, norm: str, start: int, end: int, *, written: bool = False) -> None:
        self.norms.append(norm)
        self.starts.append(start)
        self.ends.append(end)
        self.sentences.append(self.sentence)
        self.written.append(written)
        self.stopped.append(False)

    def tokens(self) -> Tokens:
        shapes = _shapes(self.norms, self.sentences, self.written, self.stopped)
        return Tokens(tuple(self.norms), shapes, tuple(self.sentences), tuple(self.starts), tuple(self.ends))


def _words(text: str, offset: int, found: _Found) -> None:
    """Add the words of a text without numbers, which stands at `offset` of the whole."""
    folded = text.translate(_FOLDING)
    spaced = folded
    for sign in _STOPS + _KEPT_SIGNS:
        if sign in spaced:
            spaced = spaced.replace(sign, f" {sign} ")
    position = 0
    for word in spaced.split():
        position = folded.find(word, position)
        if word in "?!" or word not in _STOPS:
            found.add(_spelled(word), offset + position, offset + position + len(word))
        if word in _STOPS:
            found.sentence += 1
        position += len(word)


def _shapes(norms: list[str], sentences: list[int], written: list[bool], stops: list[bool]) -> tuple[str, ...]:
    shapes = [""] * len(norms)
    padded = [*norms, "", "", ""]
    for i, norm in enumerate(norms):
        if written[i]:
            before = norms[i - 1] if i else ""
            stopped = stops[i] or (i + 1 < len(norms) and sentences[i + 1] > sentences[i])
            shape = _shape(norm, before, padded[i + 1], padded[i + 2])
            shapes[i] = DAY if shape == MONEY and _is_dotted_day(norm, before, stopped=stopped) else shape
    return tuple(shapes)


def _is_dotted_day(number: str, before: str, *, stopped: bool) -> bool:
    """Whether 12.03 is the twelfth of March: German writers put a stop after it or a preposition before."""
    day, dot, month = number.partition(".")
    if not dot or not day.isdigit() or not month.isdigit() or int(day) not in _DAYS or int(month) not in _MONTH_NUMBERS:
        return False
    return stopped or before in _BEFORE_DAY


def _shape(number: str, before: str, after: str, then: str) -> str:
    """What a number or address is by its form and the words beside it."""
    if not number[0].isdigit() or "@" in number:
        return _address_shape(number)
    if after in _PERCENT or (after, then) in _PERCENT_TWO:
        return PERCENT
    if after in _CURRENCY or before in _CURRENCY:
        return MONEY
    if after in MONTHS or _ISO_DAY.fullmatch(number):
        return DAY
    return _plain_shape(number)


def _address_shape(address: str) -> str:
    if "@" in address:
        return ADDRESS
    return LINK if address[:4].lower() in {"http", "www."} else IBAN


@lru_cache(maxsize=20_000)
def _plain_shape(number: str) -> str:
    if number.isdigit():
        return _integer_shape(number)
    if _MONEY.fullmatch(number):
        return MONEY
    if _DAY.fullmatch(number):
        return DAY
    if ":" in number or "h" in number:
        return CLOCK
    return (
        DECIMAL if number.count(".") + number.count(",") == 1 and "-" not in number and "/" not in number else REFERENCE
    )


def _integer_shape(digits: str) -> str:
    if len(digits) > _MAX_COUNT_DIGITS or (digits[0] == "0" and len(digits) > 1):
        return REFERENCE
    return YEAR if int(digits) in _YEARS else INTEGER
