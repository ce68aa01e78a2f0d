"""Weights are learned from examples, calibrated, and travel as JSON."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.facts import MatchPolicy, ThreadFacts
from matching.fit import Example, fit, log_loss
from matching.matcher import decide, investigate
from matching.scoring import (
    Weights,
    bits,
    calibrated,
    default_weights,
    from_json,
    one_typo,
    prior_weights,
    probabilities,
    to_json,
)
from tests.matching.ledger import BAKER, BAKERS, a_mail, the_index

NOTHING = Weights({}, {})


def the_examples() -> Iterator[Example]:
    """Mails that name an invoice by its full number, and mails that name none."""
    index = the_index()
    for number, invoice in enumerate(BAKERS):
        named = number % 2 == 0
        text = f"invoice {invoice.number} is wrong" if named else "thank you for your call"
        mail = a_mail("hello", text)
        trial = investigate(mail, index, weights=NOTHING, thread=ThreadFacts())
        yield Example(trial, BAKER, frozenset({invoice.id} if named else ()))


def test_fitting_learns_what_names_an_invoice() -> None:
    examples = list(the_examples())
    weights = fit(examples)
    assert weights.invoice["full"] > 0
    for example in examples:
        decision = decide(example.trial, policy=MatchPolicy(), weights=weights)
        assert {link.invoice_id for link in decision.likely} == example.invoice_ids


def test_without_examples_the_prior_stands() -> None:
    assert fit([], prior=prior_weights()) == prior_weights()


def test_a_strong_prior_outweighs_few_examples() -> None:
    weights = fit(list(the_examples()), prior=prior_weights(), strength=1e6)
    assert weights.invoice["full"] == pytest.approx(prior_weights().invoice["full"], abs=0.01)


def test_every_feature_met_gets_its_weight() -> None:
    examples = list(the_examples())
    met = {name for example in examples for each in example.trial.candidates for name in each.features}
    assert met <= fit(examples).invoice.keys()


def test_weights_travel_as_json() -> None:
    assert from_json(to_json(default_weights())) == default_weights()


def test_what_ships_knows_more_than_the_prior() -> None:
    shipped, prior = default_weights(), prior_weights()
    assert shipped.invoice.keys() >= prior.invoice.keys()
    assert shipped != prior


def test_bits_add_up() -> None:
    weights = {"full": 4.0, "age": -0.5}
    assert bits({"full": 1.0, "age": 2.0, "unheard of": 7.0}, weights) == 3.0


def test_equal_odds_share_with_none() -> None:
    assert probabilities([0.0]) == [0.5]
    assert probabilities([0.0, 0.0, 0.0]) == [0.25, 0.25, 0.25]
    assert probabilities([]) == []


@given(st.lists(st.floats(min_value=-500, max_value=500), max_size=30))
def test_probabilities_leave_room_for_none(scores: list[float]) -> None:
    chances = probabilities(scores)
    assert all(0.0 <= chance <= 1.0 for chance in chances)
    assert sum(chances) <= 1.0 + 1e-9


@pytest.mark.parametrize("written", ["4312", "43221", "431", "4231", "4322"])
def test_one_slip_of_the_finger(written: str) -> None:
    assert one_typo(written, "4321")


def test_two_slips_or_none_are_no_slip() -> None:
    assert not one_typo("4321", "4321")
    assert not one_typo("1234", "4321")


def test_surprise_is_low_for_honest_odds() -> None:
    dice = random.Random(7)  # noqa: S311 - dice, no secret
    chances = [dice.random() for _ in range(4000)]
    truth = [dice.random() < chance for chance in chances]
    bold = [round(chance) * 0.98 + 0.01 for chance in chances]
    assert log_loss(chances, truth) < log_loss(bold, truth)


def test_calibration_moves_a_probability_towards_how_often_it_was_right() -> None:
    assert calibrated(0.9, (1.0, 0.0)) == pytest.approx(0.9)
    assert calibrated(0.9, (1.0, 1.0)) > 0.9 > calibrated(0.9, (0.5, 0.0))
