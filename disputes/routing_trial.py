"""What changed routing rules would do to the open cases, before anybody saves them. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from disputes.conditions import CaseFacts
from disputes.people import Desks
from disputes.routing_rules import Given, RoutingRules, assign


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case with who has it. `by_hand`: a person gave it to them, so that no rule takes it away."""

    case: CaseFacts
    owner_id: int | None
    team_key: str | None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """A case that the changed rules would give to somebody else; `owner_id` is who has it."""

    case_id: int
    owner_id: int | None
    before: Given
    after: Given


def dry_run(cases: Iterable[OpenCase], old: RoutingRules, new: RoutingRules, desks: Desks) -> tuple[Move, ...]:
    """Which open cases would move under the new rules: those that old and new give to different teams or people.

    Cases given by hand never move. Whether a case moves is decided by the loads as they stand; where it goes also by
    those that moved before it, so that a thousand cases do not land on one desk.
    """
    moves: list[Move] = []
    more: Counter[int] = Counter()
    filling = replace(desks, more=more)
    for one in cases:
        if one.by_hand:
            continue
        before, after = _given(one, old, desks), _given(one, new, desks)
        if _place(after) in {_place(before), _stands(one, desks)}:
            continue
        after = _given(one, new, filling)
        moves.append(Move(one.case.case_id, one.owner_id, before, after))
        more.update({owner: count for owner, count in ((after.owner_id, 1), (one.owner_id, -1)) if owner is not None})
    return tuple(moves)


def _given(one: OpenCase, rules: RoutingRules, desks: Desks) -> Given:
    return assign(one.case, rules, desks, owner_id=one.owner_id, team_key=one.team_key)


def _stands(one: OpenCase, desks: Desks) -> tuple[int | None, int | None]:
    team = desks.team(one.team_key)
    return team.team_id if team else None, one.owner_id


def _place(given: Given) -> tuple[int | None, int | None]:
    return given.team_id, given.owner_id
