"""What came of a courtesy call: its task ends, and what follows is booked in the same transaction. It can be undone
while nothing else happened to the case.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import inspect, select
from sqlalchemy.orm import ColumnProperty, Session

from app.core.db import UtcDateTime, locked
from app.core.errors import BadInput, Conflict
from app.core.events import Actor, record
from disputes.actions import cases, life, money, notes, planning, promises, tasks, writeback
from disputes.actions.shared import case_for_change, change_case, plain, touch, user_id
from disputes.call_outcomes import OUTCOMES, AfterCall, after_call
from disputes.casework import ANSWER_DISPUTE_DAYS
from disputes.clock_events import Happened
from disputes.models import Case, CaseClock, Note, Promise, Task
from disputes.queries.calls import unanswered_tries
from disputes.reasons import DISPUTE, kind_of, shipped_row
from disputes.rules_in_force import all_reasons
from disputes.workdays import due
from disputes.workhours import Calendar, calendar_of
from invoices.models import Entity

TAKEN_BACK = "call taken back"
_GOING = frozenset({"new", "in_progress", "waiting"})
_OWN = frozenset({"id", "version", "message_count", "last_activity_at"})
_KEPT = tuple(column for column in inspect(Case).column_attrs if column.key not in _OWN)
_CLOCK = tuple(inspect(CaseClock).column_attrs)
"""What a call may change in its case, kept to undo it exactly."""
_OF_OUTCOME = frozenset({"undo", "counts", "next", "note_id"})


class NotACall(BadInput):
    """The task is not a courtesy call, or belongs to no case."""


class TooLate(Conflict):
    """Something else happened to the case since: undoing the call would undo that as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """How a call ended (a name of call_outcomes) and what was said. `promised`, `amount` and `currency` belong to
    "promised"; `reason`, what they dispute, to "disputes" ("" where the case says it already).
    """

    outcome: str
    note: str = ""
    promised: date | None = None
    amount: Decimal | None = None
    currency: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Call:
    """The call being recorded: everything its followers need."""

    session: Session
    task: Task
    case: Case
    result: CallResult
    after: AfterCall
    key: str
    country: str | None
    calendar: Calendar
    actor: Actor
    now: datetime


def record_outcome(session: Session, *, task_id: int, result: CallResult, actor: Actor, now: datetime) -> AfterCall:
    """End a call and book what follows: another call, a promise, the owner's answer, a copy to send.

    Whoever calls is whose call it was. A reached customer ends the case's other open calls as well: nobody is rung up
    twice for one matter. Raises NoTask, TaskEnded, NotACall, UnknownOutcome, BadInput where the promise's day or amount
    is missing, and what the case's own moves raise.
    """
    task = tasks.open_for_change(session, task_id)
    if task.kind != tasks.CALL or task.case_id is None:
        raise NotACall(f"Task {task_id} is no call about a case")
    call = _call(session, task, case_for_change(session, task.case_id), result, actor=actor, now=now)
    _check(call)
    before = {"case": _values(call.case, _KEPT), "clocks": _clocks(session, call.case), "assignee": task.assignee_id}
    note_id = _note(call)
    made: dict[str, Any] = {"note": note_id}
    task.assignee_id = user_id(actor) or task.assignee_id
    if call.case.state == "new":
        change_case(session, call.case, verb="case goes on", actor=actor, now=now, state="in_progress")
    tasks.finish(session, task_id=task_id, outcome=result.outcome, actor=actor, now=now)
    if OUTCOMES[result.outcome].reached:
        made["ended"] = _end_others(call)
        _heard(call, Happened.WE_ANSWERED)
    made |= _FOLLOWS[call.after.follow](call)
    planning.replan(session, case=call.case, now=now)
    touch(call.case, now=now)
    _record(call, made)
    told = {"recorded": _recorded(task) + 1, "counts": call.after.counts, "next": call.after.follow, "note_id": note_id}
    task.payload = {**task.payload, **told, "undo": {**before, **made, "version": call.case.version}}
    session.flush()
    return call.after


def _call(session: Session, task: Task, case: Case, result: CallResult, *, actor: Actor, now: datetime) -> _Call:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    country = entity.country if entity else None
    calendar = calendar_of(country)
    tries = unanswered_tries(session, task=task) + 1
    after = after_call(result.outcome, tries=tries, now=now, calendar=calendar)
    key = f"call:{task.id}:{_recorded(task)}"
    return _Call(session, task, case, result, after, key, country, calendar, actor, now)


def _recorded(task: Task) -> int:
    return int(task.payload.get("recorded", 0))


def _check(call: _Call) -> None:
    result = call.result
    missing = {"date": result.promised is None, "amount": result.amount is None}
    if lacking := [name for name in call.after.needs if missing.get(name)]:
        raise BadInput(f"Say the {' and '.join(lacking)} that was promised", fields=dict.fromkeys(lacking, "missing"))
    if result.promised is not None and call.after.needs:
        promises.check(day=result.promised, amount=result.amount, now=call.now)
    reason = result.reason or call.case.reason
    if result.reason and (not all_reasons(call.session).usable(reason) or kind_of(reason) != DISPUTE):
        raise BadInput(f"{reason!r} is no reason of a dispute", fields={"reason": "not a dispute"})


