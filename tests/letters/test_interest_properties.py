"""Interest under any payments: nothing lost, nothing made, nothing below zero, nothing on what is disputed."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from letters import laws, rate_tables
from letters.debt import Debt, Reduction
from letters.interest import Claim, claim
from letters.laws import Regime, Terms, law_of, regime

TABLES = rate_tables.shipped()
FIRST = date(2023, 1, 1)
LAST = date(2026, 6, 30)
CENT = Decimal("0.01")
COUNTRIES = st.sampled_from(["FR", "DE", "GB", "NL", "BE", "IT", "ES", "IE"])
SIMPLE = st.sampled_from(["FR", "DE", "BE", "IT", "ES"])
amounts = st.decimals(min_value="0.01", max_value="500000", places=2)
days = st.dates(min_value=FIRST, max_value=LAST)


@st.composite
def debts(draw: st.DrawFn) -> Debt:
    amount = draw(amounts)
    payments = draw(st.lists(st.tuples(days, st.decimals(min_value=0, max_value=amount, places=2)), max_size=4))
    reductions = tuple(Reduction(day, paid, "payment", f"P{at}") for at, (day, paid) in enumerate(payments))
    disputed = draw(st.one_of(st.just(Decimal(0)), st.decimals(min_value=0, max_value=amount, places=2)))
    return Debt(number="F1", due=draw(days), currency="EUR", amount=amount, reductions=reductions, disputed=disputed)


def of(country: str, terms: Terms | None = None) -> Regime:
    return regime(law_of(laws.shipped(), country, "business"), terms)


def claimed(debt: Debt, country: str, until: date) -> Claim:
    return claim([debt], of(country), tables=TABLES, until=until)


@given(debt=debts(), country=COUNTRIES, until=days)
def test_segments_follow_each_other_are_never_negative_and_add_up(debt: Debt, country: str, until: date) -> None:
    found = claimed(debt, country, until)
    segments = found.lines[0].segments
    for before, after in pairwise(segments):
        assert before.last < after.first
        assert (before.balance, before.rate) != (after.balance, after.rate) or before.last + timedelta(1) < after.first
    for one in segments:
        assert debt.due < one.first <= one.last <= until
        assert one.amount >= 0
        assert one.balance > 0
    assert found.interest["EUR"] == sum((one.amount for one in segments), Decimal(0))
    assert all(one.amount >= 0 for one in found.fixed_sums)


@given(debt=debts(), country=SIMPLE, until=days)
def test_day_by_day_comes_to_the_same(debt: Debt, country: str, until: date) -> None:
    rule = of(country).interest
    assert rule is not None
    total = Fraction(0)
    day = debt.due + timedelta(1)
    while day <= until:
        gone = sum((one.amount for one in debt.reductions if one.day < day), Decimal(0))
        owed = max(debt.amount - debt.disputed - gone, Decimal(0))
        rate = rule.of(TABLES[rule.table].on(day).rate)
        total += Fraction(owed) * Fraction(rate) / 36500
        day += timedelta(1)
    expected = Decimal(int(total * 100 + Fraction(1, 2))) / 100
    assert claimed(debt, country, until).interest["EUR"] == expected


@given(debt=debts(), country=COUNTRIES, until=days, cut=days)
def test_cutting_a_period_changes_nothing(debt: Debt, country: str, until: date, cut: date) -> None:
    nothing = Reduction(cut, Decimal(0), "payment", "nothing")
    cut_debt = replace(debt, reductions=(*debt.reductions, nothing))
    assert claimed(cut_debt, country, until).interest == claimed(debt, country, until).interest


@given(debt=debts(), country=SIMPLE, until=days, cut=days)
def test_two_periods_come_to_the_whole_but_for_a_cent(debt: Debt, country: str, until: date, cut: date) -> None:
    middle = max(cut, debt.due)
    first = claimed(debt, country, min(middle, until)).interest["EUR"]
    rest = claimed(replace(debt, due=middle), country, until).interest["EUR"] if middle < until else Decimal(0)
    assert abs(first + rest - claimed(debt, country, until).interest["EUR"]) <= CENT


@given(left=amounts, right=amounts, due=days, until=days, country=SIMPLE)
def test_two_debts_come_to_one_of_their_sum_but_for_a_cent(
    left: Decimal, right: Decimal, due: date, until: date, country: str
) -> None:
    one, two = (Debt(number="F", due=due, currency="EUR", amount=amount) for amount in (left, right))
    both = Debt(number="F", due=due, currency="EUR", amount=left + right)
    parts = claimed(one, country, until).interest["EUR"] + claimed(two, country, until).interest["EUR"]
    assert abs(parts - claimed(both, country, until).interest["EUR"]) <= CENT


@given(debt=debts(), country=COUNTRIES, until=days)
def test_the_disputed_part_is_as_if_it_were_not(debt: Debt, country: str, until: date) -> None:
    without = replace(debt, amount=debt.amount - debt.disputed, disputed=Decimal(0))
    with_dispute, without_dispute = claimed(debt, country, until), claimed(without, country, until)
    assert with_dispute.interest == without_dispute.interest
    assert with_dispute.compensation == without_dispute.compensation


@given(debt=debts(), country=COUNTRIES, until=days, later=days)
def test_a_later_day_never_brings_less(debt: Debt, country: str, until: date, later: date) -> None:
    early, late = sorted([until, later])
    assert claimed(debt, country, early).interest["EUR"] <= claimed(debt, country, late).interest["EUR"]


@given(debt=debts(), country=COUNTRIES, until=days, day=days, amount=amounts)
def test_a_payment_more_never_brings_more(debt: Debt, country: str, until: date, day: date, amount: Decimal) -> None:
    paid = replace(debt, reductions=(*debt.reductions, Reduction(day, amount, "payment", "PX")))
    assert claimed(paid, country, until).interest["EUR"] <= claimed(debt, country, until).interest["EUR"]


@given(debt=debts(), until=days)
def test_compounding_never_brings_less_than_simple_interest(debt: Debt, until: date) -> None:
    assert claimed(debt, "NL", until).interest["EUR"] >= claimed(debt, "IT", until).interest["EUR"]
