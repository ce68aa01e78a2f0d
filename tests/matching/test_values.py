from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.text import clean, fold
from matching.values import find_amounts, find_days

NEAR = date(2026, 3, 2)


def sure(text: str) -> list[int]:
    return [amount.cents for amount in find_amounts(fold(clean(text))) if amount.sure]


@pytest.mark.parametrize(
    "text",
    ["1.234,50 €", "EUR 1,234.50", "£1234.50", "CHF 1'234.50", "la somme de 1\u202f234,50", "solde -1 234,50 EUR"],
)
def test_one_sum_in_the_ways_of_six_languages(text: str) -> None:
    assert 123450 in sure(text)


def test_a_number_before_a_sum_is_no_thousand() -> None:
    assert {13940, 45513940} == set(sure("FA 455 139,40"))


def test_whole_sums_need_a_currency_to_be_sure() -> None:
    assert sure("£10,887 due") == [1088700]
    assert sure("24 bags, invoice 1234") == []
    assert [amount.cents for amount in find_amounts("996 FOR THE FLOUR")] == [99600]


@pytest.mark.parametrize("text", ["A1234", "12/345", "2026-00187", "1,234,5"])
def test_parts_of_other_tokens_are_no_sums(text: str) -> None:
    assert not sure(text)


@pytest.mark.parametrize(
    "text",
    [
        "12/03/2026",
        "12.03.26",
        "2026-03-12",
        "12 March 2026",
        "March 12, 2026",
        "12. März",
        "le 12 mars",
        "12 de marzo",
    ],
)
def test_one_day_in_the_ways_of_six_languages(text: str) -> None:
    assert [(day.year, day.month, day.day) for day in find_days(fold(clean(text)), near=NEAR)] == [(2026, 3, 12)]


def test_a_day_without_its_year_lies_near() -> None:
    assert [(day.year, day.month) for day in find_days("3 DICEMBRE", near=NEAR)] == [(2025, 12)]
    assert [(day.year, day.month) for day in find_days("20/04", near=NEAR)] == [(2026, 4)]


def test_a_month_alone_is_a_month() -> None:
    assert [(day.month, day.day) for day in find_days(fold(clean("facture de décembre")), near=NEAR)] == [(12, None)]


@pytest.mark.parametrize("text", ["25.11.001416", "INVOICE 3/4/12345", "24-12.11.7"])
def test_a_part_of_a_longer_number_is_no_day(text: str) -> None:
    assert not find_days(text, near=NEAR)


@pytest.mark.parametrize("text", ["31/02/2026", "45.13.2026", "FIRST OF NEXT"])
def test_what_is_no_day_is_none(text: str) -> None:
    assert not [day for day in find_days(text, near=NEAR) if day.day is not None and day.month == 2]


@given(st.integers(min_value=0, max_value=99_999_999))
def test_every_sum_is_read_back(cents: int) -> None:
    whole, part = divmod(cents, 100)
    french = f"{whole:,}".replace(",", " ") + f",{part:02d} €"
    assert cents in sure(french)
    assert cents in sure(f"GBP {whole:,}.{part:02d}")


@given(st.text(max_size=200))
def test_any_text_is_read_without_error(text: str) -> None:
    folded = fold(clean(text))
    assert all(0 <= each.start < each.end <= len(folded) for each in find_amounts(folded))
    assert all(0 <= each.start < each.end <= len(folded) for each in find_days(folded, near=NEAR))


@pytest.mark.parametrize(
    ("text", "month"), [("DIE AUGUSTRECHNUNG FEHLT", 8), ("DEZEMBER-RECHNUNGEN", 12), ("DE FEBRUARIFACTUUR", 2)]
)
def test_a_month_is_read_in_the_word_for_its_invoice(text: str, month: int) -> None:
    assert [(day.month, day.day) for day in find_days(text, near=date(2026, 12, 20))] == [(month, None)]
