"""Business days by country. Pure: public holidays come from the `holidays` package's tables, not from a service."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import holidays

CLOSE_OF_BUSINESS = time(16, 0, tzinfo=UTC)
"""Due times fall here: late afternoon in the countries the product serves, and one rule for all of them."""
_SATURDAY = 5


def due(after: datetime, *, days: int, country: str | None) -> datetime:
    """Close of business `days` business days after a moment; 0 is today, or the next business day on a holiday."""
    day = _next_business_day(after.astimezone(UTC).date(), country)
    for _ in range(days):
        day = _next_business_day(day + timedelta(days=1), country)
    return datetime.combine(day, CLOSE_OF_BUSINESS)


def is_business_day(day: date, country: str | None) -> bool:
    """Monday to Friday and no public holiday of the country; an unknown country has weekends only."""
    return day.weekday() < _SATURDAY and day not in _holidays(country or "", day.year)


def _next_business_day(day: date, country: str | None) -> date:
    while not is_business_day(day, country):
        day += timedelta(days=1)
    return day


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    if country not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=year))
