"""Internal talk never reaches a customer: a canary in every internal place, looked for in all that is sent."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import Message as Mime

import pytest
from sqlalchemy import JSON, String, Text, inspect, select
from sqlalchemy.orm import Session

from app.connectors.contracts import packed
from app.connectors.outgoing import rendered
from app.core.events import Actor, user_actor
from app.workflows.intake import Tools
from disputes.actions import cases, customer_messages, notes, replies
from disputes.actions.replies import Words
from disputes.actions.tasks import open_task
from disputes.correspondence import TO_CUSTOMERS
from disputes.models import Approval, Attachment, Case, CaseClock, CaseStep, Message, Outgoing
from disputes.queries.similar import suggested
from tests.factories import a_user
from tests.fixtures_pipeline import Deliver

CANARY = "ZEBRA-4711"
KINDS = ("acknowledgement", "status", "question", "resolution", "apology")
TOLD = {"title", "language", "kind", "reason", "state", "sentiment", "resolution", "waiting_on"}
"""What of a case a mail may be made from; a title is the customer's own subject."""
WORKINGS = {"reason_by", "flags", "owner_by", "next_step", "playbook"}
"""Codes of the machinery, not words."""
PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)


@pytest.fixture
def case(session: Session, deliver: Deliver, now: datetime) -> Case:
    """A customer's dispute, before anything was said about it inside."""
    worked = deliver(PRICE, at=now, subject="Wrong price on INV-2026-0101", message_id="<one@acme.example>")
    return session.get_one(Case, worked.case_id)


@pytest.fixture
def actor(session: Session, now: datetime) -> Actor:
    return user_actor(a_user(session, "Ana Silva", now=now).id)


def written_fields(case: Case) -> set[str]:
    """Every column of a case that can hold words."""
    columns = inspect(type(case)).columns
    return {column.key for column in columns if isinstance(column.type, String | Text | JSON)}


def talk(session: Session, case: Case, deliver: Deliver, *, actor: Actor, now: datetime) -> None:
    """All that is said inside: notes and mentions, colleagues' mails and files, tasks, reasons, others' drafts."""
    bea = a_user(session, f"Bea {CANARY}", now=now, email="bea@desk.example")
    notes.add_note(session, case_id=case.id, text=f"{CANARY} @ana is it true?", actor=actor, now=now)
    colleague = deliver(
        f"{CANARY}: give them the 8.00 each, but let them wait.",
        at=now + timedelta(minutes=1),
        sender=f"Paul {CANARY} <paul@seller.example>",
        subject=f"Re: Wrong price on INV-2026-0101 {CANARY}",
        replies_to=("<one@acme.example>",),
        message_id=f"<{CANARY}@seller.example>",
    )
    mail = session.get_one(Message, colleague.message_id)
    assert mail.direction == "internal"
    mail.case_id = case.id
    session.add(Attachment(message_id=mail.id, filename=f"{CANARY}.pdf", content_type="application/pdf",
                           content_hash="0" * 64, size=1, text=CANARY, position=0))  # fmt: skip
    task = open_task(session, kind="approve_credit", title=CANARY, dedupe_key="c", actor=actor, now=now, due_at=None,
                     case=case, payload={"why": CANARY})  # fmt: skip
    session.add(Approval(task_id=task.id, user_id=bea.id, approved=True, note=CANARY, at=now))
    session.add(CaseStep(case_id=case.id, step="tell_status", cycle=99, state="refused", why=CANARY, actor="x", at=now))
    cases.hold(session, case_id=case.id, until=now + timedelta(days=1), why=CANARY, actor=actor, now=now)
    for clock in session.scalars(select(CaseClock).where(CaseClock.case_id == case.id)):
        clock.pause_reason = CANARY
    case.owner_why, case.cause, case.resolution_note = [CANARY], CANARY, CANARY
    words = Words(to="ann@acme.example", subject=CANARY, body=CANARY)
    replies.save_draft(session, case_id=case.id, words=words, actor=user_actor(bea.id), now=now)
    session.flush()


def test_every_field_of_a_case_that_holds_words_is_either_told_or_tried_here(case: Case) -> None:
    """A new column has to be put into one of these, and into talk() where it is internal."""
    tried = {"owner_why", "cause", "resolution_note", "hold_reason"}
    assert written_fields(case) == TOLD | WORKINGS | tried


def sent_bytes(mail: Outgoing, now: datetime) -> str:
    """Everything a customer's program could show: headers and parts of the mail as it leaves, decoded."""
    mime: Mime = message_from_bytes(rendered(packed(mail, cc=tuple(mail.cc), files=()), now=now), policy=policy.default)
    parts = [part.get_content() for part in mime.walk() if part.get_content_maintype() == "text"]  # type: ignore[attr-defined] # EmailMessage by the policy
    return "\n".join([*(f"{name}: {value}" for name, value in mime.items()), *parts, json.dumps(mail.attachments)])


def test_nothing_said_inside_is_in_any_mail_to_a_customer(
    session: Session, case: Case, actor: Actor, deliver: Deliver, tools: Tools, now: datetime
) -> None:
    talk(session, case, deliver, actor=actor, now=now)
    for kind in ("status", "question", "apology", "resolution", "satisfaction"):
        customer_messages.write(
            session,
            case_id=case.id,
            kind=kind,
            dedupe_key=f"all:{kind}",
            tokens=tools.reply_tokens,
            actor=actor,
            now=now,
        )
    for await_answer in (True, False):
        words = replace(replies.proposed(session, case=case), body="We look into it.")
        replies.save_draft(session, case_id=case.id, words=words, actor=actor, now=now)
        replies.send_reply(
            session,
            case_id=case.id,
            tokens=tools.reply_tokens,
            blobs=tools.blobs,
            actor=actor,
            now=now,
            await_answer=await_answer,
        )
    later = now + timedelta(days=2)
    deliver(
        "A price is wrong again.", at=later, subject="Wrong price, INV-2026-0102", message_id="<three@acme.example>"
    )
    mails = session.scalars(select(Outgoing).where(Outgoing.kind.in_(TO_CUSTOMERS))).all()
    assert {mail.kind for mail in mails} == TO_CUSTOMERS - {"letter"}
    for mail in mails:
        assert CANARY not in sent_bytes(mail, now), mail.kind


def test_nothing_said_inside_is_offered_to_whoever_writes(
    session: Session, case: Case, actor: Actor, deliver: Deliver, now: datetime
) -> None:
    """Nor said inside a case that is offered as a similar one."""
    talk(session, case, deliver, actor=actor, now=now)
    case.state, case.resolution = "closed", "credited"
    other = deliver(
        PRICE.replace("0101", "0102"), at=now + timedelta(days=1), subject="Price", message_id="<2@b.example>"
    )
    user = a_user(session, "Carl Muster", now=now)
    session.flush()
    offered = suggested(session, user=user, case=session.get_one(Case, other.case_id), now=now)
    assert [one.case.likeness.case_id for one in offered.similar] == [case.id]
    assert CANARY.split("-", maxsplit=1)[0].lower() not in repr(offered).lower()
    told: list[object] = [
        replies.proposed(session, case=case),
        replies.ends_of(session, case=case, actor=actor, now=now),
    ]
    told += [customer_messages.composed(session, case=case, kind=kind, now=now) for kind in KINDS]
    assert CANARY not in repr(told)
