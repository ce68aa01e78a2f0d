"""The candidate look-up of matching on the database: plain columns and B-trees, a cap on every key (matching.md §2)."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, and_, bindparam, func, literal_column, or_, select, union
from sqlalchemy.orm import Session

from app.core.among import among
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


def _table(model: Any) -> Table:
    """Core tables: statements over them are keyed and compiled several times faster than over mapped attributes."""
    table: Table = model.__table__
    return table


ACCOUNT, CONTACT, NAME = _table(Account), _table(Contact), _table(AccountName)
INVOICE, LINE = _table(Invoice), _table(InvoiceLine)
PAYMENT, ALLOCATION = _table(Payment), _table(Allocation)


class SqlIndex:
    """`matching.facts.LedgerIndex` on a session; it reads and keeps nothing between calls."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def accounts(self, query: AccountQuery) -> Sequence[AccountFacts]:
        """Accounts any key of the query names, each once, with their contacts."""
        keys = {name: values for name in _ACCOUNT_KEYS if (values := getattr(query, name))}
        if not keys:
            return []
        entities = {"entity_ids": query.entity_ids} if query.entity_ids else {}
        statement = _accounts_by(tuple(keys), narrowed=bool(entities))
        found: dict[int, list[Any]] = defaultdict(list)
        for row in self._session.execute(statement, {**keys, **entities, "cap": query.cap}):
            found[row.id].append(row)
        return [_account(rows) for rows in found.values()]

    def invoices(self, query: InvoiceQuery) -> Sequence[InvoiceFacts]:
        """Invoices any key of the query names, each once, lines included."""
        keys = {name: values for name in _INVOICE_KEYS if (values := getattr(query, name))}
        if query.account_ids:
            keys |= {name: values for name in _KEYS_WITHIN if (values := getattr(query, name))}
        if "amounts" in keys:
            keys["amounts"] = [signed for amount in query.amounts for signed in (amount, -amount)]
        if not keys:
            return []
        narrowing = {"entity_ids": query.entity_ids, "account_ids": query.account_ids}
        given = {
            name: values for name, values in narrowing.items() if values and (name != "account_ids" or _within(keys))
        }
        statement = _invoices_by(tuple(keys), narrowed="entity_ids" in given)
        return self._invoices(statement, {**keys, **given, "cap": query.cap})

    def _invoices(self, statement: Select[Any], values: dict[str, Any]) -> list[InvoiceFacts]:
        """One row a line: a second statement for the lines costs more than the few values it would save."""
        lines: dict[int, list[LineFacts]] = defaultdict(list)
        invoices: dict[int, Any] = {}
        for *invoice, position, sku, text, quantity, price in self._session.execute(statement, values):
            invoices.setdefault(invoice[0], invoice)
            if position is not None:
                lines[invoice[0]].append(LineFacts(sku or None, text, quantity, price))
        return [InvoiceFacts._make((*row, tuple(lines[invoice_id]))) for invoice_id, row in invoices.items()]

    def pool(self, account_id: int, *, until: date, limit: int) -> Sequence[InvoiceFacts]:
        """An account's invoices issued by `until`: the `limit` latest due of those open, and of all."""
        return self._invoices(_POOL, {"account_id": account_id, "until": until, "most": limit})

    def payments(self, references: Sequence[int], *, entity_ids: tuple[int, ...]) -> Sequence[PaymentFacts]:
        """Payments whose reference has one of these digits, with the invoices known to be paid by them."""
        narrowing = {"entity_ids": entity_ids} if entity_ids else {}
        values = {"references": references, **narrowing}
        rows = self._session.execute(_payments(narrowed=bool(entity_ids)), values).all()
        paid: dict[int, list[Any]] = defaultdict(list)
        for row in rows:
            paid[row.id].append(row)
        return [_payment(each) for each in paid.values()]

    def discussed(self, account_id: int, *, before: datetime, limit: int) -> Sequence[Discussed]:
        """The account's newest messages before a time and the invoices they were linked to, newest first."""
        rows = self._session.execute(_DISCUSSED, {"account_id": account_id, "before": before, "most": limit})
        return [
            Discussed(row.invoice_id, row.sent_at, row.from_email, f"{row.subject} {row.new_text[:_MOST_SAID]}")
            for row in rows
        ]


