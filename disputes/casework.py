"""What a case is about, from its messages, and by when they are answered. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from disputes.reasons import DISPUTE, NO_MATTER, OTHER, kind_of

ANSWER_QUERY_DAYS = 1
ANSWER_DISPUTE_DAYS = 2
REVIEW_DAYS = 1
"""By when mail is answered and questions of the program are, in business days."""


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


def view_of(said: Sequence[Said]) -> CaseView | None:
    """The case's kind, reason and tone. The latest contesting message decides; a chaser or an acknowledgement never.

    Our own mails do not say what the customer wants. None when no message of the case says anything.
    """
    told = [one for one in sorted(said, key=lambda one: one.sent_at) if one.kind != OTHER]
    theirs = [one for one in told if one.direction == "in"] or told
    if not theirs:
        return None
    decided = deciding(theirs)
    latest = theirs[-1]
    return CaseView(
        kind=kind_of(decided.reason),
        reason=decided.reason,
        confidence=decided.confidence,
        sentiment=latest.sentiment,
        urgent=latest.urgent,
        flags=tuple(sorted({flag for one in theirs for flag in one.flags})),
        language=latest.language,
    )


class Telling(Protocol):
    """A worked message, as far as it tells what its case is."""

    @property
    def kind(self) -> str | None:
        """Its kind."""
        ...

    @property
    def reason(self) -> str | None:
        """Its reason."""
        ...


Told = TypeVar("Told", bound=Telling)


def deciding(theirs: Sequence[Told]) -> Told:
    """The one of the customer's messages, oldest first and at least one, that makes their case what it is."""
    matters = [one for one in theirs if one.reason not in NO_MATTER]
    contesting = [one for one in matters if one.kind == DISPUTE]
    return (contesting or matters or theirs)[-1]


def answer_days(kind: str) -> int:
    """In how many working days a mail of that kind is answered."""
    return ANSWER_DISPUTE_DAYS if kind == DISPUTE else ANSWER_QUERY_DAYS


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
