"""What a push answers for each document."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from invoices.actions.verdicts import Status
from invoices.feed import Refused


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document. `id` and `account_id` name what was written, `field` and `reason` a refusal.

    `shape` tells a refusal of something that is no document at all (an unknown field, not JSON).
    """

    status: Status
    type: str
    entity: str
    number: str
    field: str = ""
    reason: str = ""
    id: int | None = None
    account_id: int | None = None
    shape: bool = False

    @property
    def changed(self) -> bool:
        """Whether the ledger is another one now."""
        return self.status in {"created", "updated"}

    def as_answer(self) -> dict[str, Any]:
        """The outcome as the API and the command line give it."""
        answer = {"outcome": self.status, "type": self.type, "entity": self.entity, "number": self.number}
        return answer | ({"field": self.field, "reason": self.reason} if self.status == "refused" else {})


@dataclass(frozen=True)
class Changed:
    """What a push touched, for the cases to be looked at again."""

    accounts: frozenset[int]
    invoices: frozenset[int]


def refusal(refused: Refused) -> Outcome:
    """The outcome of a document that was refused when it was read."""
    return Outcome(
        "refused", refused.type, refused.entity, refused.number, refused.field, refused.reason, shape=refused.shape
    )


def changed(outcomes: Iterable[Outcome]) -> Changed:
    """The accounts and invoices that outcomes changed; a payment changes its account."""
    accounts: set[int] = set()
    invoices: set[int] = set()
    for outcome in outcomes:
        if outcome.changed and outcome.account_id is not None:
            accounts.add(outcome.account_id)
        if outcome.changed and outcome.id is not None and outcome.type in {"invoice", "credit_note"}:
            invoices.add(outcome.id)
    return Changed(frozenset(accounts), frozenset(invoices))
