"""What a dunning procedure would have sent over a past time: to whom, about how much, how often to somebody in dispute.

Pure, over what happened to accounts. The replay sends in its own name only: what was really sent then is compared, not
counted as sent.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

from letters.balance import Cover, Hold, Item, Matter
from letters.dunning import Decision, Letter, decide
from letters.facts import AccountFacts, Sent
from letters.procedure import Procedure

ZERO = Decimal(0)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ItemStood:
    """An item as it stood from a day on: opened, paid in part, disputed, held; open amount zero is settled."""

    day: date
    item: Item


@dataclass(frozen=True, slots=True)
class CoverStood:
    """A payment, credit or promise as it stood from a day on; None in place of it: it was used up or ended."""

    day: date
    source: str
    cover: Cover | None


@dataclass(frozen=True, slots=True)
class MatterStood:
    """A case as it stood from a day on; None in place of it: it was closed."""

    day: date
    case_id: int
    matter: Matter | None


@dataclass(frozen=True, slots=True)
class BlockStood:
    """Whether the account was to get letters, from a day on."""

    day: date
    block: Hold | None


Happened = ItemStood | CoverStood | MatterStood | BlockStood


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What happened to one account, in any order, and the letters it really got. `start` holds what no event tells:
    the ways to reach it, and letters sent before the replay, from which its items climb on.
    """

    start: AccountFacts
    events: Sequence[Happened] = ()
    really_sent: Sequence[Sent] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """One letter the procedure would have sent. `disputed` is what the account had in dispute that day, by currency."""

    account: str
    day: date
    level: str
    totals: Mapping[str, Decimal]
    items: tuple[str, ...]
    disputed: Mapping[str, Decimal]

    @property
    def in_dispute(self) -> bool:
        """Whether it would have gone to somebody who was in dispute (about something else than it asks for)."""
        return any(self.disputed.values())


@dataclass(frozen=True, slots=True)
class Replay:
    """All letters of the time in the order of their days, why none went on how many account-days, and how many letters
    were really sent then, of which how many to somebody in dispute.
    """

    first: date
    last: date
    accounts: int
    letters: tuple[Replayed, ...]
    refusals: Mapping[str, int]
    really_sent: int
    really_in_dispute: int

    @property
    def by_level(self) -> Mapping[str, int]:
        """Level -> number of letters."""
        return Counter(one.level for one in self.letters)

    @property
    def by_account(self) -> Mapping[str, int]:
        """Account -> number of letters."""
        return Counter(one.account for one in self.letters)

    @property
    def to_somebody_in_dispute(self) -> tuple[Replayed, ...]:
        """The letters that would have gone to somebody who had something in dispute that day."""
        return tuple(one for one in self.letters if one.in_dispute)

    @property
    def asked(self) -> Mapping[str, Decimal]:
        """What the letters ask for by currency; a debt that three letters name counts three times."""
        found: dict[str, Decimal] = {}
        for one in self.letters:
            for currency, amount in one.totals.items():
                found[currency] = found.get(currency, ZERO) + amount
        return found


def replay(pasts: Iterable[Past], procedure: Procedure, *, first: date, last: date) -> Replay:
    """The procedure run on every day from `first` to `last`, both included, over each account by itself."""
    letters: list[Replayed] = []
    refusals: Counter[str] = Counter()
    accounts = really = really_disputed = 0
    for past in pasts:
        accounts += 1
        one = _Account(past, procedure, first, last)
        letters += one.run(refusals)
        standing = _Standing(past)
        days = sorted(sent.day for sent in past.really_sent if first <= sent.day <= last)
        really += len(days)
        really_disputed += sum(any(_disputed(standing.on(day)).values()) for day in days)
    letters.sort(key=lambda one: (one.day, one.account))
    return Replay(first, last, accounts, tuple(letters), dict(refusals), really, really_disputed)


