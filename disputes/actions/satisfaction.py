"""A customer says how well they were looked after."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import locked
from app.core.errors import BadInput, Conflict
from app.core.events import Actor, Event
from disputes.actions import tasks
from disputes.actions.shared import NoCase, change, record_case, touch
from disputes.models import Case, Message
from disputes.satisfaction import CHANGED_FOR, LONGEST_COMMENT, MOST_ANSWERS, POOR, RATINGS, rated_by_mail
from disputes.workdays import due
from invoices.models import Entity

VERB = "customer rated us"
CUSTOMER = Actor("customer", "rating")
CALL_DAYS = 1


class AnswerStands(Conflict):
    """The customer answered more than a week ago, or changed their mind too often: the answer stands."""


def rate(session: Session, *, case_id: int, rating: int, comment: str = "", now: datetime) -> Case:
    """Keep the customer's rating, 1 (poor) to 5; the same again changes nothing. A poor one asks for a call.

    Of a merged case the one it lives on in is rated. Raises NoCase, BadInput, AnswerStands.
    """
    if rating not in RATINGS:
        raise BadInput(f"A rating is one of {RATINGS[0]} to {RATINGS[-1]}, not {rating}", fields={"rating": "unknown"})
    case = _living(session, case_id)
    told = comment.strip()[:LONGEST_COMMENT]
    answers = _answers(session, case.id)
    last = (answers[-1].after or {}).get("comment", "") if answers else ""
    if case.satisfaction == rating and told in {"", last}:
        return case
    if answers and (now > answers[0].at + CHANGED_FOR or len(answers) >= MOST_ANSWERS):
        raise AnswerStands("Your answer stands: it can be changed for a week")
    before, after = change(case, satisfaction=rating)
    touch(case, now=now)
    said = {"comment": told} if told else {}
    after = {"satisfaction": rating, **after, **said}
    record_case(session, case, verb=VERB, actor=CUSTOMER, now=now, before=before, after=after)
    if rating <= POOR:
        _ask_for_a_call(session, case, rating, now=now)
    return case


def hear(session: Session, *, message: Message, case: Case, now: datetime) -> None:
    """A customer answered the mail that asked with a number: it is kept, unless an earlier answer stands."""
    rated = rated_by_mail(message.new_text) if message.direction == "in" else None
    if rated is None:
        return
    try:
        rate(session, case_id=case.id, rating=rated[0], comment=rated[1], now=now)
    except AnswerStands:
        return


def _living(session: Session, case_id: int) -> Case:
    case = locked(session, Case, case_id)
    if case is None:
        raise NoCase(f"There is no case {case_id}")
    return case if case.merged_into_id is None else _living(session, case.merged_into_id)


def _answers(session: Session, case_id: int) -> Sequence[Event]:
    return session.scalars(select(Event).where(Event.case_id == case_id, Event.verb == VERB).order_by(Event.id)).all()


def _ask_for_a_call(session: Session, case: Case, rating: int, *, now: datetime) -> None:
    country = session.scalar(select(Entity.country).where(Entity.id == case.entity_id))
    tasks.open_task(
        session,
        kind="courtesy_call",
        title=f"The customer rated us {rating} of 5: call and listen",
        dedupe_key=f"rating:{case.id}",
        actor=CUSTOMER,
        now=now,
        due_at=due(now, days=CALL_DAYS, country=country),
        case=case,
        payload={"rating": rating},
    )
