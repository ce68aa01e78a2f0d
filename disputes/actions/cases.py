"""What people do to a case: correct what it is, give it to someone, hold it, close it, open it again."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.auth import Team, User, entity_codes
from app.core.errors import BadInput, Conflict, NotFound
from app.core.events import Actor
from disputes.actions import money, planning, tasks, writeback
from disputes.actions.opening import owner_of, place_of, routed
from disputes.actions.shared import case_for_change, change_case, correction
from disputes.case_facts import fact_of_case
from disputes.clock_events import Happened
from disputes.models import Case
from disputes.reasons import NO_MATTER, OTHER, REASONS, kind_of
from disputes.routing_rules import AUTO
from disputes.rules_in_force import all_reasons
from disputes.told import kept, told
from invoices.models import Entity

N_ = str  # marks a msgid for babel's extraction; translated where it is shown

RESOLUTIONS = (
    "credited", "paid", "withdrawn", "written_off", "answered", "no_action",
    "accepted", "partly_accepted", "rejected", "duplicate",
)  # fmt: skip
"""How a case can end: by what became of the money, or as it was resolved (disputes/actions/life.py)."""
_GIVES_UP = frozenset({"withdrawn", "answered", "no_action", "rejected", "duplicate"})
"""Ends after which nothing is in dispute any more. After the others it stays so until the ERP's document comes: an
amount that will be credited is not dunned on the way."""
_ENDED = frozenset({"resolved", "closed"})


class UnknownReason(BadInput):
    """The kind and reason do not make a case."""


class CaseEnded(Conflict):
    """The case is closed already, or open already."""


class Nobody(NotFound):
    """There is no such user or team, or they may not open the case."""


def correct(session: Session, *, case_id: int, kind: str, reason: str, actor: Actor, now: datetime) -> Case:
    """A person says what the case is. It stands against later mail; training learns from it.

    The owner follows unless a person chose one. Raises NoCase, CaseMerged, UnknownReason.
    """
    _check(session, kind, reason)
    case = case_for_change(session, case_id)
    old_kind, old_reason = case.kind, case.reason
    change_case(
        session,
        case,
        verb="reason corrected",
        actor=actor,
        now=now,
        kind=kind,
        reason=reason,
        reason_by=actor.name,
        confidence=1.0,
    )
    for field, before, after in (("kind", old_kind, kind), ("reason", old_reason, reason)):
        if before != after:
            correction(session, field=field, before=before, after=after, actor=actor, now=now, case_id=case_id)
    if old_kind != kind:
        money.kind_changed(session, case=case, actor=actor, now=now)
    planning.changed(session, case=case, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    if old_reason != reason and case.owner_by == AUTO:
        route_again(session, case, actor=actor, now=now)
    return case


def _check(session: Session, kind: str, reason: str) -> None:
    if reason not in REASONS and not all_reasons(session).usable(reason):
        raise UnknownReason(f"{reason!r} is no reason, or not in use any more", fields={"reason": "not in use"})
    if kind_of(reason) != kind:
        raise UnknownReason(f"{reason!r} is no reason of a {kind}", fields={"reason": f"not a reason of {kind}"})
    if kind == OTHER:
        raise UnknownReason(f"{reason!r} makes no case; move its message out instead", fields={"kind": "not a case"})


def route_again(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    """The case goes to whom the rules name for it now, its tasks with it."""
    if case.reason in NO_MATTER:
        return
    session.flush()
    facts, place = fact_of_case(session, case=case), place_of(session, case.entity_id)
    given = routed(session, case=case, facts=facts, place=place, now=now)
    change_case(session, case, verb="case assigned", actor=actor, now=now, **owner_of(given))
    tasks.reassign(session, case=case)


def assign(
    session: Session, *, case_id: int, owner_id: int | None, team_id: int | None, actor: Actor, now: datetime
) -> Case:
    """A person gives the case to someone, or to a team's queue (owner None). Raises NoCase, CaseMerged, Nobody."""
    case = case_for_change(session, case_id)
    owner, team = _owner(session, case, owner_id), _team(session, team_id)
    team_id = team.id if team else owner.team_id if owner else case.team_id
    before = case.owner_id
    change_case(
        session,
        case,
        verb="case assigned",
        actor=actor,
        now=now,
        owner_id=owner_id,
        team_id=team_id,
        owner_by=actor.name,
        owner_why=kept([told(N_("chosen by %(name)s"), name=_name(session, actor))]),
        state="in_progress" if case.state == "new" else case.state,
    )
    tasks.reassign(session, case=case)
    if before != owner_id:
        correction(session, field="owner", before=before, after=owner_id, actor=actor, now=now, case_id=case_id)
    return case


