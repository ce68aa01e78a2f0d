"""The load of teams and their people, as a lead looks at it (U33). It reads only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.orm import Session, aliased

from app.auth import Team, User
from disputes.models import Absence, Case, CaseClock, Task
from disputes.queries.filters import STATES_OPEN
from disputes.queries.visibility import visible_to


@dataclass(frozen=True, slots=True)
class Load:
    """Open cases, on how many of them a promise of ours is missed or in danger; open tasks, how many of them late.

    "Late" means what it means in the inbox (filters.standing_condition).
    """

    open: int = 0
    late: int = 0
    at_risk: int = 0
    tasks: int = 0
    tasks_late: int = 0

    def __add__(self, other: "Load") -> "Load":
        return Load(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Member:
    """A person with all their open cases, whichever team's; away until `away_until`, who stands in."""

    user_id: int
    name: str
    role: str
    load: Load
    away_until: date | None = None
    stand_in: str = ""


@dataclass(frozen=True, slots=True)
class TeamLoad:
    """A team: its people, and the cases in its queue that nobody has. `team_id` None: people of no team."""

    team_id: int | None
    key: str
    name: str
    lead_id: int | None = None
    capacity: int | None = None
    overflow_id: int | None = None
    members: tuple[Member, ...] = ()
    queue: Load = field(default_factory=Load)

    @property
    def load(self) -> Load:
        """The whole team's load, its queue included."""
        return sum((member.load for member in self.members), self.queue)

    @property
    def room(self) -> int | None:
        """How many more cases its present members may take; None without a limit."""
        if self.capacity is None:
            return None
        here = [member for member in self.members if member.away_until is None]
        return sum(max(self.capacity - member.load.open, 0) for member in here)


def team_loads(session: Session, *, user: User, now: datetime, today: date) -> tuple[TeamLoad, ...]:
    """Every team with its people, by name; people of no team last. Five queries, however many there are.

    Only cases the user may see are counted. `user.entities` must be loaded.
    """
    teams = session.scalars(select(Team).order_by(Team.name, Team.id)).all()
    loads = _loads(session, user=user, now=now)
    people = session.execute(_people(today)).all()
    found = [_team(team, people, loads) for team in teams]
    loose = TeamLoad(None, "", "", members=_members(None, people, loads))
    return (*found, loose) if loose.members else tuple(found)


def _people(today: date) -> Any:
    """Active people; of an absence that overlaps another, the one that lasts longer comes last and counts."""
    after = aliased(User)
    away = and_(Absence.user_id == User.id, Absence.first_day <= today, Absence.last_day >= today)
    return (
        select(User.id, User.name, User.role, User.team_id, Absence.last_day, after.name.label("stand_in"))
        .outerjoin(Absence, away)
        .outerjoin(after, after.id == Absence.stand_in_id)
        .where(User.active)
        .order_by(User.name, User.id, Absence.last_day)
    )


_Key = tuple[int | None, int | None]


def _loads(session: Session, *, user: User, now: datetime) -> dict[_Key, Load]:
    """(owner, None) -> their load; (None, team) -> the load of the team's queue. Three queries."""
    team = case((Case.owner_id.is_(None), Case.team_id)).label("team")
    open_ones = (Case.state.in_(STATES_OPEN), visible_to(user))
    counted = session.execute(
        select(Case.owner_id, team, func.count()).where(*open_ones).group_by(Case.owner_id, "team")
    )
    running = and_(CaseClock.case_id == Case.id, CaseClock.met_at.is_(None), CaseClock.paused_at.is_(None))
    promised = session.execute(
        select(
            Case.owner_id,
            team,
            func.count(Case.id.distinct()).filter(CaseClock.due_at <= now),
            func.count(Case.id.distinct()).filter(CaseClock.warn_at <= now, CaseClock.due_at > now),
        )
        .join(CaseClock, running)
        .where(*open_ones)
        .group_by(Case.owner_id, "team")
    )
    whose = case((Task.assignee_id.is_(None), Task.team_id)).label("team")
    asked = session.execute(
        select(Task.assignee_id, whose, func.count(), func.count().filter(Task.due_at < now))
        .join(Case, Case.id == Task.case_id)
        .where(Task.state == "open", visible_to(user))
        .group_by(Task.assignee_id, "team")
    )
    found: dict[_Key, Load] = defaultdict(Load)
    for owner, of_team, count in counted:
        found[owner, of_team] += Load(open=count)
    for owner, of_team, late, risky in promised:
        found[owner, of_team] += Load(late=late, at_risk=risky)
    for owner, of_team, count, late in asked:
        found[owner, of_team] += Load(tasks=count, tasks_late=late)
    return found


def _team(team: Team, people: Sequence[Row[Any]], loads: dict[_Key, Load]) -> TeamLoad:
    return TeamLoad(
        team_id=team.id,
        key=team.key,
        name=team.name,
        lead_id=team.lead_id,
        capacity=team.capacity,
        overflow_id=team.overflow_team_id,
        members=_members(team.id, people, loads),
        queue=loads.get((None, team.id), Load()),
    )


def _members(team_id: int | None, people: Sequence[Row[Any]], loads: dict[_Key, Load]) -> tuple[Member, ...]:
    """The team's people, those with the most open cases first."""
    found = {
        row.id: Member(row.id, row.name, row.role, loads.get((row.id, None), Load()), row.last_day, row.stand_in or "")
        for row in people
        if row.team_id == team_id
    }
    return tuple(sorted(found.values(), key=lambda one: -one.load.open))
