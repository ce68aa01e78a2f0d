"""Whether a customer's promise was kept, judged by the payments that came. Pure.

Payments are laid on promises in the order of their dates, so that no cent keeps two promises. A promise is judged
broken only after days of grace: banks are slow, and an unjust reproach costs more than a day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from pydantic import Field

from disputes.rulebook import Rules
from disputes.workhours import Calendar, is_working_day

State = Literal["open", "kept", "partly_kept", "broken"]
ZERO = Decimal(0)


class PromisePolicy(Rules):
    """Working days of grace after the promised day, and how much may be missing (bank charges) in a kept promise."""

    grace_days: int = Field(default=2, ge=0, le=30)
    tolerance: Decimal = Field(default=Decimal("1.00"), ge=0, le=1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """A promise with what it is about: `invoices` are numbers (none: the whole account).

    `amount` is what was promised; where the customer named none, what was open then of those invoices (None: unknown,
    any payment keeps it). `still_open` is what of the invoices is open now: with nothing left it is kept, whatever paid
    them; None where that is not known.
    """

    promise_id: int
    made: date
    due: date
    currency: str
    amount: Decimal | None = None
    invoices: frozenset[str] = frozenset()
    still_open: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """A payment: the day it was received and, by invoice number, what was put where (None: the split is not known)."""

    reference: str
    received: date
    currency: str
    amount: Decimal
    allocations: Mapping[str, Decimal | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """How a promise stands: what came for it and from which payments, what is missing, until when it may still come.

    `call`: somebody should phone. A broken promise makes a call, never a letter.
    """

    promise_id: int
    state: State
    received: Decimal
    missing: Decimal
    until: date
    why: str
    used: tuple[tuple[str, Decimal], ...] = ()

    @property
    def call(self) -> bool:
        """Whether a courtesy call is due."""
        return self.state in {"broken", "partly_kept"}


def judge(
    promises: Sequence[Promised],
    payments: Sequence[Money],
    *,
    policy: PromisePolicy,
    calendar: Calendar,
    today: date,
) -> tuple[Judged, ...]:
    """How each promise of an account stands today, in the order given. A payment's cent counts for one of them only."""
    left = {payment.reference: payment.amount for payment in payments}
    found: dict[int, Judged] = {}
    for promise in sorted(promises, key=lambda one: (one.due, one.promise_id)):
        until = last_day(promise.due, policy.grace_days, calendar)
        used = _use(promise, payments, left, until, policy)
        found[promise.promise_id] = _judged(promise, used, until, policy, today)
    return tuple(found[promise.promise_id] for promise in promises)


def last_day(due: date, grace_days: int, calendar: Calendar) -> date:
    """The last day a payment still keeps the promise: so many working days after it was due."""
    day = due
    for _ in range(grace_days):
        day += timedelta(days=1)
        while not is_working_day(day, calendar):
            day += timedelta(days=1)
    return day


def _use(
    promise: Promised, payments: Sequence[Money], left: dict[str, Decimal], until: date, policy: PromisePolicy
) -> tuple[tuple[str, Decimal], ...]:
    """What of which payment came for the promise in time; `left` is lowered by it."""
    used: list[tuple[str, Decimal]] = []
    wanted = promise.amount
    for payment in sorted(payments, key=lambda one: (one.received, one.reference)):
        if payment.currency != promise.currency or not promise.made <= payment.received <= until:
            continue
        part = min(_meant(promise, payment), left[payment.reference])
        part = part if wanted is None else min(part, wanted)
        if part > 0 and not _enough(promise, used, policy):
            left[payment.reference] -= part
            wanted = None if wanted is None else wanted - part
            used.append((payment.reference, part))
    return tuple(used)


def _enough(promise: Promised, used: Sequence[tuple[str, Decimal]], policy: PromisePolicy) -> bool:
    """Whether what came is what was promised, but for bank charges. Without an amount any payment is."""
    received = sum((part for _, part in used), ZERO)
    if promise.amount is None:
        return received > 0
    return received > 0 and received >= promise.amount - policy.tolerance


def _meant(promise: Promised, payment: Money) -> Decimal:
    """How much of a payment was for the promise's invoices: what was put on them, and what was put nowhere yet."""
    if not promise.invoices:
        return payment.amount
    elsewhere = sum(
        (part or ZERO for number, part in payment.allocations.items() if number not in promise.invoices), ZERO
    )
    return max(payment.amount - elsewhere, ZERO) if _concerns(promise, payment) else ZERO


def _concerns(promise: Promised, payment: Money) -> bool:
    """It names one of the invoices, or is not fully put on others."""
    named = payment.allocations.keys() & promise.invoices
    known = [part for part in payment.allocations.values() if part is not None]
    all_known = len(known) == len(payment.allocations)
    return bool(named) or (all_known and sum(known, ZERO) < payment.amount)


def _judged(
    promise: Promised, used: tuple[tuple[str, Decimal], ...], until: date, policy: PromisePolicy, today: date
) -> Judged:
    received = sum((part for _, part in used), ZERO)
    missing = max((promise.amount or ZERO) - received, ZERO)
    state, why = _state(promise, received, _enough(promise, used, policy), until, today)
    return Judged(promise.promise_id, state, received, ZERO if state == "kept" else missing, until, why, used)


def _state(promise: Promised, received: Decimal, enough: bool, until: date, today: date) -> tuple[State, str]:
    currency = promise.currency
    if enough:
        return "kept", f"{received} {currency} came in time"
    if promise.still_open is not None and promise.still_open <= 0:
        return "kept", "nothing of it is open any more"
    if today <= until:
        return "open", f"may still come until {until.isoformat()}"
    if received:
        return "partly_kept", f"{received} {currency} of {promise.amount} came by {until.isoformat()}"
    return "broken", f"nothing came by {until.isoformat()}"
