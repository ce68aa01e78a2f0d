"""The corpora that are kept here, of sellers unlike each other: what is learned from them must still fit them."""

from pathlib import Path

import pytest

from app.cli.evaluate import read_corpus, trials_of
from app.cli.folds import match_examples
from app.core.settings import Settings
from matching.facts import MatchPolicy
from matching.refit import figures
from matching.scoring import default_weights

CORPORA = Path(__file__).parents[1] / "corpora"


@pytest.mark.parametrize("name", ["it-es", "nl-en"])
def test_the_weights_that_ship_fit_other_sellers_numbers(name: str, settings: Settings) -> None:
    """Numbers with the year behind them (87/26) and dense ones with no letters at all (806713)."""
    folder = CORPORA / name
    with trials_of(folder, settings) as trials:
        found = figures(match_examples(folder, read_corpus(folder), trials), default_weights(), MatchPolicy())
    assert found.mails > 200
    assert found.exact >= 0.82
    assert found.wrong_auto <= 4
