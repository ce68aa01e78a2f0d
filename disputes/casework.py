"""What a case is about and what comes next, from its messages. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from disputes.reasons import DISPUTE, NO_MATTER, OTHER, kind_of
from disputes.workdays import due

ANSWER_QUERY_DAYS = 1
ANSWER_DISPUTE_DAYS = 2
AWAIT_CUSTOMER_DAYS = 5
REVIEW_DAYS = 1
"""First delays, in business days; playbooks take them over."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one message of a case said; `direction` as in Message."""

    sent_at: datetime
    direction: str
    kind: str
    reason: str
    confidence: float | None
    sentiment: str = "calm"
    urgent: bool = False
    flags: tuple[str, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """The case as its messages tell it."""

    kind: str
    reason: str
    confidence: float | None
    sentiment: str
    urgent: bool
    flags: tuple[str, ...]
    language: str | None


@dataclass(frozen=True, slots=True)
class NextStep:
    """What happens next, by when, and whom the case waits for."""

    step: str
    due_at: datetime
    waiting_on: str


def view_of(said: Sequence[Said]) -> CaseView | None:
    """The case's kind, reason and tone. The latest contesting message decides; a chaser or an acknowledgement never.

    Our own mails do not say what the customer wants. None when no message of the case says anything.
    """
    told = [one for one in sorted(said, key=lambda one: one.sent_at) if one.kind != OTHER]
    theirs = [one for one in told if one.direction == "in"] or told
    if not theirs:
        return None
    deciding = _deciding(theirs)
    latest = theirs[-1]
    return CaseView(
        kind=kind_of(deciding.reason),
        reason=deciding.reason,
        confidence=deciding.confidence,
        sentiment=latest.sentiment,
        urgent=latest.urgent,
        flags=tuple(sorted({flag for one in theirs for flag in one.flags})),
        language=latest.language,
    )


def _deciding(theirs: Sequence[Said]) -> Said:
    matters = [one for one in theirs if one.reason not in NO_MATTER]
    contesting = [one for one in matters if one.kind == DISPUTE]
    return (contesting or matters or theirs)[-1]


def next_step(view: CaseView, *, last_direction: str, now: datetime, country: str | None) -> NextStep:
    """The first version of progress: whoever was written to answers."""
    if last_direction == "out":
        return NextStep("await_customer", due(now, days=AWAIT_CUSTOMER_DAYS, country=country), "customer")
    if view.kind == DISPUTE:
        return NextStep("owner_answer", due(now, days=ANSWER_DISPUTE_DAYS, country=country), "us")
    return NextStep("answer", due(now, days=ANSWER_QUERY_DAYS, country=country), "us")


def call_first(sentiment: str, *, urgent: bool) -> bool:
    """An angry or urgent message puts a courtesy call before any written step (product.md, Guards)."""
    return sentiment == "angry" or urgent


def disputed_amount(kind: str, open_amount: Decimal) -> Decimal:
    """What of an invoice is in dispute: all that is open, nothing for a query or a credit note."""
    return max(open_amount, Decimal(0)) if kind == DISPUTE else Decimal(0)


def claimed_amount(amounts: Sequence[Decimal], *, gross: Decimal, open_amount: Decimal) -> Decimal | None:
    """The customer's own figure: the one sum a mail names that is part of the invoice but not all of it."""
    parts = {amount for amount in amounts if 0 < amount < gross and amount != open_amount}
    return parts.pop() if len(parts) == 1 else None
