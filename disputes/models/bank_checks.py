"""Mails that may divert payments, and the two people who looked at each (S15)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId


class BankCheck(Base):
    """A check of talk about changed bank details. `state`: open, asked, released, fraud (disputes/bank_check.py).

    Case and account are those the mail had when it came: they stay held whatever is merged, moved or corrected since.
    `numbers` are the telephone numbers on file at that moment, the only ones known before the mail. `domain` is None
    where the sender's is the account's own or a mail provider's. `round` counts how often it began again.
    """

    __tablename__ = "bank_checks"
    __table_args__ = (Index(None, "case_id"), Index(None, "account_id"), Index(None, "state"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"))
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id"))
    state: Mapped[str] = mapped_column(String(10), default="open")
    round: Mapped[int] = mapped_column(default=0)
    grounds: Mapped[list[Any]] = mapped_column(default=list)
    sender: Mapped[str] = mapped_column(String(320), default="", index=True)
    domain: Mapped[str | None] = mapped_column(String(255), index=True)
    numbers: Mapped[list[Any]] = mapped_column(default=list)
    opened_at: Mapped[datetime]
    cool_until: Mapped[datetime]
    first_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    first_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(12), default="")
    called: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    second_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    second_at: Mapped[datetime | None]
    second_note: Mapped[str] = mapped_column(String(300), default="")
    warn_task_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("tasks.id"))


class BankCheckMail(Base):
    """A mail that a check is about."""

    __tablename__ = "bank_check_mails"

    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True)
    check_id: Mapped[int] = mapped_column(BigId, ForeignKey("bank_checks.id"), index=True)
    at: Mapped[datetime]
