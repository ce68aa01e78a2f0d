"""Decimal amounts with their currency: rounding, parsing what people and ERPs write, formatting."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NamedTuple

from babel.core import Locale, get_global
from babel.numbers import format_currency, get_currency_precision

from app.core.errors import BadInput

MAX_AMOUNT = Decimal(10) ** 13
"""No invoice reaches ten million million: a larger figure is a mistake and would not fit the column."""


class NotMoney(BadInput):
    """A text or number that cannot be an amount in that currency."""


class Money(NamedTuple):
    """An amount and its ISO 4217 currency."""

    amount: Decimal
    currency: str


def known_currency(code: str) -> bool:
    """Whether `code` is an ISO 4217 currency in the Unicode CLDR data that Babel ships."""
    return len(code) == 3 and code.isupper() and code in _CURRENCIES  # noqa: PLR2004 - ISO 4217 codes have three letters


def minor_digits(currency: str) -> int:
    """How many decimals the currency has: 2 for EUR, 0 for JPY, 3 for TND (ISO 4217)."""
    return get_currency_precision(currency)


def quantum(currency: str) -> Decimal:
    """The smallest unit of the currency, 0.01 for EUR."""
    return Decimal(1).scaleb(-minor_digits(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount to the currency's minor unit, halves away from zero (commercial rounding)."""
    return amount.quantize(quantum(currency), rounding=ROUND_HALF_UP)


def exact(text: str | Decimal | int, currency: str) -> Decimal:
    """The amount as a machine writes it ("1234.50"); raises NotMoney on anything finer than the minor unit."""
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise NotMoney(f"{text!r} is not a number; write it like 1234.50") from error
    if not amount.is_finite() or abs(amount) >= MAX_AMOUNT:
        raise NotMoney(f"{text!r} is out of range for an amount")
    if amount != rounded(amount, currency):
        raise NotMoney(f"{text!r} has more decimals than {currency} allows ({minor_digits(currency)})")
    return rounded(amount, currency)


def shown(amount: Decimal, currency: str, language: str) -> str:
    """The amount as people of that language write it, with its currency."""
    return str(format_currency(amount, currency, locale=Locale.parse(language)))


_CURRENCIES = frozenset(get_global("all_currencies"))
