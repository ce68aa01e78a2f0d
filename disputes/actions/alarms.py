"""Clocks that tell: a promise in danger in its case, a broken one to the lead of its team, each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import system
from disputes.actions import clocks
from disputes.actions.escalating import escalate
from disputes.actions.shared import plain, record_case
from disputes.case_facts import facts_of_cases
from disputes.clocks import Alarm, Clock, check
from disputes.conditions import CaseFacts
from disputes.desks import desks_of
from disputes.lookups import OPEN_STATES
from disputes.models import Case, CaseClock
from disputes.people import Desks
from disputes.queries.clocks import clock_of
from disputes.workhours import Calendar, calendar_of
from invoices.models import Entity

_ACTOR = system("clocks")


def alarms_due(session: Session, *, now: datetime, limit: int = 200) -> int:
    """Tell of promises in danger (in the case, to its owner) and of broken ones (a task for the lead), each once.

    Gives how many clocks were looked at; with nothing due it costs one look into an index. Two at once share the work,
    and a case somebody works on at this moment is left for later: whoever locks its clocks holds the case as well.
    """
    of_cases = select(CaseClock).join(Case, Case.id == CaseClock.case_id)
    due = of_cases.where(CaseClock.alarm_at <= now).order_by(CaseClock.alarm_at, CaseClock.case_id)
    rows = session.scalars(due.limit(limit).with_for_update(skip_locked=True)).all()
    if rows:
        alarms = _Alarms.of(session, rows, now)
        for row in rows:
            alarms.tell(row)
    return len(rows)


@dataclass(frozen=True, slots=True)
class _Alarms:
    """What telling of many clocks needs, read once for all of them."""

    session: Session
    now: datetime
    cases: Mapping[int, Case]
    facts: Mapping[int, CaseFacts]
    calendars: Mapping[int | None, Calendar]
    desks: Desks

    @classmethod
    def of(cls, session: Session, rows: Sequence[CaseClock], now: datetime) -> "_Alarms":
        ids = {row.case_id for row in rows}
        countries = session.execute(select(Entity.id, Entity.country))
        return cls(
            session=session,
            now=now,
            cases={case.id: case for case in session.scalars(select(Case).where(Case.id.in_(ids)))},
            facts=facts_of_cases(session, case_ids=ids),
            calendars={None: calendar_of(None), **{number: calendar_of(country) for number, country in countries}},
            desks=desks_of(session, today=now.date()),
        )

    def tell(self, row: CaseClock) -> None:
        """A clock of a case that flowed into another is silent, and stays as it is: the case may come back."""
        case = self.cases[row.case_id]
        if case.state not in OPEN_STATES:
            row.alarm_at = None
            return
        clock, alarm = check(clock_of(row), now=self.now)
        clocks.write(row, clock)
        if alarm is not None:
            self._say(case, clock, alarm)
            case.due_at = self.now if case.playbook is not None else case.due_at  # a step may ask for a broken promise

    def _say(self, case: Case, clock: Clock, alarm: Alarm) -> None:
        broken = alarm.level == "breach"
        told = {"clock": clock.kind, "due_at": plain(clock.due_at)}
        record_case(
            self.session,
            case,
            verb="deadline missed" if broken else "deadline near",
            actor=_ACTOR,
            now=self.now,
            after=told,
        )
        if broken:
            escalate(
                self.session,
                case=case,
                facts=self.facts[case.id],
                desks=self.desks,
                calendar=self.calendars[case.entity_id],
                why=alarm.why,
                key=f"{case.id}:{clock.kind}:{plain(clock.started_at)}",
                actor=_ACTOR,
                now=self.now,
                payload=told,
            )
