"""Who is away and will be, and how many open cases wait with them. It reads only."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from app.auth import User
from disputes.models import Absence, Case
from disputes.queries.filters import STATES_OPEN
from disputes.queries.visibility import visible_to


@dataclass(frozen=True, slots=True)
class AbsenceRow:
    """An absence with names; `open_cases` are those the reader may see."""

    absence: Absence
    name: str
    stand_in: str
    open_cases: int

    @property
    def form(self) -> dict[str, str]:
        """The absence as a form shows it."""
        one = self.absence
        return {
            "first_day": one.first_day.isoformat(),
            "last_day": one.last_day.isoformat(),
            "stand_in": str(one.stand_in_id or ""),
            "note": one.note,
        }

    def is_on(self, today: date) -> bool:
        """Whether the person is away today."""
        return self.absence.first_day <= today <= self.absence.last_day


def absences(session: Session, *, user: User, today: date) -> tuple[AbsenceRow, ...]:
    """Absences that are not over, the first to begin first. One query. `user.entities` must be loaded."""
    stand_in = aliased(User)
    load = (
        select(Case.owner_id, func.count().label("cases"))
        .where(Case.state.in_(STATES_OPEN), visible_to(user))
        .group_by(Case.owner_id)
    ).subquery()
    rows = session.execute(
        select(Absence, User.name, stand_in.name, func.coalesce(load.c.cases, 0))
        .join(User, User.id == Absence.user_id)
        .outerjoin(stand_in, stand_in.id == Absence.stand_in_id)
        .outerjoin(load, load.c.owner_id == Absence.user_id)
        .where(Absence.last_day >= today)
        .order_by(Absence.first_day, User.name, Absence.id)
    )
    return tuple(AbsenceRow(absence, name, other or "", cases) for absence, name, other, cases in rows)
