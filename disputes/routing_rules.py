"""Who settles a case, by rules that people wrote: team, then a person by skill, load and presence. Pure.

Level 1 is the agent in collections, level 2 the owner in a specialist team. The first rule that fits decides; the last
must fit every case. Absent people are stood in for; a team over its load overflows; where nobody is free the lead gets
the case, and where nothing helps any lead does: never nobody. Every step of the way is told.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from disputes.conditions import CaseFacts, Condition
from disputes.people import FALLBACK_TEAM, Away, Desks, Person, TeamDesk
from disputes.reasons import NOBODY, is_reason
from disputes.rulebook import Rules, read
from disputes.told import Told, told

N_ = str  # marks a msgid for babel's extraction; translated where it is shown

_DEFAULTS = Path(__file__).with_name("defaults") / "routing.toml"
_LEADS = "leads"
SHIPPED_NAMES = (N_("chasers"), N_("queries"), N_("disputes"))
"""Names of the shipped rules, which a case shows."""
AUTO = "auto"
"""Who chose an owner if no person did (Case.owner_by): the rules may choose again."""
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


@dataclass(frozen=True, slots=True)
class Given:
    """Who has the case: a person, or in the worst case a team's queue; `why` in the order it was decided."""

    team_id: int | None
    owner_id: int | None
    level: int
    rule: str
    why: tuple[Told, ...]

    @property
    def words(self) -> str:
        """The reasons in English, for logs."""
        return "; ".join(one.english() for one in self.why)


@dataclass(slots=True)
class _Search:
    """One case looking for its owner: the way it took is told as it goes."""

    case: CaseFacts
    rule: RoutingRule
    desks: Desks
    owner: Person | None = None
    why: list[Told] = field(default_factory=list)

    def tell(self, say: str, **facts: Any) -> None:
        reason = told(say, **facts)
        if reason not in self.why:
            self.why.append(reason)

    def given(self, team: TeamDesk, owner: Person | None) -> Given:
        level = owner.level if owner else self.rule.level
        return Given(team.team_id, owner.user_id if owner else None, level, self.rule.name, tuple(self.why))


def assign(
    case: CaseFacts, rules: RoutingRules, desks: Desks, *, owner_id: int | None = None, team_key: str | None = None
) -> Given:
    """Who settles a case. `owner_id` and `team_key` are those it has: a chaser stays with whoever is chased."""
    owner = desks.person(owner_id)
    for rule in rules.rules:
        if not rule.when.holds(case):
            continue
        search = _Search(case, rule, desks, owner)
        if _key(rule, case, desks) == TEAM_CASE_OWNER:
            kept = _keep(search, team_key)
            if kept is not None:
                return kept
            continue
        return _in_team(search, _key(rule, case, desks))
    return _in_team(_Search(case, rules.rules[-1], desks, owner), FALLBACK_TEAM)


def lead_of(case: CaseFacts, desks: Desks, *, team_key: str | None) -> Given:
    """Who answers for a team: its lead, who stands in for them, else any lead; nobody only where there is no lead."""
    search = _Search(case, RoutingRule(name=_LEADS, team=team_key or FALLBACK_TEAM), desks)
    team = desks.team(team_key)
    return _lead(search, [team]) if team else _any_lead(search, None)


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


def _key(rule: RoutingRule, case: CaseFacts, desks: Desks) -> str:
    if rule.team != REASON_TEAM:
        return rule.team
    team = desks.reasons.team_of(case.reason) if is_reason(case.reason) else NOBODY
    return team if team != NOBODY else FALLBACK_TEAM


def _keep(search: _Search, team_key: str | None) -> Given | None:
    """The owner the case has, or who stands in; None where it has nobody yet."""
    owner, team = search.owner, search.desks.team(team_key)
    team = team or (search.desks.team(owner.team) if owner else None)
    if team is None:
        return None
    present = _present(search, owner) if owner else None
    if present is None:
        return _in_team(search, team.key)
    return _stays(search, team, present)


def _stays(search: _Search, team: TeamDesk, present: Person) -> Given:
    if present == search.owner:
        search.tell(N_("stays with %(name)s, who has the case"), name=present.name)
    else:
        search.tell(N_("%(name)s takes it over"), name=present.name)
    return search.given(team, present)


def _in_team(search: _Search, key: str) -> Given:
    """The owner if they belong to the team, else somebody of it, of the team it overflows to, or a lead."""
    team = search.desks.team(key) or search.desks.team(FALLBACK_TEAM)
    if team is None:
        return _any_lead(search, None)
    _tell_rule(search, team, key)
    owner = search.owner
    if owner is not None and owner.team == team.key and _ready(search, owner):
        return _stays(search, team, owner)
    return _somebody(search, team)