_ACCOUNT_KEYS = ("ids", "numbers", "vats", "ibans", "emails", "domains", "phones", "name_tokens")
_INVOICE_KEYS = ("ids", "kd", "kc", "po", "order", "delivery")
_KEYS_WITHIN = ("ks", "k4", "amounts")
_INVOICE_COLUMNS = [
    INVOICE.c[name]
    for name in (
        "id",
        "number",
        "entity_id",
        "account_id",
        "kind",
        "issued",
        "due",
        "currency",
        "gross",
        "open_amount",
        "net",
        "po",
        "order_number",
        "delivery",
        "credits",
    )
]
_LINE_COLUMNS = (LINE.c.position, LINE.c.sku, LINE.c.text, LINE.c.quantity, LINE.c.unit_price)


def _within(keys: dict[str, Any]) -> bool:
    return any(name in keys for name in _KEYS_WITHIN)


def _pool() -> Select[Any]:
    mine = select(INVOICE.c.id).where(
        INVOICE.c.account_id == bindparam("account_id"),
        INVOICE.c.issued <= bindparam("until", type_=INVOICE.c.issued.type),
    )
    latest = (INVOICE.c.due.desc(), INVOICE.c.id.desc())
    every = mine.order_by(*latest).limit(bindparam("most")).subquery()
    still_open = mine.where(INVOICE.c.open_amount != 0).order_by(*latest).limit(bindparam("most")).subquery()
    return _rows_of([select(every.c.id), select(still_open.c.id)])


def _rows_of(parts: Sequence[Select[Any]]) -> Select[Any]:
    return (
        select(*_INVOICE_COLUMNS, *_LINE_COLUMNS)
        .outerjoin_from(INVOICE, LINE, LINE.c.invoice_id == INVOICE.c.id)
        .where(INVOICE.c.id.in_(_ids(parts)))
        .order_by(INVOICE.c.id, LINE.c.position)
    )


@cache
def _accounts_by(names: tuple[str, ...], *, narrowed: bool) -> Select[Any]:
    """The look-up by these kinds of keys, made once: building a statement costs more than running it."""
    c = ACCOUNT.c
    own = {"numbers": c.number, "vats": c.vat_number, "ibans": c.iban}
    theirs = {"emails": CONTACT.c.email, "domains": CONTACT.c.domain, "phones": CONTACT.c.phone_digits}
    theirs["name_tokens"] = NAME.c.token
    inside = [_of_entities(c.entity_id)] if narrowed else []
    parts = [select(c.id).where(among(c.id, "ids"))] if "ids" in names else []
    parts += [_capped(c.id, own[name], [among(own[name], name), *inside]) for name in names if name in own]
    parts += [_capped_owner(theirs[name], name, inside) for name in names if name in theirs]
    columns = (c.id, c.number, c.entity_id, c.name, c.vat_number, c.iban)
    people = (CONTACT.c.name.label("contact"), CONTACT.c.email, CONTACT.c.phone_digits)
    rows = select(*columns, *people).outerjoin_from(ACCOUNT, CONTACT, CONTACT.c.account_id == c.id)
    return rows.where(c.id.in_(_ids(parts)), *inside).order_by(c.id, CONTACT.c.id)


