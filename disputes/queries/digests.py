"""What digests are made of: who is due for one, and which cases wait on a person. It reads only.

Six queries to see whether anybody is due, six for one person's cases, however many there are.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy import case as case_when
from sqlalchemy.orm import Session, selectinload

from app.auth import User, entity_codes
from disputes.clocks import OWNER_ANSWER
from disputes.digests import InvoiceFact, Item, Rhythm, gist, period_due, rhythm_of, zone_of
from disputes.models import Absence, Case, CaseClock, CaseInvoice, DigestSent, Message, Task
from disputes.queries.filters import STATES_OPEN
from disputes.queries.tasks import visible_tasks
from disputes.queries.visibility import visible_to
from disputes.reasons import NO_MATTER, OTHER
from disputes.workhours import Calendar, calendar_of
from invoices.models import Account, Entity, Invoice

OWNER_TASK = "owner_answer"
ASKED = (OWNER_TASK, "approve_credit", "check_delivery", "courtesy_call", "callback", "escalation", "mention", "answer",
         "document_arrived", "credit_decided")  # fmt: skip
"""Kinds of tasks in a case that a digest tells of; mails the program is unsure of are told to leads otherwise."""
AT_ONCE = (OWNER_TASK, "approve_credit", "check_delivery", "escalation")
"""Kinds of tasks an urgent case does not wait until tomorrow with."""
_REMEMBERED = timedelta(days=15)
"""Longer than any period: older digests say nothing about what is new."""
_READ = 4_000


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may get a digest: how, by which calendar, from which entity's mailbox. `user.entities` is loaded."""

    user: User
    rhythm: Rhythm
    calendar: Calendar
    entity: Entity | None


@dataclass(frozen=True, slots=True)
class Due:
    """A digest to be made: of the person's whole day, or of the one urgent case."""

    person: Person
    period: str
    case_id: int | None = None


def people(session: Session, *, user_id: int | None = None) -> list[Person]:
    """The active people with an address, or the one asked for. Three queries."""
    query = select(User).where(User.active).options(selectinload(User.entities)).order_by(User.id)
    users = session.scalars(query if user_id is None else query.where(User.id == user_id)).all()
    entities = session.scalars(select(Entity).order_by(Entity.id)).all()
    return [_person(user, entities) for user in users]


def _person(user: User, entities: Sequence[Entity]) -> Person:
    codes = entity_codes(user)
    theirs = [one for one in entities if codes is None or one.code in codes]
    writing = [one for one in theirs if one.mailbox] or [one for one in entities if one.mailbox]
    entity = next(iter(writing), None)
    country = theirs[0].country if theirs else None
    return Person(user, rhythm_of(user.preferences, role=user.role), calendar_of(country), entity)


def due(session: Session, *, now: datetime) -> list[Due]:
    """The digests to be made now, periodic ones before urgent ones. Made ones, and absent people's, are left out."""
    everybody = [one for one in people(session) if one.entity is not None]
    wanted = [Due(one, period) for one in everybody if (period := period_due(one.rhythm, one.calendar, now=now))]
    wanted += _urgent(session, {one.user.id: one for one in everybody if one.rhythm.at_once})
    if not wanted:
        return []
    made = _made(session, wanted)
    away = _away(session, [one.person for one in wanted], now=now)
    return [one for one in wanted if (one.person.user.id, one.period) not in made and one.person.user.id not in away]


def _urgent(session: Session, reached: Mapping[int, Person]) -> list[Due]:
    """Urgent cases in which something is asked of a person: one digest each, however much is asked there."""
    first = func.min(Task.id)
    rows = session.execute(
        select(Task.assignee_id, Task.case_id, first)
        .join(Case, Case.id == Task.case_id)
        .where(Task.state == "open", Task.kind.in_(AT_ONCE), Task.assignee_id.is_not(None))
        .where(Case.urgent, Case.state.in_(STATES_OPEN))
        .group_by(Task.assignee_id, Task.case_id)
        .order_by(first)
    )
    found = ((reached.get(user_id or 0), case_id, task_id) for user_id, case_id, task_id in rows)
    return [Due(person, f"urgent-{task_id}", case_id) for person, case_id, task_id in found if person is not None]


def _made(session: Session, wanted: Sequence[Due]) -> set[tuple[int, str]]:
    periods = {one.period for one in wanted}
    rows = session.execute(select(DigestSent.user_id, DigestSent.period).where(DigestSent.period.in_(periods)))
    return {(user_id, period) for user_id, period in rows}


