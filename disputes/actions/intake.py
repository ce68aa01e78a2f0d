"""A mail from its raw bytes to a stored, worked message: received once, parsed once, quarantined when unreadable."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.core.blobs import BlobStore
from app.core.events import Actor, record, system
from app.core.settings import Limits
from disputes.identity import Identity, identify
from disputes.models import Delivery, Message


@dataclass(frozen=True, slots=True)
class Received:
    """The message a delivery is of; `created` is False when it was here already (M2)."""

    message_id: int
    created: bool


def receive(
    session: Session,
    *,
    raw: bytes,
    source: str,
    source_ref: str,
    mailbox: str | None,
    blobs: BlobStore,
    limits: Limits,
    received_at: datetime,
    now: datetime,
) -> Received:
    """Store a mail's bytes, then its message and delivery, before anything is parsed (M1). Repeats change nothing.

    `source` is imap, http or file; `source_ref` says exactly where, unique within the source.
    """
    identity = identify(raw, header_bytes=limits.mail_header_bytes)
    standing = session.scalar(_BY_IDENTITY, {"identity": identity.key})
    created = None
    if standing is None:
        values = _row(raw, identity, limits) | {
            "content_hash": blobs.put(raw),
            "id_conflict": _other_content(session, identity),
            "received_at": received_at,
        }
        created = _insert(session, _MESSAGE, values)
    message_id = standing or created or session.scalars(_BY_IDENTITY, {"identity": identity.key}).one()
    delivery = {
        "message_id": message_id,
        "source": source,
        "source_ref": source_ref[:600],
        "mailbox": mailbox.lower() if mailbox else None,
        "at": received_at,
    }
    arrived = _insert(session, _DELIVERY, delivery)
    if created or arrived:
        told = {"source": source, "source_ref": source_ref}
        _received_event(session, message_id, created=created is not None, now=now, **told)
    return Received(message_id, created is not None)


_BY_IDENTITY = select(Message.id).where(Message.identity == bindparam("identity"))
_BY_RFC_ID = select(Message.id).where(Message.rfc_id == bindparam("rfc_id")).limit(1)


def _row(raw: bytes, identity: Identity, limits: Limits) -> dict[str, Any]:
    """A mail too large to be read is kept all the same, in quarantine from the start."""
    too_large = len(raw) > limits.mail_bytes
    return {
        "identity": identity.key,
        "rfc_id": identity.rfc_id,
        "size": len(raw),
        "state": "quarantined" if too_large else "received",
        "quarantine_reason": _TOO_LARGE.format(len(raw), limits.mail_bytes) if too_large else None,
    }


_TOO_LARGE = "{:,} bytes; at most {:,} are read (limit mail_bytes)"


def _other_content(session: Session, identity: Identity) -> bool:
    """M3: the same Message-ID with other content is another message, and both facts are shown."""
    if identity.rfc_id is None:
        return False
    return session.scalar(_BY_RFC_ID, {"rfc_id": identity.rfc_id}) is not None


def _unless_there(model: type[Message | Delivery], *unique: str) -> Mapping[str, Any]:
    """Statements that insert unless the unique key stands and give the new id, by the database's kind."""
    table: Any = model.__table__  # quicker to insert into than the mapped class
    return {
        kind: insert(table).on_conflict_do_nothing(index_elements=unique).returning(table.c.id)
        for kind, insert in (("sqlite", sqlite_insert), ("postgresql", postgres_insert))
    }


_MESSAGE, _DELIVERY = _unless_there(Message, "identity"), _unless_there(Delivery, "source", "source_ref")


def _insert(session: Session, statement: Mapping[str, Any], values: dict[str, Any]) -> int | None:
    """The new row's id; None where one stands: safe against another process doing the same at this moment."""
    found: int | None = session.scalar(statement[session.get_bind().dialect.name], values)
    return found


def _received_event(
    session: Session, message_id: int, *, created: bool, source: str, source_ref: str, now: datetime
) -> None:
    record(
        session,
        actor=system("mailroom", f"{source}:{source_ref}"[:120]),
        now=now,
        verb="message received" if created else "message delivered again",
        subject="message",
        subject_id=message_id,
        after={"source": source, "source_ref": source_ref[:600]},
    )


def quarantine(session: Session, *, message: Message, reason: str, actor: Actor, now: datetime) -> None:
    """The message cannot be worked: kept, shown with the reason, and re-runnable (M1)."""
    message.state, message.quarantine_reason = "quarantined", reason
    record(
        session,
        actor=actor,
        now=now,
        verb="message quarantined",
        subject="message",
        subject_id=message.id,
        after={"reason": reason},
    )
