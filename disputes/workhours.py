"""Office time of an entity: opening hours in its own time zone, weekends and public holidays of its country. Pure.

Promises are counted in it: four hours promised on Friday at 16:00 are due on Monday. Holidays and weekends come from
the `holidays` package's tables; zones by country from the Unicode CLDR that Babel ships.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

import holidays
from babel.core import get_global
from pydantic import Field, field_validator, model_validator

from disputes.rulebook import Rules

_HOUR = 3600
_ONE_DAY = timedelta(days=1)
_SATURDAY, _SUNDAY = 5, 6


class Calendar(Rules):
    """When an entity works. `closed` are days of its own (a works holiday) beside the country's public ones."""

    country: str | None = None
    zone: str = "UTC"
    opens: time = time(9)
    closes: time = time(17)
    closed: frozenset[date] = Field(default_factory=frozenset)

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:  # OSError: a folder of zones, like "Europe"
            message = f"{zone!r} is no time zone; write one like Europe/Paris"
            raise ValueError(message) from error
        return zone

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "Calendar":
        if self.opens >= self.closes:
            message = "the office must open before it closes"
            raise ValueError(message)
        return self

    def __hash__(self) -> int:
        return hash((self.country, self.zone, self.opens, self.closes, self.closed))


_MAIN_ZONES = {
    "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto", "CD": "Africa/Kinshasa",
    "CL": "America/Santiago", "CY": "Asia/Nicosia", "EC": "America/Guayaquil", "ES": "Europe/Madrid",
    "FM": "Pacific/Pohnpei", "GL": "America/Nuuk", "ID": "Asia/Jakarta", "KI": "Pacific/Tarawa",
    "KZ": "Asia/Almaty", "MH": "Pacific/Majuro", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur", "PF": "Pacific/Tahiti", "PT": "Europe/Lisbon", "RU": "Europe/Moscow",
    "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip
"""Where most business of a country with several time zones is done: CLDR lists its zones by the alphabet."""


@cache
def calendar_of(country: str | None) -> Calendar:
    """The shipped calendar of a country: nine to five in its main time zone, UTC for an unknown one."""
    return Calendar(country=country, zone=zones_of(country)[0])


@cache
def zones_of(country: str | None) -> tuple[str, ...]:
    """The time zones of a country, the main one first; UTC where the country is unknown."""
    code = (country or "").upper()
    zones = get_global("territory_zones").get(code, ())
    return tuple(sorted(zones, key=lambda zone: zone != _MAIN_ZONES.get(code))) or ("UTC",)


def is_open(at: datetime, calendar: Calendar) -> bool:
    """Whether the office is open at a moment; not any more at closing time itself."""
    hours = _hours(calendar, local_day(at, calendar))
    return hours is not None and hours[0] <= at < hours[1]


def is_working_day(day: date, calendar: Calendar) -> bool:
    """No weekend of the country (Friday and Saturday in some), no public holiday, no day of the entity's own."""
    off, weekend = _off(calendar.country or "", day.year)
    return day.weekday() not in weekend and day not in off and day not in calendar.closed


def next_opening(at: datetime, calendar: Calendar) -> datetime:
    """The moment itself while the office is open, else when it opens next."""
    if is_open(at, calendar):
        return at
    day = local_day(at, calendar)
    while True:
        hours = _hours(calendar, day)
        if hours is not None and hours[0] >= at:
            return hours[0]
        day += _ONE_DAY


def add_business_time(start: datetime, amount: timedelta, calendar: Calendar) -> datetime:
    """When `amount` of office time has passed since `start`. Nothing passed: the next opening.

    What is used up at closing time is due then, not on the next morning.
    """
    at, left = next_opening(start, calendar), amount
    while True:
        closing = _closing(at, calendar)
        if left <= closing - at:
            return at + left
        left -= closing - at
        at = next_opening(closing, calendar)


def add_business_days(start: datetime, days: int, calendar: Calendar) -> datetime:
    """The same time of day `days` working days later; out of hours counts as the next opening."""
    at = next_opening(start, calendar)
    local = at.astimezone(ZoneInfo(calendar.zone))
    day = local.date()
    for _ in range(days):
        day = _next_working_day(day + _ONE_DAY, calendar)
    then = datetime.combine(day, local.time(), ZoneInfo(calendar.zone)).astimezone(UTC)
    return next_opening(then, calendar) if days else at


def business_seconds_between(start: datetime, end: datetime, calendar: Calendar) -> int:
    """Whole seconds of office time from `start` to `end`; 0 where `end` is not later."""
    day, total = local_day(start, calendar), timedelta()
    while start < end and (hours := _hours_from(calendar, day, end)) is not None:
        if hours != _CLOSED:
            total += max(min(hours[1], end) - max(hours[0], start), timedelta())
        day += _ONE_DAY
    return int(total.total_seconds())


def hours(count: float) -> timedelta:
    """So many hours, as office time is given to add_business_time."""
    return timedelta(seconds=count * _HOUR)


_CLOSED = (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


def _hours_from(calendar: Calendar, day: date, end: datetime) -> tuple[datetime, datetime] | None:
    """The day's hours, _CLOSED on a day off, None once the day begins after `end`."""
    hours = _hours(calendar, day)
    if hours is not None:
        return None if hours[0] >= end else hours
    return None if day > local_day(end, calendar) else _CLOSED


def _closing(at: datetime, calendar: Calendar) -> datetime:
    hours = _hours(calendar, local_day(at, calendar))
    return hours[1] if hours else at


def _next_working_day(day: date, calendar: Calendar) -> date:
    while not is_working_day(day, calendar):
        day += _ONE_DAY
    return day


def local_day(at: datetime, calendar: Calendar) -> date:
    """The day it is at the entity."""
    return at.astimezone(ZoneInfo(calendar.zone)).date()


@lru_cache(maxsize=20_000)
def _hours(calendar: Calendar, day: date) -> tuple[datetime, datetime] | None:
    """Opening and closing of a day in UTC, None on a day off. Kept: a sweep asks for the same days over and over."""
    if not is_working_day(day, calendar):
        return None
    zone = ZoneInfo(calendar.zone)
    opens, closes = (datetime.combine(day, one, zone).astimezone(UTC) for one in (calendar.opens, calendar.closes))
    return opens, closes


@cache
def _off(country: str, year: int) -> tuple[frozenset[date], frozenset[int]]:
    """Public holidays of a year and weekend days; an unknown country has Saturday and Sunday only."""
    if country not in holidays.list_supported_countries():
        return frozenset(), frozenset({_SATURDAY, _SUNDAY})
    table = holidays.country_holidays(country, years=year)
    return frozenset(table), frozenset(table.weekend)
