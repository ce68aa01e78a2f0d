"""Rates: dated, sourced, consistent among each other, and never guessed."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.core.errors import BadInput
from disputes.rulebook import BadPolicy
from letters import laws
from letters.rate_tables import RateUnknown, parse, shipped, table, with_own

ROW = {"from": date(2025, 1, 1), "rate": "3.15", "source": "notice", "looked_up": date(2026, 11, 27)}


def own(folder: Path, text: str, name: str = "ecb_refinancing.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


LATER = """
name = "ECB main refinancing operations, fixed rate"
until = 2026-12-31
next = "look it up"

[[rates]]
from = 2026-07-01
rate = "2.00"
source = "ecb.europa.eu"
looked_up = 2026-07-02
"""


def test_every_rate_says_where_it_is_from_and_when_that_was_looked_up() -> None:
    for one in shipped().values():
        assert one.until is None or one.next, one.key
        for rate in one.rates:
            assert len(rate.source) > 10, one.key
            assert rate.looked_up >= date(2026, 1, 1)


def test_the_german_base_rate_moves_with_the_ecb() -> None:
    """BGB 247 (1): the distance never changes, which checks both tables against each other."""
    ecb = shipped()["ecb_refinancing"]
    assert {ecb.on(one.begins).rate - one.rate for one in shipped()["bundesbank_base"].rates} == {Decimal("0.88")}


def test_what_nobody_checked_is_marked() -> None:
    unchecked = {key: [str(rate.begins) for rate in one.unchecked()] for key, one in shipped().items()}
    assert {key: days for key, days in unchecked.items() if days} == {
        "bundesbank_base": ["2024-07-01", "2025-01-01"],
    }


def test_every_law_names_tables_there_are() -> None:
    for law in laws.shipped().values():
        if law.interest is not None:
            assert table(shipped(), law.interest.table).rates
            if law.interest.floor_table is not None:
                assert table(shipped(), law.interest.floor_table).rates


def test_a_rate_holds_from_its_day_to_the_day_before_the_next() -> None:
    ecb = shipped()["ecb_refinancing"]
    assert ecb.on(date(2024, 12, 31)).rate == Decimal("4.25")
    assert ecb.on(date(2025, 1, 1)).rate == Decimal("3.15")
    assert ecb.next_change(date(2024, 12, 31)) == date(2025, 1, 1)
    assert ecb.next_change(date(2026, 1, 1)) is None


def test_before_and_after_the_table_nothing_is_guessed() -> None:
    ecb = shipped()["ecb_refinancing"]
    with pytest.raises(RateUnknown, match="known until 2026-06-30, not for 2026-11-27") as after:
        ecb.on(date(2026, 11, 27))
    assert after.value.known_until == date(2026, 6, 30)
    with pytest.raises(RateUnknown, match="known from 2016-07-01 on") as before:
        ecb.on(date(2016, 6, 30))
    assert before.value.known_until is None


def test_a_rate_fixed_by_a_law_has_no_end() -> None:
    assert shipped()["ch_legal"].on(date(2099, 1, 1)).rate == Decimal("5.00")


def test_a_deployment_adds_what_came_later(tmp_path: Path) -> None:
    ecb = with_own(own(tmp_path, LATER))["ecb_refinancing"]
    assert ecb.on(date(2026, 11, 27)).rate == Decimal("2.00")
    assert ecb.on(date(2026, 6, 30)).rate == Decimal("2.15")
    with pytest.raises(RateUnknown, match="2026-12-31"):
        ecb.on(date(2027, 1, 1))


def test_a_deployment_may_bring_a_table_of_its_own(tmp_path: Path) -> None:
    tables = with_own(own(tmp_path, LATER, "wibor.toml"))
    assert tables["wibor"].on(date(2026, 8, 1)).rate == Decimal("2.00")
    assert tables["ecb_refinancing"].until == date(2026, 6, 30)


def test_a_gap_between_the_shipped_and_the_own_rates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="add the rate from 2026-07-01 on"):
        with_own(own(tmp_path, LATER.replace("from = 2026-07-01", "from = 2026-08-01")))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"name": "x", "rates": []}, "rates"),
        ({"name": "x", "rates": [ROW, ROW]}, "each day once"),
        ({"name": "x", "rates": [ROW], "until": date(2024, 1, 1)}, "until is before"),
        ({"name": "x", "rates": [{**ROW, "rate": "high"}]}, "rates.0.rate"),
        ({"name": "x", "rates": [ROW], "guess": True}, "guess"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_in_words(content: dict[str, object], words: str) -> None:
    with pytest.raises(BadPolicy, match=words):
        parse("mine", content)


def test_a_broken_file_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"ecb_refinancing\.toml is no TOML file"):
        with_own(own(tmp_path, "name = "))
    with pytest.raises(BadInput, match="no rate table 'libor'"):
        table(shipped(), "libor")
