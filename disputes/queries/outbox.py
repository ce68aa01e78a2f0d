"""Mail of ours that waits for a person: perhaps sent, or refused."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import NotFound
from disputes.models import Case, Outgoing
from disputes.models.outbox import TO_DECIDE
from disputes.queries.visibility import entities_of, visible_to

MOST = 100
"""Mails shown at once; what is decided makes room."""


class NoSuchMail(NotFound):
    """There is no such mail in the outbox among those the user may see."""


@dataclass(frozen=True, slots=True)
class ToDecide:
    """A mail and the title of its case, None where it belongs to none."""

    mail: Outgoing
    case_title: str | None


def mails_to_decide(session: Session, *, user: User) -> Sequence[ToDecide]:
    """Uncertain and failed mails the user may see, the oldest first, in one query."""
    query = select(Outgoing, Case.title).outerjoin(Case, Case.id == Outgoing.case_id)
    rows = session.execute(query.where(_waits(user)).order_by(Outgoing.id).limit(MOST))
    return [ToDecide(mail, title) for mail, title in rows]


def mails_to_decide_count(session: Session, *, user: User) -> int:
    """How many mails wait for a person."""
    query = select(func.count(Outgoing.id)).outerjoin(Case, Case.id == Outgoing.case_id)
    return session.scalar(query.where(_waits(user))) or 0


def outgoing_of(session: Session, *, user: User, outbox_id: int) -> Outgoing:
    """A mail of the outbox that the user may see. Raises NoSuchMail."""
    query = select(Outgoing).outerjoin(Case, Case.id == Outgoing.case_id)
    mail = session.scalar(query.where(Outgoing.id == outbox_id, _visible(user)))
    if mail is None:
        raise NoSuchMail(f"There is no mail {outbox_id} in the outbox, or you may not see it")
    return mail


def _waits(user: User) -> ColumnElement[bool]:
    return and_(Outgoing.state.in_(TO_DECIDE), _visible(user))


def _visible(user: User) -> ColumnElement[bool]:
    """Mail of a case goes with the case; mail to our own people is a lead's to look after."""
    of_case = and_(Outgoing.case_id.is_not(None), visible_to(user))
    if user.role not in {"lead", "admin"}:
        return of_case
    entities = entities_of(user)
    ours: ColumnElement[bool] = true() if entities is None else Outgoing.entity_id.in_(entities)
    return or_(of_case, and_(Outgoing.case_id.is_(None), or_(Outgoing.entity_id.is_(None), ours)))