def _away(session: Session, wanted: Sequence[Person], *, now: datetime) -> set[int]:
    """Who is absent today: their stand-in hears of the cases."""
    today = {one.user.id: now.astimezone(zone_of(one.rhythm, one.calendar)).date() for one in wanted}
    rows = session.execute(
        select(Absence.user_id, Absence.first_day, Absence.last_day).where(Absence.user_id.in_(today))
    )
    return {user_id for user_id, first, last in rows if first <= today[user_id] <= last}


class Told(NamedTuple):
    """What a person's digests told last: the cases, and when the newest of them was made."""

    cases: frozenset[int] = frozenset()
    at: datetime | None = None


def told_before(session: Session, *, user_id: int, now: datetime) -> Told:
    """What the person's last periodic digest told, and urgent ones since: all else is new to them."""
    # One being made at this moment has its row already, and says nothing yet.
    before = (DigestSent.at > now - _REMEMBERED) & (DigestSent.at < now)
    recent = select(DigestSent).where(DigestSent.user_id == user_id, before)
    cases: set[int] = set()
    at: datetime | None = None
    for sent in session.scalars(recent.order_by(DigestSent.at.desc())):
        cases |= {int(case_id) for case_id in sent.cases}
        at = at or sent.at
        if not sent.period.startswith("urgent-"):
            break
    return Told(frozenset(cases), at)


def items_of(session: Session, *, user: User, now: datetime, only: int | None = None) -> list[Item]:
    """The cases that wait on a person: those that ask something of them, and theirs that nobody else must move.

    `user.entities` must be loaded; `only` is one case of them.
    """
    told = told_before(session, user_id=user.id, now=now) if only is None else Told()
    tasks = _tasks(session, user, only)
    cases = _cases(session, user, list(tasks), only, now=now)
    return _told_of(session, user, cases, tasks, told)


def item_of(session: Session, *, user: User, case_id: int) -> Item | None:
    """One case as a digest tells it, whether it waits on the person or not; None where they may not see it."""
    query = select(Case, Account).outerjoin(Account, Account.id == Case.account_id)
    row = session.execute(query.where(Case.id == case_id, visible_to(user))).one_or_none()
    if row is None:
        return None
    found = [_Found(row[0], row[1], seen=True)]
    return _told_of(session, user, found, _tasks(session, user, case_id), Told())[0]


def _told_of(
    session: Session, user: User, cases: Sequence["_Found"], tasks: Mapping[int, Sequence[Task]], told: Told
) -> list[Item]:
    ids = [found.case.id for found in cases]
    seen = [found.case.id for found in cases if found.seen]
    invoices, said, clocks = _invoices(session, ids), _said(session, seen), _clocks(session, seen)
    items = (_item(user, found, tasks.get(found.case.id, [])) for found in cases)
    return [
        replace(
            item,
            invoices=invoices.get(item.case_id, ()),
            said=said.get(item.case_id, _NOTHING).words,
            said_by=said.get(item.case_id, _NOTHING).who,
            said_at=said.get(item.case_id, _NOTHING).at,
            due_at=min((at for at in (item.due_at, clocks.get(item.case_id)) if at is not None), default=None),
            new=item.case_id not in told.cases or _asked_since(tasks.get(item.case_id, ()), told),
        )
        for item in items
    ]


def _asked_since(tasks: Sequence[Task], told: Told) -> bool:
    """Whether something is asked in a known case that was not asked yet, or a document came."""
    return told.at is not None and any(task.created_at > told.at for task in tasks)


class _Said(NamedTuple):
    """What a case's customer wrote last."""

    words: str
    who: str
    at: datetime | None


_NOTHING = _Said("", "", None)


def _tasks(session: Session, user: User, only: int | None) -> dict[int, list[Task]]:
    """The person's open tasks by case; for a finance owner those of their team's queue too, which nobody took."""
    theirs: ColumnElement[bool] = Task.assignee_id == user.id
    if user.role == "owner" and user.team_id is not None:
        theirs = or_(theirs, and_(Task.assignee_id.is_(None), Task.team_id == user.team_id))
    query = select(Task).where(theirs, visible_tasks(user), Task.state == "open", Task.kind.in_(ASKED))
    query = query.where(Task.case_id.is_not(None)) if only is None else query.where(Task.case_id == only)
    found: dict[int, list[Task]] = defaultdict(list)
    for task in session.scalars(query.order_by(Task.due_at, Task.id)):
        found[task.case_id or 0].append(task)
    return dict(found)


class _Found(NamedTuple):
    """A case that waits on the person; `seen`: the whole case is theirs to see, not only what is asked of them."""

    case: Case
    account: Account | None
    seen: bool


