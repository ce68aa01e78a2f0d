"""Things for people to do: opened once, finished or cancelled with who did it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.auth import Team, User
from app.core.db import locked
from app.core.errors import Conflict, NotFound
from app.core.events import Actor, record
from disputes.actions import planning
from disputes.clock_events import Happened
from disputes.models import Case, Message, Task

CALL, OWNER, BY_HAND = "courtesy_call", "owner_answer", "done by hand"
CALLERS = "collections"
"""The team that talks to customers: a finance owner settles the matter, an agent makes the call."""
STAYS = frozenset({"mention", "approve_credit", "check_delivery", "escalation", "bank_confirm"})
"""Kinds of tasks one person or team was asked for: they do not go with the case to its next owner."""
OUTLIVES = frozenset({"bank_check", "bank_confirm", "warn_customer", "check_sender"})
"""Kinds that the end of a case does not end: a fraud is not over when somebody closes the case it came in."""


class NoTask(NotFound):
    """There is no such task."""


class TaskEnded(Conflict):
    """The task is done or cancelled already."""


def open_task(
    session: Session,
    *,
    kind: str,
    title: str,
    dedupe_key: str,
    actor: Actor,
    now: datetime,
    due_at: datetime | None,
    case: Case | None = None,
    message_id: int | None = None,
    team_id: int | None = None,
    assignee_id: int | None = None,
    payload: Mapping[str, Any] | None = None,
) -> Task:
    """Open a task for `assignee_id`, else the case's owner (a call: for who talks to customers), or give the one that
    stands under the same key.
    """
    standing = session.scalar(_BY_KEY, {"key": dedupe_key})
    if standing is not None:
        return standing
    given_team, assignee = (team_id, assignee_id) if assignee_id or not case else _given(session, kind, case)
    task = Task(
        case_id=case.id if case else None,
        message_id=message_id,
        kind=kind,
        title=title[:300],
        team_id=given_team,
        assignee_id=assignee,
        due_at=due_at,
        created_at=now,
        payload=dict(payload or {}),
        dedupe_key=dedupe_key,
    )
    session.add(task)
    session.flush()
    _record(session, task, verb="task opened", actor=actor, now=now, after={"kind": kind, "title": task.title})
    return task


_BY_KEY = select(Task).where(Task.dedupe_key == bindparam("key"))


def next_key(session: Session, *, case: Case, kind: str, about: str) -> str:
    """The dedupe key of one more task of a kind in a case. Cases that come apart take tasks along, so the number of
    tasks alone may come again; a case's version never does, and every merge raises it.
    """
    count = session.scalar(select(func.count()).where(Task.case_id == case.id, Task.kind == kind))
    return f"{about}:{case.id}:{case.version}:{count}"


def _given(session: Session, kind: str, case: Case) -> tuple[int | None, int | None]:
    """Team and person who do a task of the case."""
    if kind != CALL or _calls_customers(session, case.owner_id):
        return case.team_id, case.owner_id
    callers = session.scalar(_CALLERS)
    return (callers, None) if callers is not None else (case.team_id, case.owner_id)


_CALLERS = select(Team.id).where(Team.key == CALLERS)


def _calls_customers(session: Session, user_id: int | None) -> bool:
    user = session.get(User, user_id) if user_id is not None else None
    return user is not None and user.role != "owner"


def assign(session: Session, *, task_id: int, user_id: int | None, actor: Actor, now: datetime) -> Task:
    """Somebody takes a task, or puts it back into the team's queue (None). Raises NoTask or TaskEnded."""
    task = open_for_change(session, task_id)
    if task.assignee_id != user_id:
        before, task.assignee_id = {"assignee_id": task.assignee_id}, user_id
        after = {"kind": task.kind, "assignee_id": user_id}
        _record(session, task, verb="task given", actor=actor, now=now, before=before, after=after)
    return task


def open_for_change(session: Session, task_id: int) -> Task:
    """The open task, locked where the database locks rows. Raises NoTask or TaskEnded."""
    task = locked(session, Task, task_id)
    if task is None:
        raise NoTask(f"There is no task {task_id}")
    if task.state != "open":
        raise TaskEnded(f"Task {task_id} is {task.state} already")
    return task


def reopen(session: Session, *, task_id: int, actor: Actor, now: datetime) -> Task:
    """It was not done after all. An open task is left as it is. Raises NoTask."""
    task = locked(session, Task, task_id)
    if task is None:
        raise NoTask(f"There is no task {task_id}")
    if task.state != "open":
        before = {"state": task.state, "outcome": task.outcome}
        task.state, task.outcome, task.done_at = "open", None, None
        _record(session, task, verb="task reopened", actor=actor, now=now, before=before, after={"kind": task.kind})
    return task


