"""ERP documents as rows of the ledger's tables: amounts as scaled integers, dates as ISO text, look-up keys. Pure.

Rows go to the database as they stand here (invoices.actions.bulk), past SQLAlchemy's types: at a million documents
these types are most of the time. The scales are those of app.core.db's Amount and Quantity.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Table

from app.core.db import Amount, Quantity
from invoices.checks import problem_of
from invoices.feed import (
    AccountDocument,
    ContactPart,
    Document,
    EntityDocument,
    InvoiceDocument,
    PaymentDocument,
    Problem,
    Refused,
    entity_of,
    kind_of,
    number_of,
    refused,
    type_of,
    version_key,
)
from invoices.models import Account, AccountName, Allocation, Contact, Entity, Invoice, InvoiceLine, Payment

Values = tuple[Any, ...]
Keys4 = tuple[int | None, int | None, int | None, int | None]


@dataclass(frozen=True)
class LedgerKeys:
    """How texts become look-up keys. Passed in, because the ledger knows nothing of the matcher.

    `number_keys` gives kd, kc, ks, k4 of an invoice number and its year of issue, `digits_key` the key of an order or
    payment reference, `name_tokens` the telling words of a company's name, `email_domain` the domain of an address.
    """

    number_keys: Callable[[str, int], Keys4]
    digits_key: Callable[[str], int | None]
    name_tokens: Callable[[str], Sequence[str]]
    email_domain: Callable[[str], str]


@dataclass(frozen=True)
class Child:
    """A table of parts: rows are `parent`, then `entity_id` where `scoped`, then `columns`."""

    table: Table
    parent: str
    columns: tuple[str, ...]
    scoped: bool = False


@dataclass(frozen=True)
class Family:
    """One kind of documents: its table, the column of its number, the other columns a document fills, its parts.

    `owned` rows belong to an account. `watched` columns are kept as events when they change; `fixed` ones may not.
    """

    name: str
    table: Table
    key: str
    columns: tuple[str, ...]
    children: tuple[Child, ...] = ()
    owned: bool = False
    watched: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()


class Row(NamedTuple):
    """A document ready to be written. `values` follow the family's columns, `children` its child tables."""

    type: str
    entity: str
    number: str
    account: str
    version: str
    fingerprint: int
    values: Values
    children: tuple[tuple[Values, ...], ...]


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


ENTITIES = Family("entity", _table(Entity), "code", ("name", "country", "currency", "language", "mailbox"))

ACCOUNTS = Family(
    "account",
    _table(Account),
    "number",
    ("name", "language", "country", "address", "terms_days", "vat_number", "iban", "customer_group", "pending"),
    (
        Child(_table(Contact), "account_id", ("name", "email", "domain", "role", "phone", "phone_digits")),
        Child(_table(AccountName), "account_id", ("token",)),
    ),
    watched=("name", "vat_number", "iban", "terms_days"),
)

_INVOICE_FACTS = (
    *("kind", "issued", "due", "currency", "net", "gross", "open_amount"),
    *("po", "order_number", "delivery", "credits"),
)
_INVOICE_KEYS = ("kd", "kc", "ks", "k4", "po_key", "order_key", "delivery_key")

INVOICES = Family(
    "invoice",
    _table(Invoice),
    "number",
    _INVOICE_FACTS + _INVOICE_KEYS,
    (Child(_table(InvoiceLine), "invoice_id", ("position", "sku", "text", "quantity", "unit_price")),),
    owned=True,
    watched=("kind", "due", "currency", "net", "gross", "open_amount"),
    fixed=("kind",),
)

PAYMENTS = Family(
    "payment",
    _table(Payment),
    "reference",
    ("reference_key", "received", "currency", "amount"),
    (Child(_table(Allocation), "payment_id", ("invoice_number", "amount"), scoped=True),),
    owned=True,
    watched=("received", "currency", "amount"),
)

FAMILIES = {
    "entity": ENTITIES,
    "account": ACCOUNTS,
    "invoice": INVOICES,
    "credit_note": INVOICES,
    "payment": PAYMENTS,
}


def prepare(
    documents: Iterable[Document | Refused], *, keys: LedgerKeys, today: date, only_entity: str | None = None
) -> list[Row | Refused]:
    """
    Check documents and make rows of them, all that can be done without the database: another process may do it.

    `only_entity` refuses the documents of others (a token limited to one entity).
    """
    return [_prepared(document, keys, today, only_entity) for document in documents]


def _prepared(document: Document | Refused, keys: LedgerKeys, today: date, only_entity: str | None) -> Row | Refused:
    if isinstance(document, Refused):
        return document
    problem = problem_of(document, today=today)
    if problem:
        return refused(document, problem)
    if only_entity and entity_of(document) != only_entity:
        return refused(document, Problem("entity", f"is not {only_entity}, the only entity this token may write"))
    return row_of(document, keys)


def row_of(document: Document, keys: LedgerKeys) -> Row:
    """The row a document becomes."""
    account = document.account if isinstance(document, (InvoiceDocument, PaymentDocument)) else ""
    values, children = _values(document, keys)
    return Row(
        type=type_of(document),
        entity=entity_of(document),
        number=number_of(document),
        account=account,
        version=version_key(document.version),
        fingerprint=_fingerprint((account, *_content(document, values, children))),
        values=values,
        children=children,
    )


