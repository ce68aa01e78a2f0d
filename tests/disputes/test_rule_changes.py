"""Versions of rules are compared as people would: rows by what they are, not by where they stand."""

from typing import Any

from disputes.clocks import default_levels
from disputes.playbook import Playbook, Step, default_playbooks, read_playbook
from disputes.routing_rules import read_routing
from disputes.rule_changes import Changed, changes

DISPUTE = default_playbooks()["dispute"]


def told(found: tuple[Changed, ...]) -> list[tuple[str, str]]:
    """How, and what it is about."""
    rows = ((one.how, one.after or one.before, one.place) for one in found)
    return [(how, row.id if isinstance(row, Step) else getattr(row, "name", place)) for how, row, place in rows]


def with_steps(*names: str, **changed: dict[str, Any]) -> Playbook:
    steps = {step.id: step.model_dump(exclude_defaults=True) for step in DISPUTE.steps}
    rows = [{**steps.get(name, {"id": name, "action": "courtesy_call"}), **changed.get(name, {})} for name in names]
    return read_playbook({"name": "Dispute", "when": {"kind": "dispute"}, "steps": rows})


def test_the_same_rules_do_not_differ() -> None:
    assert changes(DISPUTE, DISPUTE) == ()


def test_steps_are_known_by_their_id() -> None:
    old = with_steps("acknowledge", "tell_status", "letter", "close")
    new = with_steps("acknowledge", "call_later", "letter", "close", letter={"after": {"days": 20}})
    found = changes(old, new)
    assert told(found) == [("added", "call_later"), ("changed", "letter"), ("removed", "tell_status")]
    assert (found[1].before.after.days, found[1].after.after.days) == (15, 20)


def test_one_step_moved_is_one_change() -> None:
    old = with_steps("acknowledge", "tell_status", "letter", "close")
    assert told(changes(old, with_steps("close", "acknowledge", "tell_status", "letter"))) == [("moved", "close")]


def test_fields_of_the_whole_are_told_by_their_name() -> None:
    new = DISPUTE.model_copy(update={"name": "Quarrel"})
    assert changes(DISPUTE, new) == (Changed("changed", "name", "Dispute", "Quarrel"),)
    levels = default_levels()
    assert told(changes(levels, levels.model_copy(update={"warn_at": 0.5}))) == [("changed", "warn_at")]


def test_two_rules_of_one_name_are_told_apart_by_their_turn() -> None:
    def rules(*teams: str) -> Any:
        return read_routing({"rules": [*({"name": "big", "team": team} for team in teams), {"name": "x", "team": "y"}]})

    found = changes(rules("sales", "tax"), rules("sales", "cash"))
    assert [(one.how, one.before.team, one.after.team) for one in found] == [("changed", "tax", "cash")]
