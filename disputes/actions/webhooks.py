"""Where changes are sent, and how far each receiver has been told."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import BadInput, NotFound
from app.core.events import Actor, record, system
from disputes.models import Change, Webhook, WebhookDelivery
from invoices.models import Entity

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 80
"""With an hour between the later ones this is three days; after that the receiver reads the feed to catch up."""


class NoWebhook(NotFound):
    """There is no such webhook."""


class Post(NamedTuple):
    """One change for one receiver, ready to be sent."""

    delivery_id: int
    url: str
    secret: str
    body: dict[str, Any]


def add(session: Session, *, url: str, entity_code: str | None, actor: Actor, now: datetime) -> Webhook:
    """Have changes sent to an address from now on; `secret` signs them. Raises BadInput for what is no address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise BadInput(f"{url!r} is no address for a webhook: write https://host/path", fields={"url": "no address"})
    if entity_code is not None and session.scalar(select(Entity.id).where(Entity.code == entity_code)) is None:
        raise BadInput(f"{entity_code} is not a known entity", fields={"entity": "unknown"})
    hook = Webhook(url=url, secret=secrets.token_urlsafe(32), entity_code=entity_code, created_at=now)
    session.add(hook)
    session.flush()
    _record(session, hook, "webhook added", actor=actor, now=now, after={"host": parts.hostname, "entity": entity_code})
    return hook


def stop(session: Session, *, webhook_id: int, actor: Actor, now: datetime) -> None:
    """Send nothing there any more. Raises NoWebhook."""
    hook = session.get(Webhook, webhook_id)
    if hook is None:
        raise NoWebhook(f"There is no webhook {webhook_id}")
    hook.active = False
    _record(session, hook, "webhook stopped", actor=actor, now=now, after={"active": False})


def next_posts(session: Session, *, now: datetime) -> Sequence[Post]:
    """For each receiver the oldest change it was not told yet, where its time has come: in order, none overtaking."""
    first = (
        select(func.min(WebhookDelivery.change_id).label("change_id"), WebhookDelivery.webhook_id)
        .where(WebhookDelivery.state == "queued")
        .group_by(WebhookDelivery.webhook_id)
        .subquery()
    )
    its_first = (first.c.change_id == WebhookDelivery.change_id) & (first.c.webhook_id == WebhookDelivery.webhook_id)
    rows = session.execute(
        select(WebhookDelivery, Webhook, Change)
        .join(first, its_first)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .join(Change, Change.id == WebhookDelivery.change_id)
        .where(WebhookDelivery.not_before <= now, Webhook.active)
        .order_by(Webhook.id)
    )  # fmt: skip
    return [Post(delivery.id, hook.url, hook.secret, _body(change)) for delivery, hook, change in rows]


def record_sent(session: Session, *, delivery_id: int, now: datetime) -> None:
    """The receiver took it."""
    _move(session, delivery_id, "sent", now=now, sent_at=now, last_error=None)


def record_failure(session: Session, *, delivery_id: int, error: str, now: datetime) -> None:
    """The receiver will never take it: what comes after goes on; the feed still tells it."""
    _move(session, delivery_id, "failed", now=now, last_error=error)


def record_delay(session: Session, *, delivery_id: int, error: str, now: datetime) -> None:
    """Not taken now: wait, twice as long each time; fail after three days."""
    attempts = session.get_one(WebhookDelivery, delivery_id).attempts
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(attempts, 10)))
    if attempts + 1 >= MOST_ATTEMPTS:
        record_failure(session, delivery_id=delivery_id, error=error, now=now)
    else:
        _move(session, delivery_id, "queued", now=now, last_error=error, not_before=now + pause)


def _body(change: Change) -> dict[str, Any]:
    return {"cursor": change.id, "at": change.at.isoformat(), **change.payload}


def _move(session: Session, delivery_id: int, state: str, *, now: datetime, **values: Any) -> None:
    delivery = session.get_one(WebhookDelivery, delivery_id)
    delivery.state, delivery.attempts = state, delivery.attempts + 1
    for name, value in values.items():
        setattr(delivery, name, value)
    record(
        session,
        actor=system("webhooks", f"change:{delivery.change_id}"),
        now=now,
        verb=f"webhook {state}",
        subject="webhook_delivery",
        subject_id=delivery.id,
        after={"state": state, "attempts": delivery.attempts, "error": values.get("last_error")},
    )


def _record(session: Session, hook: Webhook, verb: str, *, actor: Actor, now: datetime, after: dict[str, Any]) -> None:
    record(session, actor=actor, now=now, verb=verb, subject="webhook", subject_id=hook.id, after=after)
