"""How old unpaid amounts are. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

BUCKETS = ("not_due", "1-30", "31-60", "61-90", "over_90")
"""Days past the due date. A document is late from the day after it."""

_ENDS = (0, 30, 60, 90)


class OpenItem(Protocol):
    """What can be aged: an invoice or credit note with something open."""

    @property
    def due(self) -> date:
        """The day it must be paid by."""
        ...

    @property
    def currency(self) -> str:
        """ISO 4217."""
        ...

    @property
    def open_amount(self) -> Decimal:
        """What is unpaid, in units of the currency; negative for a credit note."""
        ...


@dataclass(frozen=True)
class AgedTotal:
    """What is open in one currency: by age, credit notes taken off, and in all. `overdue` is all but `not_due`."""

    currency: str
    buckets: dict[str, Decimal]
    total: Decimal
    overdue: Decimal


@dataclass(frozen=True)
class Ageing:
    """An account's open items by currency, the largest first."""

    totals: tuple[AgedTotal, ...]

    def of(self, currency: str) -> AgedTotal:
        """The total of one currency, zeros where nothing is open in it."""
        found = (total for total in self.totals if total.currency == currency)
        return next(found, _total(currency, dict.fromkeys(BUCKETS, Decimal(0))))


def bucket_of(due: date, *, today: date) -> str:
    """The bucket of something due on a day."""
    late = (today - due).days
    return next((name for name, end in zip(BUCKETS, _ENDS, strict=False) if late <= end), BUCKETS[-1])


def age(items: Iterable[OpenItem], *, today: date) -> Ageing:
    """Sort open items into buckets of lateness, currency by currency: sums of two currencies mean nothing.

    A credit note is in the bucket of its own due date and lowers it.
    """
    found: dict[str, dict[str, Decimal]] = {}
    for item in items:
        buckets = found.setdefault(item.currency, dict.fromkeys(BUCKETS, Decimal(0)))
        buckets[bucket_of(item.due, today=today)] += item.open_amount
    totals = [_total(currency, buckets) for currency, buckets in found.items()]
    return Ageing(tuple(sorted(totals, key=lambda total: (-total.total, total.currency))))


def _total(currency: str, buckets: dict[str, Decimal]) -> AgedTotal:
    total = sum(buckets.values(), Decimal(0))
    return AgedTotal(currency, buckets, total, total - buckets["not_due"])
