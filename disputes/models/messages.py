"""E-mails: what arrived, what was read, what was decided about each."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Base, BigId
from invoices.models import Account, Entity, Invoice

if TYPE_CHECKING:
    from disputes.models.cases import Case


class Message(Base):
    """One e-mail, in, out or internal. Raw bytes lie in the blob store under `content_hash`.

    `state`: received (stored, not yet worked), worked, or quarantined with `quarantine_reason`.
    `attempts` counts how often work on it began: it grows when a mail brings the whole process down (M22).
    `identity` is the SHA-256 of Message-ID and content: same mail by any way is one message (M2),
    same Message-ID with other content is another, flagged by `id_conflict` (M3).
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index(None, "case_id", "sent_at"),
        Index(None, "account_id", "sent_at"),
        Index(None, "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    rfc_id: Mapped[str | None] = mapped_column(String(998), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    id_conflict: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(12), default="received")
    quarantine_reason: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    received_at: Mapped[datetime]

    # what parsing found
    direction: Mapped[str] = mapped_column(String(8), default="in")
    sent_at: Mapped[datetime | None]
    from_email: Mapped[str] = mapped_column(String(320), default="", index=True)
    from_name: Mapped[str] = mapped_column(String(300), default="")
    reply_to: Mapped[str | None] = mapped_column(String(320))
    to: Mapped[list[Any]] = mapped_column(default=list)
    cc: Mapped[list[Any]] = mapped_column(default=list)
    subject: Mapped[str] = mapped_column(String(998), default="")
    new_text: Mapped[str] = mapped_column(Text, default="")
    quoted_text: Mapped[str] = mapped_column(Text, default="")
    signature: Mapped[str] = mapped_column(Text, default="")
    has_html: Mapped[bool] = mapped_column(default=False)
    machine: Mapped[str | None] = mapped_column(String(20))
    forwarded: Mapped[dict[str, Any] | None]
    defects: Mapped[list[Any]] = mapped_column(default=list)

    # what was decided, with reasons
    entity_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("entities.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id"))
    account_evidence: Mapped[list[Any]] = mapped_column(default=list)
    case_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cases.id"))
    thread_rule: Mapped[str | None] = mapped_column(String(40))
    thread_evidence: Mapped[list[Any]] = mapped_column(default=list)
    review: Mapped[bool] = mapped_column(default=False)
    kind: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(40))
    confidence: Mapped[float | None]
    ranking: Mapped[list[Any]] = mapped_column(default=list)
    decided_by: Mapped[str | None] = mapped_column(String(60))
    deciding_words: Mapped[list[Any]] = mapped_column(default=list)
    sentiment: Mapped[str | None] = mapped_column(String(10))
    urgent: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(String(5))
    flags: Mapped[list[Any]] = mapped_column(default=list)
    promise: Mapped[dict[str, Any] | None]
    model_version: Mapped[str | None] = mapped_column(String(80))

    case: Mapped["Case | None"] = relationship(lazy="raise", foreign_keys=[case_id], back_populates="messages")
    account: Mapped[Account | None] = relationship(lazy="raise")
    entity: Mapped[Entity | None] = relationship(lazy="raise")
    links: Mapped[list["Link"]] = relationship(lazy="raise", back_populates="message")
    attachments: Mapped[list["Attachment"]] = relationship(lazy="raise", order_by="Attachment.position")
    deliveries: Mapped[list["Delivery"]] = relationship(lazy="raise")


class Delivery(Base):
    """Each time a message reached us: by IMAP, HTTP or file. `source_ref` says exactly where (M2)."""

    __tablename__ = "deliveries"
    __table_args__ = (UniqueConstraint("source", "source_ref"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    source: Mapped[str] = mapped_column(String(10))
    source_ref: Mapped[str] = mapped_column(String(600))
    mailbox: Mapped[str | None] = mapped_column(String(320))
    at: Mapped[datetime]


class MailboxCursor(Base):
    """How far an IMAP folder has been read: UIDVALIDITY and the last UID stored (M5)."""

    __tablename__ = "mailbox_cursors"

    mailbox: Mapped[str] = mapped_column(String(320), primary_key=True)
    uidvalidity: Mapped[int] = mapped_column(BigId)
    last_uid: Mapped[int] = mapped_column(BigId)
    polled_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(Text)


class ThreadId(Base):
    """Message-IDs a message has or refers to; ids of mails never seen here join replies to them (M6).

    `relation` is self, in_reply_to or reference; `position` 0 is the newest reference.
    """

    __tablename__ = "thread_ids"

    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True)
    relation: Mapped[str] = mapped_column(String(12), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    rfc_id: Mapped[str] = mapped_column(String(998), index=True)


class Attachment(Base):
    """A part of a message that is a file. Bytes lie in the blob store; `text` is what was read for matching."""

    __tablename__ = "attachments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    position: Mapped[int]
    filename: Mapped[str] = mapped_column(String(300))
    content_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    content_hash: Mapped[str] = mapped_column(String(64))
    content_id: Mapped[str | None] = mapped_column(String(300))
    inline: Mapped[bool] = mapped_column(default=False)
    text: Mapped[str] = mapped_column(Text, default="")


class Link(Base):
    """A message is about an invoice: `state` proposed, confirmed or rejected, with its evidence.

    `decided_by` is "auto" or "user:ID". Each evidence: {what, source, start, end, text, bits, detail}.
    """

    __tablename__ = "links"
    __table_args__ = (UniqueConstraint("message_id", "invoice_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"))
    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"), index=True)
    state: Mapped[str] = mapped_column(String(10))
    probability: Mapped[float]
    decided_by: Mapped[str] = mapped_column(String(40), default="auto")
    evidence: Mapped[list[Any]] = mapped_column(default=list)
    runner_up: Mapped[dict[str, Any] | None]
    decided_at: Mapped[datetime]

    message: Mapped[Message] = relationship(lazy="raise", back_populates="links")
    invoice: Mapped[Invoice] = relationship(lazy="raise")
