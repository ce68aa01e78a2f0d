"""What to answer: the nearest settled cases with how they ended, and the message that fits where the case stands. Pure.

A suggestion is a beginning for an agent, never sent by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from matching.text import words

N_ = str  # marks a msgid for babel's extraction; translated where it is shown
NEAR = 0.25
"""Cases less alike than this say nothing about each other."""
_REASON, _WORDS, _AMOUNT, _ACCOUNT = 0.4, 0.35, 0.15, 0.1
_MOST_WORDS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What a case is compared by: its reason, the customer's words, what is in dispute, whose it is."""

    case_id: int
    reason: str
    words: frozenset[str]
    amount: Decimal | None = None
    currency: str = ""
    account_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A case that ended: its likeness, how it ended, what was credited, when."""

    likeness: Likeness
    title: str
    resolution: str
    credited: Decimal | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Similar:
    """A settled case near to this one: how near (0 to 1), and what they share, in words."""

    case: Settled
    nearness: float
    shares: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a case stands. `overdue`: we said they would hear by now, and they did not."""

    state: str
    waiting_on: str | None
    overdue: bool
    resolution: str | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The kind of message that fits, why, and how near cases ended most often (None where they say nothing)."""

    kind: str
    why: str
    usual: str | None


def key_words(text: str) -> frozenset[str]:
    """The words a case is compared by."""
    return frozenset(one.lower() for one in words(text)[:_MOST_WORDS] if len(one) > 3)  # noqa: PLR2004 - short ones say little


def nearest(case: Likeness, settled: Sequence[Settled], *, limit: int = 3) -> tuple[Similar, ...]:
    """The settled cases most like this one, nearest first; the newer of two that are equally near."""
    found = [one for one in (_compare(case, other) for other in settled) if one.nearness >= NEAR]
    found.sort(key=lambda one: (-one.nearness, -one.case.likeness.case_id))
    return tuple(found[:limit])


def suggest(standing: Standing, similar: Sequence[Similar]) -> Suggestion:
    """Which message fits now: an apology comes before what else we owe; an outcome is told once there is one."""
    usual = _usual(similar)
    if standing.state in {"resolved", "closed"}:
        return Suggestion("resolution", N_("the matter is settled: tell how it ended"), usual)
    if standing.overdue:
        return Suggestion("apology", N_("they should have heard from us by now"), usual)
    if standing.waiting_on == "customer":
        return Suggestion("question", N_("we wait for something of theirs"), usual)
    return Suggestion("status", N_("they should hear from us before they ask"), usual)


def _usual(similar: Sequence[Similar]) -> str | None:
    weights: dict[str, float] = {}
    for one in similar:
        weights[one.case.resolution] = weights.get(one.case.resolution, 0.0) + one.nearness
    return max(weights, key=lambda way: weights[way]) if weights else None


def _compare(case: Likeness, settled: Settled) -> Similar:
    other = settled.likeness
    parts = (
        (_REASON, 1.0 if case.reason == other.reason else 0.0, N_("the same reason")),
        (_WORDS, _overlap(case.words, other.words), N_("similar words")),
        (_AMOUNT, _alike(case, other), N_("a similar amount")),
        (
            _ACCOUNT,
            1.0 if case.account_id is not None and case.account_id == other.account_id else 0.0,
            N_("the same customer"),
        ),
    )
    shares = tuple(said for _, part, said in parts if part >= 0.2)  # noqa: PLR2004 - less is not worth a word
    return Similar(settled, round(sum(weight * part for weight, part, _ in parts), 3), shares)


def _overlap(ours: frozenset[str], theirs: frozenset[str]) -> float:
    """How much of the shorter is in the other, so that a long thread does not hide a short mail."""
    return len(ours & theirs) / min(len(ours), len(theirs)) if ours and theirs else 0.0


def _alike(case: Likeness, other: Likeness) -> float:
    """1 for the same amount, 0 for one twice as large or of another currency."""
    if not case.amount or not other.amount or case.currency != other.currency:
        return 0.0
    smaller, larger = sorted((abs(case.amount), abs(other.amount)))
    return float(max(Decimal(0), 2 * smaller / larger - 1))
