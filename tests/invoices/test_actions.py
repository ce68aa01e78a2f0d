from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.connectors.erp import ledger_keys
from app.core.events import Event, system
from invoices import actions
from invoices.actions import changed
from invoices.actions.pushes import KeyReused
from invoices.actions.verdicts import Known, decide
from invoices.feed import read
from invoices.models import Account, AccountName, Allocation, Contact, Entity, Invoice, InvoiceLine, Payment, Push
from tests.databases import QueryRecorder
from tests.invoices.documents import (
    NOW,
    Raw,
    account,
    apply,
    credit_note,
    entity,
    invoice,
    ledger_hash,
    payment,
    statuses,
)


def test_a_whole_ledger_comes_in_whatever_the_order_inside_a_push(session: Session) -> None:
    outcomes = apply(session, payment(), credit_note(), invoice(), account(), entity())
    assert statuses(outcomes) == ["created"] * 5
    found = session.scalars(select(Invoice).where(Invoice.kind == "invoice").options(joinedload(Invoice.account))).one()
    assert (found.number, found.issued, found.due) == ("FA-2026-00187", date(2026, 1, 15), date(2026, 2, 14))
    assert (found.net, found.gross, found.open_amount) == (Decimal(100), Decimal(120), Decimal(120))
    assert (found.po, found.order_number, found.po_key, found.delivery_key) == ("PO 7781", None, 7781, 42)
    assert (found.kd, found.kc, found.ks, found.k4) == (202600187, 26187, 187, 187)
    assert (found.account.number, found.account.pending) == ("C1", False)
    line = session.scalars(select(InvoiceLine)).one()
    assert (line.sku, line.quantity, line.unit_price) == ("R-1", Decimal(4), Decimal(25))
    assert session.scalars(select(Allocation.invoice_number)).all() == ["FA-2026-00187"]


def test_the_group_of_a_customer_is_the_last_one_the_erp_told(session: Session) -> None:
    apply(session, entity(), account(group=" KEY ", version=1))
    assert session.scalars(select(Account.customer_group)).one() == "KEY"
    apply(session, account(group="PUBLIC", version=2))
    assert session.scalars(select(Account.customer_group)).one() == "PUBLIC"
    apply(session, account(version=3))
    assert session.scalars(select(Account.customer_group)).one() == ""


def test_what_is_looked_up_is_stored_as_it_is_looked_up(session: Session) -> None:
    apply(session, entity(), account(vat_number="es B-36.123.456", iban="es91 2100 0418"))
    found = session.scalars(select(Account)).one()
    assert (found.vat_number, found.iban) == ("ESB36123456", "ES9121000418")
    contact = session.scalars(select(Contact)).one()
    assert (contact.email, contact.domain, contact.phone_digits) == (
        "ana@bodega.example",
        "bodega.example",
        "986221220",
    )
    assert set(session.scalars(select(AccountName.token))) == {"BODEGA", "RUIZ"}
    assert session.scalars(select(Entity.mailbox)).one() == "ar@vins.example"


def test_the_same_documents_again_change_nothing(session: Session) -> None:
    documents = [entity(), account(), invoice(), credit_note(), payment()]
    apply(session, *documents)
    before = ledger_hash(session)
    assert statuses(apply(session, *documents)) == ["unchanged"] * 5
    assert ledger_hash(session) == before


def test_an_invoice_may_come_before_its_account(session: Session) -> None:
    apply(session, entity(), invoice())
    waiting = session.scalars(select(Account)).one()
    assert (waiting.number, waiting.pending, waiting.name) == ("C1", True, "")
    outcomes = apply(session, account())
    session.expire_all()
    filled = session.scalars(select(Account)).one()
    assert statuses(outcomes) == ["created"]
    assert (filled.id, filled.pending, filled.name) == (waiting.id, False, "Bodega Ruiz S.L.")


def test_a_payment_may_come_before_its_invoice(session: Session) -> None:
    apply(session, entity(), payment())
    apply(session, invoice())
    joined = select(Invoice.number).join(
        Allocation, (Allocation.invoice_number == Invoice.number) & (Allocation.entity_id == Invoice.entity_id)
    )
    assert session.scalars(joined).all() == ["FA-2026-00187"]


def test_an_unknown_entity_refuses_and_only_that_document(session: Session) -> None:
    outcomes = apply(session, entity(), invoice(entity="DE09"), invoice())
    assert statuses(outcomes) == ["created", "refused", "created"]
    assert (outcomes[1].field, outcomes[1].reason) == ("entity", "DE09 is not a known entity: send the entity first")


