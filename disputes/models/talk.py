"""What is said inside the company, and what is being written to the customer."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.auth import User
from app.core.db import Base, BigId


class Note(Base):
    """An internal note on a case, never shown to the customer. `mentions` are ids of users to be told."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"), index=True)
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text)
    mentions: Mapped[list[Any]] = mapped_column(default=list)
    source: Mapped[str] = mapped_column(String(20), default="desk")
    at: Mapped[datetime]

    author: Mapped[User | None] = relationship(lazy="raise")


class Draft(Base):
    """A reply being written: one a person and case, saved as they type. `case_version` tells a changed thread (U18)."""

    __tablename__ = "drafts"
    __table_args__ = (UniqueConstraint("case_id", "user_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    to: Mapped[str] = mapped_column(String(320))
    cc: Mapped[list[Any]] = mapped_column(default=list)
    subject: Mapped[str] = mapped_column(String(998))
    body: Mapped[str] = mapped_column(Text)
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    case_version: Mapped[int]
    saved_at: Mapped[datetime]


class DigestSent(Base):
    """A digest made for a person and period ("2026-11-27", "2026-w48", "urgent-31"): one only, ever.

    `cases` are those it told of, in its order: what is not among them is new next time, and a mail that answers it
    need not name the only one. Without `outbox_id` there was nothing to tell.
    """

    __tablename__ = "digests_sent"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True)
    period: Mapped[str] = mapped_column(String(60), primary_key=True)
    outbox_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("outbox.id"))
    cases: Mapped[list[Any]] = mapped_column(default=list)
    at: Mapped[datetime]


class ActionUse(Base):
    """A signed one-click action that was used; its nonce cannot be used again."""

    __tablename__ = "action_uses"

    nonce: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"))
    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"))
    action: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
