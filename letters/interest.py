"""Late-payment interest and fixed compensation to the cent, with how each figure came to be. Pure.

Interest = sum over segments of balance x rate x days / days of the year. Day 1 is the day after the due date (or after
the notice); the day a payment arrives still counts. A new segment begins where the balance or the rate changes.
Rounding is carried: a segment's amount is what it adds to the rounded total so far, so that the segments of a letter
add up to its total, and cutting a period in two changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from app.core.money import quantum
from letters.compensation import FixedSum, fixed_sums
from letters.debt import ZERO, Debt
from letters.laws import Basis, Interest, Regime
from letters.rate_tables import Rate, RateTables, RateUnknown, table

_DAY = timedelta(days=1)


BeganKind = Literal["due", "notice", "payment", "credit", "year_of_interest", "rate", "new_year"]


@dataclass(frozen=True, slots=True)
class Began:
    """What began a segment, for a letter to say in its own language. `amount` is the payment, credit or interest added;
    `source` the payment's or credit note's number.
    """

    kind: BeganKind
    amount: Decimal | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """Days of one balance and one rate, both ends included. `rate` is in per cent a year; `reference` the table's rate
    in it, None for an agreed one; `began` is what happened on the day before the first, or the reason it is the first.
    """

    first: date
    last: date
    balance: Decimal
    rate: Decimal
    basis: int
    amount: Decimal
    reference: Rate | None
    source: str
    began: tuple[Began, ...]

    @property
    def days(self) -> int:
        """How many days bear interest."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Line:
    """The interest of one debt, in its currency, with what is to be said about it."""

    debt: Debt
    segments: tuple[Segment, ...]
    notes: tuple[str, ...] = ()

    @property
    def interest(self) -> Decimal:
        """The sum of the segments."""
        return sum((one.amount for one in self.segments), ZERO)


@dataclass(frozen=True, slots=True)
class Claim:
    """Everything a letter may ask for beside the debts themselves, up to and including a day."""

    until: date
    lines: tuple[Line, ...]
    fixed_sums: tuple[FixedSum, ...]
    notes: tuple[str, ...]

    @property
    def interest(self) -> Mapping[str, Decimal]:
        """Interest by currency."""
        return _by_currency((line.debt.currency, line.interest) for line in self.lines)

    @property
    def compensation(self) -> Mapping[str, Decimal]:
        """Fixed compensation by currency."""
        return _by_currency((one.currency, one.amount) for one in self.fixed_sums)


def claim(debts: Sequence[Debt], regime: Regime, *, tables: RateTables, until: date) -> Claim:
    """Interest up to and including a day, and fixed compensation. A debt that is not late yet bears nothing.

    Raises RateUnknown where a rate is needed that no table holds: `known_until` says how far one may go.
    """
    lines = tuple(_line(debt, regime, tables, until) for debt in debts)
    sums, notes = fixed_sums(debts, regime.compensation, until=until)
    return Claim(until, lines, sums, (*regime.notes, *notes))


def known_until(regime: Regime, *, tables: RateTables, today: date) -> date:
    """The last day up to today for which a floating rate is known: a letter that cannot go to today names it.

    A rate that is fixed at default is known for good once it was known on the day it was fixed.
    """
    interest = regime.interest
    if interest is None or not interest.floats or (regime.rate is not None and not _at_least(interest)):
        return today
    end = table(tables, interest.table).until
    return today if end is None else min(end, today)


