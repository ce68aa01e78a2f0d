"""The feed of what the ERP is told back, so that a reader that goes on from its last cursor misses nothing."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from disputes.models import Change
from invoices.models import Entity


def changes_after(session: Session, *, after: int, limit: int, entity: str | None = None) -> Sequence[Change]:
    """The changes after a cursor, oldest first; of one entity where its code is given.

    On PostgreSQL a lower id may be committed after a higher one. The lock waits for those who are writing and keeps
    new ones out while we read, so that no id below the last one given appears later. SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE changes IN SHARE MODE"))
    found = select(Change).where(Change.id > after).order_by(Change.id).limit(limit)
    if entity is not None:
        found = found.join(Entity, Entity.id == Change.entity_id).where(Entity.code == entity)
    return session.scalars(found).all()
