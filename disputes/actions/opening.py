"""The program's own writes to cases: open one, join a message to it, let one flow into another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team
from app.core.db import locked
from app.core.events import Actor
from disputes.actions import money, planning, tasks
from disputes.actions.shared import change, plain, record_case, touch
from disputes.case_facts import fact_of_case, facts_of_new_case
from disputes.casework import CaseView, Said, view_of
from disputes.conditions import CaseFacts
from disputes.desks import desks_of
from disputes.lookups import said_in
from disputes.models import Case, Correction, Message
from disputes.reasons import NOBODY, OTHER, TEAMS, team_of
from disputes.routing_rules import AUTO, Given, assign
from disputes.rules_in_force import routing_rules
from disputes.told import kept
from disputes.workhours import calendar_of, local_day
from invoices.models import Entity

_ENDED = frozenset({"resolved", "closed"})
_PROMISED_BY = frozenset({"kind", "reason", "sentiment", "urgent"})
"""What of a case, where it changes, changes what is promised for it."""


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
    """The message belongs to the case; the case hears it: reason, tone, who waits for whom, and the count.

    A machine's mail is counted and changes nothing else (M16).
    """
    message.case_id = case.id
    case.message_count += 1
    touch(case, now=_moment(message, now))
    after = {"message_id": message.id, "rule": message.thread_rule}
    record_case(session, case, verb="message joined", actor=actor, now=now, after=after)
    if (message.kind != OTHER or message.direction != "in") and not planning.is_copy(session, message=message):
        hear(session, case=case, place=place, actor=actor, now=now)


def hear(session: Session, *, case: Case, place: Place, actor: Actor, now: datetime) -> None:
    """Bring the case in line with its messages. What a person decided (reason, owner, hold) stands.

    The caller tells the ERP, once all that comes with the mail is written.
    """
    said = said_in(session, case_id=case.id)
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
    _advance(session, case, said, actor=actor, now=now)
    planning.look_again(case, now=now)
    if after:
        record_case(session, case, verb="case follows its messages", actor=actor, now=now, before=before, after=after)
    if after.keys() & _PROMISED_BY and case.playbook is not None:
        planning.changed(session, case=case, actor=actor, now=now)


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


def _advance(session: Session, case: Case, said: Sequence[Said], *, actor: Actor, now: datetime) -> None:
    """Whom the case waits for after the latest mail. A message to a settled case opens it again, thanks do not; what
    colleagues write changes nothing.
    """
    heard = [one for one in said if one.direction == "out" or (one.direction == "in" and one.kind != OTHER)]
    last = max(heard, key=lambda one: one.sent_at, default=None)
    ended = case.state in _ENDED
    if last is None or (ended and team_of(last.reason) == NOBODY):
        return
    verb, values = _TURNS[last.direction](case, now)
    before, after = change(case, **values)
    if after and case.message_count > 1:  # its first mail is the opening itself
        record_case(session, case, verb=verb, actor=actor, now=now, before=before, after=after)
    if ended and case.state not in _ENDED:
        money.take_up(session, case=case, actor=actor, now=now)


def _theirs(case: Case, now: datetime) -> tuple[str, dict[str, object]]:
    """They wrote: it is our turn."""
    if case.state in _ENDED:
        nothing = dict.fromkeys(("closed_at", "resolved_at", "resolution", "waiting_since", "waiting_until"))
        return "case reopened", {"state": "in_progress", "waiting_on": "us", "reopened_at": now, **nothing}
    state = "in_progress" if case.state == "waiting" else case.state
    return "case goes on", {"state": state, "waiting_on": "us", "waiting_until": None, "waiting_since": None}


def _ours(case: Case, now: datetime) -> tuple[str, dict[str, object]]:
    """One of us wrote from elsewhere: it is the customer's turn."""
    verb = "case waits on the customer"
    if case.state in _ENDED or (case.state == "waiting" and case.waiting_on == "customer"):
        return verb, {}
    return verb, {"state": "waiting", "waiting_on": "customer", "waiting_until": None, "waiting_since": now}


_TURNS = {"in": _theirs, "out": _ours}


def absorb(session: Session, *, case: Case, other_id: int, place: Place, actor: Actor, now: datetime) -> None:
    """Let another case flow into this one (M8: its parent mail arrived late). Left alone once a person worked it."""
    other = locked(session, Case, other_id)
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
        playbook=None,
        next_step=None,
        due_at=None,
        waiting_on=None,
        closed_at=now,
    )
    touch(case, now=now)
    before["messages"] = [message.id for message in moved]
    record_case(session, case, verb="case merged", actor=actor, now=now, before=before, after=after)
