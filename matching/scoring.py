"""Fellegi-Sunter scoring: features of a candidate, their weights in bits, probabilities within a mention."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rapidfuzz.distance import OSA

Features = Mapping[str, float]
LN2 = math.log(2)
_FAR = 40.0  # bits beyond which a probability is 0 or 1 to the last digit


@dataclass(frozen=True, slots=True)
class Weights:
    """
    Bits of evidence a unit of each feature gives, for invoices and for accounts; `scale` and `shift` calibrate the
    sum of an invoice's bits (Platt). Refit by `matching.fit.fit`.
    """

    invoice: Mapping[str, float]
    account: Mapping[str, float]
    scale: float = 1.0
    shift: float = 0.0


def to_json(weights: Weights) -> str:
    """The weights as the text of weights.json."""
    content = {
        "invoice": dict(sorted(weights.invoice.items())),
        "account": dict(sorted(weights.account.items())),
        "scale": weights.scale,
        "shift": weights.shift,
    }
    return json.dumps(content, indent=1)


def from_json(text: str) -> Weights:
    """Weights from the text `to_json` gave."""
    content = json.loads(text)
    return Weights(content["invoice"], content["account"], content["scale"], content["shift"])


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
    return sum(value * weights.get(name, 0.0) for name, value in features.items())


def probabilities(scores: Sequence[float]) -> list[float]:
    """
    The probability of each of several candidates of which at most one is meant, from their bits.

    "None of them" competes with 0 bits, so a single candidate gets the logistic function of its bits.
    """
    odds = [2.0 ** max(-_FAR, min(_FAR, score)) for score in scores]
    total = 1.0 + sum(odds)
    return [each / total for each in odds]


def one_typo(written: str, meant: str) -> bool:
    """Whether one digit was changed, left out, doubled or swapped with its neighbour (optimal string alignment)."""
    return OSA.distance(written, meant, score_cutoff=1) == 1
