"""A changed playbook times the cases that are on it again: all at once, quickly, and then each one exactly.

Quickly means the step they have next, by its delay in the new playbook; whether another step comes first now the sweep
finds out, case by case, until every case is on the version in force.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.core.events import Actor, record
from disputes.models import Case, Policy
from disputes.planning import RUNNING
from disputes.playbook import Playbook, default_playbooks, retimed
from disputes.queries.due import behind
from disputes.rules_in_force import InForce, playbooks
from disputes.workhours import calendar_of
from invoices.models import Entity

CHUNK = 5_000


def retime_all(session: Session, *, key: str, actor: Actor, now: datetime) -> int:
    """Time the cases on the playbook `key` again, to be called when another version of it came into force.

    Where the playbook is for other cases than before (or is new, or gone), every case is looked at by the next sweeps.
    Gives how many cases have another due time now.
    """
    books = playbooks(session)
    book = books.get(key)
    if book is None or _for_others(session, key, book.rules):
        count = _look_at_all(session, now=now)
    else:
        count = sum(_retime(session, chunk, book.rules, now=now) for chunk in _running(session, key))
    after = {"key": key, "version": book.version if book else None, "cases": count}
    record(
        session, actor=actor, now=now, verb="cases timed again", subject="policy",
        subject_id=book.policy_id if book else None, after=after,
    )  # fmt: skip
    return count


def _for_others(session: Session, key: str, book: Playbook) -> bool:
    """Whether the playbook spoke of other cases when those on it were planned last; so it is for a new one."""
    ids = session.scalars(select(Case.policy_id).where(Case.playbook == key).distinct()).all()
    rows = select(Policy.content).where(Policy.id.in_([one for one in ids if one is not None]))
    before = [Playbook.model_validate(content).when for content in session.scalars(rows)]
    shipped = default_playbooks().get(key)
    before += [shipped.when] if shipped is not None and None in ids else []
    return not before or any(when != book.when for when in before)


def _look_at_all(session: Session, *, now: datetime) -> int:
    on_their_way = (Case.playbook.is_not(None), Case.state.in_(RUNNING))
    count = session.scalar(select(func.count()).select_from(Case).where(*on_their_way)) or 0
    session.execute(update(Case).where(*on_their_way).values(due_at=now))
    return count


_ROW = (Case.id, Case.next_step, Case.step_from, Case.cycle, Case.due_at, Case.hold_until)


def _running(session: Session, key: str) -> Iterator[Sequence[Any]]:
    """The cases on the playbook, a few thousand at a time."""
    query = (
        select(*_ROW, Entity.country)
        .outerjoin(Entity, Entity.id == Case.entity_id)
        .where(Case.playbook == key, Case.state.in_(RUNNING))
        .order_by(Case.id)
        .limit(CHUNK)
    )
    last = 0
    while rows := session.execute(query.where(Case.id > last)).all():
        last = rows[-1].id
        yield rows


def _retime(session: Session, rows: Sequence[Any], book: Playbook, *, now: datetime) -> int:
    """Only where the case still has the same step next: whoever moved it meanwhile knew better."""
    moves = [
        {"case": row.id, "step": row.next_step, "round": row.cycle, "at": at}
        for row in rows
        if (at := _due(row, book, now)) != row.due_at
    ]
    if moves:
        session.connection().execute(_MOVE, moves)
    return len(moves)


_MOVE = (
    update(Case.__table__)  # type: ignore[arg-type] # a mapped class's table
    .where(
        Case.__table__.c.id == bindparam("case"),
        Case.__table__.c.next_step.is_not_distinct_from(bindparam("step")),
        Case.__table__.c.cycle == bindparam("round"),
    )
    .values(due_at=bindparam("at"))
)


def _due(row: Any, book: Playbook, now: datetime) -> datetime:
    """A case with nothing left to do, or with a step that is gone, is looked at now."""
    calendar = calendar_of(row.country)
    at = (
        retimed(book, row.next_step, step_from=row.step_from, cycle=row.cycle, calendar=calendar)
        if row.next_step and row.step_from
        else None
    )
    return now if at is None else max(at, row.hold_until or at)


def bring_up_to_date(session: Session, *, books: Mapping[str, InForce[Playbook]], now: datetime, limit: int) -> int:
    """Have cases looked at that were planned by another version than the one in force; gives how many.

    Each look is in an index: with nothing to do it costs nothing.
    """
    found = 0
    for key, book in books.items():
        late = [one for query in behind(key, book.policy_id, now) for one in session.scalars(query.limit(limit))]
        if late:
            session.execute(update(Case).where(Case.id.in_(late[:limit])).values(due_at=now))
            found += len(late[:limit])
    return found
