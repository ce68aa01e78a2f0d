"""Refitting the weights of a deployment from what its people corrected: better on mails it has not seen, or not at all.

The refit starts from the weights in force and is drawn to them, so that a feature people never met keeps its sense.
Calibration stays: corrected mails are the hard ones, and would teach that the program is wrong more often than it is.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matching.facts import MatchPolicy
from matching.fit import Example, fit, log_loss
from matching.matcher import decide, raw_chances
from matching.scoring import Weights, calibrated

ENOUGH = 300
"""So many corrected mails are needed: 50 gave a precision of 0.53 (matching.md section 3)."""

_HELD_OUT = 4  # one part in so many is held out, by account
_STRENGTH = 3.0
_GAIN = 0.005  # the least share of surprise that must go


@dataclass(frozen=True, slots=True)
class Figures:
    """How weights do on held-out mails: `loss` in bits a candidate, share of exact sets, wrong automatic links."""

    mails: int
    loss: float
    exact: float
    wrong_auto: int


@dataclass(frozen=True, slots=True)
class Refit:
    """The weights found, how those in force and the new ones do on the part held out, and the verdict in words."""

    weights: Weights
    before: Figures
    after: Figures
    better: bool
    why: str


def refit(examples: Sequence[Example], current: Weights, *, policy: MatchPolicy) -> Refit:
    """Fit on three quarters of the accounts, judge on the rest; `better` says whether the new weights may be used."""
    held_out = [each for each in examples if _is_held_out(each)]
    weights = replace(
        fit([each for each in examples if not _is_held_out(each)], prior=current, strength=_STRENGTH),
        calibration=current.calibration,
    )
    before, after = figures(held_out, current, policy), figures(held_out, weights, policy)
    better, why = _verdict(before, after)
    return Refit(weights, before, after, better, why)


def _is_held_out(example: Example) -> bool:
    digest = hashlib.sha256(f"held out {example.account_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % _HELD_OUT == 0


def _verdict(before: Figures, after: Figures) -> tuple[bool, str]:
    if not before.mails:
        return False, "no account is left to judge by"
    if after.wrong_auto > before.wrong_auto:
        return False, "it would link more wrong invoices by itself"
    if after.exact < before.exact:
        return False, "it finds fewer mails' invoices"
    if after.loss > before.loss * (1 - _GAIN):
        return False, "it is no surer of what is right"
    return True, "it is surer of what is right, and wrong no more often"


def figures(examples: Sequence[Example], weights: Weights, policy: MatchPolicy) -> Figures:
    """How weights do on examples."""
    chances: list[float] = []
    truth: list[bool] = []
    exact = wrong = 0
    for example in examples:
        for candidate, chance in zip(example.trial.candidates, raw_chances(example.trial, weights), strict=True):
            pair = weights.calibration.get(candidate.regime)
            chances.append(calibrated(chance, pair) if pair else chance)
            truth.append(candidate.invoice.id in example.invoice_ids)
        decision = decide(example.trial, policy=policy, weights=weights)
        exact += {link.invoice_id for link in decision.likely} == example.invoice_ids
        wrong += sum(link.state == "auto" and link.invoice_id not in example.invoice_ids for link in decision.links)
    return Figures(len(examples), round(log_loss(chances, truth), 5), round(exact / max(len(examples), 1), 4), wrong)
