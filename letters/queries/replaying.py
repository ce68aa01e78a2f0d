"""A procedure replayed over the customers it is for, as a page shows it. It reads only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from app.auth import User
from invoices.models import Account, Entity, Invoice, Payment
from letters.procedure import Procedure, choose, groups_of
from letters.queries.history import pasts
from letters.queries.letters import visible_entities
from letters.replay import Past, Replay, Replayed, replay
from letters.rules import LetterRules

MOST = 5_000
"""Accounts looked at, the first by their id: a person waits for the answer, and a usual one takes 2 ms."""
AT_ONCE = 500
"""Accounts whose past is in memory at a time."""
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Reached:
    """A customer that would have got letters, in the order of their days."""

    account_id: int
    name: str
    number: str
    letters: tuple[Replayed, ...]

    @property
    def in_dispute(self) -> int:
        """How many of them while something of theirs was in dispute."""
        return sum(one.in_dispute for one in self.letters)

    @property
    def asked(self) -> Mapping[str, Decimal]:
        """What the last of them asks for, by currency."""
        return self.letters[-1].totals


@dataclass(frozen=True, slots=True)
class Found:
    """The replay, whom it would have reached (those in dispute first, then the most letters), and how many customers
    the procedure is for in all.
    """

    replay: Replay
    reached: tuple[Reached, ...]
    customers: int

    @property
    def partly(self) -> bool:
        """Whether there are more customers than were looked at."""
        return self.customers > self.replay.accounts

    @property
    def in_dispute(self) -> int:
        """How many customers would have got a letter while something of theirs was in dispute."""
        return sum(one.in_dispute > 0 for one in self.reached)


def last_quarter(today: date) -> tuple[date, date]:
    """The first and the last day of the quarter before today's."""
    begins = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    last = date.fromordinal(begins.toordinal() - 1)
    return date(last.year, last.month - 2, 1), last


def replayed(
    session: Session, *, user: User, rules: LetterRules, key: str, procedure: Procedure, over: str, today: date
) -> Found:
    """What the procedure would have sent last quarter, to the customers that are on `key` now, or to all of the entity
    with the code `over`. Three queries, and thirteen for each AT_ONCE customers.
    """
    first, last = last_quarter(today)
    ids = _customers(session, user=user, rules=rules, key=key, over=over, first=first, last=last)
    found = replay(_pasts(session, ids[:MOST], first, last), procedure, first=first, last=last)
    return Found(found, _reached(session, found), len(ids))


def _pasts(session: Session, ids: Sequence[int], first: date, last: date) -> Iterator[Past]:
    """Some at a time: memory does not grow with the number of customers."""
    for start in range(0, len(ids), AT_ONCE):
        yield from pasts(session, account_ids=ids[start : start + AT_ONCE], first=first, last=last).values()


def _customers(
    session: Session, *, user: User, rules: LetterRules, key: str, over: str, first: date, last: date
) -> Sequence[int]:
    """Accounts that owed something in the time: they owe it still, paid since, or were credited since."""
    entities = {one.id: one for one in visible_entities(session, user=user) if over in {"", one.code}}
    owed = exists().where(Invoice.account_id == Account.id, Invoice.open_amount > 0, Invoice.issued <= last)
    paid = exists().where(Payment.account_id == Account.id, Payment.received >= first)
    credited = exists().where(Invoice.account_id == Account.id, Invoice.gross < 0, Invoice.issued >= first)
    rows = session.execute(
        select(Account.id, Account.entity_id, Account.number, Account.customer_group)
        .where(Account.entity_id.in_(entities), or_(owed, paid, credited))
        .order_by(Account.id)
    )
    return [one.id for one in rows if over or _is_on(rules, key, entities[one.entity_id], one)]


def _is_on(rules: LetterRules, key: str, entity: Entity, account: Any) -> bool:
    chosen = choose(
        rules.assignments.rules.rows,
        {name: one.rules for name, one in rules.procedures.items()},
        entity=entity.code,
        account=account.number,
        groups=groups_of(account.customer_group),
        country=entity.country,
    )
    return chosen.key == key and chosen.procedure is not None


def _reached(session: Session, found: Replay) -> tuple[Reached, ...]:
    letters: dict[int, list[Replayed]] = {}
    for one in found.letters:
        letters.setdefault(int(one.account), []).append(one)
    rows = session.execute(select(Account.id, Account.name, Account.number).where(Account.id.in_(letters)))
    each = [Reached(one.id, one.name or one.number, one.number, tuple(letters[one.id])) for one in rows]
    return tuple(sorted(each, key=lambda one: (-one.in_dispute, -len(one.letters), one.name)))
