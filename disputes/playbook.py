"""Playbooks: the steps a case goes through, as data. Which comes next and when, with its reason. Pure.

Steps do not form a chain: each counts its delay from something that happened to the case (its anchor) and is due when
its condition holds; the earliest due comes next, the order in the playbook decides among equals. Whether a due step is
really taken is for playbook_guards.judge.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from disputes.casework import call_first
from disputes.clocks import ClockKind
from disputes.conditions import CaseFacts, Condition, State
from disputes.rulebook import Rules, read
from disputes.workhours import Calendar, add_business_days, add_business_time, hours, next_opening

Action = Literal[
    "acknowledge", "ask_owner", "tell_status", "courtesy_call", "letter", "escalate", "ask_satisfaction", "close"
]
Anchor = Literal["opened", "previous", "customer_wrote", "we_wrote", "owner_asked", "waiting", "resolved"]
ANCHOR_WORDS: Mapping[str, str] = {
    "opened": "the case was opened",
    "previous": "the step before",
    "customer_wrote": "the customer wrote",
    "we_wrote": "we last wrote",
    "owner_asked": "the owner was asked",
    "waiting": "the case began to wait",
    "resolved": "the matter was resolved",
}
REPEATABLE = frozenset({"tell_status", "ask_owner", "courtesy_call", "letter", "escalate"})
"""Done more than once they still help; the others end something."""
ENDING = frozenset({"ask_satisfaction", "close"})
_OPEN: tuple[State, ...] = ("new", "in_progress", "waiting")
_RESOLVED: tuple[State, ...] = ("resolved",)
_DONE = frozenset({"taken", "skipped"})
_FOLDER = Path(__file__).with_name("playbooks")


class Delay(Rules):
    """Working days, then hours of office time, after the anchor. Nothing: at once, at any hour."""

    days: int = Field(default=0, ge=0, le=365)
    hours: float = Field(default=0, ge=0, le=2000)

    def __bool__(self) -> bool:
        return bool(self.days or self.hours)

    def words(self) -> str:
        """The delay as people read it."""
        said = [f"{self.days} working days" if self.days else "", f"{self.hours:g} office hours" if self.hours else ""]
        return " and ".join(filter(None, said)) or "at once"


class Repeat(Rules):
    """Again `every` so long after the last time (or after its anchor, if that came later), `at_most` times in all."""

    every: Delay
    at_most: int = Field(ge=2, le=100)

    @field_validator("every")
    @classmethod
    def _not_at_once(cls, every: Delay) -> Delay:
        if not every:
            raise ValueError("a repeated step needs time between: give days or hours")
        return every


class StepCondition(Condition):
    """As any condition; `upset` means angry or urgent, `breached` that one of these promises is broken."""

    upset: bool | None = None
    breached: tuple[ClockKind, ...] = ()


class Step(Rules):
    """One thing to do. `to` says whom an escalation goes to; `template` which wording a mail or letter uses.

    Without states of its own a step is for cases still open, satisfaction and closing for those resolved.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")
    action: Action
    counted_from: Anchor = "opened"
    after: Delay = Delay()
    when: StepCondition = StepCondition()
    repeat: Repeat | None = None
    to: Literal["lead", "customer"] = "lead"
    template: str = Field(default="", max_length=80)

    @model_validator(mode="after")
    def _makes_sense(self) -> "Step":
        if self.repeat and self.action not in REPEATABLE:
            raise ValueError(f"{self.action} cannot be repeated")
        if self.to == "customer" and self.action != "escalate":
            raise ValueError("only an escalation says whom it goes to")
        return self

    @cached_property
    def states(self) -> tuple[State, ...]:
        """The states of a case in which the step may be taken."""
        return self.when.states or (_RESOLVED if self.action in ENDING else _OPEN)

    def fits(self, facts: "Progress") -> bool:
        """Whether the step is for this case now."""
        when = self.when
        return (
            facts.case.state in self.states
            and (when.upset is None or facts.upset == when.upset)
            and (not when.breached or not facts.breached.isdisjoint(when.breached))
            and when.holds(facts.case)
        )

    def missed(self, facts: "Progress") -> str:
        """Why the step is not for this case now, in words."""
        if facts.case.state not in self.states:
            return f"the case is {facts.case.state}"
        other = self.when.missed(facts.case)
        return other[0] if other else "nobody upset waits for it, or no promise is broken"


