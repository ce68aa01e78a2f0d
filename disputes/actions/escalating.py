"""Bring a case before whoever leads its team."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor
from disputes.actions.tasks import open_task
from disputes.conditions import CaseFacts
from disputes.models import Case, Task
from disputes.people import Desks
from disputes.routing_rules import lead_of
from disputes.workhours import Calendar, add_business_days

ESCALATION = "escalation"
"""The kind of a lead's task: it stays with them when the case goes to another owner."""
DAYS = 1
"""Working days a lead has to look at it."""


def escalate(
    session: Session,
    *,
    case: Case,
    facts: CaseFacts,
    desks: Desks,
    calendar: Calendar,
    why: str,
    key: str,
    actor: Actor,
    now: datetime,
    payload: Mapping[str, Any] | None = None,
) -> Task:
    """A task for the lead of the case's team, for who stands in for them, or for any lead; once a `key`, and none
    more while one of the case is open.

    Where nobody leads it waits in the team's queue.
    """
    standing = session.scalar(
        select(Task).where(Task.case_id == case.id, Task.kind == ESCALATION, Task.state == "open").limit(1)
    )
    if standing is not None:
        return standing
    team = next((one for one in desks.teams if one.team_id == case.team_id), None)
    given = lead_of(facts, desks, team_key=team.key if team else None)
    return open_task(
        session,
        kind=ESCALATION,
        title=why,
        dedupe_key=f"{ESCALATION}:{key}",
        actor=actor,
        now=now,
        due_at=add_business_days(now, DAYS, calendar),
        case=case,
        team_id=given.team_id,
        assignee_id=given.owner_id,
        payload=payload,
    )