def test_one_bad_document_refuses_itself_alone(session: Session) -> None:
    outcomes = apply(session, entity(), b"{broken", invoice(net="1.00"), invoice(number="B", colour="red"), account())
    assert statuses(outcomes) == ["created", "refused", "refused", "refused", "created"]
    assert [(one.field, one.shape) for one in outcomes[1:4]] == [("", True), ("net", False), ("colour", True)]
    assert session.scalar(select(func.count()).select_from(Invoice)) == 0


def test_the_newer_version_wins_and_the_older_is_stale(session: Session) -> None:
    apply(session, entity(), invoice(version="2026-03-01T10:00:00+01:00"))
    outcomes = apply(
        session,
        invoice(version="2026-03-01T08:00:00Z", open="60.00"),
        invoice(version="2026-03-01T09:30:00Z", open="0.00"),
    )
    assert statuses(outcomes) == ["stale", "updated"]
    assert session.scalars(select(Invoice.open_amount)).one() == 0


def test_a_newer_version_with_the_same_content_is_unchanged_but_remembered(session: Session) -> None:
    apply(session, entity(), invoice(version=1))
    assert statuses(apply(session, invoice(version=5))) == ["unchanged"]
    assert statuses(apply(session, invoice(version=3, open="0"))) == ["stale"]


def test_without_versions_the_last_write_wins(session: Session) -> None:
    apply(session, entity(), invoice())
    assert statuses(apply(session, invoice(open="20.00"))) == ["updated"]
    assert statuses(apply(session, invoice())) == ["updated"]


def test_two_documents_of_one_number_in_a_push(session: Session) -> None:
    outcomes = apply(session, entity(), invoice(), invoice(), invoice(po="other"))
    assert statuses(outcomes) == ["created", "created", "unchanged", "refused"]
    assert (outcomes[3].field, "twice in this push" in outcomes[3].reason) == ("number", True)


def test_the_second_is_refused_in_another_batch_of_the_push_as_well(session: Session) -> None:
    push = actions.begin(session, actor=system("test"), now=NOW)
    apply(session, entity())
    results = [_batch(session, push.id, document) for document in (invoice(), invoice(po="other"))]
    assert results == ["created", "refused"]


def _batch(session: Session, push_id: int, document: Raw) -> str:
    rows = actions.prepare([read(document)], keys=ledger_keys(), today=NOW.date())
    return statuses(actions.write_batch(session, rows=rows, push_id=push_id, actor=system("test"), now=NOW))[0]


def test_the_same_version_with_other_content_is_refused(session: Session) -> None:
    apply(session, entity(), invoice(version=7))
    outcomes = apply(session, invoice(version=7, open="0"))
    assert statuses(outcomes) == ["refused"]
    assert "same version" in outcomes[0].reason


def test_a_credit_note_cannot_take_an_invoices_number(session: Session) -> None:
    apply(session, entity(), invoice())
    outcomes = apply(session, credit_note(number="FA-2026-00187"))
    assert (outcomes[0].status, outcomes[0].field) == ("refused", "number")
    assert "already the number of another document (invoice)" in outcomes[0].reason


def test_one_number_may_live_in_two_entities(session: Session) -> None:
    apply(session, entity(), entity(id="UK01", currency="GBP"), invoice(), invoice(entity="UK01"))
    assert session.scalar(select(func.count()).select_from(Invoice)) == 2


def test_parts_are_replaced_with_their_document(session: Session) -> None:
    apply(session, entity(), account(), invoice(), payment())
    lines = [{"quantity": 1, "unit_price": "60.00"}, {"quantity": 2, "unit_price": "20.00"}]
    contacts = [{"email": "new@bodega.example"}]
    allocations = [{"invoice": "A", "amount": "20.00"}, {"invoice": "A", "amount": "10.00"}, {"invoice": "B"}]
    apply(session, invoice(lines=lines), account(contacts=contacts, name="Ruiz Hermanos"))
    apply(session, payment(invoices=[], allocations=allocations))
    assert session.scalars(select(InvoiceLine.unit_price).order_by(InvoiceLine.position)).all() == [
        Decimal(60),
        Decimal(20),
    ]
    assert session.scalars(select(Contact.email)).all() == ["new@bodega.example"]
    assert set(session.scalars(select(AccountName.token))) == {"RUIZ", "HERMANOS"}
    found = session.execute(select(Allocation.invoice_number, Allocation.amount)).all()
    assert dict(found) == {"A": Decimal(30), "B": None}


