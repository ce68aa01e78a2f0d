"""Who must approve a credit: one person below a limit, two different ones above, never the one who asked. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

ONE, TWO = 1, 2


@dataclass(frozen=True, slots=True)
class Asked:
    """A credit that was asked for in a case: `standing` while it is open or granted, not once it was refused."""

    amount: Decimal
    currency: str
    standing: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How a request stands: "open", "granted" or "refused", and how many more yes it needs."""

    state: str
    missing: int


def needed(amount: Decimal, currency: str, *, earlier: Iterable[Asked], limit: Decimal, limit_currency: str) -> int:
    """How many people must say yes. A case's earlier credits count: a large one in small pieces is a large one.

    The limit is in the entity's currency; in any other nobody can say that it is kept, so two are asked.
    """
    if currency != limit_currency:
        return TWO
    told = sum((one.amount for one in earlier if one.standing and one.currency == currency), Decimal(0))
    return ONE if told + amount <= limit else TWO


def standing_of(votes: Mapping[int, bool], *, asked_by: int, needed: int) -> Standing:
    """Where the votes (user id -> yes or no) lead. One no ends it; a vote of the asker's counts for nothing."""
    counted = {user: approved for user, approved in votes.items() if user != asked_by}
    if not all(counted.values()):
        return Standing("refused", 0)
    missing = max(needed - len(counted), 0)
    return Standing("open" if missing else "granted", missing)
