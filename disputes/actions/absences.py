"""When people are away and who stands in for them: planned, changed, ended early; their cases handed over at once.

From the first day on new cases go to the stand-in (routing_rules); those a person has stay with them until a lead
hands them over. Nothing comes back by itself: whoever took a case knows it by now.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import BadInput, Conflict, NotFound
from app.core.events import Actor, record
from disputes.actions.shared import change, plain
from disputes.actions.teams import Handed, is_active
from disputes.actions.teams import hand_over as give
from disputes.desks import desks_of
from disputes.lookups import OPEN_STATES
from disputes.models import Absence, Case

LONGEST = timedelta(days=366)
_FIELDS = ("user_id", "first_day", "last_day", "stand_in_id", "note")


class NoAbsence(NotFound):
    """There is no such absence."""


class BadAbsence(BadInput):
    """These days or this stand-in make no sense; `fields` says which."""


class NobodyStandsIn(Conflict):
    """The person is not away today, or nobody who is here stands in for them."""


def plan(
    session: Session,
    *,
    user_id: int,
    first_day: date,
    last_day: date,
    stand_in_id: int | None,
    note: str,
    actor: Actor,
    now: datetime,
) -> Absence:
    """Somebody will be away, both days included. The same absence again is given back as it is. Raises BadAbsence."""
    values = _values(user_id, first_day, last_day, stand_in_id, note)
    others = _of(session, user_id)
    same = next((one for one in others if (one.first_day, one.last_day) == (first_day, last_day)), None)
    _check(session, [one for one in others if one is not same], **values)
    if same is not None:
        return _set(session, same, values, actor=actor, now=now)
    made = Absence(**values)
    session.add(made)
    session.flush()
    _record(session, made, "absence planned", actor=actor, now=now, after=_kept(made))
    return made


def change_days(
    session: Session,
    *,
    absence_id: int,
    first_day: date,
    last_day: date,
    stand_in_id: int | None,
    note: str,
    actor: Actor,
    now: datetime,
) -> Absence:
    """Other days, another stand-in or note. Raises NoAbsence, BadAbsence."""
    found = _absence(session, absence_id)
    values = _values(found.user_id, first_day, last_day, stand_in_id, note)
    _check(session, [one for one in _of(session, found.user_id) if one is not found], **values)
    return _set(session, found, values, actor=actor, now=now)


def end(session: Session, *, absence_id: int, today: date, actor: Actor, now: datetime) -> None:
    """The person is back today, or will not be away after all. An absence that is over stays. Raises NoAbsence."""
    found = _absence(session, absence_id)
    before = _kept(found)
    if found.first_day >= today:
        session.delete(found)
        _record(session, found, "absence ended", actor=actor, now=now, before=before)
    elif found.last_day >= today:
        found.last_day = today - timedelta(days=1)
        _record(session, found, "absence ended", actor=actor, now=now, before=before, after=_kept(found))
    session.flush()


def hand_over(session: Session, *, user: User, absent_id: int, today: date, actor: Actor, now: datetime) -> Handed:
    """Give all open cases of somebody who is away to who stands in for them, along the chain to one who is here.

    `user` is who gives: cases they may not see, or the stand-in may not, stay. Raises NobodyStandsIn.
    """
    stand_in = desks_of(session, today=today).stand_in(absent_id)
    if stand_in is None:
        raise NobodyStandsIn("Nobody who is here today stands in for them: say who does, then hand over")
    owned = select(Case.id).where(Case.owner_id == absent_id, Case.state.in_(OPEN_STATES)).order_by(Case.id)
    case_ids = session.scalars(owned).all()
    return give(session, user=user, case_ids=case_ids, owner_id=stand_in.user_id, actor=actor, now=now)


def _absence(session: Session, absence_id: int) -> Absence:
    found = session.scalar(select(Absence).where(Absence.id == absence_id).with_for_update())
    if found is None:
        raise NoAbsence(f"There is no absence {absence_id}")
    return found


def _of(session: Session, user_id: int) -> list[Absence]:
    """A person's absences; the person's row is the lock that keeps two of them from overlapping."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update())
    return list(session.scalars(select(Absence).where(Absence.user_id == user_id).order_by(Absence.first_day)))


def _values(user_id: int, first_day: date, last_day: date, stand_in_id: int | None, note: str) -> dict[str, Any]:
    return dict(zip(_FIELDS, (user_id, first_day, last_day, stand_in_id, note.strip()), strict=True))


def _check(
    session: Session,
    others: Iterable[Absence],
    *,
    user_id: int,
    first_day: date,
    last_day: date,
    stand_in_id: int | None,
    note: str,  # noqa: ARG001 - any note will do
) -> None:
    if last_day < first_day:
        raise BadAbsence("The last day comes before the first", fields={"last_day": "before the first day"})
    if last_day - first_day > LONGEST:
        raise BadAbsence("An absence lasts a year at most", fields={"last_day": "too far away"})
    for one in others:
        if one.first_day <= last_day and first_day <= one.last_day:
            words = f"They are away from {one.first_day} to {one.last_day} already: change that absence"
            raise BadAbsence(words, fields={"first_day": "overlaps another absence"})
    if stand_in_id == user_id:
        raise BadAbsence("Nobody stands in for themselves", fields={"stand_in": "the same person"})
    for field, number in (("user", user_id), ("stand_in", stand_in_id)):
        if number is not None and not is_active(session, number):
            raise BadAbsence(f"There is no active person {number}", fields={field: "unknown"})


def _set(session: Session, row: Absence, values: dict[str, Any], *, actor: Actor, now: datetime) -> Absence:
    before, after = change(row, **values)
    if after:
        session.flush()
        _record(session, row, "absence changed", actor=actor, now=now, before=before, after=after)
    return row


def _kept(row: Absence) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in _FIELDS}


def _record(
    session: Session,
    row: Absence,
    verb: str,
    *,
    actor: Actor,
    now: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="absence",
        subject_id=row.id,
        before=before,
        after=after,
    )
