"""Dated interest rates with their sources. What is not known is not guessed: a table says when it ends. Pure.

A deployment adds what came later in files of its own, of the same form (`with_own`).
"""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ConfigDict, Field, model_validator

from app.core.errors import BadInput, DomainError
from disputes.rulebook import Rules, read

_FOLDER = Path(__file__).with_name("rates")
_DAY = timedelta(days=1)


class RateUnknown(DomainError):
    """A rate that no table holds: nothing is computed with a guess.

    `known_until` is the last day the table speaks of, None for a day before its first.
    """

    status = 422

    def __init__(self, message: str, *, table: str, known_until: date | None) -> None:
        super().__init__(message)
        self.table = table
        self.known_until = known_until


class Rate(Rules):
    """A rate in per cent a year and the day it begins. `checked` says whether the figure was seen in its source."""

    model_config = ConfigDict(populate_by_name=True)

    begins: date = Field(alias="from")
    rate: Decimal
    source: str
    looked_up: date
    checked: bool = True


class TableContent(Rules):
    """A table as its file says it."""

    name: str
    until: date | None = None
    next: str = ""
    rates: tuple[Rate, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> "TableContent":
        days = [one.begins for one in self.rates]
        if days != sorted(set(days)):
            raise ValueError("the rates must be in the order of their days, each day once")
        if self.until is not None and self.until < days[-1]:
            raise ValueError("until is before the last rate begins")
        return self


@dataclass(frozen=True, slots=True)
class RateTable:
    """Rates in the order of their days. `until` is the last day they hold for, None where a law fixes one for good;
    `next` says where the rate after it is found.
    """

    key: str
    name: str
    rates: tuple[Rate, ...]
    until: date | None
    next: str

    def on(self, day: date) -> Rate:
        """The rate in force on a day. Raises RateUnknown before the first and after the last known day."""
        at = bisect_right(self.rates, day, key=lambda one: one.begins)
        if at == 0:
            message = (
                f"{self.name} is known from {self.rates[0].begins} on, not for {day}: add older rates to {self._file}"
            )
            raise RateUnknown(message, table=self.key, known_until=None)
        if self.until is not None and day > self.until:
            raise self._ended(self.until, day)
        return self.rates[at - 1]

    def next_change(self, day: date) -> date | None:
        """The first day after `day` on which another rate begins, as far as the table knows."""
        at = bisect_right(self.rates, day, key=lambda one: one.begins)
        return self.rates[at].begins if at < len(self.rates) else None

    def unchecked(self) -> tuple[Rate, ...]:
        """The rates somebody should compare with their source."""
        return tuple(one for one in self.rates if not one.checked)

    @property
    def _file(self) -> str:
        return f"{self.key}.toml"

    def _ended(self, until: date, day: date) -> RateUnknown:
        message = (
            f"{self.name} is known until {until}, not for {day}. Nothing is guessed: {self.next}, "
            f"add it to {self._file} with its source, or claim interest up to {until} only"
        )
        return RateUnknown(message, table=self.key, known_until=until)


RateTables = Mapping[str, RateTable]


@cache
def shipped() -> RateTables:
    """The tables that come with the program, by key."""
    return _tables(_FOLDER)


def with_own(folder: Path) -> RateTables:
    """The shipped tables with a deployment's own files: later rates are added, those of the same day replaced.

    Raises BadPolicy or BadInput for a file that cannot be used.
    """
    return with_more(_tables(folder))


def table(tables: RateTables, key: str) -> RateTable:
    """The table of that key. Raises BadInput naming those there are."""
    if key not in tables:
        raise BadInput(f"There is no rate table {key!r}; there are {', '.join(sorted(tables))}")
    return tables[key]


def parse(key: str, content: Mapping[str, Any]) -> RateTable:
    """A table from its file's content. Raises BadPolicy naming each place at fault."""
    return table_of(key, read(TableContent, content, what=f"Rate table {key}"))


def table_of(key: str, found: TableContent) -> RateTable:
    """The table that a file's content makes."""
    return RateTable(key, found.name, found.rates, found.until, found.next)


def with_more(own: Mapping[str, RateTable]) -> RateTables:
    """The shipped tables with tables of a deployment: later rates are added, those of the same day replaced.

    Raises BadInput where days between them would be left out.
    """
    both = {key: _merged(one, own[key]) if key in own else one for key, one in shipped().items()}
    return MappingProxyType({**own, **both})


def _tables(folder: Path) -> RateTables:
    return MappingProxyType({path.stem: _file(path) for path in sorted(folder.glob("*.toml"))})


def _file(path: Path) -> RateTable:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no TOML file: {error}") from error
    return parse(path.stem, content)


def _merged(old: RateTable, new: RateTable) -> RateTable:
    """Rows of `new` win. The gap between what the old one knew and what the new one begins with stays a gap."""
    if old.until is not None and new.rates[0].begins > old.until + _DAY:
        raise BadInput(
            f"{new.key}.toml begins on {new.rates[0].begins}, but the shipped table ends on {old.until}: "
            f"add the rate from {old.until + _DAY} on"
        )
    rows = {one.begins: one for one in (*old.rates, *new.rates)}
    untils = (old.until, new.until)
    until = None if None in untils else max(day for day in untils if day is not None)
    return RateTable(old.key, new.name, tuple(rows[day] for day in sorted(rows)), until, new.next or old.next)