@dataclass(slots=True)
class _Account:
    """One account on its way through the time."""

    past: Past
    procedure: Procedure
    first: date
    last: date
    sent: list[Sent] = field(default_factory=list)

    def run(self, refusals: Counter[str]) -> list[Replayed]:
        """Its letters. Between events only those days are looked at on which the answer may change."""
        self.sent = list(self.past.start.sent)
        standing = _Standing(self.past)
        days = sorted({one.day for one in self.past.events if self.first < one.day <= self.last})
        found: list[Replayed] = []
        day: date | None = self.first
        while day is not None and day <= self.last:
            facts = replace(standing.on(day), sent=tuple(self.sent))
            decision = decide(facts, self.procedure, today=day)
            following = _next(days, decision, day)
            if decision.letter is not None:
                self.sent.append(Sent(day, decision.letter.level.id, decision.letter.positions))
                found.append(_replayed(facts, decision.letter, day))
                following = day + _DAY
            elif decision.refusal is not None:
                end = self.last + _DAY if following is None else min(following, self.last + _DAY)
                refusals[decision.refusal.code] += (end - day).days
            day = following
        return found


def stood(past: Past, day: date) -> AccountFacts:
    """The account as it stood on a day, but for letters: those of `start` alone."""
    return _Standing(past).on(day)


class _Standing:
    """An account on its way from day to day: its events are sorted once, and each is applied once."""

    def __init__(self, past: Past) -> None:
        self._start = past.start
        self._events = sorted(past.events, key=lambda one: one.day)
        self._applied = 0
        self._items = {one.number: one for one in past.start.items}
        self._covers = {one.source: one for one in past.start.covers}
        self._matters = {one.case_id: one for one in past.start.matters}
        self._block = past.start.block

    def on(self, day: date) -> AccountFacts:
        """As it stood on a day, which is never before the day asked for last."""
        while self._applied < len(self._events) and self._events[self._applied].day <= day:
            self._apply(self._events[self._applied])
            self._applied += 1
        standing = tuple(self._items.values()), tuple(self._covers.values()), tuple(self._matters.values())
        return replace(self._start, items=standing[0], covers=standing[1], matters=standing[2], block=self._block)

    def _apply(self, event: Happened) -> None:
        if isinstance(event, ItemStood):
            self._items[event.item.number] = _since(self._items.get(event.item.number), event)
        elif isinstance(event, CoverStood):
            _put(self._covers, event.source, event.cover)
        elif isinstance(event, MatterStood):
            _put(self._matters, event.case_id, event.matter)
        else:
            self._block = event.block


def _since(before: Item | None, event: ItemStood) -> Item:
    """The item with the days that only its past tells: when its dispute ended, when it was owed again."""
    item = event.item
    if before is None:
        return item
    answered = event.day if before.disputed > 0 and item.disputed == 0 else item.answered or before.answered
    settled = before.open_amount <= 0 < item.open_amount
    return replace(item, answered=answered, reopened=event.day if settled else item.reopened or before.reopened)


Key = TypeVar("Key")
Value = TypeVar("Value")


def _put(into: dict[Key, Value], key: Key, value: Value | None) -> None:
    if value is None:
        into.pop(key, None)
    else:
        into[key] = value


def _next(days: Sequence[date], decision: Decision, day: date) -> date | None:
    """The next day with an event, or on which the same facts give another answer."""
    after = bisect_right(days, day)
    known = [one for one in (*days[after : after + 1], decision.again) if one is not None]
    return min(known, default=None)


def _replayed(facts: AccountFacts, letter: Letter, day: date) -> Replayed:
    items = tuple(one.item.number for one in letter.asked)
    return Replayed(facts.account, day, letter.level.id, letter.totals, items, _disputed(facts))


def _disputed(facts: AccountFacts) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for item in facts.items:
        if item.open_amount > 0 and item.disputed > 0:
            found[item.currency] = found.get(item.currency, ZERO) + min(item.disputed, item.open_amount)
    return found
