"""When somebody is best called: office time on both sides, the hours they were reached before, never at lunch. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from disputes.workhours import Calendar, is_open, next_opening, zones_of

N_ = str  # marks a msgid for babel's extraction; translated where it is shown

_USUAL: Mapping[int, float] = {9: 0.35, 10: 0.5, 11: 0.5, 12: 0.1, 13: 0.15, 14: 0.45, 15: 0.45, 16: 0.35}
"""How likely somebody is reached at an hour of their day, before anything is known of them: an assumption, overruled by
the calls that were made. Lunch is no time to call.
"""
_WEIGHT = 3
"""How many calls the assumption is worth."""
_HOUR = timedelta(hours=1)
_LOOK_AHEAD = 5 * 24


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that was made, and whether a person was reached."""

    at: datetime
    reached: bool


@dataclass(frozen=True, slots=True)
class BestTime:
    """When to call: `at` (aware, UTC), the same at the customer's place, how likely they are reached, and why then (a
    msgid).
    """

    at: datetime
    local: datetime
    chance: float
    why: str


def zones_of_phone(phone: str, country: str | None) -> tuple[str, ...]:
    """The time zones a number may ring in: those of its area code, else all of the country's."""
    try:
        number = phonenumbers.parse(phone, (country or "").upper() or None)
    except phonenumbers.NumberParseException:
        return zones_of(country)
    zones = tuple(zone for zone in time_zones_for_number(number) if zone != UNKNOWN_TIMEZONE)
    return zones or zones_of(country)


def best_time(
    *,
    zones: Sequence[str],
    country: str | None,
    ours: Calendar,
    past: Sequence[PastCall],
    now: datetime,
    by: datetime | None = None,
    at_once: bool = False,
) -> BestTime:
    """The best hour to call before `by` (by the end of our next working day without one).

    `at_once` takes the first moment when both sides are at their desks: somebody angry does not wait for a better hour.
    Where no hour suits both, ours decides.
    """
    theirs = [Calendar(country=country, zone=zone, opens=time(9), closes=time(17)) for zone in zones]
    hours = _hours(now, by or _end_of_next_day(now, ours), ours, theirs) or _hours(
        now, now + _LOOK_AHEAD * _HOUR, ours, theirs
    )
    if not hours:
        at = next_opening(now, ours)
        return _time(at, zones[0], past, N_("their office hours and ours do not meet"))
    if at_once:
        return _time(hours[0], zones[0], past, N_("the first moment when both are in the office"))
    best = max(hours, key=lambda at: (chance(_hour(at, zones[0]), past, zones[0]), -at.timestamp()))
    reached = any(call.reached for call in past if _hour(call.at, zones[0]) == _hour(best, zones[0]))
    why = N_("they were reached at this hour before") if reached else N_("people are often at their desk then")
    return _time(best, zones[0], past, why)


def chance(hour: int, past: Iterable[PastCall], zone: str) -> float:
    """How likely the customer is reached at an hour of their day, from what is usual and from their past calls."""
    calls = [call.reached for call in past if _hour(call.at, zone) == hour]
    return (_USUAL.get(hour, 0.0) * _WEIGHT + sum(calls)) / (_WEIGHT + len(calls))


def _hours(start: datetime, end: datetime, ours: Calendar, theirs: Sequence[Calendar]) -> list[datetime]:
    """Now, and each full hour from `start` to `end`, while we and they (in every zone it may be) are in the office."""
    on_the_hour = start.replace(minute=0, second=0, microsecond=0) + _HOUR
    count = max(int((end - on_the_hour) / _HOUR) + 1, 0)
    moments = [start, *(on_the_hour + number * _HOUR for number in range(min(count, _LOOK_AHEAD)))]
    return [at for at in moments if is_open(at, ours) and all(is_open(at, one) for one in theirs)]


def _end_of_next_day(now: datetime, ours: Calendar) -> datetime:
    opening = next_opening(now, ours)
    return next_opening(opening + timedelta(days=1), ours)


def _hour(at: datetime, zone: str) -> int:
    return at.astimezone(ZoneInfo(zone)).hour


def _time(at: datetime, zone: str, past: Sequence[PastCall], why: str) -> BestTime:
    local = at.astimezone(ZoneInfo(zone))
    return BestTime(at, local, round(chance(local.hour, past, zone), 2), why)
