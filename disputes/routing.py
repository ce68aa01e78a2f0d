"""Who settles a case: the reason's team, then the member with the least open work. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from disputes.reasons import CASE_OWNER, NOBODY, team_of

FALLBACK_TEAM = "collections"
"""Where a case waits when its reason names nobody or the team cannot be found: never with nobody."""


@dataclass(frozen=True, slots=True)
class Member:
    """An active member of a team with the number of cases open on their desk. `entities` None means all of them."""

    user_id: int
    name: str
    team: str
    open_cases: int
    entities: frozenset[str] | None = None

    def works_for(self, entity: str | None) -> bool:
        """Whether the member may see cases of that legal entity."""
        return self.entities is None or entity is None or entity in self.entities


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """A team and its lead, if there is one."""

    team_id: int
    key: str
    name: str
    lead: Member | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingFacts:
    """What routing is decided from. `owner` and `team` are those the case has already."""

    reason: str
    entity: str | None
    teams: Sequence[TeamFacts]
    members: Sequence[Member]
    owner: Member | None = None
    team: TeamFacts | None = None


@dataclass(frozen=True, slots=True)
class RoutingDecision:
    """The owner (None: the team's queue) with the reason in words, as the case shows it."""

    team_id: int | None
    owner_id: int | None
    why: str


def route(facts: RoutingFacts) -> RoutingDecision:
    """Decide who owns a case. A chaser stays with whoever is being chased."""
    if team_of(facts.reason) in {CASE_OWNER, NOBODY} and (facts.owner or facts.team):
        return _keep(facts)
    team = _team(facts, team_of(facts.reason)) or _team(facts, FALLBACK_TEAM)
    if team is None:
        return RoutingDecision(None, None, f"nobody yet: there is no team {FALLBACK_TEAM}")
    able = [one for one in facts.members if one.team == team.key and one.works_for(facts.entity)]
    if able:
        return _least_loaded(facts.reason, team, able)
    return _lead_or_queue(facts, team)


def _keep(facts: RoutingFacts) -> RoutingDecision:
    team_id = facts.team.team_id if facts.team else None
    owner = facts.owner
    who = owner.name if owner else f"the {facts.team.name} queue" if facts.team else ""
    return RoutingDecision(team_id, owner.user_id if owner else None, f"stays with {who}, who has the case")


def _team(facts: RoutingFacts, key: str) -> TeamFacts | None:
    return next((team for team in facts.teams if team.key == key), None)


def _least_loaded(reason: str, team: TeamFacts, able: Sequence[Member]) -> RoutingDecision:
    """The least work decides; the lower number among equals, so that the same facts give the same owner."""
    chosen = min(able, key=lambda one: (one.open_cases, one.user_id))
    others = f", the fewest of {len(able)}" if len(able) > 1 else ""
    why = f"{team.name} settles {reason}; {chosen.name} has {chosen.open_cases} open cases{others}"
    return RoutingDecision(team.team_id, chosen.user_id, why)


def _lead_or_queue(facts: RoutingFacts, team: TeamFacts) -> RoutingDecision:
    if team.lead and team.lead.works_for(facts.entity):
        why = f"{team.name} settles {facts.reason}; nobody is free, so its lead {team.lead.name}"
        return RoutingDecision(team.team_id, team.lead.user_id, why)
    return RoutingDecision(team.team_id, None, f"{team.name} settles {facts.reason}; waiting in its queue")
