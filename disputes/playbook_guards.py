"""The guards that make it amiable (product.md): whether a due step is taken, and why not. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from disputes.playbook import GuardSettings, Progress, Step, written
from disputes.workhours import Calendar, add_business_days

Recipient = Literal["known", "stranger", "machine", "none"]
Verdict = Literal["take", "refuse", "skip"]
CoverKind = Literal["payment", "credit", "promise"]


@dataclass(frozen=True, slots=True)
class Cover:
    """Money that is on its way or there already: a payment not yet allocated, a credit, a promise.

    It counts until `until` (a promise: its date and the days of grace); None: for good.
    """

    kind: CoverKind
    amount: Decimal
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What guards ask beside the progress. Money in one currency: what of the case's invoices is overdue and open,
    what of that is in dispute (in this case or any other), and what covers it.

    `recipient` is whom a mail would go to; `last_automatic` when they got an automatic one last. `bank_details` is
    "checked" while two people check some of the account's (S15), "released" once they released this case's.
    """

    overdue: Decimal = Decimal(0)
    disputed: Decimal = Decimal(0)
    covers: Sequence[Cover] = ()
    still_disputed: Decimal = Decimal(0)
    recipient: Recipient = "known"
    last_automatic: datetime | None = None
    bank_details: Literal["", "checked", "released"] = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Take the step (`amount`: what a letter may ask for), refuse it (`guard` and `why`; try again `until`), or skip:
    it is not for this case any more, nothing is recorded and the next step is looked for.
    """

    verdict: Verdict
    why: str
    guard: str = ""
    until: datetime | None = None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """Everything one guard may look at."""

    step: Step
    facts: Progress
    standing: Standing
    settings: GuardSettings
    now: datetime


_No = tuple[str, datetime | None]
"""Why not, and when to try again where that is known."""


def judge(
    step: Step, facts: Progress, standing: Standing, *, settings: GuardSettings, calendar: Calendar, now: datetime
) -> Judgement:
    """Whether a step that is due is taken. Every guard is asked, in order; the first no is the answer."""
    if not step.fits(facts):
        return Judgement("skip", f"not for this case: {step.missed(facts)}")
    asked = _Asked(step, facts, standing, settings, now)
    for name, guard in _GUARDS:
        no = guard(asked)
        if no is not None:
            why, until = no
            return Judgement("refuse", why, name, until or add_business_days(now, 1, calendar))
    return Judgement("take", "due, and no guard is against it", amount=_due_balance(asked) if _dunning(step) else None)


def dunnable(standing: Standing, now: datetime) -> Decimal:
    """The exact balance a letter may ask for: overdue, not disputed, not covered. Never negative."""
    covered = sum((cover.amount for cover in _counting(standing, now)), Decimal(0))
    return max(standing.overdue - standing.disputed - covered, Decimal(0))


def _counting(standing: Standing, now: datetime) -> list[Cover]:
    return [cover for cover in standing.covers if cover.until is None or cover.until >= now]


def _dunning(step: Step) -> bool:
    """A reminder, letter or escalation to the customer: it asks for money."""
    return written(step) and step.action in {"letter", "escalate"}


def _due_balance(asked: _Asked) -> Decimal:
    return dunnable(asked.standing, asked.now)


def _held(asked: _Asked) -> _No | None:
    until = asked.facts.hold_until
    if until is None or until <= asked.now:
        return None
    return f"the case is held: {asked.facts.hold_reason or 'no reason given'}", until


def _own_delay(asked: _Asked) -> _No | None:
    waiting_on = asked.facts.case.waiting_on
    if not _dunning(asked.step) or waiting_on not in {"us", "third_party"}:
        return None
    who = "us" if waiting_on == "us" else "a third party"
    return f"the case waits on {who}, not on the customer", None


def _somebody_there(asked: _Asked) -> _No | None:
    words = {
        "stranger": "the address is not known as the customer's",
        "machine": "a machine would read it",
        "none": "there is no address to write to",
    }
    why = words.get(asked.standing.recipient)
    return (why, None) if why and written(asked.step) else None


def _two_people(asked: _Asked) -> _No | None:
    if written(asked.step) and asked.standing.bank_details == "checked":
        return "changed bank details of this customer are being checked by two people", None
    return None


def _a_person_first(asked: _Asked) -> _No | None:
    tags = asked.facts.case.tags
    if written(asked.step) and "payment_diversion" in tags and asked.standing.bank_details != "released":
        return "talk of changed bank details: a person looks first", None
    if _dunning(asked.step) and tags & {"legal_threat", "insolvency"}:
        return "lawyers or insolvency are spoken of: a person decides what is written", None
    return None


def _call_first(asked: _Asked) -> _No | None:
    if written(asked.step) and asked.facts.upset:
        return "angry or urgent: a call comes before anything written, and none has been made", None
    return None


def _disputed(asked: _Asked) -> _No | None:
    standing = asked.standing
    if _dunning(asked.step) and standing.disputed > 0 and standing.overdue <= standing.disputed:
        return "all that is overdue is in dispute", None
    return None


def _covered(asked: _Asked) -> _No | None:
    if not _dunning(asked.step) or _due_balance(asked) > Decimal(asked.settings.least_letter):
        return None
    counting = _counting(asked.standing, asked.now)
    promised = max((one.until for one in counting if one.until is not None), default=None)
    kinds = " and ".join(sorted({f"a {cover.kind}" for cover in counting}))
    return (f"{kinds} covers what is due" if kinds else "nothing is due"), promised


def _quiet(asked: _Asked) -> _No | None:
    last = asked.standing.last_automatic
    if last is None or not written(asked.step):
        return None
    until = last + timedelta(hours=asked.settings.quiet_hours)
    return ("they got an automatic mail within the quiet period", until) if until > asked.now else None


def _not_settled(asked: _Asked) -> _No | None:
    if asked.step.action != "close":
        return None
    if asked.standing.still_disputed > 0:
        return f"{asked.standing.still_disputed} is still in dispute", None
    resolved, wrote = asked.facts.since.get("resolved"), asked.facts.since.get("customer_wrote")
    if resolved is not None and wrote is not None and wrote > resolved:
        return "the customer wrote after the matter was resolved: somebody reads it first", None
    return None


_GUARDS: tuple[tuple[str, Callable[[_Asked], _No | None]], ...] = (
    ("hold", _held),
    ("own_delay", _own_delay),
    ("recipient", _somebody_there),
    ("two_people", _two_people),
    ("person_first", _a_person_first),
    ("call_first", _call_first),
    ("disputed", _disputed),
    ("covered", _covered),
    ("quiet", _quiet),
    ("not_settled", _not_settled),
)
