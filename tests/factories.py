"""Rows for tests, made with the least that makes them true; a test says only what matters to it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import count
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app import auth
from app.core.events import system
from disputes.models import BankCheck, BankCheckMail, Case, CaseClock, CaseInvoice, Link, Message, Task
from disputes.reasons import REASONS
from invoices.models import Account, Contact, Entity, Invoice, Payment
from matching.references import number_keys

PASSWORD = "a long enough password"
_serial = count(1)
Row = TypeVar("Row")


def an_entity(session: Session, code: str = "FR01", **values: Any) -> Entity:
    """A legal entity of the seller."""
    given = {"name": f"Lumora {code}", "country": "FR", "currency": "EUR", "mailbox": f"ar@{code.lower()}.example"}
    return _added(session, Entity(code=code, **{**given, **values}))


def an_account(session: Session, entity: Entity, **values: Any) -> Account:
    """A customer with one contact."""
    number = f"C{next(_serial):05d}"
    given: dict[str, Any] = {"number": number, "name": f"Customer {number}", "country": "FR"}
    given["contacts"] = [
        Contact(
            name="Claire Martin",
            email=f"claire@{number.lower()}.example",
            role="Accounts payable",
            phone="+33 1 42 00 00 00",
        )
    ]
    return _added(session, Account(entity_id=entity.id, **{**given, **values}))


def an_invoice(session: Session, account: Account, **values: Any) -> Invoice:
    """An open invoice of 1,200.00, due on 1 March 2026."""
    number = values.pop("number", f"F2026-{next(_serial):05d}")
    keys = number_keys(number)
    given: dict[str, Any] = {
        "number": number,
        "issued": date(2026, 1, 30),
        "due": date(2026, 3, 1),
        "currency": "EUR",
        "net": Decimal(1000),
        "gross": Decimal(1200),
        "open_amount": Decimal(1200),
        "kd": keys.kd,
        "kc": keys.kc,
        "ks": keys.ks,
        "k4": keys.k4,
    }
    return _added(session, Invoice(entity_id=account.entity_id, account_id=account.id, **{**given, **values}))


def a_payment(session: Session, account: Account, **values: Any) -> Payment:
    """A payment put against nothing."""
    given: dict[str, Any] = {
        "reference": f"PAY{next(_serial)}",
        "received": date(2026, 2, 20),
        "currency": "EUR",
        "amount": Decimal(500),
    }
    return _added(session, Payment(entity_id=account.entity_id, account_id=account.id, **{**given, **values}))


def a_team(session: Session, key: str = "pricing") -> auth.Team:
    """A team by its key."""
    return _added(session, auth.Team(key=key, name=key.title()))


def a_user(
    session: Session, name: str = "Ana Silva", *, now: datetime, role: str = "agent", **values: Any
) -> auth.User:
    """Someone who can sign in with PASSWORD; the address is their first name at desk.example."""
    email = values.pop("email", f"{name.split(maxsplit=1)[0].lower()}@desk.example")
    return auth.add_user(
        session, email=email, name=name, role=role, password=PASSWORD, actor=system("test"), now=now, **values
    )


def a_case(session: Session, account: Account | None, *, now: datetime, reason: str = "price", **values: Any) -> Case:
    """A new case without messages, due in two days."""
    given: dict[str, Any] = {
        "entity_id": account.entity_id if account else None,
        "account_id": account.id if account else None,
        "title": "Price of the pallets",
        "kind": REASONS[reason].kind,
        "confidence": 0.93,
        "opened_at": now - timedelta(days=1),
        "last_activity_at": now - timedelta(hours=2),
        "next_step": "owner_answer",
        "due_at": now + timedelta(days=2),
        "waiting_on": "us",
    }
    return _added(session, Case(reason=reason, **{**given, **values}))


def a_message(session: Session, case: Case | None, *, now: datetime, **values: Any) -> Message:
    """A worked mail from the case's customer, two hours old."""
    content = sha256(str(next(_serial)).encode()).hexdigest()
    given: dict[str, Any] = {
        "identity": content,
        "content_hash": content,
        "size": 1500,
        "state": "worked",
        "received_at": now - timedelta(hours=2),
        "sent_at": now - timedelta(hours=2),
        "from_email": "claire@customer.example",
        "from_name": "Claire Martin",
        "to": ["ar@fr01.example"],
        "subject": "Wrong price",
        "new_text": "The price is not the one agreed.",
        "language": "en",
    }
    if case is not None:
        given |= {"case_id": case.id, "account_id": case.account_id, "entity_id": case.entity_id}
        given |= {"kind": case.kind, "reason": case.reason, "confidence": case.confidence}
        case.message_count += 1
    return _added(session, Message(**{**given, **values}))


def a_bank_check(session: Session, case: Case, *messages: Message, now: datetime, **values: Any) -> BankCheck:
    """A check of mails about changed bank details, cooled off; the number on file is that of `an_account`."""
    given: dict[str, Any] = {
        "account_id": case.account_id,
        "grounds": ["changed_details"],
        "numbers": [{"name": "Claire Martin", "role": "Accounts payable", "phone": "+33 1 42 00 00 00"}],
        "opened_at": now - timedelta(days=2),
        "cool_until": now - timedelta(days=1),
    }
    check = _added(session, BankCheck(case_id=case.id, **{**given, **values}))
    session.add_all(BankCheckMail(message_id=one.id, check_id=check.id, at=check.opened_at) for one in messages)
    session.flush()
    return check


def a_link(session: Session, message: Message, invoice: Invoice, *, now: datetime, **values: Any) -> Link:
    """A proposed link whose evidence is the invoice's number, where the message's text has it."""
    start = message.new_text.find(invoice.number)
    found = {
        "what": "full",
        "source": "new",
        "start": start,
        "end": start + len(invoice.number),
        "text": invoice.number,
        "bits": 9.5,
    }
    given: dict[str, Any] = {
        "state": "proposed",
        "probability": 0.83,
        "evidence": [found] if start >= 0 else [],
        "runner_up": {"probability": 0.12, "margin": 0.71},
        "decided_at": now,
    }
    return _added(session, Link(message_id=message.id, invoice_id=invoice.id, **{**given, **values}))


def in_case(session: Session, case: Case, invoice: Invoice, *, now: datetime, **values: Any) -> CaseInvoice:
    """The case disputes the whole open amount of the invoice."""
    given: dict[str, Any] = {"disputed": invoice.open_amount, "added_at": now}
    return _added(session, CaseInvoice(case_id=case.id, invoice_id=invoice.id, **{**given, **values}))


def a_task(
    session: Session, *, now: datetime, case: Case | None = None, message: Message | None = None, **values: Any
) -> Task:
    """An open review task."""
    given: dict[str, Any] = {"kind": "review", "title": "Check", "created_at": now, "due_at": now + timedelta(days=1)}
    given |= {"case_id": case.id if case else None, "message_id": message.id if message else None}
    return _added(session, Task(**{**given, **values}))


def a_clock(
    session: Session, case: Case, *, now: datetime, due: timedelta, kind: str = "first_answer", **values: Any
) -> CaseClock:
    """A running promise due so long from now; its warning comes an hour before."""
    given: dict[str, Any] = {"started_at": now - timedelta(days=1), "due_at": now + due}
    given |= {"warn_at": now + due - timedelta(hours=1), "alarm_at": now + due - timedelta(hours=1)}
    return _added(session, CaseClock(case_id=case.id, kind=kind, **{**given, **values}))


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
