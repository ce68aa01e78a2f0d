"""Laws as data: what cannot be a law is refused, and a deployment's own takes the place of the shipped one."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from disputes.rulebook import BadPolicy
from letters.laws import Compensation, Terms, law_of, parse, regime, shipped, with_own

FIXED = {"currency": "EUR", "source": "x"}
PART = {"name": "x"}


def test_each_country_has_its_law_for_each_kind_of_customer() -> None:
    countries = {country for country, _ in shipped()}
    assert countries == {"BE", "CH", "DE", "ES", "EU", "FR", "GB", "IE", "IT", "NL"}
    assert len(shipped()) == 3 * len(countries)


def test_a_deployment_may_put_its_own_law_in_place(tmp_path: Path) -> None:
    (tmp_path / "pl.toml").write_text(
        '[business]\nname = "Ustawa 2013"\n[consumer]\nname = "k"\n[public]\nname = "k"\n'
    )
    found = with_own(tmp_path)
    assert law_of(found, "PL", "business").name == "Ustawa 2013"
    assert law_of(found, "FR", "business") == law_of(shipped(), "FR", "business")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"business": PART, "consumer": PART}, "public"),
        ({"business": {**PART, "interest": {"floats": True}}, "consumer": PART, "public": PART}, "interest.table"),
        ({"business": PART, "consumer": PART, "public": PART, "aliens": PART}, "aliens"),
    ],
)
def test_a_law_that_is_none_is_refused_with_the_place(content: dict[str, Any], words: str) -> None:
    with pytest.raises(BadPolicy, match=words):
        parse("fr", content)


@pytest.mark.parametrize(
    ("tiers", "words"),
    [
        ([{"below": "10", "fixed": "1"}], "the last has no limit"),
        ([{"below": "10", "fixed": "1"}, {"below": "5", "fixed": "2"}, {"fixed": "3"}], "must rise"),
        ([{"fixed": "1"}, {"fixed": "2"}], "must rise"),
        ([{"below": "10", "fixed": "1"}, {"percent": "2"}], "fixed sum, or each has a percent"),
        ([{"fixed": "1", "percent": "2"}], "fixed sum, or each has a percent"),
    ],
)
def test_a_scale_that_is_none_is_refused(tiers: list[dict[str, str]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Compensation.model_validate({**FIXED, "tiers": tiers})


def test_a_contract_has_a_rate_or_a_margin() -> None:
    with pytest.raises(ValidationError, match="not both"):
        Terms(source="GTC", rate=Decimal(5), margin=Decimal(5))


def test_no_contract_changes_nothing() -> None:
    law = law_of(shipped(), "FR", "business")
    plain = regime(law)
    assert (plain.interest, plain.compensation, plain.notes) == (law.interest, law.compensation, ())


def test_an_agreed_sum_where_the_law_knows_none_is_in_the_countrys_currency() -> None:
    found = regime(law_of(shipped(), "CH", "business"), Terms(source="GTC", fixed_sum=Decimal(20)))
    assert found.compensation is not None
    assert (found.compensation.currency, found.compensation.of(Decimal(100))) == ("CHF", Decimal("20.00"))
