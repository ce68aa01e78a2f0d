"""The ledger as the ERP tells it. Money columns are exact; look-up keys serve matching (matching.md §1-2)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.db import Amount, Base, BigId, Quantity


class FromErp:
    """Where a row came from, for documents that repeat or arrive out of order (S4).

    `version` is the source's (invoices.feed.version_key), '' without one; `fingerprint` a hash of all the document
    said, so that a repetition is seen without comparing; `push_id` the push that wrote the row last.
    """

    version: Mapped[str] = mapped_column(String(40), default="")
    fingerprint: Mapped[int] = mapped_column(BigInteger, default=0)
    push_id: Mapped[int | None] = mapped_column(BigInteger)


class Entity(FromErp, Base):
    """A legal entity of the seller, with its mailbox, currency, language and country."""

    __tablename__ = "entities"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    country: Mapped[str] = mapped_column(String(2))
    currency: Mapped[str] = mapped_column(String(3))
    language: Mapped[str] = mapped_column(String(5), default="en")
    mailbox: Mapped[str | None] = mapped_column(String(320), index=True)


class Account(FromErp, Base):
    """A customer of one entity. `pending` until the ERP sends it: an invoice may arrive first.

    `customer_group` is the ERP's code of its group, '' without one.
    """

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("entity_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"))
    number: Mapped[str] = mapped_column(String(60), index=True)
    name: Mapped[str] = mapped_column(String(300), default="")
    language: Mapped[str | None] = mapped_column(String(5))
    country: Mapped[str | None] = mapped_column(String(2))
    address: Mapped[str] = mapped_column(Text, default="")
    terms_days: Mapped[int | None]
    vat_number: Mapped[str | None] = mapped_column(String(30), index=True)
    iban: Mapped[str | None] = mapped_column(String(40), index=True)
    customer_group: Mapped[str] = mapped_column(String(40), default="", server_default="")
    pending: Mapped[bool] = mapped_column(default=False)

    entity: Mapped[Entity] = relationship(lazy="raise")
    contacts: Mapped[list["Contact"]] = relationship(lazy="raise", cascade="all, delete-orphan")


class Contact(Base):
    """A person at an account. `email` and `domain` are lower case; `phone_digits` is the number's last nine digits."""

    __tablename__ = "contacts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(String(200), default="")
    email: Mapped[str | None] = mapped_column(String(320), index=True)
    domain: Mapped[str | None] = mapped_column(String(255), index=True)
    role: Mapped[str] = mapped_column(String(120), default="")
    phone: Mapped[str] = mapped_column(String(60), default="")
    phone_digits: Mapped[str | None] = mapped_column(String(9), index=True)


class AccountName(Base):
    """A rare word of an account's name (legal forms dropped), for finding who writes by company name."""

    __tablename__ = "account_names"

    token: Mapped[str] = mapped_column(String(60), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id"), primary_key=True, index=True)


class Invoice(FromErp, Base):
    """An invoice or credit note (`kind`). `open_amount` is what the ERP says is unpaid; credit notes are negative.

    `kd`, `kc`, `ks`, `k4` are the look-up keys of matching.references.number_keys; `*_key` the digits of
    the purchase order, order and delivery note.
    """

    __tablename__ = "invoices"
    __table_args__ = (
        UniqueConstraint("entity_id", "number"),
        Index("ix_invoices_account_k4", "account_id", "k4"),
        Index("ix_invoices_ks_account", "ks", "account_id"),
        Index("ix_invoices_account_due", "account_id", "due"),
        Index(
            "ix_invoices_account_open",
            "account_id",
            sqlite_where=text("open_amount <> 0"),
            postgresql_where=text("open_amount <> 0"),
        ),
        Index(
            "ix_invoices_credits",
            "credits",
            "entity_id",
            sqlite_where=text("credits IS NOT NULL"),
            postgresql_where=text("credits IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"))
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id"))
    number: Mapped[str] = mapped_column(String(60))
    kind: Mapped[str] = mapped_column(String(12), default="invoice")
    issued: Mapped[date]
    due: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    net: Mapped[Decimal] = mapped_column(Amount)
    gross: Mapped[Decimal] = mapped_column(Amount, index=True)
    open_amount: Mapped[Decimal] = mapped_column(Amount)
    po: Mapped[str | None] = mapped_column(String(60))
    order_number: Mapped[str | None] = mapped_column(String(60))
    delivery: Mapped[str | None] = mapped_column(String(60))
    credits: Mapped[str | None] = mapped_column(String(60))
    kd: Mapped[int | None] = mapped_column(BigInteger, index=True)
    kc: Mapped[int | None] = mapped_column(BigInteger, index=True)
    ks: Mapped[int | None] = mapped_column(BigInteger)
    k4: Mapped[int | None] = mapped_column(BigInteger)
    po_key: Mapped[int | None] = mapped_column(BigInteger, index=True)
    order_key: Mapped[int | None] = mapped_column(BigInteger, index=True)
    delivery_key: Mapped[int | None] = mapped_column(BigInteger, index=True)

    account: Mapped[Account] = relationship(lazy="raise")
    lines: Mapped[list["InvoiceLine"]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="InvoiceLine.position"
    )


class InvoiceLine(Base):
    """One line of an invoice; `unit_price` is net, in the invoice's currency."""

    __tablename__ = "invoice_lines"

    invoice_id: Mapped[int] = mapped_column(BigId, ForeignKey("invoices.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(80), default="")
    text: Mapped[str] = mapped_column(String(400), default="")
    quantity: Mapped[Decimal] = mapped_column(Quantity)
    unit_price: Mapped[Decimal] = mapped_column(Quantity)


class Payment(FromErp, Base):
    """Money received from an account. `reference` is the bank's or payer's, unique inside one entity."""

    __tablename__ = "payments"
    __table_args__ = (UniqueConstraint("entity_id", "reference"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"))
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id"), index=True)
    reference: Mapped[str] = mapped_column(String(80))
    reference_key: Mapped[int | None] = mapped_column(BigInteger, index=True)
    received: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    amount: Mapped[Decimal] = mapped_column(Amount)

    allocations: Mapped[list["Allocation"]] = relationship(lazy="raise", cascade="all, delete-orphan")


class Allocation(Base):
    """What a payment was put against, by invoice number: the invoice itself may arrive later.

    `amount` is None where the ERP names the invoices but not the split.
    """

    __tablename__ = "allocations"

    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payments.id"), primary_key=True)
    invoice_number: Mapped[str] = mapped_column(String(60), primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigId, ForeignKey("entities.id"))
    amount: Mapped[Decimal | None] = mapped_column(Amount)

    __table_args__ = (Index(None, "entity_id", "invoice_number"),)


class Push(Base):
    """One ERP push or import: its idempotency key, what it held and the answer given, to be replayed as it was.

    `answer` is the body that was sent, zlib-compressed; it is kept only where there is an idempotency key.
    `counts` is empty for an import that is running or was interrupted.
    """

    __tablename__ = "pushes"
    __table_args__ = (UniqueConstraint("actor", "idempotency_key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    actor: Mapped[str] = mapped_column(String(80))
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    body_hash: Mapped[str] = mapped_column(String(64), default="")
    at: Mapped[datetime]
    counts: Mapped[dict[str, Any]]
    status: Mapped[int] = mapped_column(default=0)
    media_type: Mapped[str] = mapped_column(String(40), default="")
    answer: Mapped[bytes | None] = mapped_column(LargeBinary)