def _by_currency(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for currency, amount in amounts:
        found[currency] = found.get(currency, ZERO) + amount
    return found


def _line(debt: Debt, regime: Regime, tables: RateTables, until: date) -> Line:
    interest = regime.interest
    if interest is None:
        return Line(debt, ())
    first = _first_day(debt, interest)
    if first is None:
        return Line(debt, (), ("interest runs from a notice to pay, and none was sent",))
    fixed_on = debt.due if interest.fixed_on_due_day else first
    rates = _Rates(interest, regime.rate, tables, first, fixed_on)
    return Line(debt, _segments(debt, rates, first, until), _floor(regime, tables, first, until))


def _first_day(debt: Debt, interest: Interest) -> date | None:
    if interest.begins == "due":
        return debt.due + _DAY
    return None if debt.notice is None else max(debt.due, debt.notice) + _DAY


def _at_least(interest: Interest) -> bool:
    return interest.beside_a_contract == "when_higher" and bool(interest.table)


@dataclass(frozen=True, slots=True)
class _Applied:
    rate: Decimal
    reference: Rate | None
    source: str


@dataclass(frozen=True, slots=True)
class _Rates:
    """Which rate applies when: an agreed one, or the law's by its table, fixed on the first day or floating."""

    interest: Interest
    agreed: Decimal | None
    tables: RateTables
    first: date
    fixed_on: date

    def on(self, day: date) -> _Applied:
        if self.agreed is not None and not _at_least(self.interest):
            return _Applied(self.agreed, None, "agreed")
        reference = table(self.tables, self.interest.table).on(day if self.interest.floats else self.fixed_on)
        rate = self.interest.of(reference.rate)
        if self.agreed is not None and self.agreed > rate:
            return _Applied(self.agreed, None, "agreed")
        return _Applied(rate, reference, self.interest.source)

    def changes(self, until: date) -> Iterable[date]:
        """Days on which another rate begins, and the first day that no table speaks of."""
        if not self.interest.floats or not self.interest.table:
            return
        rates = table(self.tables, self.interest.table)
        day = rates.next_change(self.first)
        while day is not None and day <= until:
            yield day
            day = rates.next_change(day)
        if rates.until is not None:
            yield rates.until + _DAY


def _segments(debt: Debt, rates: _Rates, first: date, until: date) -> tuple[Segment, ...]:
    found: list[Segment] = []
    interest = rates.interest
    so_far, capital = Fraction(0), ZERO
    days = _cuts(debt, rates, first, until)
    years = frozenset(_anniversaries(first, until)) if interest.compounds else frozenset()
    for begin, end in pairwise(days):
        if begin in years:
            capital = _round(so_far, debt.currency)
        owed = debt.owed(begin)
        if owed <= 0:
            continue
        applied = rates.on(begin)
        basis = _year(interest.basis, begin)
        before = _round(so_far, debt.currency)
        so_far += Fraction(owed + capital) * Fraction(applied.rate) * (end - begin).days / (100 * basis)
        amount = _round(so_far, debt.currency) - before
        began = _began(debt, rates, first, begin, capital if begin in years else ZERO)
        one = Segment(
            begin, end - _DAY, owed + capital, applied.rate, basis, amount, applied.reference, applied.source, began
        )
        if found and _continues(found[-1], one):
            found[-1] = _joined(found[-1], one)
        else:
            found.append(one)
    return tuple(found)


def _cuts(debt: Debt, rates: _Rates, first: date, until: date) -> list[date]:
    """The days on which something may change, the first day and the day after the last among them."""
    end = until + _DAY
    if first >= end:
        return []
    inner: set[date] = {one.day + _DAY for one in debt.reductions if not one.from_start}
    inner.update(rates.changes(until))
    if rates.interest.compounds:
        inner.update(_anniversaries(first, until))
    if rates.interest.basis == "actual":
        inner.update(date(year, 1, 1) for year in range(first.year + 1, until.year + 1))
    return [first, *sorted(day for day in inner if first < day < end), end]


def _anniversaries(first: date, until: date) -> Iterable[date]:
    """The days after each full year of default; the year after 29 February is full on 1 March."""
    for year in range(first.year + 1, until.year + 1):
        try:
            day = first.replace(year=year)
        except ValueError:
            day = date(year, 3, 1)
        if day <= until:
            yield day


def _year(basis: Basis, day: date) -> int:
    if basis == "actual":
        return (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
    return basis


def _round(amount: Fraction, currency: str) -> Decimal:
    """To the minor unit, halves up; exact, for a repeating decimal may lie a hair from a half."""
    unit = quantum(currency)
    return int(amount / Fraction(unit) + Fraction(1, 2)) * unit


def _continues(left: Segment, right: Segment) -> bool:
    """The same balance at the same rate: a table that states an unchanged rate again begins nothing new."""
    same = (left.balance, left.rate, left.basis, left.source) == (right.balance, right.rate, right.basis, right.source)
    return same and left.last + _DAY == right.first


def _joined(left: Segment, right: Segment) -> Segment:
    return Segment(
        left.first,
        right.last,
        left.balance,
        left.rate,
        left.basis,
        left.amount + right.amount,
        left.reference,
        left.source,
        left.began,
    )


def _began(debt: Debt, rates: _Rates, first: date, begin: date, capital: Decimal) -> tuple[Began, ...]:
    if begin == first:
        return (Began(rates.interest.begins),)
    found = [
        Began(one.kind, one.amount, one.source)
        for one in debt.reductions
        if one.day + _DAY == begin and not one.from_start
    ]
    if capital:
        found.append(Began("year_of_interest", capital))
    if rates.on(begin).rate != rates.on(begin - _DAY).rate:
        found.append(Began("rate"))
    return tuple(found) or (Began("new_year"),)


def _floor(regime: Regime, tables: RateTables, first: date, until: date) -> tuple[str, ...]:
    """Whether an agreed rate is below what the law lets parties agree on; never claimed higher for it."""
    interest = regime.interest
    points = regime.terms is not None and regime.terms.margin is not None
    if not (points or regime.rate is not None) or interest is None or not interest.floor_table or first > until:
        return ()
    try:
        legal = table(tables, interest.floor_table).on(first).rate
        agreed = regime.rate if regime.rate is not None else interest.of(table(tables, interest.table).on(first).rate)
    except RateUnknown as error:
        return (f"whether the agreed rate is high enough could not be checked: {error.message}",)
    least = legal * interest.floor_times
    if agreed >= least:
        return ()
    return (f"the agreed {agreed} % is below the least the law allows, {interest.floor_times} x {legal} = {least} %",)
