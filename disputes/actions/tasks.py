"""Things for people to do: opened once, finished or cancelled with who did it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.core.events import Actor, record
from disputes.models import Case, Message, Task


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
    payload: Mapping[str, Any] | None = None,
) -> Task:
    """Open a task for the case's owner, or give the one that stands under the same key."""
    standing = session.scalar(select(Task).where(Task.dedupe_key == dedupe_key))
    if standing is not None:
        return standing
    task = Task(
        case_id=case.id if case else None,
        message_id=message_id,
        kind=kind,
        title=title[:300],
        team_id=case.team_id if case else team_id,
        assignee_id=case.owner_id if case else None,
        due_at=due_at,
        created_at=now,
        payload=dict(payload or {}),
        dedupe_key=dedupe_key,
    )
    session.add(task)
    session.flush()
    _record(session, task, verb="task opened", actor=actor, now=now, after={"kind": kind, "title": task.title})
    return task


def finish(session: Session, *, task_id: int, outcome: str, actor: Actor, now: datetime) -> Task:
    """A person did it; `outcome` says how it went. Raises NoTask or TaskEnded."""
    task = session.scalar(select(Task).where(Task.id == task_id).with_for_update())
    if task is None:
        raise NoTask(f"There is no task {task_id}")
    if task.state != "open":
        raise TaskEnded(f"Task {task_id} is {task.state} already")
    _end(session, task, state="done", outcome=outcome, actor=actor, now=now)
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
    """The case ended: nothing is left to do in it."""
    for task in _open_tasks(session, Task.case_id == case_id):
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
    """The case's open tasks follow its owner (the case's event tells the change)."""
    for task in _open_tasks(session, Task.case_id == case.id):
        task.team_id, task.assignee_id = case.team_id, case.owner_id


def _open_tasks(session: Session, *conditions: Any) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.state == "open", *conditions).order_by(Task.id)))


def _end(session: Session, task: Task, *, state: str, outcome: str, actor: Actor, now: datetime) -> None:
    task.state, task.outcome, task.done_at = state, outcome[:60], now
    _record(session, task, verb=f"task {state}", actor=actor, now=now, after={"kind": task.kind, "outcome": outcome})


def _record(session: Session, task: Task, *, verb: str, actor: Actor, now: datetime, after: Mapping[str, Any]) -> None:
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="task",
        subject_id=task.id,
        case_id=task.case_id,
        after=after,
    )
