"""Amounts as people of two languages type them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.i18n import words
from app.core.money import NotMoney
from app.web.amounts import typed


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("1234.50", ".", "1234.50"),
        ("1,234.50", ".", "1234.50"),
        ("1 234,50", ",", "1234.50"),
        ("1.234,5", ".", "1234.50"),
        ("1\N{NARROW NO-BREAK SPACE}234,50 €", ",", "1234.50"),
        ("€1,234", ".", "1234"),
        ("1.234", ",", "1234"),
        ("1.234.567", ".", "1234567"),
        ("EUR 12", ".", "12"),
        ("12,5", ".", "12.50"),
        ("1’234.50", ".", "1234.50"),
        ("0", ".", "0"),
        ("12.", ".", "12"),
    ],
)
def test_what_people_type_is_read_as_they_mean_it(text: str, mark: str, amount: str) -> None:
    assert typed(text, "EUR", decimal_mark=mark) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "-5", "1.234", "twelve", "1,2,3", "1 234,567", "1e5", "٣", "9" * 40, "1..2"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(NotMoney):
        typed(text, "EUR", decimal_mark=".")


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from(["en", "fr"]))
def test_what_we_show_can_be_typed_back(amount: Decimal, language: str) -> None:
    shown = words(language).money(amount, "EUR")
    assert typed(shown, "EUR", decimal_mark="." if language == "en" else ",") == amount
