"""The worklist: what people have to do, the most overdue first; keyset pages, counts, and who may see which task."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased, joinedload

from app.auth import Team, User
from app.core.errors import NotFound
from disputes.models import Case, Message, Task
from disputes.queries.visibility import entities_of, visible_messages, visible_to
from invoices.models import Account

Whose = Literal["mine", "team", "all"]
Due = Literal["", "overdue", "today"]
_FAR = datetime(9999, 12, 31, tzinfo=UTC)
_due = func.coalesce(Task.due_at, _FAR)
CALL, ANSWER, CONFIRM = "courtesy_call", "answer", "bank_confirm"


class NoSuchTask(NotFound):
    """There is no such task among those the user may see."""


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """What the list is narrowed by. `due`: overdue, or today (which holds what is overdue); `case` one case's tasks."""

    whose: Whose = "mine"
    kind: str = ""
    due: Due = ""
    case: int | None = None

    def conditions(self, user: User, *, now: datetime, day_ends: datetime) -> list[ColumnElement[bool]]:
        """The conditions this filter adds to a query over open tasks."""
        found = [{"mine": mine(user), "team": of_team(user), "all": true()}[self.whose]]
        if self.kind:
            found.append(Task.kind == self.kind)
        if self.case is not None:
            found.append(Task.case_id == self.case)
        if self.due:
            found.append(Task.due_at < (now if self.due == "overdue" else day_ends))
        return found


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A line of the worklist: the task, its case (if it has one), whose customer, who has it."""

    task: Task
    case: Case | None
    account_name: str
    assignee: str
    team_key: str


@dataclass(frozen=True, slots=True)
class TaskList:
    """One page. `next_key` is the place to go on from, None on the last page."""

    rows: tuple[TaskRow, ...]
    next_key: str | None


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """How many open tasks the user sees, by whose they are; `calls` and `overdue` are their own.

    `confirm` counts call-backs about bank details, anybody's, that wait for a second person.
    """

    mine: int = 0
    team: int = 0
    all: int = 0
    overdue: int = 0
    calls: int = 0
    confirm: int = 0


def once_a_case() -> ColumnElement[bool]:
    """Of the answers a case's mails ask for only the first: one answer gives them all. What an owner decided is another
    matter: it says what to tell.
    """
    earlier = aliased(Task)
    standing = select(earlier.id).where(
        earlier.case_id == Task.case_id,
        earlier.kind == ANSWER,
        earlier.state == "open",
        earlier.message_id.is_not(None),
        earlier.id < Task.id,
    )
    return or_(Task.kind != ANSWER, Task.message_id.is_(None), ~standing.exists())


def mine(user: User) -> ColumnElement[bool]:
    """Tasks that are the user's own."""
    return Task.assignee_id == user.id


def of_team(user: User) -> ColumnElement[bool]:
    """Tasks of the user's team, taken by somebody or not."""
    return Task.team_id == user.team_id if user.team_id is not None else false()


def visible_tasks(user: User) -> ColumnElement[bool]:
    """Tasks the user may see: their own, those of cases and mails they see, and within their entities their team's.

    A colleague of another team may be asked for one thing, such as a delivery note, without seeing the whole case.
    """
    asked_of_them = or_(mine(user), of_team(user))
    if entities_of(user) is None and user.role != "owner":
        # They see every case and mail: said so, it costs no look at a hundred thousand of them.
        return or_(Task.case_id.is_not(None), Task.message_id.is_not(None), asked_of_them, _oversees(user))
    of_case = Task.case_id.in_(select(Case.id).where(visible_to(user)))
    within = Task.case_id.in_(_cases_within(user)) if entities_of(user) is not None else true()
    loose = and_(
        Task.case_id.is_(None),
        or_(Task.message_id.in_(select(Message.id).where(visible_messages(user))), asked_of_them, _oversees(user)),
    )
    return or_(of_case, and_(Task.case_id.is_not(None), asked_of_them, within), loose)


def _oversees(user: User) -> ColumnElement[bool]:
    """Leads see what belongs to no case and no mail, if they see every entity."""
    sees_all = user.role in {"lead", "admin"} and entities_of(user) is None
    return Task.message_id.is_(None) if sees_all else false()


def _cases_within(user: User) -> Select[int]:
    entities = entities_of(user)
    query = select(Case.id)
    return query if entities is None else query.where(Case.entity_id.in_(entities))


def list_tasks(
    session: Session,
    *,
    user: User,
    filters: TaskFilter,
    now: datetime,
    day_ends: datetime | None = None,
    after: str | None = None,
    limit: int = 50,
) -> TaskList:
    """A page of open tasks, the first due first, from the place `after` a former page gave. One query."""
    chosen = _narrowed(select(Task.id), user, filters, now, day_ends)
    if (place := _parse_key(after)) is not None:
        chosen = chosen.where(_beyond(place))
    # Only ids are sorted: whole rows took twice as long at 100,000 tasks.
    ids = chosen.order_by(_due, Task.id).limit(limit + 1).subquery()
    found = session.execute(_columns().where(Task.id.in_(select(ids.c.id))).order_by(_due, Task.id)).all()
    page = found[:limit]
    return TaskList(tuple(map(_row, page)), _key(page[-1].Task) if len(found) > limit else None)


