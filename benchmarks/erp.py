"""amiable bench erp: a ledger file of N invoices through `amiable erp import`, on SQLite and PostgreSQL.

The peer is what a first version would do: read a line, look the invoice up through the ORM, add it, flush. It gets the
same lines, the same checks and the same schema, and is measured on the first ones only (it does not get faster).
"""

import sys
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.core import db
from benchmarks.databases import databases, fresh
from benchmarks.ledgers import write_ledger
from benchmarks.memory import watch
from benchmarks.report import Options, Report, Row
from invoices.feed import AccountDocument, Document, EntityDocument, InvoiceDocument, Refused, read
from invoices.models import Account, Contact, Entity, Invoice, InvoiceLine

PEER_INVOICES = 2_000
_PEER_COMMIT = 100


def run(options: Options) -> Report:
    """Both databases, ours and the peer; the ratio is that of the database where we gain least."""
    ledger, sample = options.folder / "ledger.ndjson", options.folder / "sample.ndjson"
    write_ledger(ledger, options.size)
    write_ledger(sample, min(options.size, PEER_INVOICES))
    rows: list[Row] = []
    ratios: dict[str, float] = {}
    for name, url in databases(options):
        ours, peer = _measure_ours(name, url, ledger), _measure_peer(name, url, sample)
        rows += [ours, peer]
        ratios[f"docs_per_s_vs_orm_{name}"] = round(ours["docs_per_s"] / peer["docs_per_s"], 2)
    return Report("erp", options.size, rows, {"docs_per_s_vs_orm": min(ratios.values()), **ratios})


def _measure_ours(name: str, url: str, ledger: Path) -> dict[str, Any]:
    with fresh(url):
        command = [sys.executable, "-m", "app", "erp", "import", str(ledger), "--json", "--strict"]
        seen = watch(command, {"AMIABLE_DATABASE_URL": url})
    return {
        "subject": "amiable",
        "database": name,
        "documents": seen.answer["documents"],
        "seconds": seen.answer["seconds"],
        "docs_per_s": seen.answer["docs_per_s"],
        "cpu_s": seen.cpu_seconds,
        "peak_rss_mb": seen.peak_mb,
        "memory_growth": seen.growth,
    }


def _measure_peer(name: str, url: str, sample: Path) -> dict[str, Any]:
    with fresh(url) as engine:
        started = perf_counter()
        count = _import_by_orm(db.session_factory(engine), sample)
        seconds = perf_counter() - started
    speed = {"seconds": round(seconds, 2), "docs_per_s": round(count / seconds)}
    return {"subject": "orm row by row", "database": name, "documents": count, **speed}


def _import_by_orm(sessions: sessionmaker[Session], sample: Path) -> int:
    """The whole sample, a commit every hundred documents; gives how many they are."""
    count = 0
    with sample.open("rb") as lines:
        while batch := list(islice(lines, _PEER_COMMIT)):
            with db.transaction(sessions) as session:
                for line in batch:
                    _insert_by_orm(session, read(line))
            count += len(batch)
    return count


def _insert_by_orm(session: Session, document: Document | Refused) -> None:
    """One document as an ORM user would write it: look up what it names, add it, flush."""
    if isinstance(document, EntityDocument):
        session.add(Entity(code=document.id, name=document.name, country=document.country, currency=document.currency))
    elif isinstance(document, AccountDocument):
        contacts = [Contact(name=part.name, email=part.email) for part in document.contacts]
        entity = session.scalars(select(Entity).where(Entity.code == document.entity)).one()
        session.add(Account(entity_id=entity.id, number=document.account, name=document.name, contacts=contacts))
    elif isinstance(document, InvoiceDocument):
        session.add(_orm_invoice(session, document))
    session.flush()


def _orm_invoice(session: Session, document: InvoiceDocument) -> Invoice:
    account = session.scalars(select(Account).where(Account.number == document.account)).one()
    found = session.scalars(
        select(Invoice).where(Invoice.entity_id == account.entity_id, Invoice.number == document.number)
    ).one_or_none()
    invoice = found or Invoice(entity_id=account.entity_id, account_id=account.id, number=document.number)
    invoice.issued, invoice.due, invoice.currency = document.issued, document.due, document.currency
    invoice.net, invoice.gross, invoice.open_amount = document.net, document.gross, document.open
    invoice.po, invoice.order_number, invoice.delivery = document.po, document.order, document.delivery
    invoice.lines = [
        InvoiceLine(position=place, sku=line.sku, text=line.text, quantity=line.quantity, unit_price=line.unit_price)
        for place, line in enumerate(document.lines, 1)
    ]
    return invoice
