"""How far cases are, from their rows: many at once, in a constant number of queries. It reads only."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, case, func, or_, select
from sqlalchemy.orm import Session

from disputes.bank_holds import WHY, holds_of
from disputes.call_outcomes import MOST_TRIES, OUTCOMES
from disputes.case_facts import facts_of_cases
from disputes.clocks import OWNER_ANSWER
from disputes.conditions import CaseFacts
from disputes.correspondence import TO_CUSTOMERS
from disputes.models import Case, CaseClock, CaseStep, Message, Outgoing, Task
from disputes.playbook import CALL_FIRST, Done, Progress
from disputes.reasons import OTHER, THANKS
from disputes.workhours import Calendar, calendar_of
from invoices.models import Entity

_NOT_WRITTEN = ("cancelled", "failed")


@dataclass(frozen=True, slots=True)
class Going:
    """A case on its way: how far it is, and the office time it goes by."""

    progress: Progress
    calendar: Calendar

    @property
    def case(self) -> CaseFacts:
        """The case as rules see it."""
        return self.progress.case


def progress_of(session: Session, *, case_ids: Collection[int], now: datetime) -> dict[int, Going]:
    """Case id -> how far it is; an id without a case is left out. A few thousand ids at a time, nine queries."""
    facts = facts_of_cases(session, case_ids=case_ids)
    rows = session.execute(_moments().where(Case.id.in_(case_ids))).all()
    heard, written = _heard(session, case_ids), _written(session, case_ids)
    steps, clocks = _steps(session, case_ids), _clocks(session, case_ids)
    calls = _calls(session, case_ids)
    checked = holds_of(session, case_ids=case_ids).pending
    found = {}
    for row in rows:
        done, of_case = steps.get(row.id, []), clocks.get(row.id, [])
        theirs = heard.get(row.id)
        since = _since(row, of_case, theirs, written.get(row.id))
        progress = Progress(
            case=facts[row.id],
            since=since,
            done=done,
            breached=frozenset(clock.kind for clock in of_case if _broken(clock, now)),
            upset_at=theirs.upset_at if theirs else None,
            called_at=called_at(calls.get(row.id, []), done),
            **_hold(row, checked, now),
        )
        found[row.id] = Going(progress, calendar_of(row.country))
    return found


def _hold(row: Row[Any], checked: Collection[int], now: datetime) -> dict[str, Any]:
    """How long the case is held and why. What two people must release is held a day at a time: nobody knows its end."""
    if row.id not in checked:
        return {"hold_until": row.hold_until, "hold_reason": row.hold_reason or ""}
    return {"hold_until": max(row.hold_until or now, now + timedelta(days=1)), "hold_reason": WHY}


def _moments() -> Any:
    return select(
        *(Case.id, Case.opened_at, Case.reopened_at, Case.waiting_on, Case.waiting_since, Case.waiting_until),
        *(Case.resolved_at, Case.hold_until, Case.hold_reason),
        Entity.country,
    ).outerjoin(Entity, Entity.id == Case.entity_id)


def _since(row: Row[Any], clocks: Iterable[Any], theirs: Any | None, ours: datetime | None) -> dict[str, datetime]:
    """When each anchor happened last; what never happened is left out.

    The owner counts as asked until they answered. Who waits until a day somebody chose is not pressed before it.
    """
    asked = next((one.started_at for one in clocks if one.kind == OWNER_ANSWER and one.met_at is None), None)
    wrote = [at for at in (ours, theirs.ours if theirs else None) if at is not None]
    moments = {
        "opened": row.reopened_at or row.opened_at,
        "customer_wrote": theirs.theirs if theirs else None,
        "we_wrote": max(wrote, default=None),
        "owner_asked": asked,
        "waiting": (row.waiting_until or row.waiting_since) if row.waiting_on else None,
        "resolved": row.resolved_at,
    }
    return {name: at for name, at in moments.items() if at is not None}


def _broken(clock: Any, now: datetime) -> bool:
    """Broken and not yet made good: a promise kept late is settled."""
    return clock.met_at is None and (
        clock.breached_at is not None or (clock.due_at is not None and clock.due_at <= now)
    )


def _steps(session: Session, case_ids: Collection[int]) -> dict[int, list[Done]]:
    rows = session.execute(
        select(CaseStep.case_id, CaseStep.step, CaseStep.cycle, CaseStep.state, CaseStep.at, CaseStep.until)
        .where(CaseStep.case_id.in_(case_ids))
        .order_by(CaseStep.at)
    )
    found: dict[int, list[Done]] = defaultdict(list)
    for case_id, step, cycle, state, at, until in rows:
        found[case_id].append(Done(step, cycle, state, at, until))
    return found


def _clocks(session: Session, case_ids: Collection[int]) -> Mapping[int, list[Any]]:
    rows = session.execute(
        select(
            CaseClock.case_id, CaseClock.kind, CaseClock.started_at, CaseClock.due_at, CaseClock.met_at,
            CaseClock.breached_at,
        ).where(CaseClock.case_id.in_(case_ids))
    )  # fmt: skip
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.case_id].append(row)
    return found


def _heard(session: Session, case_ids: Collection[int]) -> dict[int, Any]:
    """When the customer's people wrote last (thanks await nothing), when last upset, and when our own people did from
    elsewhere.
    """
    at = case((Message.sent_at < Message.received_at, Message.sent_at), else_=Message.received_at)
    person = (Message.direction == "in") & (Message.kind != OTHER) & Message.machine.is_(None)
    upset = person & or_(Message.sentiment == "angry", Message.urgent)
    rows = session.execute(
        select(
            Message.case_id,
            func.max(case((person & (func.coalesce(Message.reason, "") != THANKS), at))).label("theirs"),
            func.max(case((upset, at))).label("upset_at"),
            func.max(case((Message.direction == "out", at))).label("ours"),
        )
        .where(Message.case_id.in_(case_ids), Message.state == "worked")
        .group_by(Message.case_id)
    )
    return {row.case_id: row for row in rows}


def _written(session: Session, case_ids: Collection[int]) -> dict[int, datetime]:
    """When we last wrote to the customer; a mail that waits to be sent counts, they must not get two."""
    rows = session.execute(
        select(Outgoing.case_id, func.max(Outgoing.created_at))
        .where(Outgoing.case_id.in_(case_ids), Outgoing.kind.in_(TO_CUSTOMERS), Outgoing.state.not_in(_NOT_WRITTEN))
        .group_by(Outgoing.case_id)
    )
    return {case_id: at for case_id, at in rows if case_id is not None}


def _calls(session: Session, case_ids: Collection[int]) -> dict[int, list[tuple[datetime, str]]]:
    rows = session.execute(
        select(Task.case_id, Task.done_at, Task.outcome)
        .where(Task.case_id.in_(case_ids), Task.kind == CALL_FIRST.action, Task.state == "done")
        .order_by(Task.done_at, Task.id)
    )
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for case_id, at, outcome in rows:
        if case_id is not None and at is not None:
            found[case_id].append((at, outcome or ""))
    return found


def called_at(calls: Iterable[tuple[datetime, str]], done: Iterable[Done] = ()) -> datetime | None:
    """The latest call that counts: a person was reached, or it was tried often enough (call_outcomes.AfterCall).

    `calls` are (when, outcome), oldest first. A person who skips the call says that none is needed.
    """
    latest, tries = None, 0
    for at, outcome in calls:
        reached = outcome not in OUTCOMES or OUTCOMES[outcome].reached
        tries = 0 if reached else tries + 1
        if reached or tries >= MOST_TRIES:
            latest = at
    skipped = (one.at for one in done if one.step == CALL_FIRST.id and one.state == "skipped")
    return max((at for at in (latest, *skipped) if at is not None), default=None)
