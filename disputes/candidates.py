"""The candidate look-up of matching on the database: plain columns and B-trees, a cap on every key (matching.md §2)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from disputes.models import Link, Message
from invoices.models import Account, AccountName, Allocation, Contact, Invoice, InvoiceLine, Payment
from matching.facts import (
    AccountFacts,
    AccountQuery,
    Discussed,
    InvoiceFacts,
    InvoiceQuery,
    LineFacts,
    PaymentFacts,
)

_LIKELY = 0.5
_MOST_SAID = 1500
_Column = InstrumentedAttribute[Any]


class SqlIndex:
    """`matching.facts.LedgerIndex` on a session; it reads and keeps nothing between calls."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def accounts(self, query: AccountQuery) -> Sequence[AccountFacts]:
        """Accounts any key of the query names, each once, with their contacts."""
        parts = list(_account_parts(query))
        if not parts:
            return []
        rows = self._session.execute(
            select(Account.id, Account.number, Account.entity_id, Account.name, Account.vat_number, Account.iban)
            .where(Account.id.in_(_ids(parts)), *_in_entities(Account.entity_id, query.entity_ids))
            .order_by(Account.id)
        ).all()
        contacts = self._contacts([row.id for row in rows])
        return [_account(row, contacts[row.id]) for row in rows]

    def _contacts(self, account_ids: Sequence[int]) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = defaultdict(list)
        if account_ids:
            columns = (Contact.account_id, Contact.name, Contact.email, Contact.phone_digits)
            for row in self._session.execute(select(*columns).where(Contact.account_id.in_(account_ids))):
                found[row.account_id].append(row)
        return found

    def invoices(self, query: InvoiceQuery) -> Sequence[InvoiceFacts]:
        """Invoices any key of the query names, each once, lines included."""
        parts = list(_invoice_parts(query))
        return self._invoices(parts, query.entity_ids) if parts else []

    def _invoices(self, parts: Sequence[Select[Any]], entity_ids: tuple[int, ...]) -> list[InvoiceFacts]:
        rows = self._session.execute(
            select(*_INVOICE_COLUMNS)
            .where(Invoice.id.in_(_ids(parts)), *_in_entities(Invoice.entity_id, entity_ids))
            .order_by(Invoice.id)
        ).all()
        lines = self._lines([row.id for row in rows])
        return [_invoice(row, lines[row.id]) for row in rows]

    def _lines(self, invoice_ids: Sequence[int]) -> dict[int, list[LineFacts]]:
        found: dict[int, list[LineFacts]] = defaultdict(list)
        if invoice_ids:
            line = InvoiceLine
            rows = self._session.execute(
                select(line.invoice_id, line.sku, line.text, line.quantity, line.unit_price)
                .where(line.invoice_id.in_(invoice_ids))
                .order_by(line.invoice_id, line.position)
            )
            for row in rows:
                found[row.invoice_id].append(LineFacts(row.sku or None, row.text, row.quantity, row.unit_price))
        return found

    def pool(self, account_id: int, *, until: date, limit: int) -> Sequence[InvoiceFacts]:
        """An account's invoices issued by `until`: the `limit` latest due of those open, and of all."""
        mine = select(Invoice.id).where(Invoice.account_id == account_id, Invoice.issued <= until)
        latest = (Invoice.due.desc(), Invoice.id.desc())
        every = mine.order_by(*latest).limit(limit).subquery()
        still_open = mine.where(Invoice.open_amount != 0).order_by(*latest).limit(limit).subquery()
        return self._invoices([select(every.c.id), select(still_open.c.id)], ())

    def payments(self, references: Sequence[int], *, entity_ids: tuple[int, ...]) -> Sequence[PaymentFacts]:
        """Payments whose reference has one of these digits, with the invoices known to be paid by them."""
        columns = (Payment.id, Payment.reference, Payment.account_id, Payment.amount)
        of_payment = Allocation.payment_id == Payment.id
        same = and_(Invoice.entity_id == Allocation.entity_id, Invoice.number == Allocation.invoice_number)
        rows = self._session.execute(
            select(*columns, Invoice.id.label("invoice_id"))
            .outerjoin(Allocation, of_payment)
            .outerjoin(Invoice, same)
            .where(Payment.reference_key.in_(references), *_in_entities(Payment.entity_id, entity_ids))
            .order_by(Payment.id, Invoice.id)
        ).all()
        paid: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            paid[row.id].append(row)
        return [_payment(each) for each in paid.values()]

    def discussed(self, account_id: int, *, before: datetime, limit: int) -> Sequence[Discussed]:
        """The account's newest messages before a time and the invoices they were linked to, newest first."""
        sure = or_(Link.state == "confirmed", and_(Link.state == "proposed", Link.probability >= _LIKELY))
        rows = self._session.execute(
            select(Link.invoice_id, Message.sent_at, Message.from_email, Message.subject, Message.new_text)
            .join(Message, Message.id == Link.message_id)
            .where(Message.account_id == account_id, Message.sent_at < before, sure)
            .order_by(Message.sent_at.desc(), Link.invoice_id)
            .limit(limit)
        )
        return [
            Discussed(row.invoice_id, row.sent_at, row.from_email, f"{row.subject} {row.new_text[:_MOST_SAID]}")
            for row in rows
        ]


