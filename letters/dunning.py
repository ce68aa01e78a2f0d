"""Which reminder an account gets today, about what, and why not the rest. Pure.

One letter an account. Each item climbs the levels by itself, one at a time, so that a formal notice never names an
invoice nobody was reminded of; the letter is of the highest level that an item of it reaches today, and lists what was
reminded of before and is still owed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from letters.balance import Askable, Balance, Cover, Hold, Item, Matter, Part, balance
from letters.procedure import Channel, Level, Procedure

ZERO = Decimal(0)
PERSON_FIRST = frozenset({"legal_threat", "insolvency", "payment_diversion"})
"""Tags of a case that no letter may answer before a person did (as disputes.playbook_guards)."""
RefusalCode = Literal[
    "sent_today",
    "blocked",
    "person_first",
    "call_first",
    "own_delay",
    "quiet",
    "unreachable",
    "nothing_due",
    "disputed",
    "covered",
    "too_small",
    "too_early",
    "all_said",
]


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that went out or is on its way: for each item's number its position in the levels, 1 the first."""

    day: date
    level: str
    positions: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFacts:
    """Everything a decision looks at. `last_automatic` is the day of the last automatic mail that was no letter;
    `reachable` the ways a letter can go; `block` says that the account gets none.
    """

    account: str
    items: Sequence[Item] = ()
    covers: Sequence[Cover] = ()
    matters: Sequence[Matter] = ()
    sent: Sequence[Sent] = ()
    block: Hold | None = None
    last_automatic: date | None = None
    reachable: frozenset[Channel] = frozenset({"email", "post", "registered"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One item of a letter: the exact amount asked for, its position in the levels, and whether it climbed today."""

    item: Item
    amount: Decimal
    position: int
    raised: bool
    days_late: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter to write. `cycle` counts the letters of this level before it, so that (account, level, cycle) is its
    key. `fees` by currency; interest and compensation are for letters.interest where the level says so; `earlier` are
    the letters a formal notice names.
    """

    level: Level
    cycle: int
    channel: Channel
    asked: tuple[Asked, ...]
    fees: Mapping[str, Decimal]
    pay_by: date | None
    earlier: tuple[Sent, ...]

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """What is asked for by currency, without fee and interest."""
        return _totals((one.item.currency, one.amount) for one in self.asked)

    @property
    def positions(self) -> Mapping[str, int]:
        """As Sent keeps them."""
        return {one.item.number: one.position for one in self.asked}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no letter goes."""

    code: RefusalCode
    why: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A letter, or why none; either way what is left out and why. `again`: the next day on which the answer may be
    another with the same facts, None where only other facts can change it.
    """

    account: str
    today: date
    letter: Letter | None
    refusal: Refusal | None
    left_out: tuple[Part, ...]
    again: date | None


def decide(facts: AccountFacts, procedure: Procedure, *, today: date) -> Decision:
    """What the account gets today."""
    found = balance(
        facts.items,
        facts.covers,
        facts.matters,
        today=today,
        least_item=procedure.least_item,
        currency=procedure.currency,
    )
    climb = _Climb(facts, procedure, today)
    asked, early = climb.asked(found.askable)
    parts = (*found.parts, *early)
    refusal = _refused(facts, procedure, today) or _nothing_to_say(found, asked, early, climb)
    letter = None if refusal else climb.letter(asked)
    again = _again(facts, procedure, climb, today)
    return Decision(facts.account, today, letter, refusal, parts, again)


@dataclass(frozen=True, slots=True)
class _Climb:
    """How far each item is, and how far it comes today."""

    facts: AccountFacts
    procedure: Procedure
    today: date

    def standing(self, item: Item) -> tuple[int, date | None]:
        """The item's position and the day it came there; 0 before the first letter about this debt."""
        mine = [
            (one.positions[item.number], one.day)
            for one in self.facts.sent
            if item.number in one.positions and (item.reopened is None or one.day >= item.reopened)
        ]
        position = max((position for position, _ in mine), default=0)
        return position, min((day for at, day in mine if at == position), default=None)

    def ripe_on(self, item: Item) -> date | None:
        """The first day the item may climb; None when it stands on the last level."""
        position, since = self.standing(item)
        if position >= len(self.procedure.levels):
            return None
        level = self.procedure.levels[position]
        days = [item.due + timedelta(level.days_late)]
        if since is not None:
            days.append(since + timedelta(level.days_after_previous))
        if item.answered is not None:
            days.append(item.answered + timedelta(self.procedure.days_after_answer))
        days += [
            cover.until + timedelta(self.procedure.days_after_promise + 1)
            for cover in self.facts.covers
            if cover.kind == "promise" and cover.until is not None and cover.until < self.today
            and (not cover.invoices or item.number in cover.invoices)
        ]  # fmt: skip
        return max(days)

    def asked(self, askable: Sequence[Askable]) -> tuple[tuple[Asked, ...], tuple[Part, ...]]:
        """The items of today's letter with their positions, and those it is too early for or too little."""
        rows = [(one, self.standing(one.item)[0], self._ripe(one.item)) for one in askable]
        totals = _totals((one.item.currency, one.amount) for one, position, ripe in rows if position or ripe)
        asked, early = [], []
        for one, position, ripe in rows:
            climbs = ripe and self._enough(position, totals)
            if not position and not climbs:
                early.append(self._left_out(one, ripe=ripe))
                continue
            late = (self.today - one.item.due).days
            asked.append(Asked(one.item, one.amount, position + climbs, climbs, late))
        return tuple(asked), tuple(early)

    def _ripe(self, item: Item) -> bool:
        day = self.ripe_on(item)
        return day is not None and day <= self.today

    def _enough(self, position: int, totals: Mapping[str, Decimal]) -> bool:
        """Whether the letter asks for the next level's least. A total in another currency alone is not judged."""
        total = totals.get(self.procedure.currency)
        return total is None or total >= self.procedure.levels[position].minimum

    def too_small_to_climb(self, asked: Iterable[Asked]) -> list[str]:
        """Why items whose day has come stay where they are: the next level asks for more than all is worth."""
        stuck = [self.procedure.levels[one.position] for one in asked if not one.raised and self._ripe(one.item)]
        return [f"less than {level.minimum} {self.procedure.currency}, the least for {level.id}" for level in stuck]

    def _left_out(self, one: Askable, *, ripe: bool) -> Part:
        item = one.item
        if ripe:
            least = f"{self.procedure.levels[0].minimum} {self.procedure.currency}"
            return Part(item.number, item.currency, one.amount, "too_small", f"less than {least} in all")
        why = f"reminded of from {self.ripe_on(item)} on"
        return Part(item.number, item.currency, one.amount, "too_early", why)

    def letter(self, asked: tuple[Asked, ...]) -> Letter:
        """The letter about these items, one of which climbs."""
        level = self.procedure.at(max(one.position for one in asked if one.raised))
        numbers = {one.item.number for one in asked}
        earlier = tuple(
            sorted((one for one in self.facts.sent if numbers & one.positions.keys()), key=lambda one: one.day)
        )
        currency = self.procedure.currency
        fees = {currency: level.fee} if level.fee and any(one.item.currency == currency for one in asked) else {}
        return Letter(
            level,
            sum(one.level == level.id for one in self.facts.sent),
            next(one for one in level.channels if one in self.facts.reachable),
            asked,
            fees,
            None if level.days_to_pay is None else self.today + timedelta(level.days_to_pay),
            earlier,
        )


def _totals(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        found[currency] = found.get(currency, ZERO) + amount
    return found


def _nothing_to_say(found: Balance, asked: Sequence[Asked], early: Sequence[Part], climb: _Climb) -> Refusal | None:
    """Why there is nothing to write, where no item climbs."""
    if not asked and not early:
        return _nothing_due(found, climb)
    raised = [one for one in asked if one.raised]
    if raised:
        level = climb.procedure.at(max(one.position for one in raised))
        if not climb.facts.reachable & set(level.channels):
            return Refusal("unreachable", f"{level.id} goes by {' or '.join(level.channels)}, and no address is known")
        return None
    too_small = [part.why for part in early if part.reason == "too_small"] + climb.too_small_to_climb(asked)
    if too_small:
        return Refusal("too_small", too_small[0])
    if asked and all(climb.ripe_on(one.item) is None for one in asked) and not early:
        return Refusal("all_said", "every level has been sent: a person decides what comes next")
    return Refusal("too_early", "nothing new to say yet")


def _nothing_due(found: Balance, climb: _Climb) -> Refusal:
    """Why nothing of what is open may be asked for: the reason that took most of what is late."""
    numbers = {one.number for one in climb.facts.items if one.due < climb.today}
    late = [part for part in found.parts if part.number in numbers]
    if not late:
        return Refusal("nothing_due", "nothing is late")
    codes: Mapping[str, RefusalCode] = {
        "disputed": "disputed",
        "paid": "covered",
        "credited": "covered",
        "promised": "covered",
        "too_small": "too_small",
        "waiting_on_us": "own_delay",
        "held": "blocked",
    }
    most = max(late, key=lambda part: part.amount)
    every = ", ".join(dict.fromkeys(part.why for part in late))
    return Refusal(codes[most.reason], f"nothing is left to ask for: {every}")


_Guard = Callable[[AccountFacts, Procedure, date], Refusal | None]


def _refused(facts: AccountFacts, procedure: Procedure, today: date) -> Refusal | None:
    """The first guard against any letter to the account today (product.md, Guards)."""
    return next((no for guard in _GUARDS if (no := guard(facts, procedure, today)) is not None), None)


def _sent_today(facts: AccountFacts, _procedure: Procedure, today: date) -> Refusal | None:
    again = any(one.day >= today for one in facts.sent)
    return Refusal("sent_today", "a letter goes to the account today already") if again else None


def _blocked(facts: AccountFacts, _procedure: Procedure, today: date) -> Refusal | None:
    block = facts.block
    return Refusal("blocked", f"no letters: {block.reason}") if block is not None and block.holds(today) else None


def _person_first(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    for matter in facts.matters:
        found = sorted(PERSON_FIRST & matter.tags)
        if found:
            said = " and ".join(found).replace("_", " ")
            return Refusal("person_first", f"case {matter.case_id} speaks of {said}: a person decides what is written")
    return None


def _call_first(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    for matter in facts.matters:
        if matter.upset:
            return Refusal(
                "call_first", f"angry or urgent in case {matter.case_id}: a call comes before anything written"
            )
    return None


def _own_delay(facts: AccountFacts, _procedure: Procedure, _today: date) -> Refusal | None:
    """A case that waits on us and names no invoice is about the account: no reminder while the customer waits."""
    for matter in facts.matters:
        if matter.waits_on_us and not matter.invoices:
            return Refusal("own_delay", f"the customer waits on us in case {matter.case_id}")
    return None


def _quiet(facts: AccountFacts, procedure: Procedure, today: date) -> Refusal | None:
    until = _quiet_until(facts, procedure)
    return Refusal("quiet", f"they heard from us lately: quiet until {until}") if until and until > today else None


def _quiet_until(facts: AccountFacts, procedure: Procedure) -> date | None:
    days = [one.day + timedelta(procedure.days_between) for one in facts.sent]
    if facts.last_automatic is not None:
        days.append(facts.last_automatic + timedelta(procedure.quiet_days))
    return max(days, default=None)


_GUARDS: tuple[_Guard, ...] = (_sent_today, _blocked, _person_first, _call_first, _own_delay, _quiet)


def _again(facts: AccountFacts, procedure: Procedure, climb: _Climb, today: date) -> date | None:
    """The next day on which something of the facts begins or ends to count."""
    owed = [one for one in facts.items if one.open_amount > 0]
    days: list[date | None] = [_quiet_until(facts, procedure)]
    days += [until + timedelta(1) for until in _ending(facts)]
    for item in owed:
        days += [item.due + timedelta(1), climb.ripe_on(item)]
    days += [
        cover.until + timedelta(procedure.days_after_promise + 1)
        for cover in facts.covers
        if cover.kind == "promise" and cover.until is not None
    ]
    return min((day for day in days if day is not None and day > today), default=None)


def _ending(facts: AccountFacts) -> list[date]:
    """The last days of what counts for a time only."""
    holds = [one for one in (facts.block, *(item.hold for item in facts.items)) if one is not None]
    untils = [one.until for one in holds] + [one.until for one in facts.covers]
    return [until for until in untils if until is not None]
