"""The guards that make it amiable, for letters to an account (product.md): no procedure turns them off. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from disputes.told import Told, filled, told
from letters.facts import AccountFacts
from letters.procedure import Procedure

N_ = str  # marks a msgid for extraction
_SAID = {
    "legal_threat": N_("a legal threat"),
    "insolvency": N_("insolvency"),
    "payment_diversion": N_("changed bank details"),
}
PERSON_FIRST = frozenset(_SAID)
"""Tags of a case that no letter may answer before a person did (as disputes.playbook_guards)."""
RefusalCode = Literal[
    "sent_today",
    "blocked",
    "two_people",
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
    """Why no letter goes: in English for what is kept, and `told` for a page in its reader's language."""

    code: RefusalCode
    why: str
    told: Told | None = None


def _no(code: RefusalCode, say: str, **facts: Any) -> Refusal:
    why = told(say, **facts)
    english = {name: ", ".join(one) if isinstance(one, list) else one for name, one in facts.items()}
    return Refusal(code, filled(say, english), why)


_PERSON = N_("case %(case)s speaks of %(flags)s: a person decides what is written")
_TWO = N_("changed bank details are being checked by two people first")
_CALL = N_("angry or urgent in case %(case)s: a call comes before anything written")
_QUIET = N_("they heard from us lately: quiet until %(until)s")
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
    return _no("sent_today", N_("a letter goes to the account today already")) if again else None


def _blocked(facts: AccountFacts, _procedure: Procedure, today: date) -> Refusal | None:
    block = facts.block
    if block is None or not block.holds(today):
        return None
    return _no("blocked", N_("no letters: %(why)s"), why=block.reason)


def _two_people(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    """Who pays while a fraud is about may pay the thief: nobody is asked for money until two people looked (S15)."""
    return _no("two_people", _TWO) if facts.checked else None


def _person_first(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    for matter in facts.matters:
        found = sorted(PERSON_FIRST & matter.tags)
        if found:
            said = [_SAID[one] for one in found]
            return _no("person_first", _PERSON, case=matter.case_id, flags=said)
    return None


def _call_first(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    for matter in facts.matters:
        if matter.upset:
            return _no("call_first", _CALL, case=matter.case_id)
    return None


def _own_delay(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    """A case that waits on us and names no invoice is about the account: no reminder while the customer waits."""
    for matter in facts.matters:
        if matter.waits_on_us and not matter.invoices:
            return _no("own_delay", N_("the customer waits on us in case %(case)s"), case=matter.case_id)
    return None


def _quiet(facts: AccountFacts, procedure: Procedure, today: date) -> Refusal | None:
    until = quiet_until(facts, procedure)
    return _no("quiet", _QUIET, until=until.isoformat()) if until and until > today else None


def quiet_until(facts: AccountFacts, procedure: Procedure) -> date | None:
    """The day they may hear from us again; None where they never did."""
    days = [one.day + timedelta(procedure.days_between) for one in facts.sent]
    if facts.last_automatic is not None:
        days.append(facts.last_automatic + timedelta(procedure.quiet_days))
    return max(days, default=None)


_STANDING: tuple[_Guard, ...] = (_blocked, _two_people, _person_first, _call_first, _own_delay)
"""What stands against any letter while it lasts."""