_INVOICE_COLUMNS = (
    Invoice.id,
    Invoice.number,
    Invoice.entity_id,
    Invoice.account_id,
    Invoice.kind,
    Invoice.issued,
    Invoice.due,
    Invoice.currency,
    Invoice.gross,
    Invoice.open_amount,
    Invoice.net,
    Invoice.po,
    Invoice.order_number,
    Invoice.delivery,
)


def _account_parts(query: AccountQuery) -> Iterator[Select[Any]]:
    """One capped look-up of account ids for each kind of key the query has."""
    if query.ids:
        yield select(Account.id).where(Account.id.in_(query.ids))
    cap, entities = query.cap, query.entity_ids
    for column, values in (
        (Account.number, query.numbers),
        (Account.vat_number, query.vats),
        (Account.iban, query.ibans),
    ):
        if values:
            yield _capped(Account.id, column, (column.in_(values), *_in_entities(Account.entity_id, entities)), cap)
    contacts = (Contact.email, query.emails), (Contact.domain, query.domains), (Contact.phone_digits, query.phones)
    for column, values in (*contacts, (AccountName.token, query.name_tokens)):
        if values:
            yield _capped_owner(column, values, entities, cap)


def _capped_owner(column: _Column, values: Sequence[Any], entities: tuple[int, ...], cap: int) -> Select[Any]:
    """Accounts by a key of theirs that lies in another table; an account counts once for each value."""
    table = column.class_
    rows = select(column.label("key"), table.account_id.label("id")).where(column.in_(values)).distinct()
    if entities:
        rows = rows.join(Account, Account.id == table.account_id).where(Account.entity_id.in_(entities))
    keyed = rows.subquery()
    ranked = select(keyed.c.id, func.row_number().over(partition_by=keyed.c.key, order_by=keyed.c.id).label("place"))
    return _best(ranked, cap)


def _invoice_parts(query: InvoiceQuery) -> Iterator[Select[Any]]:
    """One capped look-up of invoice ids for each kind of key the query has."""
    if query.ids:
        yield select(Invoice.id).where(Invoice.id.in_(query.ids))
    inside = _in_entities(Invoice.entity_id, query.entity_ids)
    for column, keys in (
        (Invoice.kd, query.kd),
        (Invoice.kc, query.kc),
        (Invoice.po_key, query.po),
        (Invoice.order_key, query.order),
        (Invoice.delivery_key, query.delivery),
    ):
        if keys:
            yield _capped(Invoice.id, column, (column.in_(keys), *inside), query.cap)
    if query.account_ids:
        yield from _parts_within(query, (Invoice.account_id.in_(query.account_ids), *inside))


def _parts_within(query: InvoiceQuery, inside: tuple[ColumnElement[bool], ...]) -> Iterator[Select[Any]]:
    """Look-ups that say something only inside the accounts in question; each account has its own cap."""
    signed = [signed for amount in query.amounts for signed in (amount, -amount)]
    for column, values in (
        (Invoice.ks, query.ks),
        (Invoice.k4, query.k4),
        (Invoice.gross, signed),
        (Invoice.open_amount, signed),
    ):
        if values:
            key = func.abs(column) if values is signed else column
            yield _capped(Invoice.id, key, (column.in_(values), *inside), query.cap, Invoice.account_id)


def _capped(
    column: _Column,
    key: ColumnElement[Any] | _Column,
    conditions: Sequence[ColumnElement[bool]],
    cap: int,
    *groups: _Column,
) -> Select[Any]:
    """At most `cap` ids for each value of `key` (within each of `groups`), the newest first."""
    order = (Invoice.issued.desc(), Invoice.id.desc()) if column is Invoice.id else (column,)
    place = func.row_number().over(partition_by=[key, *groups], order_by=order).label("place")
    return _best(select(column.label("id"), place).where(*conditions), cap)


def _best(ranked: Select[Any], cap: int) -> Select[Any]:
    rows = ranked.subquery()
    return select(rows.c.id).where(rows.c.place <= cap)


def _ids(parts: Sequence[Select[Any]]) -> Select[Any]:
    if len(parts) == 1:
        return parts[0]
    both = union(*parts).subquery()
    return select(both.c.id)


def _in_entities(column: _Column, entity_ids: tuple[int, ...]) -> list[ColumnElement[bool]]:
    return [column.in_(entity_ids)] if entity_ids else []


def _account(row: Any, contacts: Sequence[Any]) -> AccountFacts:
    return AccountFacts(
        id=row.id,
        number=row.number,
        entity_id=row.entity_id,
        name=row.name,
        emails=frozenset(contact.email for contact in contacts if contact.email),
        contact_names=tuple(contact.name for contact in contacts if contact.name),
        phones=frozenset(contact.phone_digits for contact in contacts if contact.phone_digits),
        vats=frozenset({row.vat_number} - {None}),
        ibans=frozenset({row.iban} - {None}),
    )


def _invoice(row: Any, lines: Sequence[LineFacts]) -> InvoiceFacts:
    return InvoiceFacts(
        id=row.id,
        number=row.number,
        entity_id=row.entity_id,
        account_id=row.account_id,
        kind=row.kind,
        issued=row.issued,
        due=row.due,
        currency=row.currency,
        gross=row.gross,
        open=row.open_amount,
        net=row.net,
        po=row.po,
        order=row.order_number,
        delivery=row.delivery,
        lines=tuple(lines),
    )


def _payment(rows: Sequence[Any]) -> PaymentFacts:
    first = rows[0]
    paid = tuple(row.invoice_id for row in rows if row.invoice_id is not None)
    return PaymentFacts(first.reference, first.account_id, first.amount or Decimal(0), paid)
