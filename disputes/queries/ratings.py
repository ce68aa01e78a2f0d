"""How a customer's answer to our question stands."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.core.events import Event
from disputes.actions.satisfaction import VERB
from disputes.models import Case
from disputes.queries.case import NoSuchCase
from disputes.satisfaction import CHANGED_FOR, MOST_ANSWERS


@dataclass(frozen=True, slots=True)
class Standing:
    """The case with its entity; `changeable` until a week after the first answer, `until` when that is."""

    case: Case
    changeable: bool
    until: datetime | None


def standing_of(session: Session, *, case_id: int, now: datetime) -> Standing:
    """How the answer stands, of a merged case that of the one it lives on in. Raises NoSuchCase."""
    case = session.scalar(select(Case).where(Case.id == case_id).options(joinedload(Case.entity)))
    if case is None:
        raise NoSuchCase(f"There is no case {case_id}")
    if case.merged_into_id is not None:
        return standing_of(session, case_id=case.merged_into_id, now=now)
    answers = select(func.min(Event.at), func.count()).where(Event.case_id == case.id, Event.verb == VERB)
    first, count = session.execute(answers).one()
    until = first + CHANGED_FOR if first else None
    return Standing(case, changeable=until is None or (now <= until and count < MOST_ANSWERS), until=until)