def cancel(session: Session, *, task: Task, outcome: str, actor: Actor, now: datetime) -> None:
    """Nobody needs to do it any more; one that ended is left as it is."""
    if task.state == "open":
        _end(session, task, state="cancelled", outcome=outcome, actor=actor, now=now)


def finish(session: Session, *, task_id: int, outcome: str, actor: Actor, now: datetime) -> Task:
    """A person did it; `outcome` says how it went. An owner who did has answered. Raises NoTask or TaskEnded."""
    task = open_for_change(session, task_id)
    _end(session, task, state="done", outcome=outcome, actor=actor, now=now)
    case = session.get(Case, task.case_id) if task.kind == OWNER and task.case_id is not None else None
    if case is not None:
        planning.heard(session, case=case, what=Happened.OWNER_ANSWERED, actor=actor, now=now)
    return task


def tick_off(session: Session, *, task_id: int, actor: Actor, now: datetime) -> Task:
    """A person says that it is done; with an answer all the answers the case was owed. Raises NoTask or TaskEnded."""
    task = finish(session, task_id=task_id, outcome=BY_HAND, actor=actor, now=now)
    if task.kind == "answer" and task.case_id is not None:
        for other in _open_tasks(session, Task.case_id == task.case_id, Task.kind == "answer"):
            _end(session, other, state="done", outcome=BY_HAND, actor=actor, now=now)
    return task


def review_key(message_id: int, about: str) -> str:
    """The key of the one review task that asks about a message's "links" or its "case"."""
    return f"review:{about}:{message_id}"


def finish_review(session: Session, *, message: Message, about: str, outcome: str, actor: Actor, now: datetime) -> None:
    """A person answered what was asked about a message ("links" or "case"); `review` falls with the last question."""
    asked = _open_tasks(session, Task.message_id == message.id, Task.kind == "review")
    for task in asked:
        if task.dedupe_key == review_key(message.id, about):
            _end(session, task, state="done", outcome=outcome, actor=actor, now=now)
    message.review = any(task.state == "open" for task in asked)


def cancel_of_case(session: Session, *, case_id: int, outcome: str, actor: Actor, now: datetime) -> None:
    """The case ended: nothing is left to do in it, but what guards others against a fraud."""
    for task in _open_tasks(session, Task.case_id == case_id, Task.kind.not_in(OUTLIVES)):
        _end(session, task, state="cancelled", outcome=outcome, actor=actor, now=now)


def answered(session: Session, *, case_id: int, actor: Actor, now: datetime) -> None:
    """We wrote to the customer: the answers that were due are given."""
    for task in _open_tasks(session, Task.case_id == case_id, Task.kind == "answer"):
        _end(session, task, state="done", outcome="answered by mail", actor=actor, now=now)


def mail_decided(
    session: Session, *, outbox_id: int, case_id: int | None, outcome: str, actor: Actor, now: datetime
) -> None:
    """A person decided what becomes of a mail that failed or is uncertain: what was asked about it is answered."""
    kinds = ("check_sending", "mail_failed", "mail_returned")
    for task in _open_tasks(session, Task.case_id == case_id, Task.kind.in_(kinds)):
        if task.payload.get("outbox_id") == outbox_id:
            _end(session, task, state="done", outcome=outcome, actor=actor, now=now)


def reassign(session: Session, *, case: Case) -> None:
    """The case's open tasks follow its owner (the case's event tells the change).

    A call an agent has stays theirs when the case goes on to somebody who does not call customers.
    """
    reassign_many(session, cases=[case])


def reassign_many(session: Session, *, cases: Sequence[Case]) -> None:
    """The same for many cases, whose tasks are read at once."""
    found = {case.id: case for case in cases}
    for task in _open_tasks(session, Task.case_id.in_(found), Task.kind.not_in(STAYS)):
        case = found[task.case_id or 0]
        calls_customers = _calls_customers(session, case.owner_id)
        taken = task.kind == CALL and not calls_customers and _calls_customers(session, task.assignee_id)
        if not taken:
            task.team_id, task.assignee_id = _given(session, task.kind, case)


def _open_tasks(session: Session, *conditions: Any) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.state == "open", *conditions).order_by(Task.id)))


def _end(session: Session, task: Task, *, state: str, outcome: str, actor: Actor, now: datetime) -> None:
    task.state, task.outcome, task.done_at = state, outcome[:60], now
    _record(session, task, verb=f"task {state}", actor=actor, now=now, after={"kind": task.kind, "outcome": outcome})


def _record(
    session: Session,
    task: Task,
    *,
    verb: str,
    actor: Actor,
    now: datetime,
    after: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> None:
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="task",
        subject_id=task.id,
        case_id=task.case_id,
        before=before,
        after=after,
    )
