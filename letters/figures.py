"""Amounts, rates and days as the reader of a letter writes them. Pure; Babel's patterns are read once and kept."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal, get_decimal_symbol, get_group_symbol

from app.core.i18n import money_formatter
from app.core.money import minor_digits, rounded
from letters.kinds import Language

_LONG = {"de": "d. MMMM y", "es": "d 'de' MMMM 'de' y"}
_FIRST: Mapping[str, str] = {"fr": "1er", "it": "1º"}
_SHORT = {"fr": "dd/MM/y", "en": "d MMM y", "de": "dd.MM.y", "es": "dd/MM/y", "it": "dd/MM/y", "nl": "dd-MM-y"}
_AT_HOME: Mapping[Language, tuple[str, ...]] = {
    "fr": ("FR", "BE", "CH", "LU"),
    "en": ("GB", "IE"),
    "de": ("DE", "AT", "CH", "LI", "LU"),
    "es": ("ES",),
    "it": ("IT", "CH"),
    "nl": ("NL", "BE"),
}
"""Countries whose own way of writing figures a letter in that language takes; elsewhere the first one's."""


@dataclass(frozen=True)
class Figures:
    """How one language of one country writes figures: a Swiss letter in German groups thousands otherwise."""

    language: Language
    locale: Locale

    def money(self, amount: Decimal, currency: str) -> str:
        """1234.5, EUR -> 1 234,50 €, never broken over lines."""
        return _unbroken(_formatter(str(self.locale), currency)(amount))

    def amount(self, amount: Decimal, currency: str) -> str:
        """1234.5, EUR -> 1 234,50: for a column whose head names the currency."""
        exact = rounded(amount, currency)
        figure = f"{abs(exact):,.{minor_digits(currency)}f}".translate(_marks(str(self.locale)))
        return f"{'−' if exact < 0 else ''}{figure}"

    def sums(self, amounts: Mapping[str, Decimal], *, joint: str) -> str:
        """Sums of several currencies in a row, joined by the word for "and"."""
        return self.listed((self.money(amount, currency) for currency, amount in amounts.items()), joint=joint)

    def rate(self, value: Decimal) -> str:
        """12.150 -> 12,15 %."""
        found = str(format_decimal(value.normalize(), format="#,##0.00###", locale=self.locale))
        return f"{found}%" if self.language == "en" else f"{found}\N{NO-BREAK SPACE}%"

    def number(self, value: Decimal | int) -> str:
        """1234.5 -> 1 234,5."""
        return _unbroken(str(format_decimal(value, locale=self.locale)))

    def day(self, value: date) -> str:
        """3 mars 2026; French and Italian write the first of a month as an ordinal."""
        told = _date(value, _LONG.get(self.language, "d MMMM y"), str(self.locale))
        return told.replace("1", _FIRST[self.language], 1) if value.day == 1 and self.language in _FIRST else told

    def short(self, value: date) -> str:
        """03/03/2026: for columns."""
        return _date(value, _SHORT[self.language], str(self.locale))

    def listed(self, parts: Iterable[str], *, joint: str) -> str:
        """a, b and c."""
        found = list(parts)
        return f" {joint} ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)


@cache
def figures(language: Language, country: str) -> Figures:
    """Those of the language as the country writes it; as its own country does where it is not spoken there."""
    homes = _AT_HOME[language]
    return Figures(language, Locale(language, country if country in homes else homes[0]))


@cache
def _formatter(locale: str, currency: str) -> Callable[[Decimal], str]:
    return money_formatter(Locale.parse(locale), currency)


@cache
def _marks(locale: str) -> dict[int, str]:
    found = Locale.parse(locale)
    return str.maketrans({",": get_group_symbol(found), ".": get_decimal_symbol(found)})


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("-", "−")


@lru_cache(maxsize=8192)
def _date(value: date, pattern: str, locale: str) -> str:
    return str(format_date(value, pattern, locale=locale))
