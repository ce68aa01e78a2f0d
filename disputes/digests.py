"""What one owner must know today: which cases, in which order, and whether it is worth a mail. Pure.

A person's rhythm lies in their preferences; days and holidays are those of their entity's country.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import re2
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from disputes.workhours import Calendar, is_working_day

LONGEST_GIST = 240
PREFERENCE = "digest"
"""The key of User.preferences."""
READERS = frozenset({"owner", "lead"})
"""Roles that get a digest unless they say otherwise; the others work in the program all day."""
_LONGEST_GREETING = 40
_CLOSING = re2.compile(
    r"^(?:kind regards|best regards|warm regards|regards|many thanks|best wishes|yours|sincerely|cordialement|"
    r"bien cordialement|bien à vous|salutations|mit freundlichen|freundliche|viele grüße|beste grüße|mfg|"
    r"cordiali saluti|distinti saluti|saludos|un saludo|atentamente|met vriendelijke|groeten)[^.?!:]{0,25}$"
)
"""How mails end in six languages; below stand a name and an address."""
_SUNDAY = 6


class Rhythm(BaseModel):
    """When a person gets their digest: off, daily, or weekly on a `weekday` (0 is Monday), from an `hour` on.

    `at_once` also tells of an urgent case the moment something is asked. `zone` is theirs; empty means the entity's.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    rhythm: Literal["off", "daily", "weekly"] = "daily"
    hour: int = Field(default=8, ge=0, le=23)
    weekday: int = Field(default=0, ge=0, le=_SUNDAY)
    at_once: bool = True
    zone: str = ""

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            return zone if not zone or ZoneInfo(zone) else ""
        except (KeyError, ValueError, OSError):  # OSError: a folder of zones, like "Europe"
            return ""


def rhythm_of(preferences: Mapping[str, Any], *, role: str) -> Rhythm:
    """What a person chose, else what their role gets: a daily digest, or none."""
    usual = Rhythm() if role in READERS else Rhythm(rhythm="off", at_once=False)
    try:
        return Rhythm.model_validate({**usual.model_dump(), **preferences.get(PREFERENCE, {})})
    except (ValidationError, TypeError):  # what an older version or a hand wrote must not stop anybody's digest
        return usual


def zone_of(rhythm: Rhythm, calendar: Calendar) -> ZoneInfo:
    """The zone a person's hours are in."""
    return ZoneInfo(rhythm.zone or calendar.zone)


def period_due(rhythm: Rhythm, calendar: Calendar, *, now: datetime) -> str | None:
    """The period whose digest is due: a working day from the hour on, in a week the chosen day. None: not now.

    A day nobody was there to send on is over at midnight: the next digest tells everything still to do.
    """
    local = now.astimezone(zone_of(rhythm, calendar))
    day = local.date()
    if rhythm.rhythm == "off" or local.hour < rhythm.hour or not is_working_day(day, calendar):
        return None
    if rhythm.rhythm == "daily":
        return day.isoformat()
    year, week, _ = day.isocalendar()
    return f"{year}-w{week:02}" if day == _weekly_day(day, rhythm.weekday, calendar) else None


def _weekly_day(day: date, weekday: int, calendar: Calendar) -> date | None:
    """The chosen day of that week; where it is a holiday the next working day of the week, else the one before."""
    week = [day + timedelta(days=other - day.weekday()) for other in range(_SUNDAY + 1)]
    ordered = [*week[weekday:], *reversed(week[:weekday])]
    return next((one for one in ordered if is_working_day(one, calendar)), None)