def may_have(session: Session, *, user_id: int, case: Case) -> User | None:
    """The user, if they work here still and may open the case: entities are a right (disputes/people.py)."""
    wanted = select(User).where(User.id == user_id, User.active).options(selectinload(User.entities))
    user = session.scalar(wanted)
    allowed = entity_codes(user) if user is not None else None
    if allowed is None:
        return user
    return user if session.scalar(select(Entity.code).where(Entity.id == case.entity_id)) in allowed else None


def _owner(session: Session, case: Case, owner_id: int | None) -> User | None:
    if owner_id is None:
        return None
    owner = may_have(session, user_id=owner_id, case=case)
    if owner is None:
        raise Nobody(f"No active user {owner_id} may open case {case.id}", fields={"owner": "unknown"})
    return owner


def _team(session: Session, team_id: int | None) -> Team | None:
    team = session.get(Team, team_id) if team_id is not None else None
    if team_id is not None and team is None:
        raise Nobody(f"There is no team {team_id}", fields={"team": "unknown"})
    return team


def _name(session: Session, actor: Actor) -> str:
    kind, _, number = actor.name.partition(":")
    user = session.get(User, int(number)) if kind == "user" and number.isdigit() else None
    return user.name if user else actor.name


def close(session: Session, *, case_id: int, resolution: str, actor: Actor, now: datetime) -> Case:
    """The matter is settled; nothing is left to do in it. Raises NoCase, CaseMerged, CaseEnded, BadInput."""
    if resolution not in RESOLUTIONS:
        raise BadInput(f"{resolution!r} is no way to end a case; use one of {', '.join(RESOLUTIONS)}")
    case = case_for_change(session, case_id)
    if case.state == "closed":
        raise CaseEnded(f"Case {case_id} is closed already")
    change_case(
        session,
        case,
        verb="case closed",
        actor=actor,
        now=now,
        state="closed",
        resolution=resolution,
        closed_at=now,
        waiting_on=None,
        waiting_since=None,
        waiting_until=None,
        hold_until=None,
        hold_reason=None,
    )
    planning.heard(session, case=case, what=Happened.RESOLVED, actor=actor, now=now)
    tasks.cancel_of_case(session, case_id=case_id, outcome="case closed", actor=actor, now=now)
    if resolution in _GIVES_UP:
        money.give_back(session, case=case, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    return case


def reopen(session: Session, *, case_id: int, actor: Actor, now: datetime) -> Case:
    """The matter is not settled after all. Raises NoCase, CaseMerged, CaseEnded."""
    case = case_for_change(session, case_id)
    if case.state not in _ENDED:
        raise CaseEnded(f"Case {case_id} is open ({case.state})")
    change_case(
        session,
        case,
        verb="case reopened",
        actor=actor,
        now=now,
        state="in_progress",
        resolution=None,
        closed_at=None,
        resolved_at=None,
        reopened_at=now,
        waiting_on="us",
    )
    money.take_up(session, case=case, actor=actor, now=now)
    planning.heard(session, case=case, what=Happened.REOPENED, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    return case


def hold(session: Session, *, case_id: int, until: datetime, why: str, actor: Actor, now: datetime) -> Case:
    """No step is taken before `until`. Raises NoCase, CaseMerged, BadInput for a time that is past or without a why."""
    if until <= now:
        raise BadInput("A hold must end in the future", fields={"until": "is past"})
    if not why.strip():
        raise BadInput("Say why the case is held", fields={"why": "empty"})
    case = case_for_change(session, case_id)
    change_case(session, case, verb="case held", actor=actor, now=now, hold_until=until, hold_reason=why.strip()[:300])
    planning.replan(session, case=case, now=now)
    return case


def release(session: Session, *, case_id: int, actor: Actor, now: datetime) -> Case:
    """End a hold before its time. Raises NoCase, CaseMerged."""
    case = case_for_change(session, case_id)
    change_case(session, case, verb="hold ended", actor=actor, now=now, hold_until=None, hold_reason=None)
    planning.replan(session, case=case, now=now)
    return case
