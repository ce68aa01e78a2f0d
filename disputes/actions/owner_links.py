"""What a digest's link does, once: the row of its nonce and what it does to the case are one transaction."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.core.events import user_actor
from disputes.actions import owner_answers
from disputes.digest_answers import Command
from disputes.digest_tokens import LinkedAction
from disputes.models import ActionUse

CAUSE = "by digest link"
"""The cause of the events: nobody was signed in, the signed link was enough."""


def use(session: Session, *, linked: LinkedAction, command: Command, limit: Decimal, now: datetime) -> bool:
    """Do what a valid link says, as the person it was made for; False where it was used before.

    All or nothing, so that a form that comes back may be sent again. Raises what owner_answers.answer raises.
    """
    actor = user_actor(linked.user_id, CAUSE)
    with session.begin_nested():
        if not _first(session, linked, now=now):
            return False
        owner_answers.answer(session, command=command, limit=limit, actor=actor, now=now)
    return True


def _first(session: Session, linked: LinkedAction, *, now: datetime) -> bool:
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    row = insert(ActionUse).values(
        nonce=linked.nonce, user_id=linked.user_id, case_id=linked.case_id, action=linked.action, at=now
    )
    return session.scalar(row.on_conflict_do_nothing().returning(ActionUse.nonce)) is not None
