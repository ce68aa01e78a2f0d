"""What the ERP is told back: changes of dispute status per invoice, as a feed and by signed webhooks."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId


class Change(Base):
    """The dispute status of an invoice after a change; `id` is the feed's cursor."""

    __tablename__ = "changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"), index=True)
    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"))
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Webhook(Base):
    """Where changes are sent. `secret` signs each body (HMAC-SHA256); it is needed in clear to sign with."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[str] = mapped_column(String(100))
    entity_code: Mapped[str | None] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]


class WebhookDelivery(Base):
    """One change for one webhook: queued, sent or failed, repeated with growing pauses."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (UniqueConstraint("webhook_id", "change_id"), Index(None, "state", "not_before"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(BigId, ForeignKey("webhooks.id"))
    change_id: Mapped[int] = mapped_column(BigId, ForeignKey("changes.id"))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    last_error: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime | None]
