"""What we promised for a case and by when: clocks in office time, paused while the customer has the word. Pure.

Service levels are data (Policy family "service_levels"); the first rule that fits a case and names a clock decides it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import Field, model_validator

from disputes.conditions import CaseFacts, Condition
from disputes.rulebook import Rules, read
from disputes.workhours import Calendar, add_business_time, business_seconds_between

N_ = str  # marks a msgid for babel's extraction; translated where it is shown

FIRST_ANSWER, NEXT_UPDATE, OWNER_ANSWER, RESOLUTION = "first_answer", "next_update", "owner_answer", "resolution"
KINDS: Mapping[str, str] = MappingProxyType(
    {
        FIRST_ANSWER: N_("First answer"),
        NEXT_UPDATE: N_("Next update"),
        OWNER_ANSWER: N_("Owner's answer"),
        RESOLUTION: N_("Resolution"),
    }
)
"""Clock -> English label."""
ClockKind = Literal["first_answer", "next_update", "owner_answer", "resolution"]
_HOUR = 3600
_DEFAULTS = Path(__file__).with_name("defaults") / "service_levels.toml"


class LevelRule(Rules):
    """For cases of some kind: hours of office time for each clock it names."""

    name: str = Field(min_length=1, max_length=80)
    when: Condition = Condition()
    hours: Mapping[ClockKind, float] = Field(min_length=1)

    @model_validator(mode="after")
    def _hours_can_be_kept(self) -> "LevelRule":
        for kind, hours in self.hours.items():
            if not 0 < hours <= 2000:  # noqa: PLR2004 - a year of office time
                raise ValueError(f"{kind}: promise between 0 and 2000 hours, not {hours:g}")
        return self


class ServiceLevels(Rules):
    """What is promised. The last rule must fit every case and name every clock, so that nothing is promised nothing.

    A warning comes once `warn_at` (a share) of the time is used: earlier than the promise, always. With
    `acknowledgement_counts` an automatic acknowledgement is a first answer; shipped it is not.
    """

    rules: tuple[LevelRule, ...] = Field(min_length=1)
    warn_at: float = Field(default=0.75, gt=0, lt=1)
    acknowledgement_counts: bool = False

    @model_validator(mode="after")
    def _every_case_has_every_clock(self) -> "ServiceLevels":
        last = self.rules[-1]
        if last.when != Condition():
            raise ValueError(f"the last rule ({last.name}) must fit every case: take its conditions away")
        missing = [kind for kind in KINDS if kind not in last.hours]
        if missing:
            raise ValueError(f"the last rule ({last.name}) must give hours for {', '.join(missing)}")
        return self


@dataclass(frozen=True, slots=True)
class Promise:
    """What one clock of a case promises: office seconds, those left when the warning comes, and the rule."""

    seconds: int
    warn_left: int
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock of a case; the fields are CaseClock's. `left_seconds` is what remained when it was paused.

    The promise it runs by stays with it, so that another one (other reason, other levels) is seen as a change.
    """

    kind: str
    started_at: datetime
    due_at: datetime | None
    warn_at: datetime | None
    promised_seconds: int
    warn_left_seconds: int
    paused_at: datetime | None = None
    pause_reason: str | None = None
    left_seconds: int | None = None
    met_at: datetime | None = None
    warned_at: datetime | None = None
    breached_at: datetime | None = None

    @property
    def running(self) -> bool:
        """Neither met nor paused."""
        return self.met_at is None and self.paused_at is None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A promise in danger (`warn`, told to the owner) or broken (`breach`, told to the lead), in words."""

    kind: str
    level: str
    to: str
    why: str


def read_levels(content: Mapping[str, object]) -> ServiceLevels:
    """Service levels from a policy's content. Raises BadPolicy with each place at fault."""
    return read(ServiceLevels, content, what="The service levels")


@cache
def default_levels() -> ServiceLevels:
    """The levels shipped with the program."""
    return read_levels(tomllib.loads(_DEFAULTS.read_text(encoding="utf-8")))


def promise_of(kind: str, case: CaseFacts, levels: ServiceLevels) -> Promise:
    """What the levels promise a case on one clock."""
    hours, name = next(
        (time, rule.name)
        for rule in levels.rules
        if rule.when.holds(case)
        for clock, time in rule.hours.items()
        if clock == kind
    )
    seconds = round(hours * _HOUR)
    return Promise(seconds, round(seconds * (1 - levels.warn_at)), name)


