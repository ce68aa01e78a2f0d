"""Documents as an ERP would send them, and the hash of what the ledger holds."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.connectors.erp import ledger_keys
from app.core.events import system
from invoices import actions
from invoices.actions import Outcome
from invoices.feed import read
from invoices.models import Account, AccountName, Allocation, Contact, Entity, Invoice, InvoiceLine, Payment

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

Raw = dict[str, Any]


def entity(**changes: object) -> Raw:
    given = {"id": "FR01", "name": "Vins du Sud SAS", "country": "FR", "currency": "EUR", "mailbox": "AR@vins.example"}
    return {"type": "entity", **given, **changes}


def account(**changes: object) -> Raw:
    contact = {
        "name": "Ana Ruiz",
        "email": "Ana@Bodega.example",
        "role": "accounts payable",
        "phone": "+34 986 221 220",
    }
    given = {"account": "C1", "entity": "FR01", "name": "Bodega Ruiz S.L.", "language": "es", "contacts": [contact]}
    return {"type": "account", **given, **changes}


def invoice(**changes: object) -> Raw:
    line = {"sku": "R-1", "text": "Rosé 2025, 6 x 75 cl", "quantity": 4, "unit_price": "25.00"}
    given = {"number": "FA-2026-00187", "entity": "FR01", "account": "C1", "issued": "2026-01-15", "due": "2026-02-14"}
    amounts = {"currency": "EUR", "net": "100.00", "gross": "120.00", "open": "120.00", "lines": [line]}
    return {"type": "invoice", **given, **amounts, "po": "PO 7781", "order": None, "delivery": "BL-0042", **changes}


def credit_note(**changes: object) -> Raw:
    amounts = {"net": "-25.00", "gross": "-30.00", "open": "-30.00", "lines": [], "credits": "FA-2026-00187"}
    return {**invoice(number="FA-2026-00190", **amounts), "type": "credit_note", **changes}


def payment(**changes: object) -> Raw:
    given = {"reference": "VIR 1528", "account": "C1", "entity": "FR01", "currency": "EUR", "received": "2026-02-20"}
    return {"type": "payment", **given, "amount": "120.00", "invoices": ["FA-2026-00187"], **changes}


def apply(session: Session, *documents: Raw | bytes, **options: Any) -> list[Outcome]:
    """The documents as one push."""
    return actions.apply(
        session, documents=map(read, documents), keys=ledger_keys(), actor=system("test"), now=NOW, **options
    )


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def ledger_hash(session: Session) -> str:
    """Of everything the ledger holds but ids and which push wrote it."""
    content = {
        "entities": _rows(session, Entity, {"id"}),
        "accounts": _rows(session, Account, {"id"}),
        "contacts": _rows(session, Contact, {"id"}),
        "names": _rows(session, AccountName, set()),
        "invoices": _rows(session, Invoice, {"id"}),
        "lines": _rows(session, InvoiceLine, set()),
        "payments": _rows(session, Payment, {"id"}),
        "allocations": _rows(session, Allocation, set()),
    }
    return sha256(json.dumps(content, default=str, sort_keys=True).encode()).hexdigest()


def _rows(session: Session, model: Any, without: set[str]) -> list[list[str]]:
    table = model.__table__
    names = _natural_names(session)
    found = []
    for row in session.execute(select(table)).mappings():
        values = [
            (name, _named(names, name, value)) for name, value in row.items() if name not in {*without, "push_id"}
        ]
        found.append([f"{name}={value}" for name, value in values])
    return sorted(found)


def _natural_names(session: Session) -> Mapping[str, Mapping[int, str]]:
    return {
        "entity_id": dict(session.execute(select(Entity.id, Entity.code)).all()),
        "account_id": dict(session.execute(select(Account.id, Account.number)).all()),
        "invoice_id": dict(session.execute(select(Invoice.id, Invoice.number)).all()),
        "payment_id": dict(session.execute(select(Payment.id, Payment.reference)).all()),
    }


def _named(names: Mapping[str, Mapping[int, str]], column: str, value: Any) -> Any:
    return names[column][value] if column in names else value
