"""Which playbook a case is on and what it has next, from how far the case is and the playbooks in force. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from disputes.playbook import CALL_FIRST, NextDue, Playbook, Step, next_due, playbook_for
from disputes.progress_facts import Going
from disputes.rules_in_force import InForce

RUNNING = ("new", "in_progress", "waiting", "resolved")
"""States of cases in which something may still happen by itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The playbook a case is on (None: on none) under its key, and what comes next (None: nothing by itself)."""

    key: str | None
    playbook: InForce[Playbook] | None
    due: NextDue | None

    def step(self) -> Step | None:
        """The step that comes next; the call before anything written is every playbook's."""
        return None if self.due is None or self.playbook is None else step_of(self.playbook.rules, self.due.step)


NO_PLAN = Plan(None, None, None)


def plan_for(going: Going, books: Mapping[str, InForce[Playbook]]) -> Plan:
    """What comes next in a case by the first playbook that speaks of it."""
    if going.case.state not in RUNNING:
        return NO_PLAN
    key = playbook_for(going.case, {name: one.rules for name, one in books.items()})
    if key is None:
        return NO_PLAN
    return Plan(key, books[key], next_due(going.progress, books[key].rules, calendar=going.calendar))


def step_of(playbook: Playbook, name: str) -> Step | None:
    """The step of that id, the call that comes first included."""
    return playbook.step(name) or (CALL_FIRST if name == CALL_FIRST.id else None)