def _values(document: Document, keys: LedgerKeys) -> tuple[Values, tuple[tuple[Values, ...], ...]]:
    if isinstance(document, InvoiceDocument):
        return _invoice_values(document, keys), (_line_rows(document),)
    if isinstance(document, PaymentDocument):
        return _payment_values(document, keys), (_allocation_rows(document),)
    if isinstance(document, AccountDocument):
        return _account_values(document), (_contact_rows(document, keys), _name_rows(document, keys))
    return _entity_values(document), ()


def _content(document: Document, values: Values, children: tuple[tuple[Values, ...], ...]) -> Values:
    """What the ERP said, without what we made of it: a better key must not look like another document."""
    if isinstance(document, InvoiceDocument):
        return values[: len(_INVOICE_FACTS)], children
    if isinstance(document, PaymentDocument):
        return values[1:], children
    if isinstance(document, AccountDocument):
        return values, tuple((part.name, part.email, part.role, part.phone) for part in document.contacts)
    return (values,)


def _entity_values(entity: EntityDocument) -> Values:
    language = entity.language or _COUNTRY_LANGUAGES.get(entity.country, "en")
    return (entity.name, entity.country, entity.currency, language, entity.mailbox.lower() if entity.mailbox else None)


_COUNTRY_LANGUAGES = {"FR": "fr", "DE": "de", "AT": "de", "ES": "es", "IT": "it", "NL": "nl", "BE": "fr", "LU": "fr"}
"""An entity's own language where the ERP does not tell it."""


def _account_values(account: AccountDocument) -> Values:
    return (
        account.name,
        account.language or None,
        account.country,
        account.address,
        account.terms_days,
        _bare(account.vat_number),
        _bare(account.iban),
        account.group or "",
        False,
    )


def _bare(code: str | None) -> str | None:
    """A VAT number or IBAN as it is looked up: upper case, no blanks or dots."""
    return "".join(char for char in code.upper() if char.isalnum()) or None if code else None


def _contact_rows(account: AccountDocument, keys: LedgerKeys) -> tuple[Values, ...]:
    return tuple(_contact_row(contact, keys) for contact in account.contacts)


def _contact_row(contact: ContactPart, keys: LedgerKeys) -> Values:
    email = contact.email.lower() if contact.email else None
    domain = keys.email_domain(email)[:255] or None if email else None
    return contact.name, email, domain, contact.role, contact.phone, _phone_digits(contact.phone)


_PHONE_DIGITS = 9
_FEWEST_DIGITS = 6


def _phone_digits(phone: str) -> str | None:
    digits = "".join(char for char in phone if "0" <= char <= "9")
    return digits[-_PHONE_DIGITS:] if len(digits) >= _FEWEST_DIGITS else None


def _name_rows(account: AccountDocument, keys: LedgerKeys) -> tuple[Values, ...]:
    return tuple((token,) for token in dict.fromkeys(token[:60] for token in keys.name_tokens(account.name)))


def _invoice_values(invoice: InvoiceDocument, keys: LedgerKeys) -> Values:
    po, order, delivery = invoice.po or None, invoice.order or None, invoice.delivery or None
    return (
        kind_of(invoice),
        invoice.issued.isoformat(),
        invoice.due.isoformat(),
        invoice.currency,
        _amount(invoice.net),
        _amount(invoice.gross),
        _amount(invoice.open),
        po,
        order,
        delivery,
        invoice.credits or None,
        *keys.number_keys(invoice.number, invoice.issued.year),
        keys.digits_key(po) if po else None,
        keys.digits_key(order) if order else None,
        keys.digits_key(delivery) if delivery else None,
    )


def _line_rows(invoice: InvoiceDocument) -> tuple[Values, ...]:
    return tuple(
        (position, line.sku, line.text, _quantity(line.quantity), _quantity(line.unit_price))
        for position, line in enumerate(invoice.lines, 1)
    )


def _payment_values(payment: PaymentDocument, keys: LedgerKeys) -> Values:
    return (
        keys.digits_key(payment.reference),
        payment.received.isoformat(),
        payment.currency,
        _amount(payment.amount),
    )


def _allocation_rows(payment: PaymentDocument) -> tuple[Values, ...]:
    """One row an invoice: amounts given for the same invoice are added up."""
    amounts: dict[str, Decimal | None] = dict.fromkeys(payment.invoices)
    for part in payment.allocations:
        before = amounts.get(part.invoice)
        amounts[part.invoice] = before if part.amount is None else (before or Decimal(0)) + part.amount
    return tuple((number, None if amount is None else _amount(amount)) for number, amount in sorted(amounts.items()))


_AMOUNT_SCALE = 10**Amount.scale
_QUANTITY_SCALE = 10**Quantity.scale


def _amount(value: Decimal) -> int:
    return int(value * _AMOUNT_SCALE)


def _quantity(value: Decimal) -> int:
    return int(value * _QUANTITY_SCALE)


def _fingerprint(content: object) -> int:
    """63 bits of a hash: two versions of one document agree by chance once in 10**18."""
    return int.from_bytes(blake2b(repr(content).encode("utf-8", "replace"), digest_size=8).digest(), "big") >> 1


def shown(column: str, value: Any) -> Any:
    """A stored value as events show it: amounts in units of their currency, as text."""
    if column not in _AMOUNT_COLUMNS:
        return value.isoformat() if isinstance(value, date) else value
    amount = Decimal(value).scaleb(-Amount.scale)
    return str(amount.quantize(_CENTS) if amount == amount.quantize(_CENTS) else amount)


_CENTS = Decimal("0.01")


_AMOUNT_COLUMNS = frozenset({"net", "gross", "open_amount", "amount"})
