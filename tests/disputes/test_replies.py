"""Answers: in their thread, taken back within ten seconds, never sent over a changed case (U12-U18, S2)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import Forbidden
from app.core.events import Actor, Event, user_actor
from app.workflows.intake import Tools
from disputes.actions import cases, customer_messages, life, notes, outbox, replies
from disputes.actions.replies import CannotSend, File, NoDraft, ThreadChanged, TooLate, Words
from disputes.models import Case, CaseInvoice, Draft, Message, Outgoing, Policy, Task
from disputes.queries import case_page
from disputes.replies import Answered, ids_of, quotation, reply_subject, whole_body
from disputes.reply_tokens import ReplyTokens
from tests.factories import a_user
from tests.fixtures_pipeline import Deliver, Ledger

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)
THEIRS = Answered(
    rfc_id="<two@acme.example>",
    references=("<one@acme.example>", "<ack@seller.example>"),
    subject="AW: Re: Preis\r\nBcc: all@acme.example",
    text="First line\n> older\n\nlast line",
    who="Ann Lee",
    at=NOW,
    direction="in",
)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Wrong price", "Re: Wrong price"),
        ("RE: AW: Wrong price", "Re: Wrong price"),
        ("Réf : prix", "Re: Réf : prix"),
        ("Price\r\nBcc: eve@elsewhere.example", "Re: Price Bcc: eve@elsewhere.example"),
        ("", "Re: The case's title"),
    ],
)
def test_the_subject_is_the_threads_with_one_mark(subject: str, expected: str) -> None:
    assert reply_subject(subject, title="The case's title") == expected


def test_references_grow_in_order_and_stay_short() -> None:
    many = tuple(f"<{number}@acme.example>" for number in range(50))
    ids = ids_of(
        ReplyTokens(b"key"),
        case_id=7,
        contact="ann@acme.example",
        mailbox="ar@seller.example",
        unique="reply:7:1:3",
        answers="<now@acme.example>",
        references=many,
        now=NOW,
    )
    chain = ids.headers["References"].split()
    assert ids.headers["In-Reply-To"] == "<now@acme.example>" == chain[-1]
    assert chain[1:-1] == list(many[-20:])
    assert chain[0].startswith("<t.7.")
    assert ids.rfc_id.endswith("@seller.example>")


def test_what_is_answered_is_quoted_below_in_the_customers_language() -> None:
    quoted = quotation(THEIRS, "fr")
    assert quoted.splitlines() == [
        "Le 2 mars 2026, 09:00 UTC, Ann Lee a écrit :",
        "> First line",
        ">> older",
        ">",
        "> last line",
    ]
    assert whole_body("Bonjour\n", signature="Ana", quote=quoted).startswith("Bonjour\n\nAna\n\nLe 2 mars")


def test_what_the_customer_never_saw_is_never_quoted() -> None:
    assert quotation(replace(THEIRS, direction="internal"), "en") == ""


@dataclass
class Desk:
    """A case a customer opened, and who answers it."""

    session: Session
    case: Case
    user: User
    actor: Actor
    tools: Tools
    now: datetime

    def save(self, body: str = "We look into it.", **changes: object) -> Draft:
        words = replies.proposed(self.session, case=self.case)
        words = replace(words, body=body, **changes)  # type: ignore[arg-type] # a test's own changes
        return replies.save_draft(self.session, case_id=self.case.id, words=words, actor=self.actor, now=self.now)

    def send(self) -> Outgoing:
        return replies.send_reply(
            self.session,
            case_id=self.case.id,
            tokens=self.tools.reply_tokens,
            blobs=self.tools.blobs,
            actor=self.actor,
            now=self.now,
        )

    def leaves(self, mail: Outgoing) -> None:
        """The mail server takes it when its time has come."""
        later = mail.not_before
        claimed = outbox.claim(self.session, worker="w", now=later, outbox_id=mail.id)
        assert claimed is not None
        outbox.record_sent(self.session, outbox_id=mail.id, now=later)


@pytest.fixture
def desk(session: Session, deliver: Deliver, tools: Tools, now: datetime) -> Desk:
    worked = deliver(PRICE, at=now, subject="Wrong price on INV-2026-0101", message_id="<one@acme.example>")
    user = a_user(session, "Ana Silva", now=now)
    case = session.get_one(Case, worked.case_id)
    return Desk(session, case, user, user_actor(user.id), tools, now + timedelta(hours=1))


def test_an_answer_goes_to_who_wrote_in_their_thread_and_the_case_waits_on_them(desk: Desk) -> None:
    desk.save()
    mail = desk.send()
    assert (mail.to_email, mail.subject) == ("ann@acme.example", "Re: Wrong price on INV-2026-0101")
    assert mail.headers["In-Reply-To"] == "<one@acme.example>"
    assert mail.not_before == desk.now + timedelta(seconds=10)
    assert (mail.automatic, mail.author_id) == (False, desk.user.id)
    assert "Auto-Submitted" not in mail.headers
    assert mail.body.startswith("We look into it.\n\nKind regards,\nAna Silva\nSeller Ltd\n\nOn 2 March 2026")
    assert "> The chairs on INV-2026-0101" in mail.body
    assert outbox.claim(desk.session, worker="w", now=desk.now, outbox_id=mail.id) is None
    assert desk.case.waiting_on == "us"
    desk.leaves(mail)
    assert (desk.case.state, desk.case.waiting_on) == ("waiting", "customer")
    assert desk.case.waiting_since == desk.now + timedelta(seconds=10)
    assert desk.case.next_step == "ask_customer_again", "what silence means, and when, the playbook says"
    open_answers = select(Task).where(Task.kind == "answer", Task.state == "open")
    assert desk.session.scalars(open_answers).all() == []


def test_their_answer_to_it_comes_back_to_the_case_and_it_waits_on_us(desk: Desk, deliver: Deliver) -> None:
    desk.save()
    mail = desk.send()
    desk.leaves(mail)
    back = deliver("Thanks, noted.", at=desk.now + timedelta(days=1), subject="Other", replies_to=(mail.rfc_id,))
    assert back.case_id == desk.case.id
    assert desk.case.state == "in_progress"


def test_u12_it_can_be_taken_back_as_the_draft_it_was(desk: Desk) -> None:
    file = File("proof.pdf", "application/pdf", desk.tools.blobs.put(b"proof"), 5)
    desk.save("Word for word.", files=(file,), cc=("bob@acme.example",))
    mail = desk.send()
    draft = replies.undo_reply(desk.session, outbox_id=mail.id, actor=desk.actor, now=desk.now)
    assert mail.state == "cancelled"
    assert (draft.body, draft.cc) == ("Word for word.", ["bob@acme.example"])
    assert draft.attachments[0]["filename"] == "proof.pdf"
    again = desk.send()
    assert again.rfc_id != mail.rfc_id
    assert outbox.claim(desk.session, worker="w", now=desk.now + timedelta(hours=1), outbox_id=mail.id) is None


def test_what_has_left_or_is_anothers_cannot_be_taken_back(desk: Desk) -> None:
    desk.save()
    mail = desk.send()
    other = a_user(desk.session, "Bea", now=desk.now)
    with pytest.raises(Forbidden):
        replies.undo_reply(desk.session, outbox_id=mail.id, actor=user_actor(other.id), now=desk.now)
    desk.leaves(mail)
    with pytest.raises(TooLate):
        replies.undo_reply(desk.session, outbox_id=mail.id, actor=desk.actor, now=desk.now)


def test_u18_nothing_is_sent_over_a_case_that_changed_and_the_change_is_told(desk: Desk, deliver: Deliver) -> None:
    desk.save()
    deliver("More about the price.", at=desk.now, subject="Re: Wrong price", replies_to=("<one@acme.example>",))
    with pytest.raises(ThreadChanged) as stopped:
        desk.send()
    assert "message joined" in stopped.value.changes
    words = Words(to="ann@acme.example", subject="Re: Wrong price", body="Now with all of it.")
    replies.save_draft(
        desk.session,
        case_id=desk.case.id,
        words=words,
        actor=desk.actor,
        now=desk.now,
        seen_version=desk.case.version,
    )
    assert desk.send().body.startswith("Now with all of it.")


def test_u14_one_draft_a_person_and_case_thrown_away_or_sent_once(desk: Desk) -> None:
    first, second = desk.save("one"), desk.save("one two")
    assert first.id == second.id
    begun = select(Event).where(Event.subject == "draft")
    assert len(desk.session.scalars(begun).all()) == 1
    replies.discard_draft(desk.session, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    with pytest.raises(NoDraft):
        desk.send()
    desk.save()
    desk.send()
    with pytest.raises(NoDraft):
        desk.send()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"to": "nobody"}, "to"),
        ({"body": "  "}, "body"),
        ({"cc": ("x y",)}, "cc"),
        ({"files": (File("gone.pdf", "application/pdf", "0" * 64, 1),)}, "files"),
    ],
)
def test_what_cannot_be_sent_says_why(desk: Desk, changes: dict[str, object], field: str) -> None:
    desk.save(**{"body": "words", **changes})  # type: ignore[arg-type] # a table of changes
    with pytest.raises(CannotSend) as refused:
        desk.send()
    assert field in refused.value.fields


def test_s02_an_answer_nobody_is_sure_of_is_asked_of_a_person(desk: Desk) -> None:
    desk.save()
    mail = desk.send()
    outbox.claim(desk.session, worker="w", now=mail.not_before, outbox_id=mail.id)
    outbox.record_uncertain(desk.session, outbox_id=mail.id, error="the line broke", now=desk.now)
    assert (mail.state, desk.case.waiting_on) == ("uncertain", "us")
    outbox.settle(desk.session, outbox_id=mail.id, sent=True, actor=desk.actor, now=desk.now)
    assert desk.case.waiting_on == "customer"


def test_a_refused_answer_comes_back_to_the_case_as_a_task(desk: Desk) -> None:
    desk.save()
    mail = desk.send()
    outbox.claim(desk.session, worker="w", now=mail.not_before, outbox_id=mail.id)
    outbox.record_failure(desk.session, outbox_id=mail.id, error="550 no such user", now=desk.now)
    task = desk.session.scalars(select(Task).where(Task.kind == "mail_failed")).one()
    assert (task.case_id, task.payload["error"]) == (desk.case.id, "550 no such user")
    assert desk.case.waiting_on == "us"


def test_m17_a_bounce_marks_the_answer_and_the_case_waits_on_us_again(desk: Desk, deliver: Deliver) -> None:
    desk.save()
    mail = desk.send()
    desk.leaves(mail)
    report = (
        "This is the mail system. Your message could not be delivered.\n\n<ann@acme.example>: 550 5.1.1 user unknown\n"
        f"\nOriginal message follows\nMessage-ID: {mail.rfc_id}\nSubject: Re\n"
    )
    worked = deliver(
        report,
        at=desk.now + timedelta(minutes=5),
        sender="Mail Delivery System <mailer-daemon@acme.example>",
        subject="Undelivered Mail Returned to Sender",
    )
    assert worked.case_id == desk.case.id
    assert (mail.state, mail.last_error) == ("failed", "failed: 5.1.1 ann@acme.example")
    assert (desk.case.state, desk.case.waiting_on) == ("in_progress", "us")
    task = desk.session.scalars(select(Task).where(Task.kind == "mail_returned")).one()
    assert task.case_id == desk.case.id
    marked = select(Event).where(Event.verb == "address did not accept mail")
    assert (desk.session.scalars(marked).one().after or {})["address"] == "ann@acme.example"


def test_the_outcome_tells_what_is_credited(desk: Desk) -> None:
    def told(resolution: str = "") -> str:
        return customer_messages.composed(
            desk.session, case=desk.case, kind="resolution", now=desk.now, resolution=resolution
        ).body

    assert "The matter is settled." in told()
    assert "You were right. We credit you £864.00; the credit note follows." in told("accepted")
    assert told("credited") == told("accepted")
    assert "We put part of it right. The rest stays due." in told("partly_accepted")
    (row,) = desk.session.scalars(select(CaseInvoice).where(CaseInvoice.case_id == desk.case.id))
    life.resolve(
        desk.session,
        case_id=desk.case.id,
        resolution="partly_accepted",
        note="8.00 each",
        amounts={row.invoice_id: Decimal("96.00")},
        actor=desk.actor,
        now=desk.now,
    )
    assert "We credit you £96.00; the credit note follows. The rest stays due." in told()


def test_a_template_writes_in_the_entitys_own_words_once_a_key(desk: Desk, ledger: Ledger) -> None:
    def written(key: str, kind: str) -> Outgoing:
        return customer_messages.write(
            desk.session,
            case_id=desk.case.id,
            kind=kind,
            dedupe_key=key,
            tokens=desk.tools.reply_tokens,
            actor=desk.actor,
            now=desk.now,
            question="Could you send us the quote?",
        )

    status = written("step:1:tell_status:1", "status")
    assert written("step:1:tell_status:1", "status").id == status.id
    assert status.headers["Auto-Submitted"] == "auto-replied"
    assert "INV-2026-0101" in status.body
    assert "£864.00" in status.body
    own = Policy(
        family="message_template",
        key=f"question/en/{ledger.entity.code}",
        version=1,
        active=True,
        content={"body": "One thing, please: {{ question }}"},
        created_by="test",
        created_at=desk.now,
    )
    desk.session.add(own)
    desk.session.flush()
    question = written("step:1:question:1", "question")
    assert "One thing, please: Could you send us the quote?" in question.body
    desk.leaves(status)
    assert desk.case.waiting_on == "us"
    desk.leaves(question)
    assert desk.case.waiting_on == "customer"


def test_internal_talk_reaches_no_mail_to_a_customer(desk: Desk, deliver: Deliver) -> None:
    """A secret in a note, a colleague's mail, a closing note and a task; then everything that writes to customers."""
    secret = "ZEBRA-4711"
    now = desk.now
    notes.add_note(desk.session, case_id=desk.case.id, text=f"{secret} they are right", actor=desk.actor, now=now)
    colleague = deliver(
        f"{secret}: give them the 8.00 each, but let them wait.",
        at=now,
        sender="Paul <paul@seller.example>",
        subject=f"Re: Wrong price on INV-2026-0101 {secret}",
        replies_to=("<one@acme.example>",),
    )
    message = desk.session.get_one(Message, colleague.message_id)
    assert message.direction == "internal"
    message.case_id = desk.case.id
    desk.case.resolution_note = f"{secret} closing"
    desk.session.flush()
    desk.save()
    desk.send()
    for kind in ("status", "question", "apology", "resolution", "satisfaction"):
        customer_messages.write(
            desk.session,
            case_id=desk.case.id,
            kind=kind,
            dedupe_key=f"all:{kind}",
            tokens=desk.tools.reply_tokens,
            actor=desk.actor,
            now=now,
        )
        assert secret not in customer_messages.composed(desk.session, case=desk.case, kind=kind, now=now).body
    deliver("And one more thing.", at=now + timedelta(days=2), subject="Another", message_id="<three@acme.example>")
    assert secret not in replies.proposed(desk.session, case=desk.case).subject
    mails = desk.session.scalars(select(Outgoing)).all()
    assert {mail.kind for mail in mails} >= {"acknowledgement", "reply", "status", "question", "resolution", "apology"}
    for mail in mails:
        assert secret not in f"{mail.subject}\n{mail.body}\n{mail.headers}\n{mail.attachments}"


def test_a_closed_case_stays_closed_when_its_last_answer_leaves(desk: Desk) -> None:
    desk.save()
    mail = desk.send()
    cases.close(desk.session, case_id=desk.case.id, resolution=cases.RESOLUTIONS[0], actor=desk.actor, now=desk.now)
    desk.leaves(mail)
    assert desk.case.state == "closed"


def test_m30_our_answer_that_comes_back_by_copy_is_the_same_mail_of_the_case(desk: Desk, deliver: Deliver) -> None:
    desk.save()
    mail = desk.send()
    desk.leaves(mail)
    copy = deliver(
        mail.body,
        at=mail.not_before,
        sender="Seller Ltd <ar@seller.example>",
        to="ann@acme.example",
        subject=mail.subject,
        message_id=mail.rfc_id,
    )
    assert copy.case_id == desk.case.id
    assert desk.session.get_one(Message, copy.message_id).direction == "out"
    shown = case_page(desk.session, user=desk.user, case_id=desk.case.id)
    assert mail.id not in {one.id for one in shown.outgoing}
    assert mail.rfc_id in {one.rfc_id for one in shown.messages}
