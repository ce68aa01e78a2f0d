"""Dates and amounts of money in the formats of six languages, with their spans."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import re2

from matching.text import Kept


@dataclass(frozen=True, slots=True)
class Amount:
    """
    A sum of money in a text, in hundredths. `sure`: it has cents or a currency beside it, so it is no mere count.
    `whole`: no cents were written (146 euros may mean 146.28).
    """

    cents: int
    start: int
    end: int
    sure: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A date in a text; `day` is None where only a month is named."""

    year: int
    month: int
    day: int | None
    start: int
    end: int


_MONTHS: dict[str, int] = {}
for _month, _names in enumerate(
    (
        "JANUARY JAN JANVIER JANV JANUAR JAENNER ENERO ENE GENNAIO GEN JANUARI",
        "FEBRUARY FEB FEVRIER FEVR FEBRUAR FEBRERO FEBBRAIO FEBBR FEBRUARI",
        "MARCH MAR MARS MAERZ MARZ MARZO MAART MRT",
        "APRIL APR AVRIL AVR ABRIL ABR APRILE",
        "MAY MAI MAYO MAGGIO MAG MEI",
        "JUNE JUN JUIN JUNI JUNIO GIUGNO GIU",
        "JULY JUL JUILLET JUIL JULI JULIO LUGLIO LUG",
        "AUGUST AUG AOUT AGOSTO AGO AUGUSTUS",
        "SEPTEMBER SEP SEPT SEPTEMBRE SEPTIEMBRE SETTEMBRE SETT SET",
        "OCTOBER OCT OCTOBRE OKTOBER OKT OCTUBRE OTTOBRE OTT",
        "NOVEMBER NOV NOVEMBRE NOVIEMBRE",
        "DECEMBER DEC DECEMBRE DEZEMBER DEZ DICIEMBRE DIC DICEMBRE",
    ),
    start=1,
):
    _MONTHS.update(dict.fromkeys(_names.split(), _month))
_WORD_LENGTH = 4  # shorter month names are words of other meaning when they stand alone
_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))
_FULL_NAMES = "|".join(
    sorted((name for name in _MONTHS if len(name) >= _WORD_LENGTH or name in {"MAI", "MEI"}), key=len, reverse=True)
)

