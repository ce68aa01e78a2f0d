"""One invoice as it was owed, for interest and compensation. Values only."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from app.core.errors import BadInput
from app.core.money import exact

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Reduction:
    """What lowered a debt, on a day: a payment or a credit. `from_start`: the credit says that the sum was never owed
    (a wrong invoice put right), so that no interest is asked for it at all.
    """

    day: date
    amount: Decimal
    kind: Literal["payment", "credit"]
    source: str
    from_start: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """One invoice as it was owed, VAT included, and what lowered it since. `disputed` bears no claim while it is.

    `notice` is the day the customer got a notice to pay, for laws where interest needs one.
    """

    number: str
    due: date
    currency: str
    amount: Decimal
    reductions: tuple[Reduction, ...] = ()
    disputed: Decimal = ZERO
    notice: date | None = None

    def __post_init__(self) -> None:
        amounts = [self.amount, self.disputed, *(one.amount for one in self.reductions)]
        for amount in amounts:
            if exact(amount, self.currency) < 0:
                raise BadInput(
                    f"{self.number}: {amount} {self.currency} is below zero, interest needs amounts above it"
                )

    def owed(self, day: date) -> Decimal:
        """What of it is owed and undisputed on a day, before what arrives on that day. Never below zero."""
        gone = sum((one.amount for one in self.reductions if one.from_start or one.day < day), ZERO)
        return max(self.amount - self.disputed - gone, ZERO)
