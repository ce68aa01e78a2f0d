"""The outbox: mail to be sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId

TO_DECIDE = frozenset({"uncertain", "failed"})
"""States in which a mail waits for a person."""


class Outgoing(Base):
    """The outbox: mail to be sent, committed with its cause (S2).

    `state`: queued, sending, sent, failed, uncertain, cancelled. `dedupe_key` makes a second one impossible;
    `rfc_id` is fixed when the row is made, so that a repeat can be recognised by the receiver. `claimed_by` is the
    worker that is sending it: if that one dies, nobody knows whether it went out, and it becomes uncertain.
    `html` says the same as `body` for readers that show it: digests, whose actions are buttons.
    """

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "state", "not_before"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(String(160), unique=True)
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    case_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cases.id"), index=True)
    in_reply_to_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id"))
    entity_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("entities.id"))
    rfc_id: Mapped[str] = mapped_column(String(998), index=True)
    from_email: Mapped[str] = mapped_column(String(320))
    from_name: Mapped[str] = mapped_column(String(300), default="")
    to_email: Mapped[str] = mapped_column(String(320), index=True)
    subject: Mapped[str] = mapped_column(String(998))
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    headers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    language: Mapped[str] = mapped_column(String(5), default="en")
    cc: Mapped[list[Any]] = mapped_column(default=list)
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    automatic: Mapped[bool] = mapped_column(default=True)
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None] = mapped_column(String(120))
    not_before: Mapped[datetime]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