def test_an_update_keeps_what_was_before_in_an_event(session: Session) -> None:
    apply(session, entity(), account(), invoice())
    outcomes = apply(session, invoice(open="20.00", account="C2"))
    found = session.scalars(select(Event).where(Event.verb == "invoice.updated")).one()
    accounts = dict(session.execute(select(Account.number, Account.id)).all())
    assert (found.actor, found.subject_id) == ("system:test", outcomes[0].id)
    assert found.cause.startswith("push:")
    assert found.before == {"open_amount": "120.00", "account_id": accounts["C1"]}
    assert found.after == {"open_amount": "20.00", "account_id": accounts["C2"]}


def test_a_push_counts_in_one_event(session: Session) -> None:
    apply(session, entity(), account(), invoice(net="7"))
    found = session.scalars(select(Event)).one()
    counts = {"created": 2, "updated": 0, "unchanged": 0, "stale": 0, "refused": 1}
    assert (found.verb, found.after) == ("ledger.pushed", counts)
    assert session.scalars(select(Push.counts)).one() == counts


def test_a_push_tells_which_accounts_and_invoices_changed(session: Session) -> None:
    apply(session, entity(), account(), invoice(), invoice(number="B"))
    outcomes = apply(session, invoice(), invoice(number="B", open="0"), payment(account="C2"))
    ids = dict(session.execute(select(Account.number, Account.id)).all())
    touched = changed(outcomes)
    assert touched.accounts == {ids["C1"], ids["C2"]}
    assert touched.invoices == {session.scalars(select(Invoice.id).where(Invoice.number == "B")).one()}


def test_a_token_of_one_entity_writes_no_other(session: Session) -> None:
    apply(session, entity(), entity(id="UK01"))
    outcomes = apply(session, invoice(), invoice(entity="UK01"), entity(id="XX"), only_entity="FR01")
    assert statuses(outcomes) == ["created", "refused", "refused"]
    assert outcomes[1].field == "entity"


def test_a_batch_takes_the_same_few_statements_however_many_documents(session: Session, queries: QueryRecorder) -> None:
    apply(session, entity(), account())
    with queries:
        apply(session, *(invoice(number=f"A{place}") for place in range(3)))
    few = queries.count
    with queries:
        apply(session, *(invoice(number=f"B{place}") for place in range(300)))
    assert queries.count == few


def test_a_key_gives_the_earlier_answer_and_refuses_another_body(session: Session) -> None:
    actor = system("test")
    push = actions.begin(session, actor=actor, now=NOW, key="k1", body_hash="h1")
    answer = actions.Answer(200, "application/json", b"zipped")
    actions.finish(session, push_id=push.id, counts={}, actor=actor, now=NOW, answer=answer)
    assert actions.earlier_answer(session, actor=actor, key="k1", body_hash="h1") == answer
    assert actions.earlier_answer(session, actor=system("other"), key="k1", body_hash="h1") is None
    with pytest.raises(KeyReused):
        actions.earlier_answer(session, actor=actor, key="k1", body_hash="h2")


@pytest.mark.parametrize(
    ("version", "fingerprint", "push_id", "status", "write"),
    [
        ("5", 1, 2, "unchanged", False),
        ("5", 9, 2, "refused", False),
        ("6", 9, 2, "updated", True),
        ("6", 1, 2, "unchanged", True),
        ("4", 9, 2, "stale", False),
        ("", 1, 2, "unchanged", False),
        ("", 9, 2, "updated", True),
    ],
)
def test_the_rule_of_versions(version: str, fingerprint: int, push_id: int, status: str, *, write: bool) -> None:
    known = Known(id=1, version="5", fingerprint=1, push_id=1, pending=False, account_id=None, watched=())
    verdict = decide(known, version=version, fingerprint=fingerprint, push_id=push_id)
    assert (verdict.status, verdict.write) == (status, write)


def test_payments_and_entities_are_updated_too(session: Session) -> None:
    apply(session, entity(), payment())
    outcomes = apply(session, entity(name="Vins du Sud SA", language="en"), payment(amount="100.00"))
    assert statuses(outcomes) == ["updated", "updated"]
    assert session.scalars(select(Payment.amount)).one() == 100
    assert session.scalars(select(Entity.language)).one() == "en"
