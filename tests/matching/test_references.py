import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.references import NumberKeys, digits_key, number_keys

BIGINT = 2**63


def test_the_example_of_the_design() -> None:
    assert number_keys("INV-2024-00187") == NumberKeys(202400187, 24187, 187, 187)


@pytest.mark.parametrize("written", ["FA-2024-00187", "FA24/187", "2024 187", "20240187", "fa-2024/00187"])
def test_spellings_of_one_number_share_the_compact_key(written: str) -> None:
    assert number_keys(written).kc == 24187


def test_the_serial_of_a_number_with_a_month_keeps_the_month() -> None:
    keys = number_keys("RE-2024-03-0187")
    assert keys.ks == 3187
    assert keys.k4 == 187


def test_short_numbers_are_told_apart_by_their_letters() -> None:
    acme, other = number_keys("ACME-0012"), number_keys("BOLT-0012")
    assert acme.kd != other.kd
    assert acme.kd == number_keys("acme 12").kd
    assert acme.ks == other.ks == 12


def test_a_number_without_digits_has_no_keys() -> None:
    assert number_keys("PROFORMA") == NumberKeys(None, None, None, None)
    assert digits_key("none") is None


def test_full_width_digits_count() -> None:
    assert number_keys("INV104211").kd == 104211
    assert digits_key("PO86442") == 86442


def test_references_keep_their_digits_only() -> None:
    assert digits_key("PO86442") == 86442
    assert digits_key("SO-312/650") == 312650


@given(st.text(max_size=80))
def test_every_key_fits_a_bigint(number: str) -> None:
    assert all(key is None or 0 <= key < BIGINT for key in number_keys(number))
    key = digits_key(number)
    assert key is None or 0 <= key < BIGINT


@given(st.from_regex(r"[A-Z]{0,4}[-/ ]?[0-9]{1,30}", fullmatch=True))
def test_a_number_keeps_its_keys_in_lower_case(number: str) -> None:
    assert number_keys(number) == number_keys(number.lower())


@pytest.mark.parametrize(
    ("number", "year", "serial", "last_four"),
    [
        ("87/26", 2026, 87, 87),
        ("1187/2026", 2026, 1187, 1187),
        ("R.1871.25", 2025, 1871, 1871),
        ("902/25", 2026, 902, 902),  # books do not change at midnight
        ("26-26", 2026, 26, 26),
        ("FA-2026-00026", 2026, 26, 26),
        ("INV-104-33", 2026, 33, 33),
        ("87/26", 0, 26, 26),  # of unknown year: as it stands
    ],
)
def test_the_year_behind_a_number_is_no_serial(number: str, year: int, serial: int, last_four: int) -> None:
    keys = number_keys(number, year)
    assert (keys.ks, keys.k4) == (serial, last_four)
    assert (keys.kd, keys.kc) == (number_keys(number).kd, number_keys(number).kc)
