"""Why no such letter is written, in a sentence with places, so that a page says it in the reader's language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.core.errors import BadInput
from disputes.told import Told, filled

N_ = str  # marks a msgid for extraction


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount among a sentence's facts: a page writes it as its reader does."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True, slots=True)
class Sums:
    """Amounts of several currencies, never added."""

    amounts: Mapping[str, Decimal]

    def each(self) -> tuple[Sum, ...]:
        """One by one."""
        return tuple(Sum(amount, currency) for currency, amount in self.amounts.items()) or (Sum(Decimal(0), "EUR"),)

    def __str__(self) -> str:
        return ", ".join(str(one) for one in self.each())


class NoSuchLetter(BadInput):
    """Facts or wishes that make no letter: `told` is the msgid with its facts (Sum, Sums, dates, plain values)."""

    def __init__(self, say: str, **facts: Any) -> None:
        super().__init__(filled(say, facts))
        self.told = Told(say, facts)
