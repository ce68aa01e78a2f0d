"""What a letter may add to the debts it names: interest and fixed sums, never on more than it asks for. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from letters.debt import Debt
from letters.dunning import Asked, Letter
from letters.interest import Claim, Line, claim, known_until
from letters.laws import Regime
from letters.procedure import Procedure
from letters.rate_tables import RateTables, RateUnknown


def claim_for(
    letter: Letter,
    debts: Mapping[str, Debt],
    regime: Regime,
    procedure: Procedure,
    *,
    tables: RateTables,
    today: date,
) -> Claim:
    """The claim of a letter: items whose own level asks for interest bear it, those whose level asks for compensation
    the fixed sum. `debts` are the items' past by number.

    Interest stops at the last day whose rate is known, and a debt whose rate is not known at all bears none; both are
    said in the notes, and no letter waits for a rate.
    """
    until = known_until(regime, tables=tables, today=today)
    late = replace(regime, compensation=None)
    lines: list[Line] = []
    unpriced: list[str] = []
    for one in _of(letter, procedure, interest=True):
        try:
            lines += claim([_as_asked(debts[one.item.number], one, today)], late, tables=tables, until=until).lines
        except RateUnknown as error:
            unpriced.append(f"{one.item.number}: no interest is asked for. {error.message}")
    sums = [_as_asked(debts[one.item.number], one, today) for one in _of(letter, procedure, interest=False)]
    fixed = claim(sums, replace(regime, interest=None), tables=tables, until=today)
    return Claim(until, tuple(lines), fixed.fixed_sums, (*fixed.notes, *_stops(lines, until, today), *unpriced))


def _of(letter: Letter, procedure: Procedure, *, interest: bool) -> Iterable[Asked]:
    """The items of the letter whose own level adds interest, or compensation."""
    for one in letter.asked:
        level = procedure.at(one.position)
        if level.interest if interest else level.compensation:
            yield one


def _as_asked(debt: Debt, one: Asked, today: date) -> Debt:
    """The debt without what the letter leaves out of it: that part (disputed, promised, covered) bears no claim."""
    beyond = debt.owed(today) - one.amount
    return replace(debt, disputed=debt.disputed + beyond) if beyond > 0 else debt


def _stops(lines: Sequence[Line], until: date, today: date) -> tuple[str, ...]:
    if until == today or not lines:
        return ()
    return (f"interest is computed up to {until}: the rate after it is not known yet, and more runs until payment",)
