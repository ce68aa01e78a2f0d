"""What a lead's digest tells: load per owner, ageing of cases, broken promises, uncertain mails. It reads only."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.auth import Team, User
from disputes.digests import AGES, Load, TeamDay
from disputes.models import Case, CaseClock, Outgoing
from disputes.queries.filters import STATES_OPEN, standing_condition
from disputes.queries.visibility import visible_to
from invoices.models import Account

MOST_SHOWN = 10
Conditions = list[ColumnElement[bool]]
_LEADS = frozenset({"lead", "admin"})


def team_day(session: Session, *, user: User, now: datetime) -> TeamDay | None:
    """The day of those a lead leads: their own team where they lead or belong to one, else all they may see.

    None for people who lead nobody. `user.entities` must be loaded. Six queries.
    """
    led = session.scalars(select(Team.id).where(Team.lead_id == user.id)).all()
    if user.role not in _LEADS and not led:
        return None
    team_ids = set(led) or ({user.team_id} if user.team_id else set())
    within: Conditions = [visible_to(user), Case.state.in_(STATES_OPEN)]
    if team_ids:
        within.append(Case.team_id.in_(team_ids))
    return TeamDay(
        loads=_loads(session, within, now=now),
        ageing=_ageing(session, within, now=now),
        breaches=_breaches(session, within),
        breached=session.scalar(_broken(select(func.count()), within)) or 0,
        uncertain=_uncertain(session, user, team_ids),
    )


def _loads(session: Session, within: Conditions, *, now: datetime) -> tuple[Load, ...]:
    overdue = func.sum(case((standing_condition("late", now=now), 1), else_=0)).cast(Integer)
    rows = session.execute(
        select(User.name, Team.name, func.count(), overdue, func.min(Case.opened_at))
        .select_from(Case)
        .outerjoin(User, User.id == Case.owner_id)
        .outerjoin(Team, Team.id == Case.team_id)
        .where(*within)
        .group_by(User.name, Team.name)
        .order_by(overdue.desc(), func.count().desc())
    )
    return tuple(Load(name or "", team or "", count, late or 0, oldest) for name, team, count, late, oldest in rows)


def _ageing(session: Session, within: Conditions, *, now: datetime) -> tuple[tuple[int | None, int], ...]:
    limits = [days for days in AGES if days is not None]
    band = case(
        *((Case.opened_at > now - timedelta(days=days), number) for number, days in enumerate(limits)),
        else_=len(limits),
    ).label("band")
    counted = session.execute(select(band, func.count()).where(*within).group_by("band")).all()
    found = {row[0]: row[1] for row in counted}
    return tuple((days, found.get(number, 0)) for number, days in enumerate(AGES))


def _breaches(session: Session, within: Conditions) -> tuple[tuple[int, str, str, datetime], ...]:
    """Promises that are broken and still owed, the oldest first: case, customer, clock, by when it was promised."""
    rows = session.execute(
        _broken(select(Case.id, Account.name, CaseClock.kind, CaseClock.breached_at), within)
        .outerjoin(Account, Account.id == Case.account_id)
        .order_by(CaseClock.breached_at, Case.id)
        .limit(MOST_SHOWN)
    )
    return tuple((number, name or "", kind, at) for number, name, kind, at in rows if at is not None)


def _broken(query: Select[*tuple[Any, ...]], within: Conditions) -> Select[*tuple[Any, ...]]:
    owed = (CaseClock.breached_at.is_not(None), CaseClock.met_at.is_(None))
    return query.select_from(CaseClock).join(Case, Case.id == CaseClock.case_id).where(*owed, *within)


def _uncertain(session: Session, user: User, team_ids: Collection[int]) -> tuple[tuple[int, str, str], ...]:
    """Mails that may or may not have gone out: id, to whom, subject."""
    query = (
        select(Outgoing.id, Outgoing.to_email, Outgoing.subject)
        .outerjoin(Case, Case.id == Outgoing.case_id)
        .where(Outgoing.state == "uncertain", or_(Outgoing.case_id.is_(None), visible_to(user)))
    )
    if team_ids:
        query = query.where(or_(Outgoing.case_id.is_(None), Case.team_id.in_(team_ids)))
    rows = session.execute(query.order_by(Outgoing.id).limit(MOST_SHOWN))
    return tuple((number, to, subject) for number, to, subject in rows)