@dataclass(frozen=True, slots=True)
class InvoiceFact:
    """An invoice of a case: what is in dispute of it, what the customer claims, what is open."""

    number: str
    disputed: Decimal
    claimed: Decimal | None
    open_amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A case as a digest tells it. `asks` are the kinds of the person's open tasks in it.

    `said` is what the customer wrote last, in a line or two. `can_decide`: whether accepting or refusing is theirs.
    `task_id`: they are asked for this one thing in a case that is not theirs to see.
    """

    case_id: int
    title: str
    customer: str
    kind: str
    reason: str
    invoices: tuple[InvoiceFact, ...] = ()
    said: str = ""
    said_by: str = ""
    said_at: datetime | None = None
    asks: tuple[str, ...] = ()
    due_at: datetime | None = None
    urgent: bool = False
    angry: bool = False
    new: bool = False
    can_decide: bool = True
    task_id: int | None = None

    @property
    def amount(self) -> tuple[Decimal, str] | None:
        """What is in dispute, else open, over all invoices; None without invoices or in several currencies."""
        currencies = {one.currency for one in self.invoices}
        if len(currencies) != 1:
            return None
        disputed = sum((one.disputed for one in self.invoices), Decimal(0))
        return disputed or sum((one.open_amount for one in self.invoices), Decimal(0)), currencies.pop()

    @property
    def asked_amount(self) -> tuple[Decimal, str] | None:
        """What the customer says is wrong, where they gave a figure in one currency; None where they gave none."""
        claims = [one.claimed for one in self.invoices if one.claimed is not None]
        return (sum(claims, Decimal(0)), self.amount[1]) if claims and self.amount is not None else None


@dataclass(frozen=True, slots=True)
class Sections:
    """A digest's cases, each once: late, due today, new, and the rest that waits on the person."""

    overdue: tuple[Item, ...]
    due: tuple[Item, ...]
    new: tuple[Item, ...]
    waiting: tuple[Item, ...]

    @property
    def every(self) -> tuple[Item, ...]:
        """All of them, in the order they are told."""
        return (*self.overdue, *self.due, *self.new, *self.waiting)

    @property
    def worth_a_mail(self) -> bool:
        """Nothing new, nothing due and nothing late: no mail."""
        return bool(self.overdue or self.due or self.new)


def sections(items: Sequence[Item], *, now: datetime, zone: tzinfo) -> Sections:
    """The cases put in order: the most pressing first."""
    today = now.astimezone(zone).date()
    ordered = sorted(items, key=lambda one: (one.due_at is None, one.due_at or now, not one.urgent, one.case_id))
    late = [one for one in ordered if one.due_at is not None and one.due_at < now]
    due = [one for one in ordered if one.due_at and one not in late and one.due_at.astimezone(zone).date() <= today]
    rest = [one for one in ordered if one not in late and one not in due]
    return Sections(
        tuple(late),
        tuple(due),
        tuple(one for one in rest if one.new),
        tuple(one for one in rest if not one.new),
    )


def gist(text: str) -> str:
    """What a mail says in a line or two: without its greeting and its end, cut at a sentence or between words."""
    lines = [line.strip() for line in text[:4_000].splitlines() if line.strip() and not line.lstrip().startswith(">")]
    end = next((place for place, line in enumerate(lines) if place and _CLOSING.search(line.casefold())), len(lines))
    lines = lines[:end]
    if len(lines) > 1 and len(lines[0]) <= _LONGEST_GREETING and lines[0].endswith((",", "!", ":")):
        lines = lines[1:]
    words = " ".join(" ".join(lines).split())
    if len(words) <= LONGEST_GIST:
        return words
    cut = words[:LONGEST_GIST]
    sentence = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: sentence + 1] if sentence > LONGEST_GIST // 2 else f"{cut.rpartition(' ')[0]} …"


class DigestMail(NamedTuple):
    """A digest, ready for the outbox: the same in text and in HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Load:
    """What lies with one person, or with a team's queue where `name` is empty."""

    name: str
    team: str
    open: int
    overdue: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class TeamDay:
    """What a lead must know: load per owner, how old the open cases are, promises broken, mails nobody is sure of."""

    loads: tuple[Load, ...]
    ageing: tuple[tuple[int | None, int], ...]
    breaches: tuple[tuple[int, str, str, datetime], ...]
    breached: int
    uncertain: tuple[tuple[int, str, str], ...]

    @property
    def worth_a_mail(self) -> bool:
        """Whether anything needs the lead."""
        waiting = any(one.overdue or (one.open and not one.name) for one in self.loads)
        return bool(waiting or self.breached or self.uncertain)


AGES = (7, 30, 60, None)
"""Ageing of open cases: up to so many days, None is older."""
