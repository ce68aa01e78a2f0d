"""What contracts say instead of the law, and whose law counts: from the procedure to the letter's figures."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from disputes.actions import policies
from disputes.rulebook import BadPolicy
from invoices.models import Account
from letters.letter_facts import LetterFacts
from letters.procedure import read_procedure, shipped
from letters.rules import ASSIGNMENTS, PROCEDURE, reader_of
from tests.letters.stories import ACTOR, Arrears, in_arrears, march

CLAIMS = {"interest": True, "compensation": True}
LEVEL = {"id": "rappel", "kind": "reminder_1", "days_late": 10, "channels": ["email"], **CLAIMS}


@pytest.fixture
def story(session: Session) -> Arrears:
    return in_arrears(session)


def procedure(**more: Any) -> dict[str, Any]:
    return {"name": "Key accounts", "currency": "EUR", "levels": [LEVEL], **more}


def put_on(story: Arrears, **more: Any) -> None:
    """The account is on a procedure of its own."""
    of_account = {"procedure": "key", "entity": story.entity.code, "account": story.account.number}
    rules = ((PROCEDURE, "key", procedure(**more)), (ASSIGNMENTS, "all", {"rows": [of_account]}))
    for family, key, content in rules:
        read = reader_of(family, key)
        policies.save(story.session, family=family, key=key, content=content, actor=ACTOR, now=march(1), read=read)


def facts(story: Arrears) -> LetterFacts:
    story.run(march(3))
    return LetterFacts.from_json(story.letter().facts)


def test_without_a_contract_the_law_of_the_country_counts(story: Arrears) -> None:
    put_on(story)
    claim = facts(story).claim
    assert claim is not None
    # 1,200.00 from 2 February to 3 March 2026 is 30 days at 2.15 + 10 % (L441-10): 1200 x 12.15 % x 30 / 365 = 11.98
    assert claim.interest["EUR"] == Decimal("11.98")
    assert [one.amount for one in claim.fixed_sums] == [Decimal(40)]


def test_an_agreed_rate_and_sum_take_the_laws_place_and_the_letter_says_so(story: Arrears) -> None:
    put_on(story, agreed={"source": "Terms of sale, article 7", "rate": "15", "fixed_sum": "60"})
    claim = facts(story).claim
    assert claim is not None
    # 1200 x 15 % x 30 / 365 = 14.79
    assert claim.interest["EUR"] == Decimal("14.79")
    assert [one.amount for one in claim.fixed_sums] == [Decimal(60)]
    assert any("Terms of sale, article 7" in note for note in claim.notes)


def test_what_was_agreed_not_to_be_asked_for_is_not(story: Arrears) -> None:
    put_on(story, agreed={"source": "Framework contract", "no_interest": True, "no_compensation": True})
    assert facts(story).claim is None


def test_others_keep_the_procedure_of_their_country(story: Arrears) -> None:
    put_on(story, agreed={"source": "Framework contract", "rate": "15"})
    assert story.session.get_one(Account, story.account.id).customer_group == ""
    assert shipped()["fr"].agreed is None


def test_a_dutch_consumer_owes_costs_only_after_a_letter_that_gave_time(story: Arrears) -> None:
    story.entity.country = "NL"
    put_on(story, customers="consumer")
    first = facts(story).claim
    assert first is None or not first.fixed_sums, "the first letter gives 14 days, and costs nothing (BW 6:96 (6))"


@pytest.mark.parametrize(
    ("agreed", "place"),
    [
        ({"rate": "5"}, "agreed.source"),
        ({"source": "x", "rate": "5", "margin": "3"}, "agreed"),
        ({"source": "x", "rate": "101"}, "agreed.rate"),
    ],
)
def test_terms_that_cannot_be_are_refused_at_their_place(agreed: dict[str, str], place: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        read_procedure(procedure(agreed=agreed))
    assert place in refused.value.fields


def test_a_form_that_only_says_no_agrees_nothing() -> None:
    assert read_procedure(procedure(agreed={"no_interest": "no", "no_compensation": "no"})).agreed is None
    assert read_procedure(procedure(agreed={"source": "x", "no_interest": "yes"})).agreed is not None
