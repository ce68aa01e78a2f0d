from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import MAX_AMOUNT, NotMoney, exact, known_currency, rounded, shown

CURRENCIES = st.sampled_from(["EUR", "GBP", "CHF", "JPY", "TND"])


@given(cents=st.integers(-(10**14), 10**14), currency=st.sampled_from(["EUR", "GBP", "CHF"]))
def test_what_is_written_to_the_cent_is_read_back_exactly(cents: int, currency: str) -> None:
    amount = Decimal(cents) / 100
    assert exact(str(amount), currency) == amount


@given(amount=st.decimals(-(10**9), 10**9, places=6), currency=CURRENCIES)
def test_rounding_moves_by_half_a_minor_unit_at_most_and_is_stable(amount: Decimal, currency: str) -> None:
    once = rounded(amount, currency)
    step = {"JPY": Decimal(1), "TND": Decimal("0.001")}.get(currency, Decimal("0.01"))
    assert abs(once - amount) <= step / 2
    assert rounded(once, currency) == once


@pytest.mark.parametrize(("amount", "expected"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68")])
def test_halves_go_away_from_zero(amount: str, expected: str) -> None:
    assert rounded(Decimal(amount), "EUR") == Decimal(expected)


@pytest.mark.parametrize("text", ["1.001", "twelve", "NaN", "Infinity", str(MAX_AMOUNT), ""])
def test_what_is_no_amount_is_refused_with_words(text: str) -> None:
    with pytest.raises(NotMoney) as refusal:
        exact(text, "EUR")
    assert repr(text) in refusal.value.message


def test_minor_units_follow_the_currency() -> None:
    assert exact("1.234", "TND") == Decimal("1.234")
    with pytest.raises(NotMoney):
        exact("1.5", "JPY")


@pytest.mark.parametrize(("code", "known"), [("EUR", True), ("eur", False), ("EURO", False), ("XQQ", False)])
def test_a_currency_is_known_or_not(code: str, *, known: bool) -> None:
    assert known_currency(code) is known


def test_amounts_are_shown_as_people_write_them() -> None:
    assert shown(Decimal("1234.50"), "EUR", "en") == "€1,234.50"
    assert shown(Decimal("1234.50"), "EUR", "fr").replace("\u202f", " ").replace("\xa0", " ") == "1 234,50 €"
