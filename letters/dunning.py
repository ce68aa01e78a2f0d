"""Which reminder an account gets today, about what, and why not the rest. Pure.

One letter an account. Each item climbs the levels by itself, one at a time, so that a formal notice never names an
invoice nobody was reminded of; the letter is of the highest level that an item of it reaches today, and lists what was
reminded of before and is still owed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from letters.balance import Askable, Balance, Item, Part, balance
from letters.facts import AccountFacts, Sent
from letters.guards import Refusal, RefusalCode, forbidden, quiet_until, refused
from letters.procedure import Channel, Level, Procedure

ZERO = Decimal(0)


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
    refusal = refused(facts, procedure, today=today) or _nothing_to_say(found, asked, early, climb)
    letter = None if refusal else climb.letter(asked)
    again = _again(facts, procedure, climb, today)
    return Decision(facts.account, today, letter, refusal, parts, again)


def stopped(letter: Letter, facts: AccountFacts, procedure: Procedure, *, today: date) -> Refusal | None:
    """Why a letter that was decided on before may not go now: a guard is against it, or less of an item may be asked
    for than it asks. A payment, credit, promise or dispute that came in between stops it; then it is decided anew.

    More that has become due since is for the next letter. The letter itself may be among those sent.
    """
    against = forbidden(facts, procedure, today=today)
    if against is not None:
        return against
    now = balance(facts.items, facts.covers, facts.matters, today=today)
    left = {one.item.number: one.amount for one in now.askable}
    less = [one for one in letter.asked if left.get(one.item.number, ZERO) < one.amount]
    if not less:
        return None
    why = {part.number: part.why for part in now.parts}
    told = "; ".join(
        f"{one.item.number} asks for {one.amount}, {left.get(one.item.number, ZERO)} may be: "
        f"{why.get(one.item.number, 'the rest is settled')}"
        for one in less
    )
    return Refusal("changed", told)


@dataclass(frozen=True, slots=True)
class _Climb:
    """How far each item is, and how far it comes today. What was found about an item is kept by its number: a decision
    asks several times, and a replay over thousands of accounts decides each day.
    """

    facts: AccountFacts
    procedure: Procedure
    today: date
    _standing: dict[str, tuple[int, date | None]] = field(default_factory=dict)
    _ripe_on: dict[str, date | None] = field(default_factory=dict)

    def standing(self, item: Item) -> tuple[int, date | None]:
        """The item's position and the day it came there; 0 before the first letter about this debt."""
        if item.number not in self._standing:
            self._standing[item.number] = self._stands(item)
        return self._standing[item.number]

    def ripe_on(self, item: Item) -> date | None:
        """The first day the item may climb; None when it stands on the last level."""
        if item.number not in self._ripe_on:
            self._ripe_on[item.number] = self._ripens(item)
        return self._ripe_on[item.number]

    def _stands(self, item: Item) -> tuple[int, date | None]:
        mine = [
            (one.positions[item.number], one.day)
            for one in self.facts.sent
            if item.number in one.positions and (item.reopened is None or one.day >= item.reopened)
        ]
        position = max((position for position, _ in mine), default=0)
        return position, min((day for at, day in mine if at == position), default=None)

    def _ripens(self, item: Item) -> date | None:
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
        asked, early = [], []
        for one, position, ripe in rows:
            climbs = ripe and self._enough(position, rows)
            if not position and not climbs:
                early.append(self._left_out(one, ripe=ripe))
                continue
            late = (self.today - one.item.due).days
            asked.append(Asked(one.item, one.amount, position + climbs, climbs, late))
        return tuple(asked), tuple(early)

    def _ripe(self, item: Item) -> bool:
        day = self.ripe_on(item)
        return day is not None and day <= self.today

    def _enough(self, position: int, rows: Sequence[tuple[Askable, int, bool]]) -> bool:
        """Whether what stands on the next level or comes to it is worth it: no registered letter about small change,
        whatever else is late. Items in other currencies alone are not judged.
        """
        amounts = [
            one.amount
            for one, at, ripe in rows
            if at + ripe > position and one.item.currency == self.procedure.currency
        ]
        return not amounts or sum(amounts, ZERO) >= self.procedure.levels[position].minimum

    def too_small_to_climb(self, asked: Iterable[Asked]) -> list[str]:
        """Why items whose day has come stay where they are: the next level is for larger sums."""
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


def _again(facts: AccountFacts, procedure: Procedure, climb: _Climb, today: date) -> date | None:
    """The next day on which something of the facts begins or ends to count."""
    owed = [one for one in facts.items if one.open_amount > 0]
    days: list[date | None] = [quiet_until(facts, procedure)]
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
