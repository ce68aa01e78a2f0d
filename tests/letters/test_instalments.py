"""Instalments add up to the cent, whatever the total, the number and the days."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import BadInput
from app.core.money import quantum
from letters.instalments import EVERY, MOST, Every, equal, own

D = Decimal
CURRENCIES = ("EUR", "JPY", "TND")


@given(
    cents=st.integers(1, 10**10),
    currency=st.sampled_from(CURRENCIES),
    number=st.integers(1, MOST),
    first=st.dates(date(2020, 1, 1), date(2090, 1, 1)),
    every=st.sampled_from(EVERY),
)
def test_equal_ones_add_up_and_differ_by_a_cent_at_most(
    cents: int, currency: str, number: int, first: date, every: Every
) -> None:
    cent = quantum(currency)
    total = cents * cent
    if cents < number:
        with pytest.raises(BadInput, match="each would be less than"):
            equal(total, currency, number=number, first=first, every=every)
        return
    made = equal(total, currency, number=number, first=first, every=every)
    amounts = [one.amount for one in made]
    assert (len(made), sum(amounts)) == (number, total)
    assert min(amounts) > 0
    assert max(amounts) - min(amounts) <= cent
    days = [one.day for one in made]
    assert days[0] == first
    assert days == sorted(set(days))


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=MOST))
def test_own_ones_are_taken_as_agreed_where_they_add_up(cents: list[int]) -> None:
    rows = [(date(2026, 7, 1) + timedelta(at), D(one) / 100) for at, one in enumerate(cents)]
    total = sum((amount for _, amount in rows), D(0))
    assert [(one.day, one.amount) for one in own(total, "EUR", rows[::-1])] == rows
    with pytest.raises(BadInput, match="The instalments come to"):
        own(total + D("0.01"), "EUR", rows)


def test_months_keep_their_day_where_they_have_it() -> None:
    made = equal(D(100), "EUR", number=3, first=date(2027, 12, 31), every="month")
    assert [one.day for one in made] == [date(2027, 12, 31), date(2028, 1, 31), date(2028, 2, 29)]
    assert [one.amount for one in made] == [D("33.34"), D("33.33"), D("33.33")]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "not 0"),
        ([(date(2026, 7, 1), D(110)), (date(2026, 8, 1), D(-10))], "more than nothing"),
        ([(date(2026, 7, 1), D(50)), (date(2026, 7, 1), D(50))], "fall on one day"),
    ],
)
def test_what_is_no_plan_is_refused(rows: list[tuple[date, Decimal]], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        own(D(100), "EUR", rows)
