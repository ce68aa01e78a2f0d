"""Dunning procedures as data: the levels of reminder, and which procedure an account is on. Pure.

What a procedure cannot say is whether disputed money is asked for, or money that is covered: letters.balance never
lets it through, whatever the procedure.
"""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from app.core.errors import BadInput
from app.core.money import known_currency
from disputes.rulebook import Rules, read
from letters.laws import Customer, Terms

Channel = Literal["email", "post", "registered"]
Kind = Literal["reminder_1", "reminder_2", "reminder_3", "formal_notice"]
_FOLDER = Path(__file__).with_name("procedures")
_SAYS_NOTHING = ("no", "", False, None)


class Level(Rules):
    """One level of reminder, for items at least `days_late` and, from the second on, `days_after_previous` days after
    the level before. `minimum` is what the items on this level must come to, in the procedure's currency; `channels` in
    the order of preference; `days_to_pay` from the letter's day, none for "at once". A fee names what it is owed by.

    `approval`: nobody, an agent, or a team's lead looks at each letter before it goes.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    kind: Kind
    days_late: int = Field(ge=1, le=3650)
    days_after_previous: int = Field(default=0, ge=0, le=365)
    minimum: Decimal = Field(default=Decimal(0), ge=0)
    channels: tuple[Channel, ...] = Field(default=("email", "post"), min_length=1)
    fee: Decimal = Field(default=Decimal(0), ge=0)
    fee_source: str = ""
    interest: bool = False
    compensation: bool = False
    days_to_pay: int | None = Field(default=None, ge=0, le=365)
    approval: Literal["nobody", "agent", "lead"] = "nobody"

    @model_validator(mode="after")
    def _fee_is_owed(self) -> "Level":
        if self.fee and not self.fee_source:
            raise ValueError("a fee needs fee_source: the contract or law it is owed by")
        return self


class Procedure(Rules):
    """Levels in order, and how patient they are. Amounts are in `currency`; other currencies are never converted.

    An item below `least_item` is left alone. Between two letters to an account lie `days_between` days, and
    `quiet_days` since any automatic mail. After we answered a dispute, or a promise passed, an item rests a while: a
    call comes first. `customers` says whose law counts where a level asks for interest or compensation, `agreed` what
    contracts with them say instead of it.
    """

    name: str = Field(min_length=1, max_length=80)
    currency: str
    customers: Customer = "business"
    agreed: Terms | None = None
    levels: tuple[Level, ...] = Field(min_length=1, max_length=10)
    least_item: Decimal = Field(default=Decimal(0), ge=0)
    days_between: int = Field(default=7, ge=1, le=365)
    quiet_days: int = Field(default=1, ge=0, le=60)
    days_after_answer: int = Field(default=7, ge=0, le=90)
    days_after_promise: int = Field(default=3, ge=0, le=90)

    @field_validator("agreed", mode="before")
    @classmethod
    def _nothing_agreed(cls, agreed: object) -> object:
        """A form's fields that only say no agree nothing."""
        said = agreed.items() if isinstance(agreed, Mapping) else ()
        return None if isinstance(agreed, Mapping) and all(value in _SAYS_NOTHING for _, value in said) else agreed

    @model_validator(mode="after")
    def _levels_rise(self) -> "Procedure":
        if not known_currency(self.currency):
            raise ValueError(f"{self.currency} is no currency")
        twice = [name for name, count in Counter(level.id for level in self.levels).items() if count > 1]
        if twice:
            raise ValueError(f"each level needs an id of its own: {', '.join(twice)} comes twice")
        for before, after in pairwise(self.levels):
            if after.days_late <= before.days_late or after.minimum < before.minimum:
                raise ValueError(f"{after.id} must be later than {before.id}, and not for less")
            if not after.days_after_previous:
                raise ValueError(f"{after.id} needs days_after_previous: nobody gets two levels at once")
        return self

    def at(self, position: int) -> Level:
        """The level of a position, 1 the first; beyond the last, the last: the procedure was longer once."""
        return self.levels[min(position, len(self.levels)) - 1]


class Assignment(Rules):
    """Whom a procedure is for: an account, a group of accounts, an entity, or with none of them everybody.

    A group is the code the ERP gives its accounts. An empty `procedure` means no letters at all.
    """

    procedure: str
    entity: str | None = None
    group: str | None = Field(default=None, max_length=40)
    account: str | None = None

    @model_validator(mode="after")
    def _account_within_entity(self) -> "Assignment":
        if self.account is not None and self.entity is None:
            raise ValueError("an account's number is unique within its entity only: name the entity")
        return self


@dataclass(frozen=True, slots=True)
class Chosen:
    """The procedure of an account, None for no letters, and why that one."""

    key: str
    procedure: Procedure | None
    why: str


def choose(
    assignments: Sequence[Assignment],
    procedures: Mapping[str, Procedure],
    *,
    entity: str,
    account: str,
    groups: frozenset[str] = frozenset(),
    country: str = "",
) -> Chosen:
    """The most exact assignment wins: account, then group, then entity, then everybody; then the country's procedure.

    Among equally exact ones the first. Raises BadInput for an assignment to a procedure there is not.
    """
    fitting = [one for one in assignments if _fits(one, entity, account, groups)]
    if not fitting:
        found = procedures.get(country.lower())
        why = (
            f"as usual in {country}" if found else f"no procedure is set, and none ships for {country or 'no country'}"
        )
        return Chosen(country.lower() if found else "", found, why)
    best = min(fitting, key=lambda one: (one.account is None, one.group is None, one.entity is None))
    if best.procedure and best.procedure not in procedures:
        raise BadInput(f"There is no dunning procedure {best.procedure!r}; there are {', '.join(sorted(procedures))}")
    return Chosen(best.procedure, procedures.get(best.procedure), _for_whom(best))


def groups_of(code: str) -> frozenset[str]:
    """The groups of an account by the code the ERP gives it; none for ''."""
    return frozenset({code}) if code else frozenset()


def _fits(one: Assignment, entity: str, account: str, groups: frozenset[str]) -> bool:
    return (
        one.entity in {None, entity} and one.account in {None, account} and (one.group is None or one.group in groups)
    )


def _for_whom(one: Assignment) -> str:
    if one.account is not None:
        return f"set for account {one.account}"
    if one.group is not None:
        return f"set for the group {one.group}"
    return f"set for {one.entity}" if one.entity is not None else "set for everybody"


def read_procedure(content: Mapping[str, object]) -> Procedure:
    """A procedure from a policy's content. Raises BadPolicy with each place at fault."""
    return read(Procedure, content, what="The dunning procedure")


@cache
def shipped() -> Mapping[str, Procedure]:
    """The procedures that come with the program, by country in small letters."""
    return {
        path.stem: read_procedure(tomllib.loads(path.read_text("utf-8"))) for path in sorted(_FOLDER.glob("*.toml"))
    }
