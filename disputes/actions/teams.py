"""What a lead does with teams: who leads, how much each may take and where the rest goes; cases given to others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.auth import Team, User, entity_codes
from app.core.errors import BadInput, NotFound
from app.core.events import Actor, record
from disputes.actions.cases import assign
from disputes.models import Case
from disputes.queries.filters import STATES_OPEN
from disputes.queries.visibility import visible_to
from invoices.models import Entity

MOST_EACH = 10_000


class NoTeam(NotFound):
    """There is no such team, or no such person."""


class BadTeam(BadInput):
    """These settings make no team that works."""


@dataclass(frozen=True, slots=True)
class Handed:
    """The cases that changed hands, and those that stayed: ended, not seen by the giver or not open to the taker."""

    done: tuple[int, ...]
    stayed: tuple[int, ...]


def set_team(
    session: Session,
    *,
    team_id: int,
    lead_id: int | None,
    capacity: int | None,
    overflow_id: int | None,
    actor: Actor,
    now: datetime,
) -> Team:
    """Who leads, how many open cases each member takes at most (None: any number), and which team gets the rest.

    Raises NoTeam, BadTeam with the field at fault.
    """
    team = session.get(Team, team_id)
    if team is None:
        raise NoTeam(f"There is no team {team_id}")
    if capacity is not None and not 1 <= capacity <= MOST_EACH:
        raise BadTeam(f"Each takes between 1 and {MOST_EACH:,} cases", fields={"capacity": "out of range"})
    if overflow_id == team_id or (overflow_id is not None and session.get(Team, overflow_id) is None):
        raise BadTeam("The rest goes to another team", fields={"overflow": "not another team"})
    if lead_id is not None and not is_active(session, lead_id):
        raise BadTeam("Nobody active can be found to lead", fields={"lead": "unknown"})
    before = {"lead": team.lead_id, "capacity": team.capacity, "overflow": team.overflow_team_id}
    after = {"lead": lead_id, "capacity": capacity, "overflow": overflow_id}
    if before != after:
        team.lead_id, team.capacity, team.overflow_team_id = lead_id, capacity, overflow_id
        record(
            session,
            actor=actor,
            now=now,
            verb="team changed",
            subject="team",
            subject_id=team.id,
            before=before,
            after=after,
        )
    return team


def hand_over(
    session: Session, *, user: User, case_ids: Sequence[int], owner_id: int | None, actor: Actor, now: datetime
) -> Handed:
    """Give open cases to one person (None: back to their teams' queues). Those that cannot go stay, and are told.

    `user` is who gives: only cases they may see move, and only to somebody who may see them. Raises NoTeam for an
    unknown taker.
    """
    taker = _taker(session, owner_id)
    allowed = entity_codes(taker) if taker else None
    found = session.execute(
        select(Case.id, Case.team_id, Entity.code)
        .outerjoin(Entity, Entity.id == Case.entity_id)
        .where(Case.id.in_(case_ids), Case.state.in_(STATES_OPEN), visible_to(user))
        .order_by(Case.id)
    ).all()
    moving = {row.id: row.team_id for row in found if allowed is None or row.code in allowed}
    for case_id, team_id in moving.items():
        team = team_id if taker is None else taker.team_id or team_id
        assign(session, case_id=case_id, owner_id=owner_id, team_id=team, actor=actor, now=now)
    return Handed(tuple(moving), tuple(one for one in dict.fromkeys(case_ids) if one not in moving))


def _taker(session: Session, owner_id: int | None) -> User | None:
    if owner_id is None:
        return None
    taker = session.scalar(select(User).where(User.id == owner_id, User.active).options(selectinload(User.entities)))
    if taker is None:
        raise NoTeam(f"There is no active person {owner_id}")
    return taker


def is_active(session: Session, user_id: int) -> bool:
    """Whether somebody works here still."""
    return session.scalar(select(User.id).where(User.id == user_id, User.active)) is not None