_ISO = re2.compile(r"\b(20\d\d)-(\d\d)-(\d\d)\b")
_NUMERIC = re2.compile(r"\b(\d{1,2})([/.-])(\d{1,2})([/.-])(20\d\d|\d\d)\b")
_SHORT = re2.compile(r"\b(\d{1,2})([/.])(\d{1,2})\b\.?")
_DAY_FIRST = re2.compile(
    rf"\b(\d{{1,2}})(?:ST|ND|RD|TH|ER|E|\.|°)?\s(?:DE\s|OF\s)?({_NAMES})\b\.?(?:,?\s(?:DE\s|DEL\s)?(20\d\d)\b)?"
)
_MONTH_FIRST = re2.compile(rf"\b({_NAMES})\.?\s(\d{{1,2}})(?:ST|ND|RD|TH)?\b(?:,?\s(20\d\d)\b)?")
_OF_A_MONTH = re2.compile(rf"\b(?:{_FULL_NAMES})(?:S?RECHNUNG|FACTU|REKENING)")
_INVOICES = r"(?:S?RECHNUNG(?:EN)?|FACTUUR|FACTUREN|REKENING(?:EN)?)"
_MONTH_ALONE = re2.compile(rf"\b({_FULL_NAMES}){_INVOICES}?\b(?:\s(?:DE\s|DEL\s)?(20\d\d)\b)?")
_LETTERS_ONLY = Kept("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DECEMBER = 12
_CENTURY = 2000
_LATER = timedelta(days=150)


def find_days(text: str, *, near: date) -> list[Day]:
    """
    The dates in folded text; a date without a year gets the year that brings it nearest to `near`.

    Day before month everywhere (the six languages agree on that), swapped where only the other order is a date.
    """
    days: list[Day] = []
    named = not _MONTHS.keys().isdisjoint(text.translate(_LETTERS_ONLY).split())
    for found in _ISO.finditer(text):
        _add(days, found, year=int(found[1]), month=int(found[2]), day=int(found[3]))
    for found in _NUMERIC.finditer(text):
        if found[2] == found[4]:
            year = int(found[5])
            _add(
                days, found, year=year if year >= _CENTURY else _CENTURY + year, month=int(found[3]), day=int(found[1])
            )
    if named or _OF_A_MONTH.search(text):
        _find_named(text, days, near)
    for found in _SHORT.finditer(text):
        if _in_a_number(text, found):
            continue
        _add(days, found, year=_nearest_year(int(found[3]), near), month=int(found[3]), day=int(found[1]))
    return days


def _in_a_number(text: str, found: Any) -> bool:
    """Whether digits stand right before or behind: then it is a part of a longer number, such as 25.11.001416."""
    before, after = text[max(found.start() - 2, 0) : found.start()], text[found.end() : found.end() + 2]
    parted = after[:1] in {"/", "-"} and after[1:].isdigit()
    return after[:1].isdigit() or parted or (before[-1:] in {"/", ".", "-"} and before[:-1].isdigit())


def _find_named(text: str, days: list[Day], near: date) -> None:
    """The dates whose month is a word, and months alone."""
    for found in _DAY_FIRST.finditer(text):
        _add_named(days, found, name=found[2], day=found[1], year=found[3], near=near)
    for found in _MONTH_FIRST.finditer(text):
        _add_named(days, found, name=found[1], day=found[2], year=found[3], near=near)
    for found in _MONTH_ALONE.finditer(text):
        _add_named(days, found, name=found[1], day=None, year=found[2], near=near)


def _add_named(days: list[Day], found: Any, *, name: str, day: str | None, year: str | None, near: date) -> None:
    month = _MONTHS[name]
    _add(
        days, found, year=int(year) if year else _nearest_year(month, near), month=month, day=int(day) if day else None
    )


def _add(days: list[Day], found: Any, *, year: int, month: int, day: int | None) -> None:
    """Keep a date that exists and lies in no span already taken by a fuller form."""
    start, end = found.span()
    if day is not None and month > _DECEMBER >= day:
        month, day = day, month
    if any(start < other.end and other.start < end for other in days) or not _exists(year, month, day):
        return
    days.append(Day(year, month, day, start, end))


def _exists(year: int, month: int, day: int | None) -> bool:
    try:
        date(year, month, day or 1)
    except ValueError:
        return False
    return True


def _nearest_year(month: int, near: date) -> int:
    """A month named without its year lies in the past or not far ahead: in January, December is last year's."""
    if not 1 <= month <= _DECEMBER:
        return near.year
    return near.year if date(near.year, month, 1) <= near + _LATER else near.year - 1


_CURRENCIES = ("EUROS", "EURO", "EUR", "€", "GBP", "£", "POUNDS", "USD", "$", "CHF", "SFR", "PLN", "SEK", "DKK", "NOK")
_MONEY = re2.compile(r"\d{1,3}(?:[., ']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?")
_MAX_DIGITS = 11
_REACH = 7


def find_amounts(text: str) -> list[Amount]:
    """The sums of money in folded text; plain whole numbers come too, marked as not sure."""
    amounts: list[Amount] = []
    for found in _MONEY.finditer(text):
        start, end = found.span()
        if _glued(text, start, end):
            continue
        money = _currency_beside(text, start, end)
        for begin in _readings(text, start, end):
            amount = _amount(text[begin:end], begin, end, money=money)
            if amount is not None:
                amounts.append(amount)
    return amounts


def _currency_beside(text: str, start: int, end: int) -> bool:
    before, after = text[max(start - _REACH, 0) : start].rstrip(" -"), text[end : end + _REACH].lstrip(" -")
    return before.endswith(_CURRENCIES) or after.startswith(_CURRENCIES)


def _glued(text: str, start: int, end: int) -> bool:
    """Part of a longer token (A1234, 12/345, 1,234,5): not a sum."""
    before, after = text[start - 1 : start], text[end : end + 2]
    if before.isalnum() or (before and before in "/_-#." and text[start - 2 : start - 1].isalnum()):
        return True
    if not after:
        return False
    return after[0] in "/_" or (after[0].isalpha() and not text.startswith(_CURRENCIES, end)) or _goes_on(after)


def _goes_on(after: str) -> bool:
    return after[0] in ".,-'" and after[1:].isdigit()


def _readings(text: str, start: int, end: int) -> list[int]:
    """Where a sum may begin: `455 139,40` may be one sum or a number and a sum."""
    begins = [start]
    blank = text.find(" ", start, end)
    while blank >= 0:
        begins.append(blank + 1)
        blank = text.find(" ", blank + 1, end)
    return begins


def _amount(written: str, start: int, end: int, *, money: bool) -> Amount | None:
    """Three digits after the last separator are thousands, one or two are cents."""
    cents = _cents_written(written)
    digits = "".join(char for char in written[: len(written) - cents] if char.isdigit())
    if not digits or len(digits) > _MAX_DIGITS:
        return None
    value = int(digits) * 100 + (int(written[-cents:].ljust(2, "0")) if cents else 0)
    return Amount(value, start, end, sure=money or cents > 1, whole=cents == 0)


def _cents_written(written: str) -> int:
    """How many digits follow a decimal sign: 2, 1 or 0."""
    if written[-3:-2] in {".", ","}:
        return 2
    return 1 if written[-2:-1] in {".", ","} else 0