def _capped_owner(column: Column[Any], name: str, inside: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Accounts by a key of theirs that lies in another table; an account counts once for each value."""
    owner = column.table.c.account_id
    rows = select(column.label("key"), owner.label("id")).where(among(column, name)).distinct()
    if inside:
        rows = rows.join(ACCOUNT, ACCOUNT.c.id == owner).where(*inside)
    keyed = rows.subquery()
    place = func.row_number().over(partition_by=_unindexed(keyed.c.key), order_by=keyed.c.id).label("place")
    return _best(select(keyed.c.id, place))


@cache
def _invoices_by(names: tuple[str, ...], *, narrowed: bool) -> Select[Any]:
    """The look-up by these kinds of keys, made once; `ks`, `k4` and amounts only inside the accounts in question."""
    c = INVOICE.c
    inside = [_of_entities(c.entity_id)] if narrowed else []
    anywhere = {"kd": c.kd, "kc": c.kc, "po": c.po_key, "order": c.order_key, "delivery": c.delivery_key}
    parts = [select(c.id).where(among(c.id, "ids"), *inside)] if "ids" in names else []
    parts += [
        _capped(c.id, anywhere[name], [among(anywhere[name], name), *inside]) for name in names if name in anywhere
    ]
    own = [among(c.account_id, "account_ids"), *inside]
    for name, column in (("ks", c.ks), ("k4", c.k4), ("amounts", c.gross), ("amounts", c.open_amount)):
        if name in names:
            key = func.abs(column) if name == "amounts" else column
            parts.append(_capped(c.id, key, [among(column, name), *own], c.account_id))
    return _rows_of(parts)


def _capped(
    column: Column[Any], key: ColumnElement[Any], conditions: Sequence[ColumnElement[bool]], *groups: Column[Any]
) -> Select[Any]:
    """At most `cap` ids for each value of `key` (within each of `groups`), the newest first."""
    order = (INVOICE.c.issued.desc(), INVOICE.c.id.desc()) if column is INVOICE.c.id else (column,)
    place = func.row_number().over(partition_by=[_unindexed(key), *groups], order_by=order).label("place")
    return _best(select(column.label("id"), place).where(*conditions))


def _best(ranked: Select[Any]) -> Select[Any]:
    rows = ranked.subquery()
    return select(rows.c.id).where(rows.c.place <= bindparam("cap"))


def _ids(parts: Sequence[Select[Any]]) -> Select[Any]:
    if len(parts) == 1:
        return parts[0]
    both = union(*parts).subquery()
    return select(both.c.id)


def _of_entities(column: Column[Any]) -> ColumnElement[bool]:
    """A condition on rows found by other keys: never the way to them, millions have the same."""
    return among(_unindexed(column), "entity_ids")


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same values as what no index is of, so that a database does not walk the whole index for its order."""
    return column + literal_column("0" if column.type.python_type is not str else "''", column.type)


@cache
def _payments(*, narrowed: bool) -> Select[Any]:
    pay, put = PAYMENT.c, ALLOCATION.c
    same = and_(INVOICE.c.entity_id == put.entity_id, INVOICE.c.number == put.invoice_number)
    return (
        select(pay.id, pay.reference, pay.account_id, pay.amount, INVOICE.c.id.label("invoice_id"))
        .outerjoin_from(PAYMENT, ALLOCATION, put.payment_id == pay.id)
        .outerjoin(INVOICE, same)
        .where(among(pay.reference_key, "references"), *([_of_entities(pay.entity_id)] if narrowed else []))
        .order_by(pay.id, INVOICE.c.id)
    )


def _account(rows: Sequence[Any]) -> AccountFacts:
    """An account from its rows, one a contact (or one without)."""
    first = rows[0]
    return AccountFacts(
        id=first.id,
        number=first.number,
        entity_id=first.entity_id,
        name=first.name,
        emails=frozenset(row.email for row in rows if row.email),
        contact_names=tuple(row.contact for row in rows if row.contact),
        phones=frozenset(row.phone_digits for row in rows if row.phone_digits),
        vats=frozenset({first.vat_number} - {None}),
        ibans=frozenset({first.iban} - {None}),
    )


def _payment(rows: Sequence[Any]) -> PaymentFacts:
    first = rows[0]
    paid = tuple(row.invoice_id for row in rows if row.invoice_id is not None)
    return PaymentFacts(first.reference, first.account_id, first.amount or Decimal(0), paid)


def _discussed() -> Select[Any]:
    link, mail = _table(Link).c, _table(Message).c
    sure = or_(link.state == "confirmed", and_(link.state == "proposed", link.probability >= _LIKELY))
    earlier = mail.sent_at < bindparam("before", type_=mail.sent_at.type)
    return (
        select(link.invoice_id, mail.sent_at, mail.from_email, mail.subject, mail.new_text)
        .join_from(_table(Message), _table(Link), link.message_id == mail.id)
        .where(mail.account_id == bindparam("account_id"), earlier, sure)
        .order_by(mail.sent_at.desc(), link.invoice_id)
        .limit(bindparam("most"))
    )


_POOL = _pool()
_DISCUSSED = _discussed()
