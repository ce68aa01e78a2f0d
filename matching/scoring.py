"""Fellegi-Sunter scoring: features of a candidate, their weights in bits, probabilities within a mention."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

Features = Mapping[str, float]
LN2 = math.log(2)
_LEAST = 1e-6
_FAR = 40.0  # bits beyond which a probability is 0 or 1 to the last digit


@dataclass(frozen=True, slots=True)
class Weights:
    """
    Bits of evidence a unit of each feature gives, for invoices and for accounts; `calibration` holds scale and shift
    (Platt) of the log-odds for each kind of evidence (`Candidate.regime`). Refit by `matching.fit.fit`, `calibrate`.
    """

    invoice: Mapping[str, float]
    account: Mapping[str, float]
    calibration: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def to_json(weights: Weights) -> str:
    """The weights as the text of weights.json."""
    content = {
        "invoice": dict(sorted(weights.invoice.items())),
        "account": dict(sorted(weights.account.items())),
        "calibration": {name: list(pair) for name, pair in sorted(weights.calibration.items())},
    }
    return json.dumps(content, indent=1)


def from_json(text: str) -> Weights:
    """Weights from the text `to_json` gave."""
    content = json.loads(text)
    pairs = {name: (float(scale), float(shift)) for name, (scale, shift) in content["calibration"].items()}
    return Weights(content["invoice"], content["account"], pairs)


@cache
def prior_weights() -> Weights:
    """What is known before any example: what `matching.fit.fit` is drawn to, so that rare features keep sense."""
    return _read("prior.json")


@cache
def default_weights() -> Weights:
    """The weights that ship, fitted on the development corpus; a deployment refits them after 300 corrections."""
    return _read("weights.json")


def _read(name: str) -> Weights:
    return from_json((Path(__file__).parent / name).read_text(encoding="utf-8"))


def bits(features: Features, weights: Mapping[str, float]) -> float:
    """The weight of all evidence together, in bits (log2 of the odds against "not this one")."""
    weight = weights.get
    return sum([value * weight(name, 0.0) for name, value in features.items() if value])


def probabilities(scores: Sequence[float]) -> list[float]:
    """
    The probability of each of several candidates of which at most one is meant, from their bits.

    "None of them" competes with 0 bits, so a single candidate gets the logistic function of its bits.
    """
    odds = [2.0 ** max(-_FAR, min(_FAR, score)) for score in scores]
    total = 1.0 + sum(odds)
    return [each / total for each in odds]


def log_odds(chance: float) -> float:
    """The natural log-odds of a probability, within what can be told apart."""
    kept = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(kept / (1 - kept))


def calibrated(chance: float, pair: tuple[float, float]) -> float:
    """A probability after scale and shift of its log-odds: how often such a one was right."""
    scale, shift = pair
    return 1 / (1 + math.exp(-(scale * log_odds(chance) + shift)))


def one_typo(written: str, meant: str) -> bool:
    """Whether one digit was changed, left out, doubled or swapped with its neighbour (optimal string alignment)."""
    return OSA.distance(written, meant, score_cutoff=1) == 1


_CLOSE = 0.6


def closest(written: str, numbers: Sequence[str], *, most: int) -> list[str]:
    """Those of the numbers that may have been meant by what was typed, the likeliest first: slips cost little."""
    found = process.extract(
        written, numbers, scorer=OSA.normalized_similarity, processor=_bare, score_cutoff=_CLOSE, limit=most
    )
    ends = _bare(written)
    tails = [number for number in numbers if len(ends) >= _TAIL and _bare(number).endswith(ends)]
    return list(dict.fromkeys([*tails, *(number for number, _, _ in found)]))[:most]


_TAIL = 3


def _bare(number: str) -> str:
    return "".join(character for character in number.upper() if character.isalnum())
