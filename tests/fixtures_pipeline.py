"""A small ledger, a model that trains in seconds, and mails: what tests of the pipeline work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.core.blobs import FolderStore
from app.core.settings import Settings
from app.workflows.intake import Tools, Worked, work_message
from disputes.actions.intake import Received, receive
from disputes.classifier import Model, shipped_examples, train
from invoices.models import Account, AccountName, Contact, Entity, Invoice
from matching.references import number_keys
from matching.scoring import default_weights
from matching.text import email_domain, name_tokens

MAILBOX = "ar@seller.example"


@dataclass(frozen=True)
class Ledger:
    """One entity with two accounts: Acme (Ann and Bob) with three invoices, Brook (Cleo) with one."""

    entity: Entity
    acme: Account
    brook: Account
    invoices: dict[str, Invoice]


@pytest.fixture
def ledger(session: Session) -> Ledger:
    """The ledger the stories talk about."""
    return make_ledger(session)


def make_ledger(session: Session) -> Ledger:
    """Write the small ledger."""
    entity = Entity(code="UK01", name="Seller Ltd", country="GB", currency="GBP", language="en", mailbox=MAILBOX)
    session.add(entity)
    session.flush()
    acme = _account(
        session, entity, "C100", "Acme Interiors", ("Ann Lee", "ann@acme.example"), ("Bob Fry", "bob@acme.example")
    )
    brook = _account(session, entity, "C200", "Brook Foods", ("Cleo Day", "cleo@brook.example"))
    made = [
        _invoice(session, acme, "INV-2026-0101", "864.00"),
        _invoice(session, acme, "INV-2026-0102", "410.40"),
        _invoice(session, acme, "INV-2026-0103", "96.00"),
        _invoice(session, brook, "INV-2026-0201", "1250.00"),
    ]
    return Ledger(entity, acme, brook, {invoice.number: invoice for invoice in made})


def _account(session: Session, entity: Entity, number: str, name: str, *people: tuple[str, str]) -> Account:
    account = Account(entity_id=entity.id, number=number, name=name, language="en", country="GB")
    session.add(account)
    session.flush()
    session.add_all(AccountName(token=token, account_id=account.id) for token in name_tokens(name))
    session.add_all(
        Contact(account_id=account.id, name=person, email=email, domain=email_domain(email)) for person, email in people
    )
    session.flush()
    return account


def _invoice(session: Session, account: Account, number: str, gross: str) -> Invoice:
    keys = number_keys(number)
    invoice = Invoice(
        entity_id=account.entity_id,
        account_id=account.id,
        number=number,
        issued=date(2026, 2, 2),
        due=date(2026, 3, 4),
        currency="GBP",
        net=Decimal(gross),
        gross=Decimal(gross),
        open_amount=Decimal(gross),
        **keys._asdict(),
    )
    session.add(invoice)
    session.flush()
    return invoice


@pytest.fixture(scope="session")
def small_model() -> Model:
    """Trained on the English statements alone: enough for the stories, and quick."""
    return train([one for one in shipped_examples() if one.language == "en" and not one.account])


@pytest.fixture
def tools(settings: Settings, small_model: Model, tmp_path: Path) -> Tools:
    """The tools of the pipeline over a temporary blob store."""
    return Tools(settings=settings, blobs=FolderStore(tmp_path / "blobs"), model=small_model, weights=default_weights())


def mail(
    text: str,
    *,
    at: datetime,
    sender: str = "Ann Lee <ann@acme.example>",
    to: str = MAILBOX,
    subject: str = "Invoice",
    message_id: str | None = None,
    replies_to: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
) -> bytes:
    """A raw mail; `replies_to` are the ids of the thread, oldest first."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(at)
    if message_id:
        message["Message-ID"] = message_id
    if replies_to:
        message["In-Reply-To"], message["References"] = replies_to[-1], " ".join(replies_to)
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


Deliver = Callable[..., Worked]


@pytest.fixture
def deliver(session: Session, tools: Tools, ledger: Ledger) -> Deliver:  # noqa: ARG001 - mail is about the ledger
    """Receive and work a mail at its moment: deliver(text, at=..., ...) as `mail` takes them."""

    def run(text: str, *, at: datetime, **parts: object) -> Worked:
        raw = mail(text, at=at, **parts)  # type: ignore[arg-type] # the parts are those of `mail`
        return work_message(session, message_id=take_in(session, tools, raw, at=at).message_id, tools=tools, now=at)

    return run


def take_in(
    session: Session, tools: Tools, raw: bytes, *, at: datetime, ref: str | None = None, source: str = "file"
) -> Received:
    """Store a raw mail as a connector does."""
    return receive(
        session,
        raw=raw,
        source=source,
        source_ref=ref or f"{hash(raw)}",
        mailbox=MAILBOX,
        blobs=tools.blobs,
        limits=tools.settings.limits,
        received_at=at,
        now=at,
    )
