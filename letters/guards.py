"""The guards that make it amiable, for letters to an account (product.md): no procedure turns them off. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from letters.facts import AccountFacts
from letters.procedure import Procedure

PERSON_FIRST = frozenset({"legal_threat", "insolvency", "payment_diversion"})
"""Tags of a case that no letter may answer before a person did (as disputes.playbook_guards)."""
RefusalCode = Literal[
    "sent_today",
    "blocked",
    "person_first",
    "call_first",
    "own_delay",
    "quiet",
    "unreachable",
    "nothing_due",
    "disputed",
    "covered",
    "too_small",
    "too_early",
    "all_said",
    "changed",
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no letter goes."""

    code: RefusalCode
    why: str


_Guard = Callable[[AccountFacts, Procedure, date], Refusal | None]


def refused(facts: AccountFacts, procedure: Procedure, *, today: date) -> Refusal | None:
    """The first guard against a new letter to the account today."""
    return _first((_sent_today, *_STANDING, _quiet), facts, procedure, today)


def forbidden(facts: AccountFacts, procedure: Procedure, *, today: date) -> Refusal | None:
    """The first guard against any letter, one that is written already too."""
    return _first(_STANDING, facts, procedure, today)


def _first(guards: Iterable[_Guard], facts: AccountFacts, procedure: Procedure, today: date) -> Refusal | None:
    return next((no for guard in guards if (no := guard(facts, procedure, today)) is not None), None)


def _sent_today(facts: AccountFacts, _procedure: Procedure, today: date) -> Refusal | None:
    again = any(one.day >= today for one in facts.sent)
    return Refusal("sent_today", "a letter goes to the account today already") if again else None


def _blocked(facts: AccountFacts, _procedure: Procedure, today: date) -> Refusal | None:
    block = facts.block
    return Refusal("blocked", f"no letters: {block.reason}") if block is not None and block.holds(today) else None


def _person_first(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    for matter in facts.matters:
        found = sorted(PERSON_FIRST & matter.tags)
        if found:
            said = " and ".join(found).replace("_", " ")
            return Refusal("person_first", f"case {matter.case_id} speaks of {said}: a person decides what is written")
    return None


def _call_first(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    for matter in facts.matters:
        if matter.upset:
            return Refusal(
                "call_first", f"angry or urgent in case {matter.case_id}: a call comes before anything written"
            )
    return None


def _own_delay(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    """A case that waits on us and names no invoice is about the account: no reminder while the customer waits."""
    for matter in facts.matters:
        if matter.waits_on_us and not matter.invoices:
            return Refusal("own_delay", f"the customer waits on us in case {matter.case_id}")
    return None


def _quiet(facts: AccountFacts, procedure: Procedure, today: date) -> Refusal | None:
    until = quiet_until(facts, procedure)
    return Refusal("quiet", f"they heard from us lately: quiet until {until}") if until and until > today else None


def quiet_until(facts: AccountFacts, procedure: Procedure) -> date | None:
    """The day they may hear from us again; None where they never did."""
    days = [one.day + timedelta(procedure.days_between) for one in facts.sent]
    if facts.last_automatic is not None:
        days.append(facts.last_automatic + timedelta(procedure.quiet_days))
    return max(days, default=None)


_STANDING: tuple[_Guard, ...] = (_blocked, _person_first, _call_first, _own_delay)
"""What stands against any letter while it lasts."""