def _heard(call: _Call, what: Happened) -> None:
    call.session.flush()
    planning.heard(call.session, case=call.case, what=what, actor=call.actor, now=call.now)


def _note(call: _Call) -> int | None:
    """What was said, where the case's other talk is."""
    if not call.result.note.strip():
        return None
    note = notes.add_note(
        call.session, case_id=call.case.id, text=call.result.note, actor=call.actor, now=call.now, source="call"
    )
    return note.id


def _end_others(call: _Call) -> list[int]:
    others = select(Task).where(
        Task.case_id == call.case.id, Task.kind == tasks.CALL, Task.state == "open", Task.id != call.task.id
    )
    found = list(call.session.scalars(others.order_by(Task.id)))
    for task in found:
        tasks.cancel(call.session, task=task, outcome="reached by another call", actor=call.actor, now=call.now)
    return [task.id for task in found]


def _playbook(_call: _Call) -> dict[str, Any]:
    """Nothing to book: what the playbook has next may come now."""
    return {}


def _call_again(call: _Call) -> dict[str, Any]:
    """The next call, by the same person; where the customer has to ask inside their house, the case waits for them."""
    if OUTCOMES[call.result.outcome].reached:
        _wait(call, call.after.at)
    carried: dict[str, Any] = {
        name: call.task.payload[name] for name in ("wish", "phone", "promise_id") if name in call.task.payload
    }
    task = tasks.open_task(
        call.session,
        kind=tasks.CALL,
        title=call.task.title,
        dedupe_key=call.key,
        actor=call.actor,
        now=call.now,
        due_at=call.after.at,
        case=call.case,
        message_id=call.task.message_id,
        payload={**carried, "follows": call.task.id},
    )
    task.team_id, task.assignee_id = call.task.team_id, call.task.assignee_id
    return {"opened": [task.id]}


def _send_copy(call: _Call) -> dict[str, Any]:
    due_at = due(call.now, days=0, country=call.country)
    return {"opened": [_open(call, "send_copy", "Send a copy of the invoice", max(due_at, call.now)).id]}


def _open(call: _Call, kind: str, title: str, due_at: datetime) -> Task:
    return tasks.open_task(
        call.session,
        kind=kind,
        title=title,
        dedupe_key=f"{kind}:{call.key}",
        actor=call.actor,
        now=call.now,
        due_at=due_at,
        case=call.case,
    )


def _ask_owner(call: _Call) -> dict[str, Any]:
    """What they said makes it a dispute (of that reason); whoever settles such is asked. An ended case opens again."""
    reopened = call.case.state not in _GOING
    if reopened:
        cases.reopen(call.session, case_id=call.case.id, actor=call.actor, now=call.now)
    reason = call.result.reason or (call.case.reason if call.case.kind == DISPUTE else "other_dispute")
    if reason != call.case.reason:
        cases.correct(call.session, case_id=call.case.id, kind=DISPUTE, reason=reason, actor=call.actor, now=call.now)
    if call.case.state == "waiting":
        life.resume(call.session, case_id=call.case.id, actor=call.actor, now=call.now)
    asked = select(Task.id).where(Task.case_id == call.case.id, Task.kind == "owner_answer", Task.state == "open")
    if call.session.scalar(asked.limit(1)) is not None:
        return {"reopened": reopened}
    _heard(call, Happened.OWNER_ASKED)
    due_at = due(call.now, days=ANSWER_DISPUTE_DAYS, country=call.country)
    task = _open(call, "owner_answer", f"Settle: {shipped_row(reason).label}", due_at)
    return {"opened": [task.id], "reopened": reopened}


def _watch_payment(call: _Call) -> dict[str, Any]:
    """Money said to be on its way is watched like a promise of any amount: if none comes, the next call is booked."""
    return _promise(call, call.after.at.astimezone(ZoneInfo(call.calendar.zone)).date(), None)


def _keep_promise(call: _Call) -> dict[str, Any]:
    assert call.result.promised is not None  # noqa: S101 - _check refused a promise without its day
    return _promise(call, call.result.promised, call.result.amount)


def _promise(call: _Call, day: date, amount: Decimal | None) -> dict[str, Any]:
    promise = promises.keep(
        call.session,
        case=call.case,
        day=day,
        amount=amount,
        currency=call.result.currency or None,
        actor=call.actor,
        now=call.now,
        partial=amount is None,
    )
    ends = datetime.combine(day + timedelta(days=1), time(0), tzinfo=ZoneInfo(call.calendar.zone))
    _wait(call, ends)
    return {"promise": promise.id}


def _wait(call: _Call, until: datetime) -> None:
    """An ended case waits for nobody: its promise alone is watched."""
    if call.case.state in _GOING:
        life.wait(call.session, case_id=call.case.id, on="customer", until=until, actor=call.actor, now=call.now)


