"""What happens to a case's clocks when something happens to the case, and the chip that shows them (U23). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from disputes.clocks import (
    FIRST_ANSWER,
    KINDS,
    NEXT_UPDATE,
    OWNER_ANSWER,
    RESOLUTION,
    Clock,
    ServiceLevels,
    meet,
    pause,
    promise_of,
    resume,
    retime,
    start,
)
from disputes.conditions import CaseFacts
from disputes.workhours import Calendar

N_ = str  # marks a msgid for babel's extraction; translated where it is shown


class Happened(StrEnum):
    """What may happen to a case that its clocks care about."""

    OPENED = "opened"
    CUSTOMER_WROTE = "customer_wrote"
    ACKNOWLEDGED = "acknowledged"
    WE_ANSWERED = "we_answered"
    OWNER_ASKED = "owner_asked"
    OWNER_ANSWERED = "owner_answered"
    WAITS_ON_CUSTOMER = "waits_on_customer"
    WORK_GOES_ON = "work_goes_on"
    RESOLVED = "resolved"
    REOPENED = "reopened"


WAITING = N_("waiting on the customer")
"""Why a clock is paused."""


def after(
    clocks: Mapping[str, Clock],
    happened: Happened,
    *,
    case: CaseFacts,
    levels: ServiceLevels,
    calendar: Calendar,
    now: datetime,
) -> dict[str, Clock]:
    """The case's clocks once something happened; those that do not change are given as they were."""
    with_ = _Change(dict(clocks), case, levels, calendar, now)
    _CHANGES[happened](with_)
    return with_.clocks


def promised_anew(
    clocks: Mapping[str, Clock], *, case: CaseFacts, levels: ServiceLevels, calendar: Calendar, now: datetime
) -> dict[str, Clock]:
    """The clocks once the case (its reason, its tone) or the levels changed: time used stays used."""
    return {
        kind: retime(clock, promise_of(kind, case, levels), now=now, calendar=calendar)
        for kind, clock in clocks.items()
    }


@dataclass(slots=True)
class _Change:
    """The clocks being changed, with what the changes need."""

    clocks: dict[str, Clock]
    case: CaseFacts
    levels: ServiceLevels
    calendar: Calendar
    now: datetime

    def start(self, *kinds: str) -> None:
        for kind in kinds:
            promise = promise_of(kind, self.case, self.levels)
            self.clocks[kind] = start(kind, promise, now=self.now, calendar=self.calendar)

    def meet(self, *kinds: str) -> None:
        self.clocks |= {kind: meet(self.clocks[kind], now=self.now) for kind in kinds if kind in self.clocks}

    def pause(self) -> None:
        """First answers are owed whoever waits; all else stands still."""
        for kind, clock in self.clocks.items():
            if kind != FIRST_ANSWER:
                self.clocks[kind] = pause(clock, WAITING, now=self.now, calendar=self.calendar)

    def resume(self) -> None:
        for kind, clock in self.clocks.items():
            self.clocks[kind] = resume(clock, now=self.now, calendar=self.calendar)


def _opened(change: _Change) -> None:
    change.start(FIRST_ANSWER, NEXT_UPDATE, RESOLUTION)


def _acknowledged(change: _Change) -> None:
    if change.levels.acknowledgement_counts:
        change.meet(FIRST_ANSWER)


def _answered(change: _Change) -> None:
    """Each answer promises the next: the customer hears from us before asking again."""
    change.meet(FIRST_ANSWER)
    resolution = change.clocks.get(RESOLUTION)
    if resolution is not None and resolution.met_at is None:
        change.start(NEXT_UPDATE)
        if resolution.paused_at is not None:
            change.pause()


def _resolved(change: _Change) -> None:
    change.meet(*change.clocks)


_CHANGES = {
    Happened.OPENED: _opened,
    Happened.REOPENED: _opened,
    Happened.CUSTOMER_WROTE: _Change.resume,
    Happened.WORK_GOES_ON: _Change.resume,
    Happened.ACKNOWLEDGED: _acknowledged,
    Happened.WE_ANSWERED: _answered,
    Happened.OWNER_ASKED: lambda change: change.start(OWNER_ANSWER),
    Happened.OWNER_ANSWERED: lambda change: change.meet(OWNER_ANSWER),
    Happened.WAITS_ON_CUSTOMER: _Change.pause,
    Happened.RESOLVED: _resolved,
}

STATES = {
    "late": N_("Late"),
    "soon": N_("Due soon"),
    "due": N_("Due"),
    "paused": N_("Paused"),
    "met": N_("All promises kept"),
}
"""State of a chip -> English label."""


@dataclass(frozen=True, slots=True)
class Chip:
    """What the service-level chip says: what is due (`label` is a msgid), when, and whether it is paused and why.

    `state` is one of STATES; `due_at` is None while paused (`left_seconds` of office time remain then) or met.
    `missed` counts promises of the case that were broken and are settled by now.
    """

    state: str
    kind: str | None = None
    label: str = ""
    due_at: datetime | None = None
    left_seconds: int | None = None
    paused_why: str | None = None
    missed: int = 0


def chip(clocks: Iterable[Clock], now: datetime) -> Chip | None:
    """The promise that presses most: the running one due first, else a paused one. None where nothing was promised."""
    every = sorted(clocks, key=lambda one: list(KINDS).index(one.kind))
    if not every:
        return None
    missed = sum(clock.met_at is not None and clock.breached_at is not None for clock in every)
    running = [clock for clock in every if clock.running and clock.due_at is not None]
    if running:
        return _running_chip(min(running, key=lambda one: one.due_at or now), now, missed)
    paused = [clock for clock in every if clock.paused_at is not None]
    if paused:
        first = min(paused, key=lambda one: one.left_seconds or 0)
        why = first.pause_reason
        return Chip("paused", first.kind, KINDS[first.kind], None, first.left_seconds, why, missed)
    return Chip("met", missed=missed)


def _running_chip(clock: Clock, now: datetime, missed: int) -> Chip:
    late = clock.due_at is not None and now >= clock.due_at
    soon = clock.warn_at is not None and now >= clock.warn_at
    state = "late" if late else "soon" if soon else "due"
    return Chip(state, clock.kind, KINDS[clock.kind], clock.due_at, missed=missed)
