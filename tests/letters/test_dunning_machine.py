"""An account over time, whatever happens to it: no disputed or closed cent is ever asked for, levels are climbed one by
one, nobody gets two letters on a day (S25).
"""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from letters.balance import Cover, CoverKind, Hold, Item, Matter
from letters.dunning import Decision, Letter, decide, stopped
from letters.facts import AccountFacts, Sent
from letters.procedure import shipped

ZERO = Decimal(0)
FR = shipped()["fr"]
FIRST = date(2026, 1, 1)
MONEY: tuple[CoverKind, ...] = ("payment", "credit")
NUMBERS = ("F1", "F2", "F3", "F4")
cents = st.decimals(min_value="0.01", max_value="300", places=2)
numbers = st.sampled_from(NUMBERS)
seldom = st.sampled_from([False, False, False, False, True])
several = st.frozensets(numbers, max_size=3)


class Account(RuleBasedStateMachine):
    """The account's ledger and cases as the world moves them, and the letters that went out."""

    def __init__(self) -> None:
        super().__init__()
        self.today = FIRST
        self.items: dict[str, Item] = {}
        self.covers: dict[str, Cover] = {}
        self.matters: dict[int, Matter] = {}
        self.block: Hold | None = None
        self.sent: list[Sent] = []
        self.keys: set[tuple[str, int]] = set()
        self.waiting: Letter | None = None

    @property
    def facts(self) -> AccountFacts:
        return AccountFacts(
            account="C-1",
            items=tuple(self.items.values()),
            covers=tuple(self.covers.values()),
            matters=tuple(self.matters.values()),
            block=self.block,
            sent=tuple(self.sent),
        )

    def decided(self) -> Decision:
        return decide(self.facts, FR, today=self.today)

    @rule(number=numbers, amount=st.decimals(min_value=50, max_value=900, places=2), late=st.integers(-20, 90))
    def invoice(self, number: str, amount: Decimal, late: int) -> None:
        """A new invoice, or a settled one that is owed again."""
        before = self.items.get(number)
        if before is None:
            due = self.today - timedelta(late)
            self.items[number] = Item(number=number, due=due, currency="EUR", open_amount=amount)
        elif before.open_amount == 0:
            self.items[number] = replace(before, open_amount=amount, disputed=ZERO, reopened=self.today)

    @rule(number=numbers, part=st.sampled_from([1, 2, 3]))
    def pays(self, number: str, part: int) -> None:
        """Paid whole, or in part; a dispute never exceeds what is open."""
        item = self.items.get(number)
        if item:
            left = ZERO if part == 1 else (item.open_amount / part).quantize(Decimal("0.01"))
            self.items[number] = replace(item, open_amount=left, disputed=min(item.disputed, left))

    @rule(number=numbers, share=st.integers(0, 4))
    def disputes(self, number: str, share: int) -> None:
        item = self.items.get(number)
        if item:
            disputed = (item.open_amount * share / 4).quantize(Decimal("0.01"))
            answered = self.today if item.disputed and not disputed else item.answered
            self.items[number] = replace(item, disputed=disputed, answered=answered)

    @rule(number=numbers, days=st.integers(0, 30))
    def holds(self, number: str, days: int) -> None:
        item = self.items.get(number)
        if item:
            self.items[number] = replace(item, hold=Hold("a question", self.today + timedelta(days)))

    @rule(kind=st.sampled_from(MONEY), amount=st.one_of(st.just(ZERO), cents), invoices=several)
    def money_comes(self, kind: CoverKind, amount: Decimal, invoices: frozenset[str]) -> None:
        """A payment or credit put nowhere yet; zero: it was used up."""
        self.covers.pop(kind, None)
        if amount:
            self.covers[kind] = Cover(kind=kind, source=kind, currency="EUR", amount=amount, invoices=invoices)

    @rule(amount=st.one_of(st.none(), cents), invoices=several, days=st.integers(0, 20))
    def promises(self, amount: Decimal | None, invoices: frozenset[str], days: int) -> None:
        until = self.today + timedelta(days)
        self.covers["promise"] = Cover(
            kind="promise", source="promise", currency="EUR", amount=amount, invoices=invoices, until=until
        )

    @rule(waiting_on=st.sampled_from(["us", "customer", "third_party", None]), invoices=several, upset=seldom)
    def case(self, waiting_on: str | None, invoices: frozenset[str], *, upset: bool) -> None:
        self.matters = {1: Matter(case_id=1, waiting_on=waiting_on, invoices=invoices, upset=upset)}

    @precondition(lambda self: self.matters)
    @rule()
    def case_closes(self) -> None:
        self.matters = {}

    @rule(blocked=seldom)
    def blocks(self, *, blocked: bool) -> None:
        self.block = Hold("key account") if blocked else None

    @rule(days=st.integers(1, 25))
    def nights_pass(self, days: int) -> None:
        """A run each night."""
        for _ in range(days):
            self.today += timedelta(1)
            self.run_of_the_night()

    def run_of_the_night(self) -> None:
        """Whatever it sends is checked against the world, then it is sent."""
        found = self.decided()
        if found.letter is None:
            return
        self.check(found)
        assert stopped(found.letter, self.facts, FR, today=self.today) is None
        self.waiting = found.letter
        self.sent.append(Sent(self.today, found.letter.level.id, found.letter.positions))
        second = self.decided()
        assert second.letter is None
        assert second.refusal is not None
        assert second.refusal.code == "sent_today"

    def check(self, found: Decision) -> None:
        letter = found.letter
        assert letter is not None
        key = (letter.level.id, letter.cycle)
        assert key not in self.keys, "the same letter twice"
        self.keys.add(key)
        assert self.block is None
        assert not any(one.upset or (one.waits_on_us and not one.invoices) for one in self.matters.values())
        assert any(one.raised for one in letter.asked)
        for one in letter.asked:
            world = self.items[one.item.number]
            assert ZERO < one.amount <= world.open_amount - world.disputed
            assert world.due < self.today
            assert not (world.hold and world.hold.holds(self.today))
            for matter in self.matters.values():
                assert not (matter.waits_on_us and world.number in matter.invoices)
            before = self.position(world)
            assert one.position == before + one.raised, "no level is skipped, none goes back"
        money = [one for one in self.covers.values() if one.kind != "promise"]
        late = [one for one in self.items.values() if one.due < self.today]
        owed = sum((one.open_amount - one.disputed for one in late), ZERO)
        unnamed = sum((one.amount or ZERO for one in money if not one.invoices), ZERO)
        assert letter.totals["EUR"] <= max(owed - unnamed, ZERO)

    def position(self, item: Item) -> int:
        mine = [one for one in self.sent if item.reopened is None or one.day >= item.reopened]
        return max((one.positions.get(item.number, 0) for one in mine), default=0)

    @invariant()
    def every_open_cent_has_one_place(self) -> None:
        found = self.decided()
        placed = dict.fromkeys(self.items, ZERO)
        for part in found.left_out:
            assert part.amount > 0
            placed[part.number] += part.amount
        if found.letter is not None:
            for one in found.letter.asked:
                placed[one.item.number] += one.amount
            assert placed == {number: item.open_amount for number, item in self.items.items()}
        else:
            assert found.refusal is not None
            assert all(placed[number] <= item.open_amount for number, item in self.items.items())

    @invariant()
    def a_letter_that_waits_to_be_sent_goes_only_while_it_is_right(self) -> None:
        if self.waiting is None or stopped(self.waiting, self.facts, FR, today=self.today) is not None:
            return
        assert self.block is None
        for one in self.waiting.asked:
            world = self.items[one.item.number]
            assert one.amount <= world.open_amount - world.disputed


Account.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestAccount = Account.TestCase
