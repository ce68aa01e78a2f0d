"""What a decision about an account's letters looks at. Values only, so that the same facts give the same letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from letters.balance import Cover, Hold, Item, Matter
from letters.procedure import Channel


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that went out or is on its way: for each item's number its position in the levels, 1 the first."""

    day: date
    level: str
    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """Everything a decision looks at. `last_automatic` is the day of the last automatic mail that was no letter;
    `reachable` the ways a letter can go; `block` says that the account gets none; `checked` that two people check
    changed bank details of it (S15).
    """

    account: str
    items: Sequence[Item] = ()
    covers: Sequence[Cover] = ()
    matters: Sequence[Matter] = ()
    sent: Sequence[Sent] = ()
    block: Hold | None = None
    checked: bool = False
    last_automatic: date | None = None
    reachable: frozenset[Channel] = frozenset({"email", "post", "registered"})
