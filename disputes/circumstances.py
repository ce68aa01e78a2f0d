"""How circumstances shift the odds of a reason: what the thread was about, and whether the sender is known.

Learned as log ratios against the plain frequencies, tied where examples are few: a thread mostly goes on about what
it was about, or turns to a handful of follow-ups (chaser, thanks, promise). Set by hand: which of two readings the
same words of a payment made have.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from disputes.examples import Example
from disputes.reading import CaseFacts
from disputes.reasons import NO_MATTER, OTHER, kind_of, shipped

_SMOOTHING = 5.0
_SENDER_TRUST = 1.0  # chosen by cross-validation over accounts
_THREAD_TRUST = 0.6  # chosen by leaving one corpus out: other sellers' threads go on otherwise

PAID, ADVISED = "already_paid", "remittance"
_ANSWERED = 3.0  # odds of a claim that it was paid against a notice of payment, where the mail answers one of ours
_FITS = 1.5  # the same where a payment for the invoice had come

_LEAST = 1e-12

Floats = NDArray[np.float32]


def learn_moves(examples: Iterable[Example], reasons: Sequence[str]) -> Floats:
    """Log ratio of a reason's odds (column) after an earlier reason of the thread (row)."""
    pairs = [(topic_of(example.earlier), example.reason) for example in examples if example.earlier]
    stays = (sum(topic == reason for topic, reason in pairs) + 1) / (len(pairs) + 2)
    turns = Counter(reason for topic, reason in pairs if topic != reason)
    share = np.array([turns[reason] + _SMOOTHING / len(reasons) for reason in reasons])
    share *= (1 - stays) / share.sum()
    after = np.tile(share, (len(reasons), 1)) + stays * np.eye(len(reasons))
    ratios: Floats = np.log(after * len(reasons)).astype(np.float32)
    return ratios if pairs else np.zeros_like(ratios)


def learn_strangers(examples: Iterable[Example], reasons: Sequence[str]) -> Floats:
    """Log ratio of a reason's odds from an unknown (row 0) and a known sender (row 1); matters share one ratio."""
    counts = Counter((bool(e.sender_known), _group(e.reason)) for e in examples if e.sender_known is not None)
    groups = [_group(reason) for reason in reasons]
    table = np.array([[counts[known, group] + 0.5 for group in groups] for known in (False, True)])
    sides = np.array([[sum(n for (k, _), n in counts.items() if k is known) + 0.5] for known in (False, True)])
    ratios: Floats = np.log((table / sides) / (table.sum(axis=0) / sides.sum())).astype(np.float32)
    return ratios


def _group(reason: str) -> str:
    return reason if kind_of(reason) == OTHER else "matter"


def topic_of(earlier: Sequence[str]) -> str:
    """What a thread is about: its latest reason that is a matter of its own, else its latest; "" for none."""
    topics = [reason for reason in earlier if reason not in NO_MATTER]
    return (topics or list(earlier) or [""])[-1]


def shift(facts: CaseFacts, reasons: Sequence[str], moves: Floats, strangers: Floats) -> Floats:
    """What the circumstances add to each reason's log odds."""
    total = np.zeros(len(reasons), dtype=np.float32)
    topic = topic_of([reason for _, reason in facts.earlier])
    known = topic if topic in reasons else shipped(topic)  # a reason of the deployment that the model never learned
    if known in reasons:
        sure = _sureness(facts, topic)
        moved = np.log(sure * np.exp(moves[reasons.index(known)]) + (1 - sure))
        total += (_THREAD_TRUST * moved).astype(np.float32)
    if facts.sender_known is not None:
        total += _SENDER_TRUST * strangers[int(facts.sender_known)]
    return total


def _sureness(facts: CaseFacts, topic: str) -> float:
    """How sure the thread's topic is: a guess must not be believed like what a person said."""
    told = zip(facts.earlier, facts.earlier_sure, strict=False)
    return next((sure for (_, reason), sure in reversed(list(told)) if reason == topic), 1.0)


def told_apart(chances: Floats, reasons: Sequence[str], *, answers: bool, payment_fits: bool | None) -> Floats:
    """
    The chances with those of a claim that an invoice is paid and of a payment's notice shared out anew between them.

    "Paid by transfer on the 3rd" contests the reminder it answers, the more so where the money is there; unasked it
    tells what a payment is for. What all other reasons have is left to them.
    """
    paid, advised = reasons.index(PAID), reasons.index(ADVISED)
    odds = (_ANSWERED if answers else 1 / _ANSWERED) * (_FITS if payment_fits else 1.0)
    both, share = chances[paid] + chances[advised], chances[paid] * odds
    told = chances.copy()
    told[paid] = both * share / max(float(share + chances[advised]), _LEAST)
    told[advised] = both - told[paid]
    return told
