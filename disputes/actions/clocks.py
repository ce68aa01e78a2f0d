"""What we promised for a case, kept as rows: clocks move with what happens to it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.core.events import Actor, record
from disputes import clock_events
from disputes.actions.shared import change
from disputes.clock_events import Happened
from disputes.clocks import Clock, next_alarm
from disputes.conditions import CaseFacts
from disputes.models import Case, CaseClock
from disputes.queries.clocks import CLOCK_FIELDS, clock_of
from disputes.rules_in_force import service_levels
from disputes.workhours import Calendar, calendar_of
from invoices.models import Entity


def happened(session: Session, *, case: Case, facts: CaseFacts, what: Happened, actor: Actor, now: datetime) -> None:
    """Start, meet, pause or resume the case's clocks, by the levels in force and in the entity's office time."""
    rows = _rows(session, case)
    levels = service_levels(session).rules
    calendar = _calendar(session, case)
    moved = clock_events.after(_clocks(rows), what, case=facts, levels=levels, calendar=calendar, now=now)
    _keep(session, case, rows, moved, actor=actor, now=now)


def promise_anew(session: Session, *, case: Case, facts: CaseFacts, actor: Actor, now: datetime) -> None:
    """The case is another one now (its reason, its tone), or the levels are: promises follow, time used stays used."""
    rows = _rows(session, case)
    levels = service_levels(session).rules
    calendar = _calendar(session, case)
    anew = clock_events.promised_anew(_clocks(rows), case=facts, levels=levels, calendar=calendar, now=now)
    _keep(session, case, rows, anew, actor=actor, now=now)


def wake(session: Session, *, case: Case) -> None:
    """The case is on its own again after it had flowed into another: its promises are watched as before."""
    for row in _rows(session, case).values():
        row.alarm_at = next_alarm(clock_of(row))


def _rows(session: Session, case: Case) -> dict[str, CaseClock]:
    return {row.kind: row for row in session.scalars(_CLOCKS, {"case_id": case.id})}


_CLOCKS = select(CaseClock).where(CaseClock.case_id == bindparam("case_id")).with_for_update()


def _clocks(rows: Mapping[str, CaseClock]) -> dict[str, Clock]:
    return {kind: clock_of(row) for kind, row in rows.items()}


def _calendar(session: Session, case: Case) -> Calendar:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    return calendar_of(entity.country if entity else None)


def _keep(
    session: Session,
    case: Case,
    rows: Mapping[str, CaseClock],
    clocks: Mapping[str, Clock],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write what changed, with one event for all of the case's clocks: a story of its own beside the timeline."""
    before, after = {}, {}
    for kind, clock in clocks.items():
        row = rows.get(kind) or CaseClock(case_id=case.id, kind=kind)
        session.add(row)
        old, new = write(row, clock)
        if new:
            before[kind], after[kind] = old, new
    if after:
        record(
            session,
            actor=actor,
            now=now,
            verb="clocks moved",
            subject="clock",
            subject_id=case.id,
            case_id=case.id,
            before=before,
            after=after,
        )


def write(row: CaseClock, clock: Clock) -> tuple[dict[str, Any], dict[str, Any]]:
    """The clock as its row; gives what changed, before and after, for the caller's event."""
    return change(row, **{name: getattr(clock, name) for name in CLOCK_FIELDS}, alarm_at=next_alarm(clock))
