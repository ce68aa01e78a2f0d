"""Waits that are over: what the case waited for did not come in time, and it goes on."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor, system
from disputes.actions import life, planning, stepping, tasks
from disputes.actions.shared import change_case
from disputes.clock_events import Happened
from disputes.models import Case
from disputes.workhours import add_business_days, calendar_of
from invoices.models import Entity


def end_due(session: Session, *, now: datetime, limit: int) -> int:
    """End the waits whose time is over, in up to `limit` cases; gives how many.

    Where we or a third party had until then, work goes on and the owner is asked. Where the customer had, the case
    waits on: from then on their silence counts, and what follows from it the playbook says.
    """
    over = select(Case).where(Case.waiting_until <= now, Case.state == "waiting").order_by(Case.waiting_until)
    locked = over.limit(limit).with_for_update(skip_locked=True).execution_options(populate_existing=True)
    cases = session.scalars(locked).all()
    for case in cases:
        actor = system("progress", "the wait is over")
        if case.waiting_on == "customer":
            values = {"waiting_since": case.waiting_until, "waiting_until": None}
            change_case(session, case, verb="no answer in time", actor=actor, now=now, **values)
        else:
            _go_on(session, case, actor=actor, now=now)
    return len(cases)


def _go_on(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    key = f"wait:{case.id}:{case.waiting_until:%Y%m%d%H%M%S}"
    life.resume(session, case_id=case.id, actor=actor, now=now)
    planning.heard(session, case=case, what=Happened.OWNER_ASKED, actor=actor, now=now)
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    tasks.open_task(
        session,
        kind=stepping.OWNER,
        title=f"The wait is over: {case.title}",
        dedupe_key=key,
        actor=actor,
        now=now,
        due_at=add_business_days(now, stepping.OWNER_DAYS, calendar_of(entity.country if entity else None)),
        case=case,
    )
