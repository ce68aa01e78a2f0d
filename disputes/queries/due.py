"""Whether any case needs the sweep: a look into indexes, asked every few seconds of a hundred thousand cases."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Select, literal, select
from sqlalchemy.orm import Session

from disputes.models import Case, CaseClock
from disputes.rules_in_force import playbooks


def anything_due(session: Session, *, now: datetime) -> bool:
    """Whether a step is due, a wait is over, a promise is in danger, or a changed playbook has cases behind it."""
    found = literal(1)
    looks = [
        select(found).where(Case.due_at <= now),
        select(found).where(Case.waiting_until <= now, Case.state == "waiting"),
        select(found).where(CaseClock.alarm_at <= now),
        *(
            query.with_only_columns(found)
            for key, book in playbooks(session).items()
            for query in behind(key, book.policy_id, now)
        ),
    ]
    return any(session.scalar(look.limit(1)) is not None for look in looks)


def behind(key: str, policy_id: int | None, now: datetime) -> Iterator[Select[int]]:
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
