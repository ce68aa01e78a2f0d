"""The weights of matching in force: those a deployment refitted, kept in versions beside its rules, or the shipped."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.models import Policy
from disputes.rulebook import Rules, read
from matching.scoring import Weights

FAMILY, KEY = "weights", "matching"
"""Under these the versions are kept as policies: never changed, one in force, an older one can be again."""


class MatchWeights(Rules):
    """`matching.scoring.Weights` as a policy keeps them."""

    invoice: dict[str, float]
    account: dict[str, float]
    calibration: dict[str, tuple[float, float]]


def read_weights(content: Mapping[str, Any]) -> MatchWeights:
    """A policy's content, checked. Raises BadPolicy."""
    return read(MatchWeights, content, what="The weights")


def content_of(weights: Weights) -> dict[str, Any]:
    """Weights as the content of a policy."""
    return {
        "invoice": dict(sorted(weights.invoice.items())),
        "account": dict(sorted(weights.account.items())),
        "calibration": {name: list(pair) for name, pair in sorted(weights.calibration.items())},
    }


def weights_in_force(session: Session, *, shipped: Weights) -> Weights:
    """The weights to match by now. One query."""
    content = session.scalar(_IN_FORCE)
    return shipped if content is None else _kept(json.dumps(content, sort_keys=True))


_IN_FORCE = select(Policy.content).where(Policy.family == FAMILY, Policy.key == KEY, Policy.active)


@lru_cache(maxsize=4)
def _kept(content: str) -> Weights:
    found = read_weights(json.loads(content))
    return Weights(found.invoice, found.account, found.calibration)


def versions(session: Session) -> list[Policy]:
    """Every version ever put in force, oldest first."""
    of_key = select(Policy).where(Policy.family == FAMILY, Policy.key == KEY)
    return list(session.scalars(of_key.order_by(Policy.version)))
