"""What rules ask of a case: the `when` of routing rules, service levels and playbook steps. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from disputes.reading import LANGUAGES
from disputes.reasons import REASONS
from disputes.rulebook import Rules

State = Literal["new", "in_progress", "waiting", "resolved", "closed", "merged"]
WaitingOn = Literal["customer", "us", "third_party"]
Sentiment = Literal["calm", "annoyed", "angry"]
NOBODY_WAITS = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """A case as rules see it. `amount` is what it is about (disputed, else open), in `currency`; `account` its number.

    `tags` are the case's flags and whatever a deployment adds.
    """

    case_id: int = 0
    kind: str
    reason: str
    state: str = "new"
    waiting_on: str | None = None
    entity: str | None = None
    account: str | None = None
    amount: Decimal = Decimal(0)
    currency: str = ""
    language: str = "en"
    sentiment: str = "calm"
    urgent: bool = False
    tags: frozenset[str] = frozenset()


class Condition(Rules):
    """True where each thing named holds; an empty one always is. Lists mean "one of these", `tags` all of them.

    A limit on the amount is in `currency`, and holds for cases in that currency only: rules never convert.
    """

    kind: Literal["dispute", "query"] | None = None
    reasons: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    waiting_on: tuple[WaitingOn | Literal["nobody"], ...] = ()
    entities: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    sentiments: tuple[Sentiment, ...] = ()
    urgent: bool | None = None
    tags: tuple[str, ...] = ()
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    amount_from: Decimal | None = Field(default=None, ge=0)
    amount_below: Decimal | None = Field(default=None, gt=0)

    @field_validator("reasons")
    @classmethod
    def _known_reasons(cls, reasons: tuple[str, ...]) -> tuple[str, ...]:
        return _known(reasons, REASONS, "reason")

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        return _known(languages, LANGUAGES, "language")

    @model_validator(mode="after")
    def _amounts_make_sense(self) -> "Condition":
        if (self.amount_from is not None or self.amount_below is not None) and self.currency is None:
            raise ValueError("a limit on the amount needs its currency")
        if self.amount_from is not None and self.amount_below is not None and self.amount_from >= self.amount_below:
            raise ValueError("amount_from must be less than amount_below")
        return self

    def holds(self, case: CaseFacts) -> bool:
        """Whether the case is one the rule speaks of."""
        return not self.missed(case)

    def missed(self, case: CaseFacts) -> tuple[str, ...]:
        """What the case is not, in words; empty where the condition holds."""
        asked = (*self._lists(case), *self._amounts(case))
        return tuple(words for asked_for, holds, words in asked if asked_for and not holds)

    def _lists(self, case: CaseFacts) -> tuple[tuple[bool, bool, str], ...]:
        waiting = case.waiting_on or NOBODY_WAITS
        return (
            (self.kind is not None, case.kind == self.kind, f"it is a {case.kind}"),
            (bool(self.reasons), case.reason in self.reasons, f"the reason is {case.reason}"),
            (bool(self.states), case.state in self.states, f"the case is {case.state}"),
            (bool(self.waiting_on), waiting in self.waiting_on, f"the case waits on {waiting}"),
            (bool(self.entities), case.entity in self.entities, f"the entity is {case.entity}"),
            (bool(self.accounts), case.account in self.accounts, f"the account is {case.account}"),
            (bool(self.languages), case.language in self.languages, f"the language is {case.language}"),
            (bool(self.sentiments), case.sentiment in self.sentiments, f"the customer is {case.sentiment}"),
            (self.urgent is not None, case.urgent == self.urgent, "urgent" if case.urgent else "not urgent"),
            (bool(self.tags), case.tags.issuperset(self.tags), f"not tagged {', '.join(self.tags)}"),
        )

    def _amounts(self, case: CaseFacts) -> tuple[tuple[bool, bool, str], ...]:
        amount = f"the amount is {case.amount} {case.currency}".rstrip()
        return (
            (self.currency is not None, case.currency == self.currency, f"the currency is {case.currency}"),
            (self.amount_from is not None, case.amount >= (self.amount_from or 0), amount),
            (self.amount_below is not None, case.amount < (self.amount_below or 0), amount),
        )


def _known(given: tuple[str, ...], known: Iterable[str], what: str) -> tuple[str, ...]:
    unknown = [one for one in given if one not in known]
    if unknown:
        raise ValueError(f"there is no {what} {', '.join(unknown)}")
    return given
