"""Reading the ledger. Everything is limited to the entities a viewer may see, in the query (S17)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session, contains_eager, selectinload

from app.core.errors import NotFound
from invoices.models import Account, Allocation, Entity, Invoice, Payment

Codes = Collection[str] | None
"""Entity codes a viewer may see; None for all of them."""


@dataclass(frozen=True)
class OpenTotal:
    """What is open of an account in one currency: invoices, credit notes (negative), how many documents, how old."""

    currency: str
    invoices: Decimal
    credit_notes: Decimal
    documents: int
    oldest_due: date

    @property
    def balance(self) -> Decimal:
        """What the account owes."""
        return self.invoices + self.credit_notes


def within(codes: Codes) -> ColumnElement[bool]:
    """The condition that an entity is one of these; the query must have joined Entity."""
    return true() if codes is None else Entity.code.in_(codes)


def account_by_id(session: Session, *, account_id: int, codes: Codes = None) -> Account:
    """An account with its entity and contacts. Raises NotFound, for one of another entity as well."""
    found = session.scalar(_accounts(codes).where(Account.id == account_id))
    if found is None:
        raise NotFound("There is no such account")
    return found


def account_by_number(session: Session, *, entity: str, number: str, codes: Codes = None) -> Account:
    """An account by its entity's code and its number there. Raises NotFound."""
    found = session.scalar(_accounts(codes).where(Entity.code == entity, Account.number == number))
    if found is None:
        raise NotFound(f"There is no account {number} in {entity}")
    return found


def _accounts(codes: Codes) -> Select[Account]:
    joined = select(Account).join(Account.entity).where(within(codes))
    return joined.options(contains_eager(Account.entity), selectinload(Account.contacts))


def invoice_by_number(session: Session, *, entity: str, number: str, codes: Codes = None) -> Invoice:
    """An invoice or credit note with its account and lines. Raises NotFound."""
    query = select(Invoice).join(Invoice.account).join(Account.entity).where(within(codes))
    query = query.where(Entity.code == entity, Invoice.number == number)
    found = session.scalar(query.options(contains_eager(Invoice.account), selectinload(Invoice.lines)))
    if found is None:
        raise NotFound(f"There is no invoice {number} in {entity}")
    return found


def open_items(session: Session, *, account_id: int) -> Sequence[Invoice]:
    """The account's invoices and credit notes with something open, the oldest due first."""
    query = select(Invoice).where(Invoice.account_id == account_id, Invoice.open_amount != 0)
    return session.scalars(query.order_by(Invoice.due, Invoice.number)).all()


def open_totals(session: Session, *, account_ids: Collection[int]) -> dict[int, list[OpenTotal]]:
    """What is open of each account, by currency; accounts that owe nothing are left out. One query for all."""
    query = (
        select(
            Invoice.account_id,
            Invoice.currency,
            func.sum(Invoice.open_amount).filter(Invoice.kind == "invoice"),
            func.sum(Invoice.open_amount).filter(Invoice.kind == "credit_note"),
            func.count(),
            func.min(Invoice.due),
        )
        .where(Invoice.account_id.in_(account_ids), Invoice.open_amount != 0)
        .group_by(Invoice.account_id, Invoice.currency)
        .order_by(Invoice.account_id, Invoice.currency)
    )
    found: dict[int, list[OpenTotal]] = {}
    for account_id, currency, invoices, notes, documents, oldest in session.execute(query):
        total = OpenTotal(currency, invoices or Decimal(0), notes or Decimal(0), documents, oldest)
        found.setdefault(account_id, []).append(total)
    return found


def payments_of(session: Session, *, account_id: int, limit: int = 100) -> Sequence[Payment]:
    """The account's last payments with what they were put against, the newest first."""
    query = select(Payment).where(Payment.account_id == account_id).options(selectinload(Payment.allocations))
    return session.scalars(query.order_by(Payment.received.desc(), Payment.id.desc()).limit(limit)).all()


def payments_for(session: Session, *, invoice: Invoice) -> Sequence[Payment]:
    """The payments put against one invoice, the oldest first."""
    query = select(Payment).join(Payment.allocations).options(contains_eager(Payment.allocations))
    query = query.where(Allocation.entity_id == invoice.entity_id, Allocation.invoice_number == invoice.number)
    return session.scalars(query.order_by(Payment.received, Payment.id)).unique().all()
