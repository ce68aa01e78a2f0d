"""Who is told of changes, and how that goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from disputes.models import Change, Webhook, WebhookDelivery


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook with how many changes it took, refused or still waits for, and when it took the last one."""

    hook: Webhook
    sent: int
    failed: int
    queued: int
    last_sent_at: datetime | None
    trouble: str | None


class Delivery(NamedTuple):
    """A change told, or to be told, to a webhook."""

    delivery: WebhookDelivery
    change: Change
    url: str


def receivers(session: Session) -> Sequence[Receiver]:
    """Every webhook, those in use first. Two queries."""

    def count(state: str) -> ColumnElement[int]:
        return func.count(WebhookDelivery.id).filter(WebhookDelivery.state == state)

    rows = session.execute(
        select(Webhook, count("sent"), count("failed"), count("queued"), func.max(WebhookDelivery.sent_at))
        .outerjoin(WebhookDelivery, WebhookDelivery.webhook_id == Webhook.id)
        .group_by(Webhook.id)
        .order_by(Webhook.active.desc(), Webhook.id)
    ).all()
    trouble = _trouble(session)
    return [Receiver(hook, sent, failed, queued, at, trouble.get(hook.id)) for hook, sent, failed, queued, at in rows]


def _trouble(session: Session) -> dict[int, str]:
    """What keeps each webhook's oldest waiting change from being told."""
    waiting = (
        select(WebhookDelivery.webhook_id, WebhookDelivery.last_error)
        .where(WebhookDelivery.state == "queued", WebhookDelivery.last_error.is_not(None))
        .order_by(WebhookDelivery.change_id.desc())
    )
    return {number: error or "" for number, error in session.execute(waiting)}


def last_deliveries(session: Session, *, limit: int = 50) -> Sequence[Delivery]:
    """The newest deliveries of all webhooks, those in trouble among them. One query."""
    rows = session.execute(
        select(WebhookDelivery, Change, Webhook.url)
        .join(Change, Change.id == WebhookDelivery.change_id)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .order_by(WebhookDelivery.id.desc())
        .limit(limit)
    )
    return [Delivery(delivery, change, url) for delivery, change, url in rows]