class GuardSettings(Rules):
    """How strict the guards are. They can be tuned, never turned off.

    No automatic mail to somebody who got one within `quiet_hours`; a promise covers its amount until `grace_days`
    working days after its date; nobody is dunned for less than `least_letter`.
    """

    quiet_hours: int = Field(default=24, ge=1, le=24 * 60)
    grace_days: int = Field(default=2, ge=0, le=30)
    least_letter: str = Field(default="0.00", pattern=r"^\d{1,9}(\.\d{1,3})?$")


class Playbook(Rules):
    """What is done for the cases `when` speaks of."""

    name: str = Field(min_length=1, max_length=80)
    when: Condition = Condition()
    steps: tuple[Step, ...] = Field(min_length=1, max_length=50)
    guards: GuardSettings = GuardSettings()

    @model_validator(mode="after")
    def _each_step_once(self) -> "Playbook":
        twice = [name for name, count in Counter(step.id for step in self.steps).items() if count > 1]
        if twice:
            raise ValueError(f"each step needs an id of its own: {', '.join(twice)} comes twice")
        return self

    def step(self, name: str) -> Step | None:
        """The step of that id."""
        return next((step for step in self.steps if step.id == name), None)


@dataclass(frozen=True, slots=True)
class Done:
    """A step's row: taken, skipped or refused, when; `until` is when a refused one is tried again."""

    step: str
    cycle: int
    state: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a case is. `since` holds when each anchor happened last; "opened" starts again when it is reopened.

    `upset_at` is the latest angry or urgent message, `called_at` the latest courtesy call that counts (call_sheet).
    """

    case: CaseFacts
    since: Mapping[str, datetime]
    done: Sequence[Done] = ()
    breached: frozenset[str] = frozenset()
    upset_at: datetime | None = None
    called_at: datetime | None = None
    hold_until: datetime | None = None
    hold_reason: str = ""

    @property
    def upset(self) -> bool:
        """Whether somebody angry or in a hurry has not been called yet."""
        since = self.upset_at or self.since.get("customer_wrote") or self.since["opened"]
        upset = self.upset_at is not None or call_first(self.case.sentiment, urgent=self.case.urgent)
        return upset and (self.called_at is None or self.called_at < since)

    @property
    def calls_asked(self) -> bool:
        """Whether the call an upset customer is owed has been asked for (its task may still be open)."""
        since = self.upset_at or self.since["opened"]
        return any(one.step == CALL_FIRST.id and one.at >= since and one.state in _DONE for one in self.done)


@dataclass(frozen=True, slots=True)
class NextDue:
    """What happens next: `due_at` is `step_from` plus the delay, put off by a hold or a refusal. `why` in words."""

    step: str
    action: str
    due_at: datetime
    step_from: datetime
    cycle: int
    why: str
    held: str = ""


CALL_FIRST = Step(id="courtesy_call", action="courtesy_call", when=StepCondition(upset=True))
"""The call that comes before any written step to somebody angry or in a hurry, whatever the playbook says."""


def written(step: Step) -> bool:
    """Whether the customer gets something in writing."""
    to_customer = step.action == "escalate" and step.to == "customer"
    return to_customer or step.action in {"acknowledge", "tell_status", "letter", "ask_satisfaction"}


def next_due(facts: Progress, playbook: Playbook, *, calendar: Calendar) -> NextDue | None:
    """What happens next in a case, and when; None when nothing is left to do by itself."""
    found = [due for step in playbook.steps if (due := due_of(step, facts, calendar=calendar)) is not None]
    if not found:
        return None
    first = min(found, key=lambda one: one.due_at)
    step = playbook.step(first.step)
    if step is not None and written(step) and facts.upset and not facts.calls_asked:
        return _call(facts, calendar)
    return first


def due_of(step: Step, facts: Progress, *, calendar: Calendar) -> NextDue | None:
    """When one step is due; None when it is done, or not for this case now."""
    if not step.fits(facts):
        return None
    anchor, past = _anchor(step, facts), _done(step, facts)
    if anchor is None or len(past) >= (step.repeat.at_most if step.repeat else 1):
        return None
    again = bool(step.repeat and past)
    step_from = max(anchor, past[-1].at) if past else anchor
    delay = step.repeat.every if step.repeat and again else step.after
    due_at, held = _put_off(step, facts, later(step_from, delay, calendar), calendar)
    since = f"{delay.words()} after " + ("the last time" if step_from != anchor else ANCHOR_WORDS[step.counted_from])
    why = since if delay else f"as soon as {ANCHOR_WORDS[step.counted_from]}"
    return NextDue(step.id, step.action, due_at, step_from, cycle_of(step.id, facts.done), why, held)


def cycle_of(step: str, done: Iterable[Done]) -> int:
    """The number of the step's next time: how often it was taken or skipped before. Two sweepers get the same one."""
    return sum(one.step == step and one.state in _DONE for one in done)


