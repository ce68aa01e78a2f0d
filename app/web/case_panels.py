"""The panels of a case page beside the conversation: its money, its promises, the days one can wait until."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.core.events import Event
from disputes.dispute_money import Tally
from disputes.models import Case, CaseInvoice, Promise
from disputes.promise_keeping import PromisePolicy, last_day
from disputes.queries import CasePage
from disputes.workdays import due
from disputes.workhours import calendar_of
from invoices.models import Invoice

WAITS = (1, 3, 5, 10)
"""Business days one can wait by a single choice."""
PARTS = ("still", "credited", "paid", "written_off", "withdrawn")
"""What became of disputed money, what is still in dispute first."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an amount: what became of it, how much, and where it lies on a bar of 100."""

    name: str
    amount: Decimal
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Share:
    """Disputed money in one currency: all that was ever disputed and what became of it."""

    currency: str
    disputed: Decimal
    parts: Sequence[Part]

    @property
    def still(self) -> Decimal:
        """What is in dispute now."""
        return sum((part.amount for part in self.parts if part.name == "still"), Decimal(0))


@dataclass(frozen=True, slots=True)
class InvoiceMoney:
    """The disputed money of one invoice in this case, the customer's own figure beside it."""

    invoice: Invoice
    share: Share
    claimed: Decimal | None


def money_rows(page: CasePage) -> list[InvoiceMoney]:
    """One an invoice of the case; a row from before movements were kept counts as disputed."""
    return [
        InvoiceMoney(row.invoice, share(row.invoice.currency, tally_of(page, row)), row.claimed)
        for row in page.invoices
    ]


def tally_of(page: CasePage, row: CaseInvoice) -> Tally:
    """What became of the disputed money of an invoice of the case."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for movement in page.movements:
        if movement.invoice_id == row.invoice_id:
            sums[movement.kind] += movement.amount
    return Tally(**sums) if sums else Tally(disputed=row.disputed)


def money_totals(rows: Iterable[InvoiceMoney]) -> list[Share]:
    """The case's disputed money, one sum a currency; currencies in which nothing was disputed are left out."""
    by_currency: dict[str, list[Share]] = defaultdict(list)
    for row in rows:
        by_currency[row.share.currency].append(row.share)
    totals = [_total(currency, shares) for currency, shares in sorted(by_currency.items())]
    return [total for total in totals if total.disputed]


def _total(currency: str, shares: Sequence[Share]) -> Share:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for part in (part for one in shares for part in one.parts):
        sums[part.name] += part.amount
    return _share(currency, sum((one.disputed for one in shares), Decimal(0)), sums)


def share(currency: str, tally: Tally) -> Share:
    """A tally as parts of its whole."""
    return _share(currency, tally.disputed, {name: getattr(tally, name) for name in PARTS})


def _share(currency: str, disputed: Decimal, sums: Mapping[str, Decimal]) -> Share:
    parts, start = [], 0.0
    for name in PARTS:
        amount = sums.get(name, Decimal(0))
        if amount:
            width = round(float(amount / disputed * 100), 2)
            parts.append(Part(name, amount, round(start, 2), width))
            start += width
    return Share(currency, disputed, parts)


@dataclass(frozen=True, slots=True)
class PromiseView:
    """A promise, until when money counts for it, and what judged it: what came, by which payments, what is missing."""

    promise: Promise
    until: date
    judged_at: datetime | None
    received: Decimal | None
    missing: Decimal | None
    payments: Sequence[tuple[str, Decimal]]


def promises(page: CasePage) -> list[PromiseView]:
    """The promises of the case, by date."""
    judged = {event.subject_id: event for event in page.events if event.subject == "promise" and _verdict(event)}
    calendar = calendar_of(page.case.entity.country if page.case.entity else None)
    grace = PromisePolicy().grace_days
    return [
        _promise(one, last_day(one.date, grace, calendar), judged.get(one.id) if one.state != "open" else None)
        for one in page.promises
    ]


def _verdict(event: Event) -> Mapping[str, Any]:
    """What a judgement says, empty for other events of a promise."""
    after = event.after or {}
    return after if "received" in after else {}


def _promise(promise: Promise, until: date, event: Event | None) -> PromiseView:
    told = _verdict(event) if event is not None else {}
    return PromiseView(
        promise=promise,
        until=until,
        judged_at=event.at if event is not None else None,
        received=Decimal(str(told["received"])) if told else None,
        missing=Decimal(str(told["missing"])) if told else None,
        payments=[(str(reference), Decimal(str(amount))) for reference, amount in told.get("payments", ())],
    )


def wait_days(case: Case, now: datetime) -> list[tuple[int, date]]:
    """Business days, and the day each ends on in the entity's country."""
    country = case.entity.country if case.entity else None
    return [(days, due(now, days=days, country=country).date()) for days in WAITS]


def joined_cases(page: CasePage) -> list[int]:
    """Numbers of the cases a person merged into this one and that were not separated again."""
    joined: dict[int, None] = {}
    for event in page.events:
        number = (event.after or {}).get("case_id")
        if event.verb == "case joined by another" and isinstance(number, int):
            joined[number] = None
        elif event.verb == "cases unmerged" and isinstance(number, int):
            joined.pop(number, None)
    return list(joined)
