"""The look-up on SQL gives what the look-up in memory gives, on both databases."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from disputes.actions import money
from disputes.candidates import SqlIndex
from invoices.models import Account, AccountName, Contact, Entity, Invoice, InvoiceLine
from matching.facts import (
    AccountFacts,
    AccountQuery,
    InvoiceFacts,
    InvoiceQuery,
    LineFacts,
    MailFacts,
    MatchPolicy,
    PaymentFacts,
)
from matching.matcher import match
from matching.memory import MemoryIndex
from matching.references import digits_key, number_keys, phone_key
from matching.scoring import default_weights
from matching.text import name_tokens
from tests.databases import QueryRecorder
from tests.factories import a_case, a_link, a_message, a_payment, an_account, an_entity, an_invoice

SENT = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMES = ("Boulangerie Perrin SARL", "Perrin Frères", "Nordwind Logistik GmbH")


@pytest.fixture
def ledger(session: Session) -> MemoryIndex:
    """Three accounts of one entity and one of another, each with forty invoices; the same rows in memory."""
    french, british = an_entity(session, "FR01"), an_entity(session, "UK01")
    accounts = [_account(session, french, number, name) for number, name in enumerate(NAMES)]
    accounts.append(_account(session, british, 3, "Boulangerie Perrin SARL"))
    invoices = [
        _invoice(session, account, place * 40 + step) for place, account in enumerate(accounts) for step in range(40)
    ]
    payment = a_payment(session, accounts[0], reference="VIR-553", reference_key=553)
    paid = PaymentFacts(payment.reference, payment.account_id, payment.amount, ())
    return MemoryIndex([_facts(account) for account in accounts], invoices, [paid])


def _account(session: Session, entity: Entity, number: int, name: str) -> Account:
    domain = f"{name.split(maxsplit=1)[0].lower()}.example"
    phone = f"+33 1 42 00 0{number} 00"
    contact = Contact(name=f"Contact {number}", email=f"ap{number}@{domain}", domain=domain, phone=phone)
    contact.phone_digits = phone_key(phone)
    account = Account(entity_id=entity.id, number=f"C100{number}", name=name, contacts=[contact])
    account.vat_number = f"FR4012345678{number}"
    session.add(account)
    session.flush()
    session.add_all(AccountName(token=token, account_id=account.id) for token in name_tokens(name))
    session.flush()
    return account


def _facts(account: Account) -> AccountFacts:
    contact = account.contacts[0]
    return AccountFacts(
        id=account.id,
        number=account.number,
        entity_id=account.entity_id,
        name=account.name,
        emails=frozenset({contact.email or ""}),
        contact_names=(contact.name,),
        phones=frozenset({contact.phone_digits or ""}),
        vats=frozenset({account.vat_number or ""}),
    )


def _invoice(session: Session, account: Account, step: int) -> InvoiceFacts:
    number, gross = f"FA-2026-{step:04d}", Decimal(100 + step % 7)
    keys = number_keys(number)
    issued = date(2026, 1, 1) + timedelta(days=step % 45)
    line = LineFacts("FLR-25", "Flour T55 25 kg", Decimal(step % 5 + 1), Decimal("17.40"))
    invoice = Invoice(
        entity_id=account.entity_id,
        account_id=account.id,
        number=number,
        issued=issued,
        due=issued + timedelta(days=30),
        currency="EUR",
        net=gross,
        gross=gross,
        open_amount=gross if step % 3 else Decimal(0),
        kd=keys.kd,
        kc=keys.kc,
        ks=keys.ks,
        k4=keys.k4,
        po=f"PO{step // 2 + 70000}",
        po_key=step // 2 + 70000,
        delivery=f"BL{step + 8000}",
        delivery_key=step + 8000,
    )
    invoice.lines = [
        InvoiceLine(position=1, sku="FLR-25", text=line.text, quantity=line.quantity, unit_price=line.unit_price)
    ]
    session.add(invoice)
    session.flush()
    return InvoiceFacts(
        invoice.id,
        number,
        account.entity_id,
        account.id,
        "invoice",
        issued,
        invoice.due,
        "EUR",
        gross,
        invoice.open_amount,
        gross,
        invoice.po,
        None,
        invoice.delivery,
        lines=(line,),
    )


ACCOUNT_QUERIES = (
    AccountQuery(emails=("ap0@boulangerie.example",)),
    AccountQuery(domains=("boulangerie.example",)),
    AccountQuery(domains=("boulangerie.example",), cap=1),
    AccountQuery(name_tokens=("PERRIN", "NORDWIND"), cap=2),
    AccountQuery(numbers=("C1002",), vats=("FR40123456780",)),
    AccountQuery(phones=("142000100",)),
)
INVOICE_QUERIES = (
    InvoiceQuery(kd=(number_keys("2026-0007").kd or 0,), kc=(267, 2645)),
    InvoiceQuery(po=(70003, 70004), delivery=(8050,), cap=1),
    InvoiceQuery(po=(digits_key("PO70003") or 0,)),
)


@pytest.mark.parametrize("query", ACCOUNT_QUERIES)
def test_accounts_are_found_by_any_key(session: Session, ledger: MemoryIndex, query: AccountQuery) -> None:
    found = SqlIndex(session).accounts(query)
    assert found
    assert found == ledger.accounts(query)


@pytest.mark.parametrize("query", INVOICE_QUERIES)
def test_invoices_are_found_anywhere_by_rare_keys(session: Session, ledger: MemoryIndex, query: InvoiceQuery) -> None:
    found = SqlIndex(session).invoices(query)
    assert found
    assert found == ledger.invoices(query)


@pytest.mark.parametrize("cap", [2, 3])
def test_each_key_has_its_own_cap_inside_an_account(session: Session, ledger: MemoryIndex, cap: int) -> None:
    everyone = [account.id for account in ledger.accounts(AccountQuery(name_tokens=("PERRIN", "NORDWIND")))]
    query = InvoiceQuery(
        account_ids=tuple(everyone), ks=(7, 45), k4=(8, 50), amounts=(Decimal(101), Decimal(104)), cap=cap
    )
    found = SqlIndex(session).invoices(query)
    assert found == ledger.invoices(query)
    assert max(sum(each.account_id == account for each in found) for account in everyone) > cap


def test_an_entity_never_sees_the_other_ones_ledger(session: Session, ledger: MemoryIndex) -> None:
    french = ledger.accounts(AccountQuery(numbers=("C1000",)))[0].entity_id
    query = AccountQuery(entity_ids=(french,), domains=("boulangerie.example",))
    found = SqlIndex(session).accounts(query)
    assert [each.entity_id for each in found] == [french]
    assert found == ledger.accounts(query)


def test_the_pool_holds_the_latest_due_and_all_open_ones_apart(session: Session, ledger: MemoryIndex) -> None:
    account = ledger.accounts(AccountQuery(numbers=("C1000",)))[0]
    until = date(2026, 1, 20)
    found = SqlIndex(session).pool(account.id, until=until, limit=5)
    assert found == ledger.pool(account.id, until=until, limit=5)
    assert len([each for each in found if each.open]) >= 5
    assert all(each.issued <= until for each in found)


def test_a_payment_is_found_by_the_digits_of_its_reference(session: Session, ledger: MemoryIndex) -> None:
    found = SqlIndex(session).payments([553], entity_ids=())
    assert [each.reference for each in found] == ["VIR-553"]
    assert found == ledger.payments([553], entity_ids=())


def test_what_was_discussed_is_the_accounts_linked_mail_before(session: Session, ledger: MemoryIndex) -> None:
    facts = ledger.accounts(AccountQuery(numbers=("C1000",)))[0]
    account = session.get_one(Account, facts.id)
    invoices = [session.get_one(Invoice, each.id) for each in ledger.pool(facts.id, until=SENT.date(), limit=3)]
    case = a_case(session, account, now=SENT)
    for days, invoice in enumerate(invoices[:3]):
        message = a_message(session, case, now=SENT, sent_at=SENT - timedelta(days=days - 1))
        a_link(session, message, invoice, now=SENT, state="confirmed" if days != 2 else "rejected")
    talks = SqlIndex(session).discussed(facts.id, before=SENT + timedelta(hours=1), limit=5)
    assert [talk.invoice_id for talk in talks] == [invoices[1].id]
    assert talks[0].text.startswith("Wrong price ")


def test_matching_on_sql_decides_as_matching_in_memory(
    session: Session, ledger: MemoryIndex, queries: QueryRecorder
) -> None:
    mail = MailFacts(
        subject="FA-2026-0007 et commande 70011",
        new_text="Bonjour, la facture 2026/0007 de 100,00 est fausse, la 0012 aussi.",
        quoted_text="",
        signature="Boulangerie Perrin",
        attachments=(),
        from_email="ap0@boulangerie.example",
        from_name="Contact 0",
        entity_ids=(),
        sent_at=SENT,
        direction="in",
    )
    with queries:
        on_sql = match(mail, SqlIndex(session), policy=MatchPolicy(), weights=default_weights())
    assert on_sql == match(mail, ledger, policy=MatchPolicy(), weights=default_weights())
    assert on_sql.likely
    assert queries.count <= 10


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_rare_key_is_looked_up_by_itself_never_among_all_invoices_of_an_entity(session: Session) -> None:
    """Seen at a million invoices: the index of the entity was walked for each key, 90 ms a mail instead of 3."""
    keys = (4711,)
    anywhere = InvoiceQuery(entity_ids=(1,), kd=keys, kc=keys, po=keys, order=keys, delivery=keys)
    plan = plan_of(session, lambda: SqlIndex(session).invoices(anywhere))
    rare = ("kd", "kc", "po_key", "order_key", "delivery_key")
    assert [f"{name}=?" for name in rare if any(f"({name}=?)" in step for step in plan)] == [f"{one}=?" for one in rare]
    assert not [step for step in plan if "(entity_id=?)" in step or step.startswith("SCAN invoices")]


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_credit_notes_of_an_invoice_are_looked_up_never_searched_for(session: Session) -> None:
    """Seen at a million invoices: 119 ms for each invoice of a mail."""
    invoice = an_invoice(session, an_account(session, an_entity(session)), number="FA-1")
    plan = plan_of(session, lambda: money.open_of(session, invoice=invoice))
    assert plan == ["SEARCH invoices USING INDEX ix_invoices_credits (credits=? AND entity_id=?)"]


def plan_of(session: Session, work: Callable[[], object]) -> list[str]:
    """How SQLite goes about the first statement of some work."""
    connection = session.connection()
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        said.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    work()
    event.remove(connection, "before_cursor_execute", note)
    statement, parameters = said[0]
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    return [row[3] for row in rows]
