"""The story of a dispute over weeks, told by dated mails: one case, its people, its next step, its events."""

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Event
from disputes.models import Case, CaseInvoice, Link, Message, Outgoing, Task
from tests.fixtures_pipeline import MAILBOX, Deliver, Ledger


def march(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)
FIRST, ANSWER, SECOND = "<one@acme.example>", "<two@seller.example>", "<three@acme.example>"


def test_mails_of_one_dispute_over_weeks_end_in_one_case(session: Session, deliver: Deliver, ledger: Ledger) -> None:
    opened = deliver(
        PRICE,
        at=march(2),
        subject="Wrong price on INV-2026-0101",
        message_id=FIRST,
    )
    answered = deliver(
        "Thank you, we are checking the price of the chairs with our sales team.",
        at=march(3),
        sender=f"Seller Ltd <{MAILBOX}>",
        to="ann@acme.example",
        subject="Re: Wrong price on INV-2026-0101",
        message_id=ANSWER,
        replies_to=(FIRST,),
    )
    chased = deliver(
        "Any news about the price of the chairs on INV-2026-0101? We are still waiting for your answer.",
        at=march(16),
        sender="Bob Fry <bob@acme.example>",
        subject="chairs",
        message_id="<four@acme.example>",
    )
    other = deliver(
        "One more thing: the parcel for INV-2026-0102 never arrived, nothing was delivered to us.",
        at=march(17),
        subject="Re: Wrong price on INV-2026-0101",
        message_id=SECOND,
        replies_to=(FIRST, ANSWER),
    )

    assert opened.case_id == answered.case_id == chased.case_id
    assert other.case_id not in {None, opened.case_id}
    case = session.get_one(Case, opened.case_id)
    assert (case.kind, case.reason, case.account_id) == ("dispute", "price", ledger.acme.id)
    assert (case.message_count, case.state, case.waiting_on) == (3, "in_progress", "us")
    assert case.due_at == march(16), "the sweep plans anew after each mail"
    invoice = session.scalars(select(CaseInvoice).where(CaseInvoice.case_id == case.id)).one()
    assert (invoice.invoice_id, invoice.disputed) == (ledger.invoices["INV-2026-0101"].id, Decimal("864.00"))
    assert _verbs(session, case.id) == [
        ("system:intake", "case opened"),
        ("system:intake", "message joined"),
        ("system:intake", "case invoices changed"),
        ("system:intake", "task opened"),
        ("system:intake", "acknowledgement written"),
        ("system:intake", "clocks moved"),
        ("system:intake", "message joined"),
        ("system:intake", "case waits on the customer"),
        ("system:intake", "task done"),
        ("system:intake", "clocks moved"),
        ("system:intake", "clocks moved"),
        ("system:intake", "message joined"),
        ("system:intake", "case goes on"),
        ("system:intake", "task opened"),
        ("system:intake", "clocks moved"),
    ]


def _verbs(session: Session, case_id: int) -> list[tuple[str, str]]:
    events = session.scalars(select(Event).where(Event.case_id == case_id).order_by(Event.id))
    return [(event.actor, event.verb) for event in events]


def test_the_first_mail_is_acknowledged_in_words_that_name_case_and_invoice(session: Session, deliver: Deliver) -> None:
    worked = deliver(
        PRICE,
        at=march(2),
        subject="Wrong price on INV-2026-0101",
        message_id=FIRST,
    )
    letter = session.scalars(select(Outgoing)).one()
    assert letter.to_email == "ann@acme.example"
    assert letter.from_email == MAILBOX
    assert f"case {worked.case_id}" in letter.body
    assert "INV-2026-0101" in letter.body
    assert letter.headers["In-Reply-To"] == FIRST
    assert letter.headers["Auto-Submitted"] == "auto-replied"
    assert letter.headers["X-Auto-Response-Suppress"] == "All"


def test_a_reply_to_the_acknowledgement_finds_the_case_by_our_own_message_id(
    session: Session, deliver: Deliver
) -> None:
    first = deliver(PRICE, at=march(2), subject="Wrong price on INV-2026-0101", message_id=FIRST)
    letter = session.scalars(select(Outgoing)).one()
    reply = deliver("Thank you.", at=march(3), subject="Re: case", replies_to=(letter.rfc_id,))
    assert reply.case_id == first.case_id
    assert session.get_one(Message, reply.message_id).thread_rule in {"reply token", "header: outbox"}


def test_an_angry_mail_puts_a_call_before_anything_written(session: Session, deliver: Deliver) -> None:
    worked = deliver(
        "This is outrageous and unacceptable! I am furious. You billed INV-2026-0101 at the wrong price AGAIN. "
        "This is the third time, absolute shambles, I am sick of it!",
        at=march(2),
        subject="UNACCEPTABLE",
        message_id=FIRST,
    )
    assert session.get_one(Message, worked.message_id).sentiment == "angry"
    assert session.scalar(select(Outgoing.id)) is None
    call = session.scalars(select(Task).where(Task.kind == "courtesy_call")).one()
    assert (call.case_id, call.due_at) == (worked.case_id, datetime(2026, 3, 2, 16, tzinfo=UTC))


def test_what_was_decided_is_kept_with_its_evidence(session: Session, deliver: Deliver) -> None:
    worked = deliver(PRICE, at=march(2), subject="Wrong price on INV-2026-0101", message_id=FIRST)
    message = session.get_one(Message, worked.message_id)
    link = session.scalars(select(Link).where(Link.message_id == message.id)).one()
    assert (link.state, link.decided_by) == ("confirmed", "auto")
    marked = [one for one in link.evidence if one["source"] == "subject"]
    assert marked
    for one in marked:
        assert message.subject[one["start"] : one["end"]] == one["text"]
        assert one["text"].endswith("0101")
    assert message.account_evidence
    assert message.ranking[0][0] == message.reason
    assert message.thread_rule == "no case of the account fits"
