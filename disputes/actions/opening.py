"""The program's own writes to cases: open one, join a message to it, let one flow into another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team
from app.core.events import Actor
from disputes.actions import money, tasks, writeback
from disputes.actions.shared import change, plain, record_case, touch
from disputes.case_facts import fact_of_case, facts_of_new_case
from disputes.casework import CaseView, next_step, view_of
from disputes.conditions import CaseFacts
from disputes.desks import desks_of
from disputes.lookups import said_in
from disputes.models import Case, Correction, Message
from disputes.reasons import OTHER, TEAMS
from disputes.routing_rules import AUTO, Given, assign
from disputes.rules_in_force import routing_rules
from disputes.told import kept
from disputes.workhours import calendar_of, local_day
from invoices.models import Entity

_ENDED = frozenset({"resolved", "closed"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where cases are written: the entity's code and country, for routing and business days."""

    entity_id: int | None
    code: str | None
    country: str | None


def place_of(session: Session, entity_id: int | None) -> Place:
    """The entity as routing and due times need it."""
    entity = session.get(Entity, entity_id) if entity_id is not None else None
    return Place(entity.id, entity.code, entity.country) if entity else Place(None, None, None)


def open_case(
    session: Session, *, message: Message, title: str, view: CaseView, place: Place, actor: Actor, now: datetime
) -> Case:
    """A new case for a message, routed to its owner, with what comes next."""
    at = _moment(message, now)
    case = Case(
        entity_id=place.entity_id,
        account_id=message.account_id,
        title=title[:300],
        kind=view.kind,
        reason=view.reason,
        confidence=view.confidence,
        sentiment=view.sentiment,
        urgent=view.urgent,
        flags=list(view.flags),
        language=view.language or "en",
        opened_at=at,
        last_activity_at=at,
    )
    session.add(case)
    session.flush()
    facts = facts_of_new_case(session, case=case, message_id=message.id)
    change(case, **owner_of(routed(session, case=case, facts=facts, place=place, now=now)))
    record_case(session, case, verb="case opened", actor=actor, now=now, after=_opened(case))
    return case


def _opened(case: Case) -> dict[str, object]:
    names = ("title", "kind", "reason", "account_id", "team_id", "owner_id", "owner_why")
    return {name: plain(getattr(case, name)) for name in names}


def _moment(message: Message, now: datetime) -> datetime:
    """When the message says it was sent, but never in the future."""
    return min(message.sent_at or message.received_at, now)


def routed(session: Session, *, case: Case, facts: CaseFacts, place: Place, now: datetime) -> Given:
    """Who settles the case by the rules in force; the shipped teams are made where there are none yet."""
    today = local_day(now, calendar_of(place.country))
    desks = desks_of(session, today=today)
    if not desks.teams:
        ensure_teams(session)
        desks = desks_of(session, today=today)
    team = next((one.key for one in desks.teams if one.team_id == case.team_id), None)
    return assign(facts, routing_rules(session).rules, desks, owner_id=case.owner_id, team_key=team)


def owner_of(given: Given) -> dict[str, Any]:
    """The values of a case that a rule gave to somebody."""
    return {"team_id": given.team_id, "owner_id": given.owner_id, "owner_by": AUTO, "owner_why": kept(given.why)}


def ensure_teams(session: Session) -> None:
    """The teams the shipped reasons route to; those that stand are left alone."""
    standing = set(session.scalars(select(Team.key)))
    for key, name in TEAMS.items():
        if key not in standing:
            session.add(Team(key=key, name=name))
    session.flush()


def join(session: Session, *, message: Message, case: Case, place: Place, actor: Actor, now: datetime) -> None:
    """The message belongs to the case; the case hears it: reason, tone, next step, and the count.

    A machine's mail is counted and changes nothing else (M16).
    """
    message.case_id = case.id
    session.flush()
    case.message_count += 1
    touch(case, now=_moment(message, now))
    after = {"message_id": message.id, "rule": message.thread_rule}
    record_case(session, case, verb="message joined", actor=actor, now=now, after=after)
    if message.kind != OTHER or message.direction != "in":
        hear(session, case=case, place=place, actor=actor, now=now)


