"""The event log: every change of state, who made it, why, and what it was before and after.

Events wait on their connection and are written together, in the order they were recorded: when the transaction or
savepoint ends, and before a statement that names their table, so that whoever reads finds them. Written one by one they
were a tenth of the time of a mail (amiable bench pipeline). What is rolled back takes its events with it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Index, String, event, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, BigId


class Actor(NamedTuple):
    """Who acts: `user:7`, `token:3`, `system:intake`, and the cause, such as `message:12` or `push:4`."""

    name: str
    cause: str = ""


def system(part: str, cause: str = "") -> Actor:
    """The program itself acting: part "intake", cause "message:12"."""
    return Actor(f"system:{part}", cause)


def user_actor(user_id: int, cause: str = "") -> Actor:
    """A signed-in person acting."""
    return Actor(f"user:{user_id}", cause)


class Event(Base):
    """One change, append-only. `subject` is what changed ("case", "message", "invoice", ...)."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    cause: Mapped[str] = mapped_column(String(120), default="")
    verb: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int | None] = mapped_column(BigId)
    case_id: Mapped[int | None] = mapped_column(BigId)
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]

    __table_args__ = (Index(None, "case_id", "id"), Index(None, "subject", "subject_id"))


def record(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    verb: str,
    subject: str,
    subject_id: int | None,
    case_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Append an event in the caller's transaction. Values must be JSON-able (amounts and times as text)."""
    _waiting(session).append(
        {
            "at": now,
            "actor": actor.name,
            "cause": actor.cause,
            "verb": verb,
            "subject": subject,
            "subject_id": subject_id,
            "case_id": case_id,
            "before": dict(before) if before is not None else None,
            "after": dict(after) if after is not None else None,
        }
    )


class Change(NamedTuple):
    """One of many like changes: the row, and what differs before and after."""

    subject_id: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def record_many(
    session: Session, *, actor: Actor, now: datetime, verb: str, subject: str, changes: Sequence[Change]
) -> None:
    """Append one event a change in a single statement: pushes change thousands of documents, which need not wait."""
    shared = {"at": now, "actor": actor.name, "cause": actor.cause, "verb": verb, "subject": subject, "case_id": None}
    _waiting(session).extend(
        {**shared, "subject_id": change.subject_id, "before": dict(change.before), "after": dict(change.after)}
        for change in changes
    )
    _write(session.connection())


_WAITING = "events that wait"


def _waiting(session: Session) -> list[dict[str, Any]]:
    session.info[_WAITING] = True
    rows: list[dict[str, Any]] = session.connection().info.setdefault(_WAITING, [])
    return rows


@event.listens_for(Session, "before_commit")
def _at_the_end(session: Session) -> None:
    """Also of a savepoint. Not at the connection's commit: what fails here must still be rolled back as a whole."""
    if session.info.pop(_WAITING, False):
        _write(session.connection())


@event.listens_for(Engine, "before_cursor_execute")
def _before_reading(connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
    if _WAITING in connection.info and " events" in statement:
        _write(connection)


@event.listens_for(Engine, "savepoint")
def _before_savepoint(connection: Connection, _name: str) -> None:
    _write(connection)


@event.listens_for(Engine, "rollback")
@event.listens_for(Engine, "rollback_savepoint")
def _undone(connection: Connection, *_savepoint: object) -> None:
    if not connection.invalidated:
        connection.info.pop(_WAITING, None)


def _write(connection: Connection) -> None:
    if rows := connection.info.pop(_WAITING, None):
        connection.execute(_INSERT, rows)


_INSERT = insert(Event.__table__).inline()  # type: ignore[arg-type] # a declared table is a Table