_FOLLOWS: Mapping[str, Callable[[_Call], dict[str, Any]]] = {
    "playbook": _playbook,
    "call_again": _call_again,
    "send_copy": _send_copy,
    "ask_owner": _ask_owner,
    "watch_payment": _watch_payment,
    "keep_promise": _keep_promise,
}


def _record(call: _Call, made: Mapping[str, Any]) -> None:
    after = {"outcome": call.result.outcome, "next": call.after.follow, "at": plain(call.after.at), **made}
    record(
        call.session,
        actor=call.actor,
        now=call.now,
        verb=f"call {call.result.outcome}",
        subject="task",
        subject_id=call.task.id,
        case_id=call.case.id,
        after=after,
    )


def undo_outcome(session: Session, *, task_id: int, actor: Actor, now: datetime) -> Task:
    """The call ended otherwise: its task is open again and what it booked is gone, the case as it was before.

    An open call is left as it is. Raises NoTask, NotACall, TooLate when anything else happened to the case since.
    """
    task = locked(session, Task, task_id)
    if task is None:
        raise tasks.NoTask(f"There is no task {task_id}")
    if task.state == "open":
        return task
    kept = task.payload.get("undo")
    if kept is None or task.case_id is None:
        raise NotACall(f"Task {task_id} is no call that was recorded")
    case = case_for_change(session, task.case_id)
    if case.version != kept["version"] or kept.get("reopened"):
        raise TooLate(f"Something else happened to case {case.id} since the call: put it right by hand")
    _take_back(session, case, kept, actor=actor, now=now)
    task.assignee_id = kept["assignee"]
    task.payload = {name: value for name, value in task.payload.items() if name not in _OF_OUTCOME}
    tasks.reopen(session, task_id=task_id, actor=actor, now=now)
    for number in kept.get("ended", ()):
        tasks.reopen(session, task_id=number, actor=actor, now=now)
    session.flush()
    return task


def _take_back(session: Session, case: Case, kept: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    for number in kept.get("opened", ()):
        tasks.cancel(session, task=session.get_one(Task, number), outcome=TAKEN_BACK, actor=actor, now=now)
    promise = session.get(Promise, kept["promise"]) if kept.get("promise") else None
    if promise is not None:
        promises.take_back(session, promise=promise, actor=actor, now=now)
    if kept.get("note"):
        notes.take_back(session, note=session.get_one(Note, kept["note"]), actor=actor, now=now)
    kind = case.kind
    change_case(session, case, verb=TAKEN_BACK, actor=actor, now=now, **_parsed(_KEPT, kept["case"]))
    if case.kind != kind:
        money.kind_changed(session, case=case, actor=actor, now=now)
    _restore_clocks(session, case, kept["clocks"])
    writeback.tell(session, case=case, now=now)


def _values(row: Case | CaseClock, columns: Sequence[ColumnProperty[Any]]) -> dict[str, Any]:
    return {column.key: plain(getattr(row, column.key)) for column in columns}


def _parsed(columns: Sequence[ColumnProperty[Any]], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Kept values as the columns hold them: moments were kept as text."""
    moments = {column.key for column in columns if isinstance(column.columns[0].type, UtcDateTime)}
    return {
        name: datetime.fromisoformat(value) if name in moments and value is not None else value
        for name, value in kept.items()
    }


def _clocks(session: Session, case: Case) -> list[dict[str, Any]]:
    rows = session.scalars(select(CaseClock).where(CaseClock.case_id == case.id).order_by(CaseClock.kind))
    return [_values(row, _CLOCK) for row in rows]


def _restore_clocks(session: Session, case: Case, kept: Sequence[Mapping[str, Any]]) -> None:
    before = {row["kind"]: _parsed(_CLOCK, row) for row in kept}
    for clock in session.scalars(select(CaseClock).where(CaseClock.case_id == case.id)):
        if clock.kind not in before:
            session.delete(clock)
            continue
        for name, value in before[clock.kind].items():
            setattr(clock, name, value)


def ask_for_call(session: Session, *, case_id: int, actor: Actor, now: datetime) -> Task:
    """The call an agent wants to make now: the case's open one, else a new one of theirs. Raises NoCase, CaseMerged."""
    case = case_for_change(session, case_id)
    standing = session.scalars(
        select(Task)
        .where(Task.case_id == case_id, Task.kind == tasks.CALL, Task.state == "open")
        .order_by(Task.due_at, Task.id)
        .limit(1)
    ).first()
    if standing is not None:
        return standing
    task = tasks.open_task(
        session,
        kind=tasks.CALL,
        title=f"Call about: {case.title}",
        dedupe_key=tasks.next_key(session, case=case, kind=tasks.CALL, about="call:case"),
        actor=actor,
        now=now,
        due_at=now,
        case=case,
    )
    task.assignee_id = user_id(actor)
    session.flush()
    return task