def hear(session: Session, *, case: Case, place: Place, actor: Actor, now: datetime) -> None:
    """Bring the case in line with its messages. What a person decided (reason, owner, hold) stands."""
    said = said_in(session, condition=Message.case_id == case.id)
    view = view_of(said)
    if view is None:
        return
    before, after = _follow(case, view)
    if "reason" in after and case.owner_by == AUTO:
        session.flush()
        facts = fact_of_case(session, case=case)
        old, new = change(case, **owner_of(routed(session, case=case, facts=facts, place=place, now=now)))
        tasks.reassign(session, case=case)
        before, after = {**before, **old}, {**after, **new}
    if "kind" in after:
        money.kind_changed(session, case=case, actor=actor, now=now)
    last = max((one for one in said if one.kind != OTHER or one.direction == "out"), key=lambda one: one.sent_at)
    ended = case.state in _ENDED
    _advance(case, view, direction=last.direction, place=place, now=now)
    if ended and case.state not in _ENDED:
        money.take_up(session, case=case, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    if after:
        record_case(session, case, verb="case follows its messages", actor=actor, now=now, before=before, after=after)


def _follow(case: Case, view: CaseView) -> tuple[dict[str, object], dict[str, object]]:
    tone = {
        "sentiment": view.sentiment,
        "urgent": view.urgent,
        "flags": list(view.flags),
        "language": view.language or case.language,
    }
    if case.reason_by != "auto":
        return change(case, **tone)
    return change(case, kind=view.kind, reason=view.reason, confidence=view.confidence, **tone)


def _advance(case: Case, view: CaseView, *, direction: str, place: Place, now: datetime) -> None:
    """What comes next, and whom the case waits for. A message to a settled case opens it again."""
    step = next_step(view, last_direction=direction, now=now, country=place.country)
    case.next_step, case.due_at, case.waiting_on = step.step, step.due_at, step.waiting_on
    if case.state in _ENDED and direction == "in":
        case.state, case.closed_at, case.resolved_at, case.resolution = "in_progress", None, None, None
    elif case.state == "waiting" and direction == "in":
        case.state, case.waiting_until = "in_progress", None
    elif case.state == "new" and direction == "out":
        case.state = "in_progress"


def absorb(session: Session, *, case: Case, other_id: int, place: Place, actor: Actor, now: datetime) -> None:
    """Let another case flow into this one (M8: its parent mail arrived late). Left alone once a person worked it."""
    other = session.scalar(select(Case).where(Case.id == other_id).with_for_update())
    if other is None or other.merged_into_id is not None or _worked_by_hand(session, other_id):
        return
    moved = list(session.scalars(select(Message).where(Message.case_id == other_id).order_by(Message.id)))
    for message in moved:
        message.case_id = case.id
    end_into(session, case=other, target=case, moved=moved, actor=actor, now=now)
    case.message_count += len(moved)
    session.flush()
    hear(session, case=case, place=place, actor=actor, now=now)


def _worked_by_hand(session: Session, case_id: int) -> bool:
    return session.scalar(select(Correction.id).where(Correction.case_id == case_id).limit(1)) is not None


def end_into(
    session: Session, *, case: Case, target: Case, moved: Sequence[Message], actor: Actor, now: datetime
) -> None:
    """A case without messages of its own lives on in another; later mail for it goes there (M28)."""
    before, after = change(
        case,
        state="merged",
        merged_into_id=target.id,
        message_count=0,
        next_step=None,
        due_at=None,
        waiting_on=None,
        closed_at=now,
    )
    touch(case, now=now)
    before["messages"] = [message.id for message in moved]
    record_case(session, case, verb="case merged", actor=actor, now=now, before=before, after=after)
