"""Cases and what belongs to them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.auth import Team, User
from app.core.db import Amount, Base, BigId
from disputes.models.messages import Message
from invoices.models import Account, Entity, Invoice


class Case(Base):
    """One matter of one account. `state`: new, in_progress, waiting, resolved, closed, merged.

    `waiting_on` customer, us or third_party. `next_step`/`due_at`/`hold_until` are the progress row the
    sweep reads (architecture.md, Background work): `due_at` is `step_from` plus the step's delay in the playbook
    version `policy_id`, so that an edit can time it again; `cycle` counts rounds of repeated steps. `playbook` is the
    key of the one it is on, None while nothing happens by itself (ended, or opened by an old mail). `waiting_since` and
    `reopened_at` are moments steps are counted from. `owner_by` is `auto` or who chose the owner ("user:7": no rule
    takes the case away then), `owner_why` the reasons (disputes/told.py). `version` counts changes, for stale pages.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index(None, "state", "last_activity_at", "id"),
        Index(None, "owner_id", "state"),
        Index(None, "account_id", "state"),
        Index(None, "due_at"),
        Index(None, "playbook", "policy_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("entities.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id"))
    title: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(12), default="new")
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(40), index=True)
    confidence: Mapped[float | None]
    reason_by: Mapped[str] = mapped_column(String(60), default="auto")
    sentiment: Mapped[str] = mapped_column(String(10), default="calm")
    urgent: Mapped[bool] = mapped_column(default=False)
    flags: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(String(5), default="en")
    team_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("teams.id"), index=True)
    owner_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    owner_by: Mapped[str] = mapped_column(String(60), default="auto")
    owner_why: Mapped[list[Any]] = mapped_column(default=list)
    waiting_on: Mapped[str | None] = mapped_column(String(20))
    waiting_since: Mapped[datetime | None]
    waiting_until: Mapped[datetime | None] = mapped_column(index=True)
    next_step: Mapped[str | None] = mapped_column(String(60))
    due_at: Mapped[datetime | None]
    hold_until: Mapped[datetime | None]
    hold_reason: Mapped[str | None] = mapped_column(String(300))
    resolution: Mapped[str | None] = mapped_column(String(20))
    cause: Mapped[str | None] = mapped_column(String(60))
    merged_into_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cases.id"))
    opened_at: Mapped[datetime]
    reopened_at: Mapped[datetime | None]
    last_activity_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    playbook: Mapped[str | None] = mapped_column(String(80))
    policy_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("policies.id"))
    cycle: Mapped[int] = mapped_column(default=0)
    step_from: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    resolution_note: Mapped[str] = mapped_column(Text, default="")
    satisfaction: Mapped[int | None]
    message_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)

    account: Mapped[Account | None] = relationship(lazy="raise")
    entity: Mapped[Entity | None] = relationship(lazy="raise")
    owner: Mapped[User | None] = relationship(lazy="raise")
    team: Mapped[Team | None] = relationship(lazy="raise")
    messages: Mapped[list[Message]] = relationship(
        lazy="raise", foreign_keys=[Message.case_id], back_populates="case", order_by="Message.sent_at"
    )
    invoices: Mapped[list["CaseInvoice"]] = relationship(lazy="raise", back_populates="case")
    tasks: Mapped[list["Task"]] = relationship(lazy="raise", back_populates="case")


class CaseInvoice(Base):
    """An invoice a case is about. `disputed` is our figure, `claimed` the customer's own, kept beside it."""

    __tablename__ = "case_invoices"

    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"), primary_key=True)
    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"), primary_key=True, index=True)
    disputed: Mapped[Decimal] = mapped_column(Amount)
    claimed: Mapped[Decimal | None] = mapped_column(Amount)
    added_at: Mapped[datetime]

    case: Mapped[Case] = relationship(lazy="raise", back_populates="invoices")
    invoice: Mapped[Invoice] = relationship(lazy="raise")


class Task(Base):
    """Something a person does by a time. `kind`: review, answer, courtesy_call, approve_credit, check_delivery.

    `state`: open, done or cancelled. A review task asks about one message's links or case.
    """

    __tablename__ = "tasks"
    __table_args__ = (Index(None, "state", "due_at"), UniqueConstraint("dedupe_key"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cases.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    state: Mapped[str] = mapped_column(String(10), default="open")
    title: Mapped[str] = mapped_column(String(300))
    team_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("teams.id"), index=True)
    assignee_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    dedupe_key: Mapped[str | None] = mapped_column(String(120))

    case: Mapped[Case | None] = relationship(lazy="raise", back_populates="tasks")
    message: Mapped[Message | None] = relationship(lazy="raise")
    assignee: Mapped[User | None] = relationship(lazy="raise")


class Promise(Base):
    """A customer's commitment to pay. `state`: open, kept, partly_kept, broken."""

    __tablename__ = "promises"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"), index=True)
    account_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("accounts.id"), index=True)
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id"), unique=True)
    date: Mapped[date]
    amount: Mapped[Decimal | None] = mapped_column(Amount)
    currency: Mapped[str | None] = mapped_column(String(3))
    state: Mapped[str] = mapped_column(String(12), default="open")
    created_at: Mapped[datetime]


class Correction(Base):
    """What a person put right, kept for learning: `field` is kind, reason, owner, link, account or case."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    case_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("cases.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    at: Mapped[datetime]
    field: Mapped[str] = mapped_column(String(20))
    before: Mapped[str | None] = mapped_column(String(200))
    after: Mapped[str | None] = mapped_column(String(200))
