"""Whether any case needs the sweep: a look into indexes, asked every few seconds of a hundred thousand cases."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from sqlalchemy import BindParameter, Select, bindparam, exists, or_, select
from sqlalchemy.orm import Session

from app.core.db import UtcDateTime
from disputes.models import Case, CaseClock
from disputes.rules_in_force import playbooks


def anything_due(session: Session, *, now: datetime) -> bool:
    """Whether a step is due, a wait is over, a promise is in danger, or a changed playbook has cases behind it."""
    versions = tuple((key, book.policy_id) for key, book in playbooks(session).items())
    return bool(session.scalar(_looks(versions), {"now": now}))


@lru_cache(maxsize=20)
def _looks(versions: tuple[tuple[str, int | None], ...]) -> Select[bool]:
    """All in one statement, kept: making it and sending it is nearly all that a look costs."""
    now = bindparam("now", type_=UtcDateTime)
    late = (query for key, policy_id in versions for query in behind(key, policy_id, now))
    looks = (
        select(Case.id).where(Case.due_at <= now),
        select(Case.id).where(Case.waiting_until <= now, Case.state == "waiting"),
        select(CaseClock.case_id).where(CaseClock.alarm_at <= now),
        *late,
    )
    return select(or_(*(exists(look) for look in looks)))


def behind(key: str, policy_id: int | None, now: datetime | BindParameter[datetime]) -> Iterator[Select[int]]:
    """Ids of cases on the playbook `key` that were planned by another version than the one in force (None: shipped).

    Those already due are left out: they are looked at anyway. Each of the queries is a range of one index.
    """
    later = (Case.due_at.is_(None)) | (Case.due_at > now)
    on_it = select(Case.id).where(Case.playbook == key, later)
    if policy_id is None:
        yield on_it.where(Case.policy_id > 0)
        return
    yield on_it.where(Case.policy_id.is_(None))
    yield on_it.where(Case.policy_id < policy_id)
    yield on_it.where(Case.policy_id > policy_id)
