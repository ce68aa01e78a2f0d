"""Cases as rules see them, from their rows: many at once, in two queries. It reads only."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session

from app.core.among import among
from disputes.conditions import CaseFacts
from disputes.lookups import OPEN_STATES
from disputes.models import Case, CaseInvoice, Link
from invoices.models import Account, Entity, Invoice

ZERO = Decimal(0)
Sums = Mapping[str, tuple[Decimal, Decimal]]
"""Currency -> what is in dispute, and what is open."""


def facts_of_cases(session: Session, *, case_ids: Collection[int]) -> dict[int, CaseFacts]:
    """Case id -> the case as rules see it; an id without a case is left out. A few thousand ids at a time."""
    given = {"case_ids": case_ids}
    rows = session.execute(_GIVEN_CASES, given).all()
    sums = _by_case(session.execute(_GIVEN_SUMS, given))
    return {row.id: _facts_of_row(row, sums.get(row.id, {})) for row in rows}


def facts_of_open_cases(session: Session) -> dict[int, CaseFacts]:
    """The same for every open case, however many."""
    sums = _by_case(session.execute(_OPEN_SUMS))
    return {row.id: _facts_of_row(row, sums.get(row.id, {})) for row in session.execute(_OPEN_CASES)}


def fact_of_case(session: Session, *, case: Case) -> CaseFacts:
    """One case as rules see it."""
    sums = _by_case(session.execute(_GIVEN_SUMS, {"case_ids": [case.id]}))
    return _facts_of_one(session, case, sums.get(case.id, {}))


def facts_of_new_case(session: Session, *, case: Case, message_id: int) -> CaseFacts:
    """A case that has no invoices yet, as rules see it: what is open of those its first mail is linked to counts."""
    rows = session.execute(_LINKED_SUMS, {"message_id": message_id})
    return _facts_of_one(session, case, {currency: (ZERO, still_open) for currency, still_open in rows})


_OWED = func.sum(sql_case((Invoice.open_amount > 0, Invoice.open_amount), else_=ZERO))
_LINKED_SUMS = (
    select(Invoice.currency, _OWED)
    .join(Link, Link.invoice_id == Invoice.id)
    .where(Link.message_id == bindparam("message_id"), Link.state == "confirmed")
    .group_by(Invoice.currency)
)
_SUMS = (
    select(CaseInvoice.case_id, Invoice.currency, func.sum(CaseInvoice.disputed), _OWED)
    .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
    .group_by(CaseInvoice.case_id, Invoice.currency)
)
"""What each case disputes and what is open of its invoices (credit notes left out), by currency."""
_CASES: Select[Any] = (
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
_GIVEN_CASES, _GIVEN_SUMS = (
    _CASES.where(among(Case.id, "case_ids")),
    _SUMS.where(among(CaseInvoice.case_id, "case_ids")),
)
_OPEN = select(Case.id).where(Case.state.in_(OPEN_STATES))
_OPEN_CASES, _OPEN_SUMS = _CASES.where(Case.id.in_(_OPEN)), _SUMS.where(CaseInvoice.case_id.in_(_OPEN))


def _by_case(rows: Iterable[Any]) -> dict[int, Sums]:
    found: dict[int, dict[str, tuple[Decimal, Decimal]]] = defaultdict(dict)
    for case_id, currency, disputed, still_open in rows:
        found[case_id][currency] = (disputed, still_open)
    return dict(found)


def _facts_of_row(row: Row[Any], sums: Sums) -> CaseFacts:
    return _facts(row, sums, entity=row.entity, own_currency=row.own_currency, account=row.account)


def _facts_of_one(session: Session, case: Case, sums: Sums) -> CaseFacts:
    """Of rows the session knows already, mostly."""
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    account = session.get(Account, case.account_id) if case.account_id is not None else None
    code, own_currency = (entity.code, entity.currency) if entity else (None, None)
    return _facts(case, sums, entity=code, own_currency=own_currency, account=account.number if account else None)


def _facts(case: Any, sums: Sums, *, entity: str | None, own_currency: str | None, account: str | None) -> CaseFacts:
    currency = main_currency(sums, own=own_currency)
    disputed, still_open = sums.get(currency, (ZERO, ZERO))
    return CaseFacts(
        case_id=case.id,
        kind=case.kind,
        reason=case.reason,
        state=case.state,
        waiting_on=case.waiting_on,
        entity=entity,
        account=account,
        amount=disputed or still_open,
        currency=currency,
        language=case.language,
        sentiment=case.sentiment,
        urgent=case.urgent,
        tags=frozenset(str(flag) for flag in case.flags),
    )


def main_currency(currencies: Iterable[str], *, own: str | None) -> str:
    """The one currency rules see of a case: the entity's where an invoice is in it, else the first by its code."""
    found = sorted(currencies)
    return own if own and (own in found or not found) else found[0] if found else ""