def _columns() -> Any:
    return (
        select(Task, Case, Account.name.label("account_name"), User.name.label("assignee"), Team.key.label("team_key"))
        .outerjoin(Case, Case.id == Task.case_id)
        .outerjoin(Account, Account.id == Case.account_id)
        .outerjoin(User, User.id == Task.assignee_id)
        .outerjoin(Team, Team.id == Task.team_id)
    )


def _narrowed(
    query: Select[Any], user: User, filters: TaskFilter, now: datetime, day_ends: datetime | None
) -> Select[Any]:
    conditions = filters.conditions(user, now=now, day_ends=day_ends or now + timedelta(days=1))
    return query.where(Task.state == "open", once_a_case(), visible_tasks(user), *conditions)


def _row(row: Row[Any]) -> TaskRow:
    return TaskRow(row.Task, row.Case, row.account_name or "", row.assignee or "", row.team_key or "")


def _key(task: Task) -> str:
    return f"{(task.due_at or _FAR).astimezone(UTC).isoformat()}~{task.id}"


def _parse_key(key: str | None) -> tuple[datetime, int] | None:
    """The place a key names; None for none or a mangled one, which then shows the first page."""
    moment, _, number = (key or "").partition("~")
    try:
        return datetime.fromisoformat(moment).astimezone(UTC), int(number)
    except ValueError:
        return None


def _beyond(place: tuple[datetime, int]) -> ColumnElement[bool]:
    moment, number = place
    return or_(_due > moment, and_(_due == moment, Task.id > number))


def tasks_of_account(session: Session, *, user: User, account_id: int, limit: int = 12) -> tuple[TaskRow, ...]:
    """What is open in all cases of a customer, the first due first. One query."""
    open_ones = (Task.state == "open", once_a_case(), visible_tasks(user))
    query = _columns().where(*open_ones, Case.account_id == account_id)
    return tuple(map(_row, session.execute(query.order_by(_due, Task.id).limit(limit))))


def task_counts(session: Session, *, user: User, now: datetime) -> TaskCounts:
    """The counts beside the navigation and the views. One query."""
    query = select(
        func.count().filter(mine(user)),
        func.count().filter(of_team(user)),
        func.count(),
        func.count().filter(mine(user), Task.due_at < now),
        func.count().filter(mine(user), Task.kind == CALL),
        func.count().filter(Task.kind == CONFIRM),
    ).where(Task.state == "open", once_a_case(), visible_tasks(user))
    return TaskCounts(*session.execute(query).one())


def own_counts(session: Session, *, user: User, now: datetime) -> TaskCounts:
    """The user's own alone, for every page: quick, however much there is to do in all. One query."""
    query = select(func.count(), func.count().filter(Task.due_at < now))
    whole, late = session.execute(query.where(Task.state == "open", mine(user), once_a_case())).one()
    return TaskCounts(mine=whole, overdue=late)


def visible_task(session: Session, *, user: User, task_id: int, kind: str | None = None) -> Task:
    """The task with its case and assignee, if the user may see it (and it is of that kind); else NoSuchTask."""
    query = select(Task).where(Task.id == task_id, visible_tasks(user))
    if kind is not None:
        query = query.where(Task.kind == kind)
    whole = (
        joinedload(Task.case).options(
            joinedload(Case.account), joinedload(Case.entity), joinedload(Case.owner), joinedload(Case.team)
        ),
        joinedload(Task.assignee),
    )
    task = session.scalar(query.options(*whole))
    if task is None:
        raise NoSuchTask(f"There is no task {task_id}, or you may not see it")
    return task


def next_task(
    session: Session, *, user: User, filters: TaskFilter, now: datetime, after: Task | None = None
) -> int | None:
    """The task to do next in a list: the first one after `after` there, else the first of the list. Two queries."""
    query = _narrowed(select(Task.id), user, filters, now, None).order_by(_due, Task.id).limit(1)
    found: int | None = None
    if after is not None:
        query = query.where(Task.id != after.id)
        found = session.scalar(query.where(_beyond((after.due_at or _FAR, after.id))))
    return found or session.scalar(query)


def calendar_tasks(session: Session, *, user: User, limit: int = 500) -> tuple[Task, ...]:
    """The user's own open tasks that have a time, with their cases, the first due first. One query."""
    open_ones = (Task.state == "open", once_a_case(), visible_tasks(user))
    query = select(Task).where(*open_ones, mine(user), Task.due_at.is_not(None))
    return tuple(session.scalars(query.options(joinedload(Task.case)).order_by(Task.due_at, Task.id).limit(limit)))
