"""Office time: promises are counted in the hours somebody is there to keep them."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from disputes.rulebook import BadPolicy, read
from disputes.workhours import (
    Calendar,
    add_business_days,
    add_business_time,
    business_seconds_between,
    calendar_of,
    hours,
    is_open,
    next_opening,
    zones_of,
)

PARIS = calendar_of("FR")
LONDON = calendar_of("GB")
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
CALENDARS = st.sampled_from([PARIS, LONDON, calendar_of("AE"), calendar_of("US"), calendar_of(None)])


def utc(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_four_hours_promised_on_friday_afternoon_are_due_on_monday() -> None:
    friday_three_pm_in_paris = utc(27, 14)
    assert add_business_time(friday_three_pm_in_paris, hours(4), PARIS) == utc(30, 10)


def test_what_is_used_up_at_closing_time_is_due_then() -> None:
    assert add_business_time(utc(27, 14), hours(2), PARIS) == utc(27, 16)


def test_a_public_holiday_of_one_country_is_a_working_day_in_another() -> None:
    armistice = utc(11, 10)
    assert not is_open(armistice, PARIS)
    assert is_open(armistice, LONDON)
    assert next_opening(armistice, PARIS) == utc(12, 8)


def test_the_weekend_is_the_countrys_own() -> None:
    friday, sunday = datetime(2021, 11, 26, 8, tzinfo=UTC), datetime(2021, 11, 28, 8, tzinfo=UTC)
    emirates, israel = calendar_of("AE"), calendar_of("IL")
    assert not is_open(friday, israel)
    assert is_open(sunday, israel)
    assert not is_open(datetime(2026, 11, 28, 8, tzinfo=UTC), emirates)


def test_summer_time_moves_the_opening_but_not_the_length_of_the_day() -> None:
    before, after = utc(23, 8, month=10), utc(26, 8, month=10)
    assert next_opening(utc(22, 20, month=10), PARIS) == utc(23, 7, month=10)
    assert next_opening(utc(24, 8, month=10), PARIS) == after
    assert business_seconds_between(before, after, PARIS) == 7 * 3600


def test_days_keep_the_time_of_day_and_step_over_the_weekend() -> None:
    assert add_business_days(utc(26, 10, 30), 2, PARIS) == utc(30, 10, 30)
    assert add_business_days(utc(28, 10), 1, PARIS) == utc(1, 8, month=12)
    assert add_business_days(utc(28, 10), 0, PARIS) == utc(30, 8)


def test_a_company_may_close_on_days_of_its_own() -> None:
    bridge = Calendar(country="FR", zone="Europe/Paris", closed=frozenset({date(2026, 11, 30)}))
    assert add_business_time(utc(27, 15, 30), hours(1), bridge) == utc(1, 8, 30, month=12)


def test_a_calendar_that_makes_no_sense_is_refused_with_words() -> None:
    with pytest.raises(BadPolicy, match="must open before it closes"):
        read(Calendar, {"opens": "18:00", "closes": "09:00"}, what="The calendar of FR01")
    with pytest.raises(BadPolicy, match="'Mars/Base' is no time zone") as refused:
        read(Calendar, {"zone": "Mars/Base"}, what="The calendar of FR01")
    assert refused.value.fields.keys() == {"zone"}
    assert read(Calendar, {"opens": "08:30"}, what="x").opens == time(8, 30)


@given(start=MOMENTS, seconds=st.integers(0, 400_000), calendar=CALENDARS)
def test_time_added_is_time_counted(start: datetime, seconds: int, calendar: Calendar) -> None:
    end = add_business_time(start, timedelta(seconds=seconds), calendar)
    assert end >= start
    assert business_seconds_between(start, end, calendar) == seconds


@given(start=MOMENTS, first=st.integers(0, 90_000), second=st.integers(0, 90_000), calendar=CALENDARS)
def test_two_stretches_make_one(start: datetime, first: int, second: int, calendar: Calendar) -> None:
    half = add_business_time(start, timedelta(seconds=first), calendar)
    whole = add_business_time(start, timedelta(seconds=first + second), calendar)
    assert business_seconds_between(start, half, calendar) + business_seconds_between(half, whole, calendar) == (
        first + second
    )


@given(start=MOMENTS, days=st.integers(1, 30), calendar=CALENDARS)
def test_a_moment_some_days_later_is_in_office_time_and_later(start: datetime, days: int, calendar: Calendar) -> None:
    then = add_business_days(start, days, calendar)
    assert then > start
    assert is_open(then, calendar)


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("FR", "Europe/Paris"), ("PT", "Europe/Lisbon"), ("ES", "Europe/Madrid"), ("DE", "Europe/Berlin"),
        ("US", "America/New_York"), ("CA", "America/Toronto"), ("AU", "Australia/Sydney"), ("BR", "America/Sao_Paulo"),
        ("MX", "America/Mexico_City"), ("ID", "Asia/Jakarta"), ("RU", "Europe/Moscow"), ("CL", "America/Santiago"),
        (None, "UTC"),
    ],
)  # fmt: skip
def test_a_country_of_several_time_zones_keeps_the_hours_of_its_main_one(country: str | None, zone: str) -> None:
    assert calendar_of(country).zone == zone


def test_no_time_zone_is_lost_for_its_main_one() -> None:
    assert "Pacific/Honolulu" in zones_of("US")
    assert len(zones_of("US")) == len(set(zones_of("US"))) == len(get_global("territory_zones")["US"])
