"""Cases as rules see them, from their rows: many at once, in two queries. It reads only."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from disputes.conditions import CaseFacts
from disputes.lookups import OPEN_STATES
from disputes.models import Case, CaseInvoice, Link
from invoices.models import Account, Entity, Invoice

ZERO = Decimal(0)
Sums = Mapping[str, tuple[Decimal, Decimal]]
"""Currency -> what is in dispute, and what is open."""


def facts_of_cases(session: Session, *, case_ids: Collection[int]) -> dict[int, CaseFacts]:
    """Case id -> the case as rules see it; an id without a case is left out. A few thousand ids at a time."""
    rows = session.execute(_cases().where(Case.id.in_(case_ids))).all()
    sums = _sums(session, case_ids)
    return {row.id: _facts(row, sums.get(row.id, {})) for row in rows}


def facts_of_open_cases(session: Session) -> dict[int, CaseFacts]:
    """The same for every open case, however many."""
    chosen = select(Case.id).where(Case.state.in_(OPEN_STATES))
    sums = _sums(session, chosen)
    return {row.id: _facts(row, sums.get(row.id, {})) for row in session.execute(_cases().where(Case.id.in_(chosen)))}


def fact_of_case(session: Session, *, case: Case) -> CaseFacts:
    """One case as rules see it."""
    return facts_of_cases(session, case_ids=[case.id])[case.id]


def facts_of_new_case(session: Session, *, case: Case, message_id: int) -> CaseFacts:
    """A case that has no invoices yet, as rules see it: what is open of those its first mail is linked to counts."""
    owed = func.sum(sql_case((Invoice.open_amount > 0, Invoice.open_amount), else_=ZERO))
    rows = session.execute(
        select(Invoice.currency, owed)
        .join(Link, Link.invoice_id == Invoice.id)
        .where(Link.message_id == message_id, Link.state == "confirmed")
        .group_by(Invoice.currency)
    )
    sums = {currency: (ZERO, still_open) for currency, still_open in rows}
    return _facts(session.execute(_cases().where(Case.id == case.id)).one(), sums)


def _cases() -> Any:
    return (
        select(
            *(Case.id, Case.kind, Case.reason, Case.state, Case.waiting_on, Case.language, Case.sentiment, Case.urgent),
            Case.flags,
            Entity.code.label("entity"),
            Entity.currency.label("own_currency"),
            Account.number.label("account"),
        )
        .outerjoin(Entity, Entity.id == Case.entity_id)
        .outerjoin(Account, Account.id == Case.account_id)
    )


def _sums(session: Session, case_ids: Collection[int] | Select[int]) -> dict[int, Sums]:
    """What each case disputes and what is open of its invoices (credit notes left out), by currency."""
    owed = sql_case((Invoice.open_amount > 0, Invoice.open_amount), else_=ZERO)
    rows = session.execute(
        select(CaseInvoice.case_id, Invoice.currency, func.sum(CaseInvoice.disputed), func.sum(owed))
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id.in_(case_ids))
        .group_by(CaseInvoice.case_id, Invoice.currency)
    )
    found: dict[int, dict[str, tuple[Decimal, Decimal]]] = defaultdict(dict)
    for case_id, currency, disputed, still_open in rows:
        found[case_id][currency] = (disputed, still_open)
    return dict(found)


def _facts(row: Row[Any], sums: Sums) -> CaseFacts:
    currency = main_currency(sums, own=row.own_currency)
    disputed, still_open = sums.get(currency, (ZERO, ZERO))
    return CaseFacts(
        case_id=row.id,
        kind=row.kind,
        reason=row.reason,
        state=row.state,
        waiting_on=row.waiting_on,
        entity=row.entity,
        account=row.account,
        amount=disputed or still_open,
        currency=currency,
        language=row.language,
        sentiment=row.sentiment,
        urgent=row.urgent,
        tags=frozenset(str(flag) for flag in row.flags),
    )


def main_currency(currencies: Iterable[str], *, own: str | None) -> str:
    """The one currency rules see of a case: the entity's where an invoice is in it, else the first by its code."""
    found = sorted(currencies)
    return own if own and (own in found or not found) else found[0] if found else ""
