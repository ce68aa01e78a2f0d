"""Jobs that tell other systems of changes: read what is due, send, record. At least once, in order, signed.

A receiver that gets a change twice knows it by its cursor. One job runs at a time (schedule.py nudges it).
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from app.connectors import webhooks as connector
from app.connectors.contracts import Refused
from app.core import db
from app.core.errors import Unavailable
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.actions import webhooks


class Sender(Protocol):
    """Sends a signed body to an address."""

    def __call__(self, url: str, *, secret: str, body: bytes, now: datetime) -> None:
        """Send. Raises Unavailable (try later) or Refused (never)."""
        ...


def deliver(
    context: Context,
    ids: Iterable[JobId] = (),  # noqa: ARG001 - a job looks for what is due by itself
    *,
    dispatches: int = 1,  # noqa: ARG001 - a change sent twice is known by its cursor
    send: Sender = connector.post,
) -> Counter[str]:
    """Tell every receiver what is due; one that cannot be reached keeps only its own changes waiting."""
    tally: Counter[str] = Counter()
    while not context.stopping.is_set():
        with db.transaction(context.sessions, read_only=True) as session:
            posts = webhooks.next_posts(session, now=context.clock())
        if not posts:
            break
        for post in posts:
            tally[_one(context, post, send)] += 1
    return tally


def _one(context: Context, post: webhooks.Post, send: Sender) -> str:
    now = context.clock()
    body = json.dumps(post.body, separators=(",", ":")).encode()
    try:
        send(post.url, secret=post.secret, body=body, now=now)
    except Refused as error:
        state, words = "failed", error.message
    except Unavailable as error:
        state, words = "queued", error.message
    else:
        state, words = "sent", ""
    with db.transaction(context.sessions) as session:
        if state == "sent":
            webhooks.record_sent(session, delivery_id=post.delivery_id, now=now)
        elif state == "failed":
            webhooks.record_failure(session, delivery_id=post.delivery_id, error=words, now=now)
        else:
            webhooks.record_delay(session, delivery_id=post.delivery_id, error=words, now=now)
    return state
