"""What the demo's team wrote to customers: a first answer soon, then how things stand every few days."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.events import Actor
from disputes.actions import customer_messages, outbox
from disputes.actions.customer_messages import NobodyToWriteTo
from disputes.models import Case
from disputes.reply_tokens import ReplyTokens

SOON, AGAIN = timedelta(hours=3), timedelta(days=5)


def keep_informed(
    session: Session, *, case: Case, until: datetime, tokens: ReplyTokens, actor: Actor, at: datetime
) -> None:
    """Tell the case's customer the status at `at` and every five days after, up to `until`, as sent at once."""
    number = 0
    while at < until:
        try:
            mail = customer_messages.write(
                session,
                case_id=case.id,
                kind="status",
                dedupe_key=f"demo:{case.id}:{number}",
                tokens=tokens,
                actor=actor,
                now=at,
            )
        except NobodyToWriteTo:
            return
        send(session, outbox_id=mail.id, now=at)
        at, number = at + AGAIN, number + 1


def send(session: Session, *, outbox_id: int, now: datetime) -> None:
    """What was written counts as sent a minute later: the demo's customers have no mailboxes."""
    later = now + timedelta(minutes=1)
    if outbox.claim(session, worker="demo", now=later, outbox_id=outbox_id) is not None:
        outbox.record_sent(session, outbox_id=outbox_id, now=later)
