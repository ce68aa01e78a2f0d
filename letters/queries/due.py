"""Whether a job about letters would find anything to do: cheap questions, asked every half minute."""

from sqlalchemy import and_, exists, literal, or_, select
from sqlalchemy.orm import Session

from disputes.models import Outgoing
from letters.actions.asked_for import open_requests
from letters.models import Letter, Run


def anything_due(session: Session) -> bool:
    """Whether a run goes on, a letter is to be printed or sent, or a mail's letter has to follow it."""
    unprinted = and_(Letter.state == "drafted", Letter.content_hash.is_(None), Letter.fault == "")
    leaving = and_(Letter.state == "approved", Letter.channel == "email")
    moved = and_(Letter.state.in_(("queued", "uncertain")), Outgoing.state.in_(("sent", "failed", "cancelled")))
    asked = (
        exists().where(Run.state.in_(("looking", "running"))),
        exists().where(or_(unprinted, leaving)),
        exists().where(Letter.outbox_id == Outgoing.id, moved),
    )
    return bool(session.scalar(select(or_(*asked, literal(False))))) or bool(open_requests(session, limit=1))  # noqa: FBT003 - a literal of SQL
