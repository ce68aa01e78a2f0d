"""The instalments of a payment plan: so many equal ones, or days and amounts of their own. Pure; sums are exact."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, get_args

from app.core.money import exact, quantum
from letters.letter_facts import ZERO, Instalment
from letters.refusing import NoSuchLetter, Sum

N_ = str  # marks a msgid for extraction
Every = Literal["week", "two_weeks", "month"]
EVERY: tuple[Every, ...] = get_args(Every)
MOST = 60
"""Instalments of one plan: five years of months."""
_DAYS = {"week": 7, "two_weeks": 14}
_LAST = date(9000, 1, 1)
_HOW_MANY = N_("A plan has 1 to %(most)s instalments, not %(number)s")
_TOO_MANY = N_("%(total)s cannot be paid in %(number)s instalments: each would be less than %(cent)s")
NOT_THE_SUM = N_("The instalments come to %(planned)s, what is to be paid to %(owed)s")
"""Said of instalments that do not add up."""


def equal(total: Decimal, currency: str, *, number: int, first: date, every: Every) -> tuple[Instalment, ...]:
    """`number` instalments that differ by a cent at most, the larger ones first; together they are the total.

    Raises NoSuchLetter for a number that leaves nothing to pay on a day, or for days out of any calendar.
    """
    cent = quantum(currency)
    cents = int(exact(total, currency) / cent)
    if not 1 <= number <= MOST:
        raise NoSuchLetter(_HOW_MANY, most=MOST, number=number)
    if cents < number:
        raise NoSuchLetter(_TOO_MANY, total=Sum(total, currency), number=number, cent=Sum(cent, currency))
    if first > _LAST:
        raise NoSuchLetter(N_("%(first)s is too far away for a first instalment"), first=first)
    part, over = divmod(cents, number)
    return tuple(
        Instalment(day=day_of(first, every, at), currency=currency, amount=(part + (at < over)) * cent)
        for at in range(number)
    )


def day_of(first: date, every: Every, at: int) -> date:
    """The day of the instalment after `at` intervals; months keep the first one's day where they have it."""
    if every != "month":
        return first + timedelta(days=_DAYS[every] * at)
    years, month = divmod(first.month - 1 + at, 12)
    year = first.year + years
    return date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))


def own(total: Decimal, currency: str, rows: Sequence[tuple[date, Decimal]]) -> tuple[Instalment, ...]:
    """Days and amounts that were agreed one by one, the earliest first.

    Raises NoSuchLetter where one is nothing or less, a day comes twice, or they do not add up to the total.
    """
    if not 1 <= len(rows) <= MOST:
        raise NoSuchLetter(_HOW_MANY, most=MOST, number=len(rows))
    if any(amount <= 0 for _, amount in rows):
        raise NoSuchLetter(N_("Each instalment is more than nothing"))
    if len({day for day, _ in rows}) < len(rows):
        raise NoSuchLetter(N_("Two instalments fall on one day: make them one"))
    planned = sum((exact(amount, currency) for _, amount in rows), ZERO)
    if planned != total:
        raise NoSuchLetter(NOT_THE_SUM, planned=Sum(planned, currency), owed=Sum(total, currency))
    return tuple(Instalment(day=day, currency=currency, amount=exact(amount, currency)) for day, amount in sorted(rows))
