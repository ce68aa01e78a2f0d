"""Everybody who may own a case, from the rows: teams, people with their load, who is away. It reads only."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from app.auth import Team, User, UserEntity
from app.core.log import logger
from disputes.lookups import OPEN_STATES
from disputes.models import Absence, Case
from disputes.people import Away, Desks, Person, TeamDesk, person
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import all_reasons


def desks_of(session: Session, *, today: date) -> Desks:
    """The desks as they are; `today` is the day absences are looked at. Three queries, however many people."""
    people = _by_person(_people(session, today))
    return Desks(
        teams=_teams(session),
        people=[_person(rows) for rows in people],
        away=[
            Away(first.id, first.first_day, first.last_day, first.stand_in_id)
            for first, *_ in people
            if first.first_day is not None
        ],
        today=today,
        reasons=all_reasons(session),
    )


def _teams(session: Session) -> list[TeamDesk]:
    return [
        TeamDesk(
            team_id=team.id,
            key=team.key,
            name=team.name,
            lead_id=team.lead_id,
            capacity=team.capacity,
            overflow=overflow,
        )
        for team, overflow in session.execute(_TEAMS)
    ]


_NEXT = aliased(Team)
_TEAMS = select(Team, _NEXT.key).outerjoin(_NEXT, _NEXT.id == Team.overflow_team_id).order_by(Team.id)


def _people(session: Session, today: date) -> Sequence[Row[Any]]:
    """Active people with load and absence; a row for each entity they are limited to."""
    return session.execute(_PEOPLE, {"today": today}).all()


_LOAD = (
    select(Case.owner_id, func.count().label("cases")).where(Case.state.in_(OPEN_STATES)).group_by(Case.owner_id)
).subquery()
_AWAY = and_(
    Absence.user_id == User.id, Absence.first_day <= bindparam("today"), Absence.last_day >= bindparam("today")
)
_PEOPLE = (
    select(
        *(User.id, User.name, User.skills, Team.key.label("team"), func.coalesce(_LOAD.c.cases, 0).label("cases")),
        *(UserEntity.entity_code, Absence.first_day, Absence.last_day, Absence.stand_in_id),
    )
    .outerjoin(Team, Team.id == User.team_id)
    .outerjoin(_LOAD, _LOAD.c.owner_id == User.id)
    .outerjoin(UserEntity, UserEntity.user_id == User.id)
    .outerjoin(Absence, _AWAY)
    .where(User.active)
    .order_by(User.id)
)


def _by_person(rows: Sequence[Row[Any]]) -> list[list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.id, []).append(row)
    return list(found.values())


def _person(rows: Sequence[Row[Any]]) -> Person:
    """Skills nobody can read any more narrow nothing: mail must not wait for them."""
    first = rows[0]
    entities = frozenset(row.entity_code for row in rows if row.entity_code)
    try:
        return person(
            first.id, first.name, team=first.team or "", skills=first.skills, open_cases=first.cases, entities=entities
        )
    except BadPolicy:
        logger().warning("skills cannot be read", user_id=first.id)
        return person(first.id, first.name, team=first.team or "", skills={}, open_cases=first.cases, entities=entities)
