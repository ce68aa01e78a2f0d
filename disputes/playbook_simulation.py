"""What a changed playbook would do to the cases that are open, before it is saved. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from disputes.playbook import NextDue, Playbook, Progress, next_due
from disputes.workhours import Calendar


@dataclass(frozen=True, slots=True)
class Effect:
    """One case whose future changes. `change`: earlier, later, other_step, nothing_left, begins; `at_once` where the
    step would be due already when the playbook is saved.
    """

    case_id: int
    before: NextDue | None
    after: NextDue | None
    change: str
    at_once: bool


@dataclass(frozen=True, slots=True)
class Simulation:
    """All effects, with how many cases were looked at and how many change in each way."""

    cases: int
    effects: tuple[Effect, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Change -> number of cases; "at_once" counts beside the others."""
        ways = Counter(effect.change for effect in self.effects)
        return {**ways, "at_once": sum(effect.at_once for effect in self.effects)}


def simulate(
    cases: Iterable[Progress], old: Playbook, new: Playbook, *, calendar: Calendar, now: datetime
) -> Simulation:
    """Which of these open cases would go another way, and how. Nothing is changed."""
    seen = list(cases)
    effects = (effect_of(facts, old, new, calendar=calendar, now=now) for facts in seen)
    return Simulation(len(seen), tuple(effect for effect in effects if effect is not None))


def effect_of(facts: Progress, old: Playbook, new: Playbook, *, calendar: Calendar, now: datetime) -> Effect | None:
    """What the new playbook changes for one case; None where what comes next and when stays the same."""
    before, after = (next_due(facts, one, calendar=calendar) for one in (old, new))
    change = _change(before, after)
    if not change:
        return None
    at_once = after is not None and after.due_at <= now
    return Effect(facts.case.case_id, before, after, change, at_once)


def _change(before: NextDue | None, after: NextDue | None) -> str:
    if before is None or after is None:
        return "" if before is after else "begins" if before is None else "nothing_left"
    if before.step != after.step:
        return "other_step"
    if before.due_at == after.due_at:
        return ""
    return "earlier" if after.due_at < before.due_at else "later"
