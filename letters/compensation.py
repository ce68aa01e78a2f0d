"""Fixed compensation for the costs of collecting, by the law's scale: for each invoice, or once for a claim. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from letters.debt import ZERO, Debt
from letters.laws import Compensation

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FixedSum:
    """Fixed compensation: for an invoice, or ("") for the claim as a whole. `base` is the debt it was counted on."""

    number: str
    amount: Decimal
    currency: str
    base: Decimal
    source: str
    note: str = ""


_Sums = tuple[tuple[FixedSum, ...], tuple[str, ...]]


def fixed_sums(debts: Sequence[Debt], rule: Compensation | None, *, until: date) -> _Sums:
    """The fixed sums of debts that are late by a day, and what is to be said about those that bear none."""
    if rule is None:
        return (), ()
    late = [debt for debt in debts if debt.due < until and _base(rule, debt, until) > 0]
    if rule.after_notice and any(debt.notice is None for debt in late):
        return (), ("costs may be asked for only after a letter that names them and gives time to pay",)
    free = max((debt.notice for debt in late if debt.notice and rule.after_notice), default=None)
    if free is not None and until <= free + timedelta(rule.notice_days):
        return (), (
            f"costs may be asked for after {free + timedelta(rule.notice_days)}: until then they can be avoided",
        )
    known = [debt for debt in late if not rule.by_size or debt.currency == rule.currency]
    notes = tuple(
        f"{debt.number}: the scale is in {rule.currency}, the debt in {debt.currency}: no fixed sum"
        for debt in late
        if debt not in known
    )
    if rule.each == "invoice":
        return tuple(_sum(rule, debt.number, _base(rule, debt, until)) for debt in known), notes
    whole = sum((_base(rule, debt, until) for debt in known), ZERO)
    return ((_sum(rule, "", whole),) if whole else ()), notes


def _base(rule: Compensation, debt: Debt, until: date) -> Decimal:
    """What the sum is counted on: for an invoice what was owed when it became late, for a claim what still is."""
    return debt.owed(debt.due + _DAY if rule.each == "invoice" else until + _DAY)


def _sum(rule: Compensation, number: str, base: Decimal) -> FixedSum:
    return FixedSum(number, rule.of(base), rule.currency, base, rule.source, rule.note)