def start(kind: str, promise: Promise, *, now: datetime, calendar: Calendar) -> Clock:
    """A clock that begins to run now (out of hours: at the next opening)."""
    made = Clock(
        kind=kind,
        started_at=now,
        due_at=None,
        warn_at=None,
        promised_seconds=promise.seconds,
        warn_left_seconds=promise.warn_left,
    )
    return _run(made, promise.seconds, now, calendar)


def pause(clock: Clock, why: str, *, now: datetime, calendar: Calendar) -> Clock:
    """Stand still, keeping what is left; a clock that is met or paused already stays as it is."""
    if not clock.running or clock.due_at is None:
        return clock
    left = business_seconds_between(now, clock.due_at, calendar)
    return replace(clock, due_at=None, warn_at=None, paused_at=now, pause_reason=why[:200], left_seconds=left)


def resume(clock: Clock, *, now: datetime, calendar: Calendar) -> Clock:
    """Run on with what was left. What was broken before the pause stays broken."""
    if clock.paused_at is None or clock.met_at is not None:
        return clock
    awake = replace(clock, paused_at=None, pause_reason=None, left_seconds=None)
    return _run(awake, clock.left_seconds or 0, now, calendar)


def meet(clock: Clock, *, now: datetime) -> Clock:
    """What was promised has been done. A paused clock is met as well; a met one stays met when it was."""
    if clock.met_at is not None:
        return clock
    late = clock.due_at is not None and now > clock.due_at
    return replace(
        clock, met_at=now, warn_at=None, paused_at=None, pause_reason=None, left_seconds=None,
        breached_at=clock.breached_at or (clock.due_at if late else None),
    )  # fmt: skip


def retime(clock: Clock, promise: Promise, *, now: datetime, calendar: Calendar) -> Clock:
    """The promise changed (other reason, other levels): what was used stays used, the rest is the new promise's."""
    change = promise.seconds - clock.promised_seconds
    if clock.met_at is not None or (change == 0 and promise.warn_left == clock.warn_left_seconds):
        return clock
    anew = replace(clock, promised_seconds=promise.seconds, warn_left_seconds=promise.warn_left)
    if clock.paused_at is not None or clock.due_at is None:
        return replace(anew, left_seconds=max((clock.left_seconds or 0) + change, 0))
    if change > 0:
        anew = replace(anew, due_at=add_business_time(clock.due_at, timedelta(seconds=change), calendar))
    elif change < 0 and clock.due_at > now:  # what is late stays late since when it was
        left = business_seconds_between(now, clock.due_at, calendar) + change
        anew = replace(anew, due_at=add_business_time(now, timedelta(seconds=max(left, 0)), calendar))
    return _warned_at(anew, business_seconds_between(now, anew.due_at or now, calendar), now, calendar)


def check(clock: Clock, *, now: datetime) -> tuple[Clock, Alarm | None]:
    """Whether the clock must warn or is broken now; each is told once."""
    if not clock.running or clock.due_at is None:
        return clock, None
    label = KINDS[clock.kind]
    if now >= clock.due_at and clock.breached_at is None:
        broken = replace(clock, breached_at=clock.due_at, warned_at=clock.warned_at or now)
        return broken, Alarm(clock.kind, "breach", "lead", f"{label} was promised by {_moment(clock.due_at)}")
    if clock.breached_at is None and clock.warned_at is None and clock.warn_at is not None and now >= clock.warn_at:
        why = f"{label} is due {_moment(clock.due_at)}"
        return replace(clock, warned_at=now), Alarm(clock.kind, "warn", "owner", why)
    return clock, None


def next_alarm(clock: Clock) -> datetime | None:
    """When check has something to say next; None where it never will."""
    if not clock.running or clock.breached_at is not None:
        return None
    return clock.due_at if clock.warned_at is not None else clock.warn_at


def _run(clock: Clock, left: int, now: datetime, calendar: Calendar) -> Clock:
    """A paused or new clock set going with so many seconds left; a resumed one may be due for its warning at once."""
    due_at = add_business_time(now, timedelta(seconds=left), calendar)
    return _warned_at(replace(clock, due_at=due_at), left, now, calendar)


def _warned_at(clock: Clock, left: int, now: datetime, calendar: Calendar) -> Clock:
    warn_at = add_business_time(now, timedelta(seconds=max(left - clock.warn_left_seconds, 0)), calendar)
    return replace(clock, warn_at=min(warn_at, clock.due_at) if clock.due_at else None)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