def _cases(session: Session, user: User, asking: Collection[int], only: int | None, *, now: datetime) -> list[_Found]:
    """Open cases the person must move. One they have answered goes on with someone else."""
    answered = select(Task.case_id).where(
        Task.assignee_id == user.id, Task.kind == OWNER_TASK, Task.state == "done", Task.case_id.is_not(None)
    )
    theirs = (
        (Case.owner_id == user.id)
        & or_(Case.waiting_on.is_(None), Case.waiting_on == "us")
        & or_(Case.hold_until.is_(None), Case.hold_until <= now)
        & Case.id.not_in(answered)
        & visible_to(user)
    )
    seen = case_when((visible_to(user), 1), else_=0)
    query = (
        select(Case, Account, seen)
        .outerjoin(Account, Account.id == Case.account_id)
        .where(Case.state.in_(STATES_OPEN), or_(theirs, Case.id.in_(asking)))
        .order_by(Case.id)
    )
    if only is not None:
        query = query.where(Case.id == only)
    return [_Found(case, account, bool(whole)) for case, account, whole in session.execute(query)]


def _item(user: User, found: _Found, tasks: Sequence[Task]) -> Item:
    case, account = found.case, found.account
    own_due = case.due_at if case.owner_id == user.id and case.waiting_on == "us" and not tasks else None
    decides = case.owner_id == user.id or any(task.kind == OWNER_TASK for task in tasks)
    return Item(
        case_id=case.id,
        title=case.title if found.seen else "",
        customer=(account.name or account.number) if account else "",
        kind=case.kind,
        reason=case.reason,
        asks=tuple(dict.fromkeys(task.kind for task in tasks)),
        due_at=min((task.due_at for task in tasks if task.due_at is not None), default=own_due),
        urgent=case.urgent,
        angry=case.sentiment == "angry",
        can_decide=decides and found.seen,
        task_id=None if found.seen else tasks[0].id,
    )


def _invoices(session: Session, ids: Collection[int]) -> dict[int, tuple[InvoiceFact, ...]]:
    rows = session.execute(
        select(CaseInvoice, Invoice)
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id.in_(ids))
        .order_by(Invoice.number)
    )
    found: dict[int, tuple[InvoiceFact, ...]] = {}
    for row, invoice in rows:
        fact = InvoiceFact(invoice.number, row.disputed, row.claimed, invoice.open_amount, invoice.currency)
        found[row.case_id] = (*found.get(row.case_id, ()), fact)
    return found


def _said(session: Session, ids: Collection[int]) -> dict[int, _Said]:
    """What each case's customer said: the newest of their mails that speaks of the matter, before any that only asks
    for news or thanks. A machine's words are nobody's.
    """
    at = func.coalesce(Message.sent_at, Message.received_at)
    weight = case_when((Message.reason == Case.reason, 0), (Message.reason.in_(NO_MATTER), 2), else_=1)
    place = func.row_number().over(partition_by=Message.case_id, order_by=(weight, at.desc(), Message.id.desc()))
    numbered = (
        select(
            Message.case_id,
            func.substr(Message.new_text, 1, _READ).label("words"),
            Message.from_name,
            Message.from_email,
            at.label("at"),
            place.label("place"),
        )
        .join(Case, Case.id == Message.case_id)
        .where(Message.case_id.in_(ids), Message.direction == "in", Message.machine.is_(None))
        .where(or_(Message.kind.is_(None), Message.kind != OTHER))
        .subquery()
    )
    rows = session.execute(select(numbered).where(numbered.c.place == 1))
    return {row.case_id: _Said(gist(row.words or ""), row.from_name or row.from_email, row.at) for row in rows}


def _clocks(session: Session, ids: Collection[int]) -> dict[int, datetime]:
    """By when the owner's answer was promised, where it is still owed."""
    rows = session.execute(
        select(CaseClock.case_id, CaseClock.due_at).where(
            CaseClock.case_id.in_(ids), CaseClock.kind == OWNER_ANSWER, CaseClock.met_at.is_(None)
        )
    )
    return {case_id: due_at for case_id, due_at in rows if due_at is not None}


def decides(session: Session, *, user: User, case_id: int) -> bool:
    """Whether a case waits for this person's decision: it is theirs, or their answer is asked."""
    asked = select(Task.id).where(
        Task.case_id == case_id, Task.kind == OWNER_TASK, Task.state == "open", Task.assignee_id == user.id
    )
    owns = select(Case.id).where(Case.id == case_id, Case.owner_id == user.id)
    found = session.scalar(owns.limit(1)) or session.scalar(asked.limit(1))
    return found is not None
