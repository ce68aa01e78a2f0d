"""What became of the demo's cases: some settled in part and credited by the ERP, promises judged, cases merged and
reopened, customers who rated us. One of each, so that a newcomer sees everything.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import groupby
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.connectors.erp import ledger_keys
from app.core.events import Actor, system, user_actor
from app.core.money import quantum
from disputes.actions import cases, ledger, life, money, satisfaction
from disputes.models import Case, CaseInvoice
from invoices.actions import apply
from invoices.feed import read
from invoices.models import Account, Entity, Invoice

ERP = system("erp", "push:demo")
CREDITED, REOPENED, MERGED, RATED = 6, 3, 2, 12
PART = Decimal("0.4")
RATINGS = (5, 5, 4, 5, 4, 3, 5, 4, 2, 5, 4, 5)
COMMENTS = {
    "fr": {5: "Réponse claire et rapide, merci.", 2: "Il a fallu relancer deux fois."},
    "en": {5: "Quick and clear, thank you.", 2: "I had to ask twice."},
}


def partly(session: Session, case: Case) -> dict[int, Decimal]:
    """What is accepted of each invoice of a dispute that ends half way: two fifths, in whole units of the currency."""
    rows = session.execute(
        select(CaseInvoice.invoice_id, Invoice.currency)
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id == case.id)
    )
    currencies = {number: currency for number, currency in rows}  # noqa: C416 - rows are no tuples to mypy
    parts = {
        number: (tally.still * PART).quantize(quantum(currencies[number]), rounding=ROUND_DOWN)
        for number, tally in money.tallies(session, case_id=case.id).items()
    }
    return {number: part for number, part in parts.items() if part > 0}


def live_on(session: Session, *, random: Random, now: datetime) -> None:
    """The days after: the ERP books, promises are judged, cases flow together and open again, customers answer."""
    agent = _agent(session)
    _credit(session, now=now)
    for account_id in ledger.accounts_promising(session, now=now):
        ledger.recheck(session, account_id=account_id, actor=ERP, now=now)
    for case in _ended(session, ("rejected", "answered"))[:REOPENED]:
        cases.reopen(session, case_id=case.id, actor=agent, now=now - timedelta(hours=5))
    for source, target in _pairs(session)[:MERGED]:
        life.merge(session, case_id=source.id, target_id=target.id, actor=agent, now=now - timedelta(hours=3))
    ended = _ended(session, ("accepted", "paid", "answered", "partly_accepted"))
    for case, rating in zip(random.sample(ended, min(RATED, len(ended))), RATINGS, strict=False):
        said = COMMENTS.get(case.language, {}).get(rating, "")
        satisfaction.rate(session, case_id=case.id, rating=rating, comment=said, now=now - timedelta(hours=2))


def _agent(session: Session) -> Actor:
    """Somebody who owns cases of the demo."""
    found = session.scalar(select(Case.owner_id).where(Case.owner_id.is_not(None)).order_by(Case.id).limit(1))
    return user_actor(found or 0)


def _credit(session: Session, *, now: datetime) -> None:
    """The ERP sends the credit notes of some accepted disputes."""
    rows = session.execute(
        select(Invoice, CaseInvoice.disputed, Entity.code, Account)
        .join(CaseInvoice, CaseInvoice.invoice_id == Invoice.id)
        .join(Case, Case.id == CaseInvoice.case_id)
        .join(Account, Account.id == Invoice.account_id)
        .join(Entity, Entity.id == Invoice.entity_id)
        .where(Case.resolution.in_(("accepted", "partly_accepted")), CaseInvoice.disputed > 0)
        .order_by(Case.resolution.desc(), Case.id)
        .limit(CREDITED)
    ).all()
    day = now.date().isoformat()
    documents = [
        {
            "type": "credit_note",
            "number": f"{'AV' if code == 'TVFR' else 'CN'}{now:%y}-{900 + n}",
            "entity": code,
            "account": account.number,
            "issued": day,
            "due": day,
            "currency": invoice.currency,
            "net": str(-disputed),
            "gross": str(-disputed),
            "open": str(-disputed),
            "credits": invoice.number,
        }
        for n, (invoice, disputed, code, account) in enumerate(rows)
    ]
    apply(session, documents=[read(one) for one in documents], keys=ledger_keys(), actor=ERP, now=now)
    for account_id in sorted({account.id for *_, account in rows}):
        ledger.recheck(session, account_id=account_id, actor=ERP, now=now)


def _ended(session: Session, resolutions: Sequence[str]) -> list[Case]:
    query = select(Case).where(Case.state.in_(("resolved", "closed")), Case.resolution.in_(resolutions))
    return list(session.scalars(query.order_by(Case.id.desc())))


def _pairs(session: Session) -> list[tuple[Case, Case]]:
    """Two open cases of one account: the younger flows into the older."""
    going = select(Case).where(Case.state.in_(("new", "in_progress", "waiting")), Case.account_id.is_not(None))
    rows = session.scalars(going.order_by(Case.account_id, Case.id)).all()
    groups = [list(group) for _, group in groupby(rows, key=lambda case: case.account_id)]
    return [(group[1], group[0]) for group in groups if len(group) > 1]
