"""Who said what to a credit."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from disputes.models import Approval, Task


@dataclass(frozen=True, slots=True)
class Voice:
    """What one person said to a credit."""

    user_id: int
    name: str
    vote: Approval


def voices_of(session: Session, *, task: Task) -> tuple[Voice, ...]:
    """The votes on a credit the user sees, in the order they came. One query."""
    query = select(Approval, User.name).join(User, User.id == Approval.user_id).where(Approval.task_id == task.id)
    rows = session.execute(query.order_by(Approval.at, User.id))
    return tuple(Voice(vote.user_id, name, vote) for vote, name in rows)


def name_of_user(session: Session, *, user_id: int) -> str:
    """The name of whoever asked; "" for somebody who is gone."""
    return session.scalar(select(User.name).where(User.id == user_id)) or ""
