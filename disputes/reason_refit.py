"""Learning reasons again with what people said of a deployment's mails: better on mails held out, or not at all.

The judge is a part of the mails that the model in force has not learned from. Old and new are asked about the same
ones; only then is the new one learned once more from all, so that nothing people said is lost.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log2

from disputes.classifier import train
from disputes.examples import Example, shipped_examples
from disputes.model_file import Model
from disputes.reason_corrections import Taught
from disputes.reasons import kind_of
from disputes.understanding import understand

ENOUGH = 50
"""So many mails must have been said something of since the version in force: fewer judge by chance."""
_HELD_OUT = 4  # one part in so many of the new ones judges
_GAIN = 0.005  # the least share of surprise that must go where as many are right
_UNTOLD = 1e-6  # the chance of a reason that a model does not know

N_ = str  # marks a msgid for babel's extraction; translated where it is shown
Learn = Callable[[Sequence[Example]], Model]


@dataclass(frozen=True, slots=True)
class Figures:
    """How a model does on mails held out: wrong reasons, wrong kinds, `loss` in bits a mail (less is surer)."""

    mails: int
    errors: int
    kind_errors: int
    loss: float


@dataclass(frozen=True, slots=True)
class Refit:
    """How the model in force and the new one do, the verdict in words, and the new model where it is better."""

    before: Figures
    after: Figures
    better: bool
    why: str
    model: Model | None


def new_since(taught: Sequence[Taught], learned_to: datetime | None) -> list[Taught]:
    """What people said after the model in force was learned (None: what ships, which knows nothing of it)."""
    return [one for one in taught if learned_to is None or one.at > learned_to]


def refit(
    taught: Sequence[Taught], current: Model, *, learned_to: datetime | None, learn: Learn | None = None
) -> Refit:
    """Learn again, judge on mails the model in force has not learned; some 20 seconds."""
    learn = learn or with_shipped
    judges = held_out(new_since(taught, learned_to))
    kept = [one for one in taught if one.message_id not in judges]
    asked = [one for one in taught if one.message_id in judges]
    before, after = figures(asked, current), figures(asked, learn([one.example for one in kept]))
    better, why = verdict(before, after)
    return Refit(before, after, better, why, learn([one.example for one in taught]) if better else None)


def with_shipped(own: Sequence[Example]) -> Model:
    """A model of what ships and a deployment's own mails."""
    return train(shipped_examples(), own=own)


def held_out(new: Sequence[Taught]) -> Collection[int]:
    """The mails that judge: whole accounts, drawn by their hash, until they are a quarter of what is new."""
    counts = Counter(one.example.account for one in new)
    drawn: set[str] = set()
    for account in sorted(counts, key=lambda name: hashlib.sha256(f"held out {name}".encode()).digest()):
        if sum(counts[one] for one in drawn) * _HELD_OUT >= len(new):
            break
        drawn.add(account)
    return frozenset(one.message_id for one in new if one.example.account in drawn)


def verdict(before: Figures, after: Figures) -> tuple[bool, str]:
    """Whether the new model may be used, and why."""
    if not before.mails:
        return False, N_("no mail is left to judge by")
    if after.errors > before.errors:
        return False, N_("it is wrong more often")
    if after.kind_errors > before.kind_errors:
        return False, N_("it takes more disputes for queries, or queries for disputes")
    if after.errors < before.errors:
        return True, N_("it is wrong less often")
    if after.loss > before.loss * (1 - _GAIN):
        return False, N_("it is no surer of what is right")
    return True, N_("it is surer of what is right, and wrong no more often")


def figures(taught: Sequence[Taught], model: Model) -> Figures:
    """How a model does on mails people said something of."""
    errors = kind_errors = 0
    surprise = 0.0
    for one in taught:
        meant = understand(one.example.mail, one.example.facts, model)
        errors += meant.reason != one.example.reason
        kind_errors += meant.kind != kind_of(one.example.reason)
        surprise -= log2(max(dict(meant.ranking).get(one.example.reason, 0.0), _UNTOLD))
    return Figures(len(taught), errors, kind_errors, round(surprise / max(len(taught), 1), 4))
