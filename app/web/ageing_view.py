"""The ageing of an account's open items as a bar and a table: one per currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from invoices.ageing import BUCKETS, bucket_of
from invoices.models import Invoice

N_ = str  # marks a msgid for extraction
LABELS = (N_("Not due"), N_("1–30 days"), N_("31–60 days"), N_("61–90 days"), N_("Over 90 days"))
"""Of the ledger's buckets, in their order."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One stretch of the bar: `left` and `width` in per cent of what is owed."""

    number: int
    label: str
    amount: Decimal
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class AgeingBar:
    """Open items of one currency by days overdue. Credit notes lower the total but have no stretch of their own."""

    currency: str
    buckets: tuple[Bucket, ...]
    total: Decimal
    overdue: Decimal
    credits: Decimal


def ageing_of(items: Sequence[Invoice], *, today: date) -> list[AgeingBar]:
    """A bar per currency, the largest total first."""
    currencies = sorted({item.currency for item in items})
    bars = [_bar(currency, [item for item in items if item.currency == currency], today) for currency in currencies]
    return sorted(bars, key=lambda bar: -bar.total)


def _bar(currency: str, items: Sequence[Invoice], today: date) -> AgeingBar:
    sums = [Decimal(0)] * len(BUCKETS)
    for item in items:
        if item.open_amount > 0:
            sums[BUCKETS.index(bucket_of(item.due, today=today))] += item.open_amount
    credit = sum((item.open_amount for item in items if item.open_amount < 0), Decimal(0))
    return AgeingBar(currency, _stretches(sums), sum(sums, credit), sum(sums[1:], Decimal(0)), credit)


def _stretches(sums: Sequence[Decimal]) -> tuple[Bucket, ...]:
    whole = sum(sums, Decimal(0)) or Decimal(1)
    left, found = 0.0, []
    for number, amount in enumerate(sums):
        width = float(amount / whole * 100)
        found.append(Bucket(number, LABELS[number], amount, left, width))
        left += width
    return tuple(found)