def later(start: datetime, delay: Delay, calendar: Calendar) -> datetime:
    """The moment a delay ends."""
    at = add_business_days(start, delay.days, calendar) if delay.days else start
    return add_business_time(at, hours(delay.hours), calendar) if delay.hours else at


def retimed(playbook: Playbook, step: str, *, step_from: datetime, cycle: int, calendar: Calendar) -> datetime | None:
    """When a running case's step is due under a changed playbook; None: it has no such step, so decide anew.

    Quick, for tens of thousands of cases after an edit: the sweep asks next_due again before anything is done.
    """
    found = playbook.step(step) or (CALL_FIRST if step == CALL_FIRST.id else None)
    if found is None:
        return None
    return later(step_from, found.repeat.every if found.repeat and cycle else found.after, calendar)


def playbook_for(case: CaseFacts, playbooks: Mapping[str, Playbook]) -> str | None:
    """The key of the first playbook that speaks of the case; None when none does."""
    return next((key for key, playbook in playbooks.items() if playbook.when.holds(case)), None)


def read_playbook(content: Mapping[str, object]) -> Playbook:
    """A playbook from a policy's content. Raises BadPolicy with each place at fault."""
    return read(Playbook, content, what="The playbook")


@cache
def default_playbooks() -> Mapping[str, Playbook]:
    """Key -> playbook, as shipped with the program."""
    return {path.stem: read_playbook(tomllib.loads(path.read_text("utf-8"))) for path in sorted(_FOLDER.glob("*.toml"))}


def _call(facts: Progress, calendar: Calendar) -> NextDue:
    since = facts.upset_at or facts.since["opened"]
    due_at, held = _put_off(CALL_FIRST, facts, next_opening(since, calendar), calendar)
    why = "angry or urgent: a call comes before anything written"
    return NextDue(
        CALL_FIRST.id, CALL_FIRST.action, due_at, since, cycle_of(CALL_FIRST.id, facts.done), why, held
    )  # fmt: skip


def _anchor(step: Step, facts: Progress) -> datetime | None:
    """When the step's time began. What we never wrote counts from the opening; no anchor is older than that."""
    opened = facts.since["opened"]
    if step.counted_from == "previous":
        return max((one.at for one in facts.done if one.state in _DONE and one.step != step.id), default=opened)
    found = facts.since.get(step.counted_from, opened if step.counted_from == "we_wrote" else None)
    return None if found is None else max(found, opened)


def _done(step: Step, facts: Progress) -> list[Done]:
    """The times the step was taken or skipped since the case was (re)opened, oldest first."""
    opened = facts.since["opened"]
    mine = [one for one in facts.done if one.step == step.id and one.state in _DONE and one.at >= opened]
    return sorted(mine, key=lambda one: one.at)


def _put_off(step: Step, facts: Progress, due_at: datetime, calendar: Calendar) -> tuple[datetime, str]:
    """The due time after refusals and holds, and what holds it."""
    cycle = cycle_of(step.id, facts.done)
    for one in facts.done:
        if one.step == step.id and one.state == "refused" and one.cycle == cycle:
            due_at = max(due_at, one.until or add_business_days(one.at, 1, calendar))
    if facts.hold_until is not None and facts.hold_until > due_at:
        return facts.hold_until, facts.hold_reason or "held"
    return due_at, ""
