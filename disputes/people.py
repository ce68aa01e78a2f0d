"""Who may own cases: people with what they can and may do, their teams, who is away. Pure; desks.py reads it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from disputes.conditions import CaseFacts
from disputes.own_reasons import Reasons
from disputes.reasons import is_one_of
from disputes.rulebook import Rules, read

FALLBACK_TEAM = "collections"
"""Where a case waits when its reason names nobody or the team cannot be found: never with nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may own cases. Empty `reasons`, `languages`, `entities` mean all; `max_amount` None any amount.

    `level` 1 is an agent, 2 an owner. `skills` are free tags a rule may ask for.
    """

    user_id: int
    name: str
    team: str
    open_cases: int = 0
    level: int = 2
    reasons: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    max_amount: Decimal | None = None

    def may_see(self, case: CaseFacts) -> bool:
        """Entities are a right, not a skill: nobody gets a case they may not open (queries/visibility.py)."""
        return not self.entities or case.entity in self.entities

    def able(self, case: CaseFacts, skills: Iterable[str]) -> bool:
        """Whether the person may see the case and has what it takes."""
        return (
            self.may_see(case)
            and self.skills.issuperset(skills)
            and (not self.reasons or is_one_of(case.reason, self.reasons))
            and (not self.languages or case.language in self.languages)
            and (self.max_amount is None or case.amount <= self.max_amount)
        )


class Skills(Rules):
    """What is kept of a person's skills (User.skills): what they are given, in what languages, up to what amount (in
    the case's own currency), free tags that rules ask for, and their level.
    """

    reasons: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    max_amount: Decimal | None = Field(default=None, ge=0)
    tags: frozenset[str] = frozenset()
    level: Literal[1, 2] | None = None


def person(
    user_id: int, name: str, *, team: str, skills: Mapping[str, object], open_cases: int, entities: frozenset[str]
) -> Person:
    """A person from what is kept of them. Without a level, people of the agents' team are level 1.

    Raises BadPolicy for skills that cannot be read.
    """
    known = read(Skills, skills, what=f"The skills of {name}")
    return Person(
        user_id=user_id,
        name=name,
        team=team,
        open_cases=open_cases,
        level=known.level or level_of_team(team),
        reasons=known.reasons,
        languages=known.languages,
        entities=entities,
        skills=known.tags,
        max_amount=known.max_amount,
    )


def level_of(skills: Mapping[str, Any], team: str) -> int:
    """The level of somebody of a team: their own where it is kept, else the team's."""
    own = skills.get("level")
    return own if own in {1, 2} else level_of_team(team)


def level_of_team(team: str) -> Literal[1, 2]:
    """Agents are level 1, owners in specialist teams level 2 (product.md, Words)."""
    return 1 if team == FALLBACK_TEAM else 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamDesk:
    """A team: `capacity` open cases a member at most (None: no limit), then the team `overflow` names."""

    team_id: int
    key: str
    name: str
    lead_id: int | None = None
    capacity: int | None = None
    overflow: str | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """Days somebody is away, both inclusive, and who stands in."""

    user_id: int
    first: date
    last: date
    stand_in: int | None = None


@dataclass(frozen=True, kw_only=True)
class Desks:
    """Everybody who may own a case, and who is away on the day. A lead may belong to another team or to none.

    `more` are cases people got or lost since the rows were read: many are given away one after the other. `reasons`
    say which team a reason of the deployment's own goes to.
    """

    teams: Sequence[TeamDesk]
    people: Sequence[Person]
    away: Sequence[Away] = ()
    today: date
    more: Mapping[int, int] = field(default_factory=dict)
    reasons: Reasons = field(default_factory=Reasons)

    @cached_property
    def _people(self) -> Mapping[int, Person]:
        return {one.user_id: one for one in self.people}

    @cached_property
    def _teams(self) -> Mapping[str, TeamDesk]:
        return {one.key: one for one in self.teams}

    @cached_property
    def _members(self) -> Mapping[str, Sequence[Person]]:
        return {one.key: [who for who in self.people if who.team == one.key] for one in self.teams}

    @cached_property
    def _absent(self) -> Mapping[int, Away]:
        return {one.user_id: one for one in reversed(self.away) if one.first <= self.today <= one.last}

    def person(self, user_id: int | None) -> Person | None:
        """The person of that id."""
        return self._people.get(user_id) if user_id is not None else None

    def team(self, key: str | None) -> TeamDesk | None:
        """The team of that key."""
        return self._teams.get(key) if key is not None else None

    def load(self, person: Person) -> int:
        """The open cases on somebody's desk."""
        return person.open_cases + self.more.get(person.user_id, 0)

    def members(self, team: TeamDesk) -> Sequence[Person]:
        """Who belongs to a team, present or not."""
        return self._members.get(team.key, ())

    def absence(self, user_id: int) -> Away | None:
        """The absence that makes a person be away today, if one does."""
        return self._absent.get(user_id)

    def stand_in(self, user_id: int) -> Person | None:
        """Who does the work of somebody away today: along the chain of stand-ins the first who is here."""
        seen: set[int | None] = {user_id}
        absence = self.absence(user_id)
        while absence is not None:
            after = self.person(absence.stand_in)
            if after is None or after.user_id in seen:
                return None
            absence = self.absence(after.user_id)
            if absence is None:
                return after
            seen.add(after.user_id)
        return None
