"""Which cases one could flow into: the account's other open ones, the likeliest first, with what tells them apart."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.auth import User
from disputes.models import Case, CaseInvoice
from disputes.queries.filters import STATES_OPEN
from disputes.queries.inbox import newest_words
from disputes.queries.visibility import visible_to
from invoices.models import Invoice

MOST = 12
"""So many are offered: nobody compares more."""


class About(NamedTuple):
    """An invoice a case is about, and what of it is in dispute there."""

    number: str
    disputed: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Comparable:
    """A case with what people compare: its invoices, and how its newest message begins."""

    case: Case
    invoices: tuple[About, ...]
    snippet: str

    @property
    def numbers(self) -> frozenset[str]:
        """The numbers of its invoices."""
        return frozenset(one.number for one in self.invoices)


def comparable_cases(session: Session, *, user: User, case: Case) -> tuple[Comparable, tuple[Comparable, ...]]:
    """The case itself, and the open cases of its account it could flow into. Three queries.

    Those that share invoices come first, then those of the same reason, then the latest.
    """
    others = _open_ones(session, user, case)
    ids = [case.id, *(one.id for one in others)]
    about, words = _about(session, ids), newest_words(session, ids)

    def comparable(one: Case) -> Comparable:
        return Comparable(one, tuple(about[one.id]), " ".join(words.get(one.id, ("", "", ""))[0].split()))

    own = comparable(case)
    found = sorted(map(comparable, others), key=lambda one: _likeness(own, one), reverse=True)
    return own, tuple(found[:MOST])


def _open_ones(session: Session, user: User, case: Case) -> Sequence[Case]:
    if case.account_id is None:
        return ()
    query = select(Case).where(
        Case.account_id == case.account_id, Case.id != case.id, Case.state.in_(STATES_OPEN), visible_to(user)
    )
    newest = query.order_by(Case.last_activity_at.desc(), Case.id).limit(MOST * 4)
    return session.scalars(newest.options(joinedload(Case.owner), joinedload(Case.team))).all()


def _likeness(own: Comparable, other: Comparable) -> tuple[int, bool, float]:
    return (
        len(own.numbers & other.numbers),
        own.case.reason == other.case.reason,
        other.case.last_activity_at.timestamp(),
    )


def _about(session: Session, case_ids: Collection[int]) -> dict[int, list[About]]:
    query = (
        select(CaseInvoice.case_id, Invoice.number, CaseInvoice.disputed, Invoice.currency)
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id.in_(case_ids))
        .order_by(Invoice.number)
    )
    found: dict[int, list[About]] = defaultdict(list)
    for case_id, number, disputed, currency in session.execute(query):
        found[case_id].append(About(number, disputed, currency))
    return found