def _somebody(search: _Search, first: TeamDesk) -> Given:
    """The best of the team, of those it overflows to one after the other, or a lead."""
    team: TeamDesk | None = first
    tried: list[TeamDesk] = []
    while team is not None and team not in tried:  # overflow may lead in a circle
        tried.append(team)
        owner = _member(search, team)
        if owner is not None:
            return search.given(team, owner)
        team = search.desks.team(team.overflow)
        if team is not None and team not in tried:
            search.tell(N_("passed on to %(team)s"), team=team.name)
    return _lead(search, tried)


def _tell_rule(search: _Search, team: TeamDesk, key: str) -> None:
    search.tell(
        N_("%(reason)s goes to %(team)s (rule: %(rule)s)"),
        team=team.name,
        reason=search.desks.reasons.told(search.case.reason),
        rule=search.rule.name,
    )
    if team.key != key:
        search.tell(N_("there is no team %(key)s"), key=key)


def _ready(search: _Search, person: Person) -> bool:
    return person.able(search.case, search.rule.skills) and search.desks.absence(person.user_id) is None


def _member(search: _Search, team: TeamDesk) -> Person | None:
    """The able member with the least open work, whoever of them is away being stood in for."""
    members = search.desks.members(team)
    able = [one for one in members if one.able(search.case, search.rule.skills)]
    if members and not able:
        search.tell(N_("nobody of %(team)s has the skill or the right for it"), team=team.name)
    here = [one for one in able if search.desks.absence(one.user_id) is None]
    free = [one for one in here if team.capacity is None or search.desks.load(one) < team.capacity]
    if here and not free:
        search.tell(N_("%(team)s is full (%(capacity)d cases each)"), team=team.name, capacity=team.capacity)
        return None
    if free:
        return _least_loaded(search, free)
    return _stand_in(search, able)


def _least_loaded(search: _Search, free: Sequence[Person]) -> Person:
    """Those of the rule's level first; the lower number among equals, so that the same facts give the same owner."""
    load = search.desks.load
    chosen = min(free, key=lambda one: (one.level != search.rule.level, load(one), one.user_id))
    say = N_("%(name)s (open cases: %(cases)d)")
    if len(free) > 1:
        say = N_("%(name)s (open cases: %(cases)d, the fewest of %(among)d people)")
    search.tell(say, name=chosen.name, cases=load(chosen), among=len(free))
    return chosen


def _stand_in(search: _Search, away: Sequence[Person]) -> Person | None:
    """Everybody able is away: the least loaded one's stand-in, or the next one's."""
    for one in sorted(away, key=lambda each: (search.desks.load(each), each.user_id)):
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
        _tell_absence(search, one, absence, after)
        one = after
    return None


def _tell_absence(search: _Search, one: Person, absence: Away, after: Person | None) -> None:
    until = absence.last.isoformat()
    if after is None:
        search.tell(N_("%(name)s is away until %(until)s and nobody stands in"), name=one.name, until=until)
    else:
        say = N_("%(name)s is away until %(until)s and %(stand_in)s stands in")
        search.tell(say, name=one.name, until=until, stand_in=after.name)


def _lead(search: _Search, tried: Sequence[TeamDesk]) -> Given:
    """Nobody is free: the lead of the first team, or of the next, or any lead there is."""
    for team in tried:
        lead = search.desks.person(team.lead_id)
        present = _present(search, lead) if lead else None
        if present is not None:
            say = N_("nobody else is free: %(name)s, for the lead of %(team)s")
            search.tell(say, name=present.name, team=team.name)
            return search.given(team, present)
    return _any_lead(search, tried[0])


def _any_lead(search: _Search, team: TeamDesk | None) -> Given:
    """Any lead who is there, else any lead who may see the case: an absent owner is better than none."""
    leads = [lead for one in search.desks.teams if (lead := search.desks.person(one.lead_id)) is not None]
    seeing = [lead for lead in leads if lead.may_see(search.case)]
    here = [lead for lead in seeing if search.desks.absence(lead.user_id) is None]
    chosen = next(iter(here or seeing), None)
    home = team or (search.desks.team(chosen.team) if chosen else None) or next(iter(search.desks.teams), None)
    if chosen is not None:
        search.tell(N_("nobody else is free: %(name)s, who leads a team"), name=chosen.name)
    else:
        search.tell(N_("nobody leads a team: waiting in the queue"))
    if home is None:
        return Given(None, chosen.user_id if chosen else None, 1, search.rule.name, tuple(search.why))
    return search.given(home, chosen)
