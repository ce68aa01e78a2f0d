"""Messages that wait to be worked: taking one, and putting aside what cannot be worked (M1, M22)."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.core.events import record, system
from disputes.actions.shared import message_for_change
from disputes.models import Message


def take(session: Session, *, message_id: int) -> bool:
    """Lock a message for work. False when another worker was quicker, now or earlier."""
    return session.scalar(_TAKEN, {"message_id": message_id}) == "received"


def state(session: Session, *, message_id: int) -> str:
    """What became of a message."""
    return session.scalar(_STATE, {"message_id": message_id}) or "gone"


_STATE = select(Message.state).where(Message.id == bindparam("message_id"))
_TAKEN = _STATE.with_for_update()


def states(session: Session, *, message_ids: Collection[int]) -> Counter[str]:
    """How many of these messages are in which state."""
    found = session.scalars(select(Message.state).where(Message.id.in_(message_ids)))
    return Counter(found)


def waiting_ids(session: Session, *, limit: int, among: Collection[int] | None = None) -> list[int]:
    """The next messages to work: those that never brought a worker down first, then the oldest."""
    received = select(Message.id).where(Message.state == "received")
    if among is not None:
        received = received.where(Message.id.in_(among))
    return list(session.scalars(received.order_by(Message.attempts, Message.id).limit(limit)))


def suspect(session: Session, *, message_id: int, now: datetime) -> int:
    """Note that work on this message begins, before it does: a mail that kills its worker leaves no other trace.

    Gives how often work has begun under suspicion.
    """
    message = message_for_change(session, message_id)
    message.attempts += 1
    _record(session, message_id, "message tried again", now, {"attempts": message.attempts})
    return message.attempts


def quarantine(session: Session, *, message_id: int, reason: str, now: datetime) -> None:
    """Put a message aside with the reason: visible, and workable again once the cause is gone."""
    message = message_for_change(session, message_id)
    if message.state != "received":
        return
    message.state, message.quarantine_reason = "quarantined", reason
    _record(session, message_id, "message quarantined", now, {"state": "quarantined", "quarantine_reason": reason})


def _record(session: Session, message_id: int, verb: str, now: datetime, after: dict[str, int | str]) -> None:
    actor = system("worker", f"message:{message_id}")
    record(session, actor=actor, now=now, verb=verb, subject="message", subject_id=message_id, after=after)
