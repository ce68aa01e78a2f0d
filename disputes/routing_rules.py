"""Who settles a case, by rules that people wrote: team, then a person by skill, load and presence. Pure.

Level 1 is the agent in collections, level 2 the owner in a specialist team. The first rule that fits decides; the last
must fit every case. Absent people are stood in for; a team over its load overflows; where nobody is free the lead gets
the case, and where nothing helps any lead does: never nobody. Every step of the way is told.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from disputes.conditions import CaseFacts, Condition
from disputes.reasons import NOBODY, REASONS
from disputes.routing import FALLBACK_TEAM, RoutingDecision
from disputes.rulebook import Rules, read

_DEFAULTS = Path(__file__).with_name("defaults") / "routing.toml"
REASON_TEAM = "reason"
"""In place of a team: the one the case's reason names (reasons.py)."""
TEAM_CASE_OWNER = "case_owner"
"""In place of a team: whoever has the case already."""


class RoutingRule(Rules):
    """Cases like these go to that team: its key, "reason" or "case_owner". `skills` are tags its person must have."""

    name: str = Field(min_length=1, max_length=80)
    when: Condition = Condition()
    team: str = Field(min_length=1, max_length=40)
    level: Literal[1, 2] = 2
    skills: tuple[str, ...] = ()


class RoutingRules(Rules):
    """All rules, in order. The last fits every case."""

    rules: tuple[RoutingRule, ...] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _every_case_has_a_rule(self) -> "RoutingRules":
        last = self.rules[-1]
        if last.when != Condition() or last.team == TEAM_CASE_OWNER:
            raise ValueError(f"the last rule ({last.name}) must fit every case and name a team: take conditions away")
        return self


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
        """Entities are a right, not a skill: nobody gets a case they may not open."""
        return not self.entities or case.entity is None or case.entity in self.entities

    def able(self, case: CaseFacts, skills: Iterable[str]) -> bool:
        """Whether the person may see the case and has what it takes."""
        return (
            self.may_see(case)
            and self.skills.issuperset(skills)
            and (not self.reasons or case.reason in self.reasons)
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
        level=known.level or (1 if team == FALLBACK_TEAM else 2),
        reasons=known.reasons,
        languages=known.languages,
        entities=entities,
        skills=known.tags,
        max_amount=known.max_amount,
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """Everybody who may own a case, and who is away on the day. A lead may belong to another team or to none."""

    teams: Sequence[TeamDesk]
    people: Sequence[Person]
    away: Sequence[Away] = ()
    today: date

    def person(self, user_id: int | None) -> Person | None:
        """The person of that id."""
        return next((one for one in self.people if one.user_id == user_id), None)

    def team(self, key: str | None) -> TeamDesk | None:
        """The team of that key."""
        return next((one for one in self.teams if one.key == key), None)

    def absence(self, user_id: int) -> Away | None:
        """The absence that makes a person be away today, if one does."""
        return next((a for a in self.away if a.user_id == user_id and a.first <= self.today <= a.last), None)


@dataclass(frozen=True, slots=True)
class Given:
    """Who has the case: a person, or in the worst case a team's queue; `why` in the order it was decided."""

    team_id: int | None
    owner_id: int | None
    level: int
    rule: str
    why: tuple[str, ...]

    @property
    def words(self) -> str:
        """The reasons as the case shows them."""
        return "; ".join(self.why)

    def decision(self) -> RoutingDecision:
        """As the case keeps it."""
        return RoutingDecision(self.team_id, self.owner_id, self.words)


@dataclass(slots=True)
class _Search:
    """One case looking for its owner: the way it took is told as it goes."""

    case: CaseFacts
    rule: RoutingRule
    desks: Desks
    why: list[str] = field(default_factory=list)

    def given(self, team: TeamDesk, owner: Person | None) -> Given:
        level = owner.level if owner else self.rule.level
        return Given(team.team_id, owner.user_id if owner else None, level, self.rule.name, tuple(self.why))


def assign(
    case: CaseFacts, rules: RoutingRules, desks: Desks, *, owner_id: int | None = None, team_key: str | None = None
) -> Given:
    """Who settles a case. `owner_id` and `team_key` are those it has: a chaser stays with whoever is chased."""
    fitting = [rule for rule in rules.rules if rule.when.holds(case)]
    for rule in fitting:
        search = _Search(case, rule, desks)
        if _key(rule, case) == TEAM_CASE_OWNER:
            kept = _keep(search, owner_id, team_key)
            if kept is not None:
                return kept
            continue
        return _in_team(search, _key(rule, case))
    return _in_team(_Search(case, rules.rules[-1], desks), FALLBACK_TEAM)


def read_routing(content: Mapping[str, object]) -> RoutingRules:
    """Routing rules from a policy's content. Raises BadPolicy with each place at fault."""
    return read(RoutingRules, content, what="The routing rules")


@cache
def default_routing() -> RoutingRules:
    """The rules shipped with the program: each reason to its team."""
    return read_routing(tomllib.loads(_DEFAULTS.read_text(encoding="utf-8")))


def unknown_teams(rules: RoutingRules, teams: Iterable[str]) -> tuple[str, ...]:
    """Teams the rules name that do not exist: an editor warns; routing falls back to collections."""
    known = {*teams, REASON_TEAM, TEAM_CASE_OWNER}
    return tuple(sorted({rule.team for rule in rules.rules} - known))


def _key(rule: RoutingRule, case: CaseFacts) -> str:
    if rule.team != REASON_TEAM:
        return rule.team
    reason = REASONS.get(case.reason)
    return reason.team if reason and reason.team != NOBODY else FALLBACK_TEAM


def _keep(search: _Search, owner_id: int | None, team_key: str | None) -> Given | None:
    """The owner the case has, or who stands in; None where it has nobody yet."""
    owner, team = search.desks.person(owner_id), search.desks.team(team_key)
    team = team or (search.desks.team(owner.team) if owner else None)
    if team is None:
        return None
    present = _present(search, owner) if owner else None
    if present is None:
        return _in_team(search, team.key)
    search.why.append(f"stays with {present.name}, who has the case" if present == owner else f"{present.name} has it")
    return search.given(team, present)


def _in_team(search: _Search, key: str) -> Given:
    """Somebody of the team, of the team it overflows to, or a lead."""
    team = search.desks.team(key) or search.desks.team(FALLBACK_TEAM)
    if team is None:
        return _any_lead(search, None)
    missing = "" if team.key == key else f" (there is no team {key})"
    search.why.append(f"{search.rule.name}: {team.name} settles {search.case.reason}{missing}")
    tried: list[TeamDesk] = []
    while team is not None and team not in tried:  # overflow may lead in a circle
        tried.append(team)
        owner = _member(search, team)
        if owner is not None:
            return search.given(team, owner)
        team = search.desks.team(team.overflow)
        if team is not None and team not in tried:
            search.why.append(f"passed on to {team.name}")
    return _lead(search, tried)


def _member(search: _Search, team: TeamDesk) -> Person | None:
    """The able member with the least open work, whoever of them is away being stood in for."""
    members = [one for one in search.desks.people if one.team == team.key]
    able = [one for one in members if one.able(search.case, search.rule.skills)]
    if members and not able:
        search.why.append(f"nobody of {team.name} has the skill or the right for it")
    here = [one for one in able if search.desks.absence(one.user_id) is None]
    free = [one for one in here if team.capacity is None or one.open_cases < team.capacity]
    if here and not free:
        search.why.append(f"{team.name} is over its load of {team.capacity} cases each")
        return None
    if free:
        return _least_loaded(search, free)
    return _stand_in(search, able)


def _least_loaded(search: _Search, free: Sequence[Person]) -> Person:
    """Those of the rule's level first; the lower number among equals, so that the same facts give the same owner."""
    chosen = min(free, key=lambda one: (one.level != search.rule.level, one.open_cases, one.user_id))
    among = f", the fewest of {len(free)}" if len(free) > 1 else ""
    search.why.append(f"{chosen.name} has {chosen.open_cases} open cases{among}")
    return chosen


def _stand_in(search: _Search, away: Sequence[Person]) -> Person | None:
    """Everybody able is away: the least loaded one's stand-in, or the next one's."""
    for one in sorted(away, key=lambda each: (each.open_cases, each.user_id)):
        present = _present(search, one)
        if present is not None:
            return present
    return None


def _present(search: _Search, person: Person) -> Person | None:
    """The person, or along the chain of stand-ins the first who is there and may see the case. Circles end it."""
    seen: set[int] = set()
    one: Person | None = person
    while one is not None and one.user_id not in seen:
        seen.add(one.user_id)
        absence = search.desks.absence(one.user_id)
        if absence is None:
            return one if one.may_see(search.case) else None
        after = search.desks.person(absence.stand_in)
        stands_in = f", {after.name} stands in" if after else ", nobody stands in"
        search.why.append(f"{one.name} is away until {absence.last.isoformat()}{stands_in}")
        one = after
    return None


def _lead(search: _Search, tried: Sequence[TeamDesk]) -> Given:
    """Nobody is free: the lead of the first team, or of the next, or any lead there is."""
    for team in tried:
        lead = search.desks.person(team.lead_id)
        present = _present(search, lead) if lead else None
        if present is not None:
            search.why.append(f"nobody is free, so {present.name} for the lead of {team.name}")
            return search.given(team, present)
    return _any_lead(search, tried[0])


def _any_lead(search: _Search, team: TeamDesk | None) -> Given:
    """Any lead who is there, else any lead who may see the case: an absent owner is better than none."""
    leads = [lead for one in search.desks.teams if (lead := search.desks.person(one.lead_id)) is not None]
    seeing = [lead for lead in leads if lead.may_see(search.case)]
    here = [lead for lead in seeing if search.desks.absence(lead.user_id) is None]
    chosen = next(iter(here or seeing), None)
    home = team or (search.desks.team(chosen.team) if chosen else None) or next(iter(search.desks.teams), None)
    told = f"nobody is free, so the lead {chosen.name}" if chosen else "there is no lead: waiting in the queue"
    search.why.append(told)
    if home is None:
        return Given(None, chosen.user_id if chosen else None, 1, search.rule.name, tuple(search.why))
    return search.given(home, chosen)


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case with who has it. `by_hand`: a person gave it to them, so that no rule takes it away."""

    case: CaseFacts
    owner_id: int | None
    team_key: str | None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A case that the changed rules would give to somebody else."""

    case_id: int
    before: Given
    after: Given


def dry_run(cases: Iterable[OpenCase], old: RoutingRules, new: RoutingRules, desks: Desks) -> tuple[Move, ...]:
    """Which open cases would move under the new rules: those that old and new give to different teams or people.

    Cases given by hand never move. Loads are as they stand now for every case, so that one move does not hide another.
    """
    moves = []
    for one in cases:
        if one.by_hand:
            continue
        before, after = (
            assign(one.case, rules, desks, owner_id=one.owner_id, team_key=one.team_key) for rules in (old, new)
        )
        if (before.team_id, before.owner_id) != (after.team_id, after.owner_id):
            moves.append(Move(one.case.case_id, before, after))
    return tuple(moves)
