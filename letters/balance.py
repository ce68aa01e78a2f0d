"""What of an account may be asked for today, to the cent: late, undisputed, covered by nothing. Pure.

Each open cent of each invoice goes to one place: asked for, or left alone for a reason that is told. So the parts of an
invoice always add up to what is open of it (security.md S25).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Reason = Literal[
    "not_late", "held", "waiting_on_us", "disputed", "promised", "paid", "credited", "too_small", "too_early"
]
CoverKind = Literal["payment", "credit", "promise"]
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Hold:
    """Nobody is to be asked for it, up to and including `until` (None: until somebody lifts it)."""

    reason: str
    until: date | None = None

    def holds(self, today: date) -> bool:
        """Whether it still does."""
        return self.until is None or today <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An open invoice, or a credit note with a negative `open_amount`; `credits` is the invoice a credit note is for.

    `disputed` is what of it is in dispute now, over all cases. `answered` is the day its last dispute ended, `reopened`
    the day it was owed again after it had been settled: letters before that day were about a debt that was paid.
    """

    number: str
    due: date
    currency: str
    open_amount: Decimal
    disputed: Decimal = ZERO
    credits: str = ""
    hold: Hold | None = None
    answered: date | None = None
    reopened: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Money that is there or on its way: a payment put nowhere yet, a credit of the account, a promise.

    `invoices` are what it is for (none: anything). A promise counts up to and including `until`, its last day of grace;
    one without an amount covers all it is for, in every currency where it names none.
    """

    kind: CoverKind
    source: str
    currency: str
    amount: Decimal | None
    invoices: frozenset[str] = frozenset()
    until: date | None = None

    def counts(self, today: date) -> bool:
        """Whether it still does."""
        return self.until is None or today <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """An open case of the account. `upset`: somebody angry or in a hurry has not been called yet."""

    case_id: int
    waiting_on: str | None = None
    invoices: frozenset[str] = frozenset()
    upset: bool = False
    tags: frozenset[str] = frozenset()

    @property
    def waits_on_us(self) -> bool:
        """Whether the customer is waiting, for us or for somebody we asked."""
        return self.waiting_on in {"us", "third_party"}


@dataclass(frozen=True, slots=True)
class Part:
    """Some of an item that is not asked for, and why."""

    number: str
    currency: str
    amount: Decimal
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class Askable:
    """An item with what of it may be asked for; above zero."""

    item: Item
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """What may be asked for, oldest first, and what may not."""

    askable: tuple[Askable, ...]
    parts: tuple[Part, ...]


def balance(
    items: Sequence[Item],
    covers: Sequence[Cover],
    matters: Sequence[Matter],
    *,
    today: date,
    least_item: Decimal = ZERO,
    currency: str = "",
) -> Balance:
    """The balance of an account. `least_item` is in `currency` and judges items of that currency alone.

    Payments and credits that name an invoice lower it first; what is left of them, and those that name none, lower the
    oldest of what would be asked for: a customer is never asked for more than all is worth together.
    """
    work = _Work(items, today)
    money = [_Left(one, one.amount) for one in (*_credit_notes(items), *covers) if one.counts(today)]
    received = [one for one in money if one.cover.kind != "promise"]
    promises = [one for one in money if one.cover.kind == "promise"]
    for one in received:
        work.lower(one, work.named(one))
    work.leave_disputed()
    work.leave_for_us(matters)
    work.leave_held_and_not_late()
    for one in promises:
        work.lower(one, work.named(one))
    for one in received:
        work.lower(one, work.open_items())
    for one in promises:
        if not one.cover.invoices:
            work.lower(one, work.open_items())
    work.leave_small(least_item, currency)
    return work.done()


def _credit_notes(items: Iterable[Item]) -> list[Cover]:
    return [
        Cover(
            kind="credit",
            source=item.number,
            currency=item.currency,
            amount=-item.open_amount,
            invoices=frozenset([item.credits]) if item.credits else frozenset(),
        )
        for item in items
        if item.open_amount < 0
    ]


@dataclass(slots=True)
class _Left:
    """A cover with what is left of it; None: no end to it."""

    cover: Cover
    amount: Decimal | None


_REASONS: dict[CoverKind, Reason] = {"payment": "paid", "credit": "credited", "promise": "promised"}


class _Work:
    """The open invoices, oldest first, with what is left to ask for of each while reasons take their parts."""

    def __init__(self, items: Iterable[Item], today: date) -> None:
        self.items = sorted((one for one in items if one.open_amount > 0), key=lambda one: (one.due, one.number))
        self.left = {one.number: one.open_amount for one in self.items}
        self.today = today
        self.parts: list[Part] = []

    def named(self, left: _Left) -> list[Item]:
        return [one for one in self.items if one.number in left.cover.invoices]

    def open_items(self) -> list[Item]:
        return [one for one in self.items if self.left[one.number] > 0]

    def leave(self, item: Item, amount: Decimal, reason: Reason, why: str) -> Decimal:
        """Takes up to `amount` of what is left of the item; gives what it took."""
        taken = min(amount, self.left[item.number])
        if taken > 0:
            self.left[item.number] -= taken
            self.parts.append(Part(item.number, item.currency, taken, reason, why))
        return max(taken, ZERO)

    def lower(self, left: _Left, items: Iterable[Item]) -> None:
        cover = left.cover
        for item in items:
            if cover.currency not in {"", item.currency}:
                continue
            wanted = self.left[item.number] if left.amount is None else left.amount
            taken = self.leave(item, wanted, _REASONS[cover.kind], _covered(cover))
            left.amount = None if left.amount is None else left.amount - taken

    def leave_disputed(self) -> None:
        for item in self.items:
            self.leave(item, item.disputed, "disputed", "in dispute")

    def leave_for_us(self, matters: Iterable[Matter]) -> None:
        for matter in matters:
            for item in self.items:
                if matter.waits_on_us and item.number in matter.invoices:
                    self.leave(item, item.open_amount, "waiting_on_us", f"case {matter.case_id} waits on us")

    def leave_held_and_not_late(self) -> None:
        for item in self.items:
            if item.hold is not None and item.hold.holds(self.today):
                self.leave(item, item.open_amount, "held", f"held: {item.hold.reason}")
            if item.due >= self.today:
                self.leave(item, item.open_amount, "not_late", f"due on {item.due}")

    def leave_small(self, least: Decimal, currency: str) -> None:
        for item in self.items:
            if item.currency == currency and self.left[item.number] < least:
                why = f"less than {least} {currency}, too small to ask for"
                self.leave(item, self.left[item.number], "too_small", why)

    def done(self) -> Balance:
        askable = tuple(Askable(one, self.left[one.number]) for one in self.open_items())
        return Balance(askable, tuple(self.parts))


def _covered(cover: Cover) -> str:
    if cover.kind == "promise":
        return f"promised ({cover.source})" + (f", counting until {cover.until}" if cover.until else "")
    return f"covered by {cover.kind} {cover.source}"
