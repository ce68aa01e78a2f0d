"""What rules ask of a case: the `when` of routing rules, service levels and playbook steps. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Literal

from pydantic import Field, field_validator, model_validator

from disputes.reading import LANGUAGES
from disputes.reasons import is_one_of, is_reason
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
        return _known(reasons, is_reason, "reason")

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        return _known(languages, LANGUAGES.__contains__, "language")

    @model_validator(mode="after")
    def _amounts_make_sense(self) -> "Condition":
        if (self.amount_from is not None or self.amount_below is not None) and self.currency is None:
            raise ValueError("a limit on the amount needs its currency")
        if self.amount_from is not None and self.amount_below is not None and self.amount_from >= self.amount_below:
            raise ValueError("amount_from must be less than amount_below")
        return self

    def holds(self, case: CaseFacts) -> bool:
        """Whether the case is one the rule speaks of."""
        return all(test(case) for test, _ in self.checks)

    def missed(self, case: CaseFacts) -> tuple[str, ...]:
        """What the case is not, in words; empty where the condition holds."""
        return tuple(words(case) for test, words in self.checks if not test(case))

    @cached_property
    def checks(self) -> tuple["Check", ...]:
        """What is asked, and only that: a sweep asks thousands of times, most conditions ask one or two things."""
        asked = (*self._lists(), *self._amounts())
        return tuple((test, words) for wanted, test, words in asked if wanted)

    def _lists(self) -> tuple[tuple[bool, "Test", "Words"], ...]:
        tags = frozenset(self.tags)
        return (
            (self.kind is not None, lambda case: case.kind == self.kind, lambda case: f"it is a {case.kind}"),
            (
                bool(self.reasons),
                lambda case: is_one_of(case.reason, self.reasons),
                lambda case: f"the reason is {case.reason}",
            ),
            (bool(self.states), lambda case: case.state in self.states, lambda case: f"the case is {case.state}"),
            (bool(self.waiting_on), lambda case: _waits_on(case) in self.waiting_on, _waiting_words),
            (bool(self.entities), lambda case: case.entity in self.entities, lambda case: f"entity {case.entity}"),
            (bool(self.accounts), lambda case: case.account in self.accounts, lambda case: f"account {case.account}"),
            (bool(self.languages), lambda case: case.language in self.languages, lambda case: f"in {case.language}"),
            (bool(self.sentiments), lambda case: case.sentiment in self.sentiments, lambda case: f"{case.sentiment}"),
            (self.urgent is not None, lambda case: case.urgent == self.urgent, _urgent_words),
            (bool(tags), lambda case: tags <= case.tags, lambda _: f"not tagged {', '.join(self.tags)}"),
        )

    def _amounts(self) -> tuple[tuple[bool, "Test", "Words"], ...]:
        least, limit = self.amount_from, self.amount_below
        return (
            (self.currency is not None, lambda case: case.currency == self.currency, _amount_words),
            (least is not None, lambda case: least is None or case.amount >= least, _amount_words),
            (limit is not None, lambda case: limit is None or case.amount < limit, _amount_words),
        )


Test = Callable[[CaseFacts], bool]
Words = Callable[[CaseFacts], str]
Check = tuple[Test, Words]


def _waits_on(case: CaseFacts) -> str:
    return case.waiting_on or NOBODY_WAITS


def _waiting_words(case: CaseFacts) -> str:
    return f"the case waits on {_waits_on(case)}"


def _urgent_words(case: CaseFacts) -> str:
    return "urgent" if case.urgent else "not urgent"


def _amount_words(case: CaseFacts) -> str:
    return f"the amount is {case.amount} {case.currency}".rstrip()


def _known(given: tuple[str, ...], known: Callable[[str], bool], what: str) -> tuple[str, ...]:
    unknown = [one for one in given if not known(one)]
    if unknown:
        raise ValueError(f"there is no {what} {', '.join(unknown)}")
    return given
