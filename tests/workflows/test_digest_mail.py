"""Owners answer their digest by mail: it is done, kept or asked about, and opens no case (S13, S14, M10, M16, M18)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.auth import Team, User
from app.core.events import Event, system
from app.core.settings import Intake
from app.workflows.intake import Tools, Worked, work_message
from disputes.actions import digests
from disputes.actions.digests import Told
from disputes.correspondence import answered, facts_of, partner_of
from disputes.digests import DigestMail
from disputes.models import Attachment, Case, CaseClock, Message, Note, Outgoing, Task
from disputes.queries.digests import Due, people
from tests.factories import a_case, a_message, a_task, a_team, a_user, in_case
from tests.fixtures_pipeline import MAILBOX, Deliver, Ledger, take_in

PAUL = "Paul Roux <paul@seller.example>"
Answer = Callable[..., Worked]


@dataclass
class Desk:
    """Paul, his cases and the digest that told of them."""

    session: Session
    paul: User
    cases: list[Case]
    digest: Outgoing

    def tasks(self, kind: str, *, case: int = 0) -> list[Task]:
        """Tasks of a kind in one of the cases."""
        rows = select(Task).where(Task.case_id == self.cases[case].id, Task.kind == kind).order_by(Task.id)
        return list(self.session.scalars(rows.execution_options(populate_existing=True)))

    def decision(self, *, case: int = 0) -> str | None:
        """What the owner decided, None while that is owed."""
        return self.tasks("owner_answer", case=case)[-1].outcome

    def notes(self) -> list[str]:
        """Every note's words."""
        return list(self.session.scalars(select(Note.text).order_by(Note.id)))

    def replies(self) -> list[Outgoing]:
        """What Paul was asked back."""
        return list(self.session.scalars(select(Outgoing).where(Outgoing.kind == "owner_notice").order_by(Outgoing.id)))

    def count(self, model: type[Case] | type[Note] | type[Outgoing]) -> int:
        """How many rows there are."""
        return self.session.scalar(select(func.count()).select_from(model)) or 0


def a_desk(session: Session, ledger: Ledger, tools: Tools, now: datetime, *, cases: int = 1) -> Desk:
    a_team(session, "collections")
    pricing = a_team(session, "pricing")
    lead = a_user(session, "Lea Brun", now=now, role="lead", email="lea@seller.example", team_id=pricing.id)
    pricing.lead_id = lead.id
    paul = a_user(session, "Paul Roux", now=now, role="owner", email="paul@seller.example", team_id=pricing.id)
    made = []
    for number in range(cases):
        case = a_case(session, ledger.acme, now=now, owner_id=paul.id, team_id=pricing.id)
        in_case(session, case, ledger.invoices[f"INV-2026-010{number + 1}"], now=now)
        a_task(session, now=now, case=case, kind="owner_answer", assignee_id=paul.id, team_id=pricing.id)
        session.add(CaseClock(case_id=case.id, kind="owner_answer", started_at=now, due_at=now + timedelta(days=1)))
        made.append(case)
    session.flush()
    person = people(session, user_id=paul.id)[0]
    told = Told([one.id for one in made], DigestMail("Cases wait for you", "text", "<p>html</p>"))
    digest = digests.make(
        session,
        due=Due(person, "2026-03-02"),
        tell=lambda: told,
        tokens=tools.digest_tokens,
        actor=system("t"),
        now=now,
    )
    assert digest is not None
    return Desk(session, paul, made, digest)


@pytest.fixture
def desk(session: Session, ledger: Ledger, tools: Tools, now: datetime) -> Desk:
    return a_desk(session, ledger, tools, now)


@pytest.fixture
def answer(session: Session, tools: Tools, now: datetime) -> Answer:
    """Paul's mail program answers a digest: answer(desk, text, sender=..., file=...)."""
    sent: list[str] = []

    def run(
        desk: Desk,
        text: str,
        *,
        sender: str = PAUL,
        file: str = "",
        replies_to: tuple[str, ...] | None = None,
        at: datetime = now,
        headers: dict[str, str] | None = None,
    ) -> Worked:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, MAILBOX, "Re: Cases wait for you"
        message["Date"], message["Message-ID"] = format_datetime(at), f"<answer-{len(sent)}@phone.example>"
        ids = replies_to if replies_to is not None else (desk.digest.headers["References"], desk.digest.rfc_id)
        message["In-Reply-To"], message["References"] = ids[-1], " ".join(ids)
        for name, value in (headers or {}).items():
            message[name] = value
        message.set_content(text)
        if file:
            message.add_attachment(b"%PDF-1.4 signed", maintype="application", subtype="pdf", filename=file)
        sent.append(text)
        received = take_in(session, tools, message.as_bytes(), at=at, ref=f"{len(sent)}")
        return work_message(session, message_id=received.message_id, tools=tools, now=at)

    return run


def test_accept_in_one_word(desk: Desk, answer: Answer) -> None:
    before = desk.count(Case)
    worked = answer(desk, "ok pour moi\n\nEnvoyé de mon iPhone\n\n> ##- Répondez au-dessus de cette ligne -##\n> x")
    assert worked.state == "worked"
    assert desk.decision() == "accepted"
    assert desk.count(Case) == before, "it opens no case"
    (told,) = desk.tasks("answer")
    assert (told.state, told.payload["owner"]) == ("open", "accepted")
    assert told.assignee_id is None, "an agent tells the customer, not the owner"
    events = select(Event).where(Event.case_id == desk.cases[0].id, Event.verb == "owner accepted")
    event = desk.session.scalars(events).one()
    assert (event.actor, event.cause) == (f"user:{desk.paul.id}", f"message:{worked.message_id}")
    assert (
        desk.session.get_one(CaseClock, (desk.cases[0].id, "owner_answer"), populate_existing=True).met_at is not None
    )
    assert desk.replies() == [], "all was clear"
    message = desk.session.get_one(Message, worked.message_id)
    assert (message.direction, message.kind, message.case_id) == ("internal", "other", None)
    assert partner_of(desk.session, case=desk.cases[0]) is not None
    assert [mail.kind for mail in desk.session.scalars(select(Outgoing))] == ["digest"], "the customer hears nothing"


def test_what_the_owner_decided_is_told_by_whoever_talks_to_customers(
    desk: Desk, answer: Answer, now: datetime
) -> None:
    a_task(desk.session, now=now, case=desk.cases[0], kind="answer", assignee_id=desk.paul.id)
    answer(desk, "refuse: as agreed")
    callers = desk.session.scalars(select(Team.id).where(Team.key == "collections")).one()
    told = [(task.state, task.team_id, task.assignee_id) for task in desk.tasks("answer")]
    assert told == [("open", callers, None), ("open", callers, None)]


def test_a_line_a_case_and_a_provider_that_gave_our_mail_another_id(
    session: Session, ledger: Ledger, tools: Tools, now: datetime, answer: Answer
) -> None:
    desk = a_desk(session, ledger, tools, now, cases=3)
    first, second, third = (case.id for case in desk.cases)
    text = f"#{first} accepter\n#{second} refuser : le prix était convenu\n#{third} avoir 20,50\n"
    answer(desk, text, replies_to=(desk.digest.headers["References"], "<rewritten@provider.example>"))
    assert [desk.decision(case=number) for number in range(3)] == ["accepted", "rejected", "credit"]
    assert desk.tasks("answer", case=1)[0].payload["why"] == "le prix était convenu"
    (credit,) = desk.tasks("approve_credit", case=2)
    assert (credit.payload["amount"], credit.payload["currency"]) == ("20.50", "GBP")
    assert desk.notes() == ["le prix était convenu"]


def test_words_of_their_own_are_an_internal_note(desk: Desk, answer: Answer) -> None:
    answer(desk, "Bonjour,\n\nJe vois avec le fournisseur, retour vendredi.\n\nCordialement,\nPaul")
    assert desk.decision() is None
    assert desk.notes() == ["Je vois avec le fournisseur, retour vendredi."]
    assert desk.replies() == []


def test_what_may_be_an_instruction_is_kept_and_asked_about(desk: Desk, answer: Answer, tools: Tools) -> None:
    answer(desk, "accept, but only half of it")
    assert desk.decision() is None
    assert desk.notes() == ["accept, but only half of it"]
    (asked,) = desk.replies()
    assert asked.to_email == desk.paul.email
    assert "accept, but only half of it" in asked.body
    assert asked.headers["Auto-Submitted"] == "auto-replied"
    assert asked.headers["In-Reply-To"] == "<answer-0@phone.example>"
    answer(desk, "accept", replies_to=(*asked.headers["References"].split(), asked.rfc_id))
    assert desk.decision() == "accepted", "an answer to the question is an answer to the digest"
    assert tools.digest_tokens.key


def test_the_same_answer_again_changes_nothing(desk: Desk, answer: Answer) -> None:
    answer(desk, "accept")
    version = desk.cases[0].version
    answer(desk, "accept")
    assert len(desk.tasks("answer")) == 1
    assert desk.cases[0].version == version


def test_a_need_for_a_proof_is_asked_of_who_has_it_and_anything_else_of_the_agent(desk: Desk, answer: Answer) -> None:
    answer(desk, "besoin : bon de livraison signé")
    (proof,) = desk.tasks("check_delivery")
    assert proof.state == "open"
    answer(desk, "need: the order of January")
    assert [task.payload["need"] for task in desk.tasks("answer")] == ["order of January"]
    assert desk.decision() is None, "the decision is still theirs"


def test_not_mine_goes_to_the_lead(desk: Desk, answer: Answer) -> None:
    answer(desk, "pas pour moi : voir la logistique")
    lead = desk.session.scalars(select(User.id).where(User.role == "lead")).one()
    assert desk.cases[0].owner_id == lead
    assert desk.notes() == ["voir la logistique"]
    answer(desk, "accept")
    assert desk.decision() is None
    assert "not yours" in desk.replies()[0].body, "it is the lead's now"


def test_a_document_joins_the_case_and_ends_the_search_for_it(desk: Desk, answer: Answer, now: datetime) -> None:
    a_task(desk.session, now=now, case=desk.cases[0], kind="check_delivery", assignee_id=desk.paul.id)
    worked = answer(desk, "Voici le bon signé.", file="BL 4711.pdf")
    message = desk.session.get_one(Message, worked.message_id, populate_existing=True)
    assert (message.case_id, message.direction) == (desk.cases[0].id, "internal")
    files = select(Attachment.filename).where(Attachment.message_id == message.id)
    assert desk.session.scalars(files).all() == ["BL 4711.pdf"]
    (proof,) = desk.tasks("check_delivery")
    assert (proof.state, proof.outcome) == ("done", "handed in")
    assert desk.notes() == ["Voici le bon signé."]


def test_a_document_for_one_of_several_cases_needs_its_number(
    session: Session, ledger: Ledger, tools: Tools, now: datetime, answer: Answer
) -> None:
    desk = a_desk(session, ledger, tools, now, cases=2)
    unsure = answer(desk, "Voici", file="BL.pdf")
    assert session.get_one(Message, unsure.message_id).case_id is None
    assert "BL.pdf" in desk.replies()[0].body
    sure = answer(desk, f"#{desk.cases[1].id} : voici le bon", file="BL.pdf")
    assert session.get_one(Message, sure.message_id).case_id == desk.cases[1].id


def forwarded(
    desk: Desk, tools: Tools, subject: str, now: datetime, *, sender: str = PAUL, text: str = "See below."
) -> Message:
    """A document forwarded to the mailbox, in no thread of ours."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, MAILBOX, subject
    message["Date"], message["Message-ID"] = format_datetime(now), f"<{hash(subject + sender)}@phone.example>"
    message["References"] = "<carrier-1@carrier.example>"
    message.set_content(text)
    message.add_attachment(b"%PDF-1.4 signed", maintype="application", subtype="pdf", filename="CMR.pdf")
    received = take_in(desk.session, tools, message.as_bytes(), at=now)
    work_message(desk.session, message_id=received.message_id, tools=tools, now=now)
    return desk.session.get_one(Message, received.message_id, populate_existing=True)


@pytest.mark.parametrize("subject", ["Fwd: #{} CMR signed", "TR : Dossier n° {} : CMR", "#{}"])
def test_a_document_forwarded_with_the_cases_number_joins_it(
    desk: Desk, tools: Tools, now: datetime, subject: str
) -> None:
    a_task(desk.session, now=now, case=desk.cases[0], kind="check_delivery")
    message = forwarded(desk, tools, subject.format(desk.cases[0].id), now)
    assert (message.case_id, message.direction) == (desk.cases[0].id, "internal")
    assert desk.tasks("check_delivery")[0].outcome == "handed in"
    assert desk.decision() is None


def test_a_forward_in_a_cases_thread_ends_its_search_too(
    desk: Desk, tools: Tools, now: datetime, deliver: Deliver
) -> None:
    text = "Two boxes of INV-2026-0101 never arrived; please send the signed delivery note."
    opened = deliver(text, at=now, subject="INV-2026-0101 missing boxes", message_id="<carrier-1@carrier.example>")
    case = desk.session.get_one(Case, opened.case_id)
    asked = a_task(desk.session, now=now, case=case, kind="check_delivery")
    message = forwarded(desk, tools, "RE: INV-2026-0101 missing boxes", now, text="Signed note of INV-2026-0101.")
    assert (message.case_id, message.direction) == (case.id, "internal")
    assert desk.session.get_one(Task, asked.id, populate_existing=True).outcome == "handed in"


def test_a_strangers_number_files_nothing(desk: Desk, tools: Tools, now: datetime) -> None:
    a_task(desk.session, now=now, case=desk.cases[0], kind="check_delivery")
    forwarded(desk, tools, f"#{desk.cases[0].id}", now, sender="Ann Lee <ann@acme.example>")
    assert desk.tasks("check_delivery")[0].state == "open"
    forwarded(desk, tools, f"#{desk.cases[0].id + 1000}", now)
    assert desk.tasks("check_delivery")[0].state == "open"


def test_customers_never_see_what_owners_say(desk: Desk, answer: Answer, now: datetime) -> None:
    a_message(desk.session, desk.cases[0], now=now)
    answer(desk, "refuse: they always try this", file="internal.pdf")
    partner = partner_of(desk.session, case=desk.cases[0])
    assert partner is not None
    assert partner.answers is not None
    assert partner.answers.direction == "in"
    facts = facts_of(desk.session, case=desk.cases[0], partner=partner, agent="Ana", now=now)
    assert "always try" not in str(facts) + str(partner)
    internal = desk.session.scalars(select(Message).where(Message.direction == "internal")).one()
    assert answered(desk.session, message=internal) is None


@pytest.mark.parametrize(
    "sender",
    [
        "Ann Lee <ann@acme.example>",
        "Paul Roux <paul@evil.example>",
        '"paul@seller.example" <paul@evil.example>',
        "paul@seller.example <x@evil.example>",
    ],
)
def test_s13_s14_a_token_serves_nobody_else(desk: Desk, answer: Answer, sender: str) -> None:
    before = desk.count(Case)
    worked = answer(desk, "accept", sender=sender)
    assert worked.state == "worked"
    assert desk.decision() is None
    assert desk.count(Case) == before
    assert desk.notes() == []
    assert desk.session.get_one(Message, worked.message_id).case_id is None
    assert desk.replies() == [], "and the stranger learns nothing"
    told = desk.session.scalars(select(Task).where(Task.kind == "digest_refused")).one()
    assert desk.session.get_one(User, told.assignee_id).role == "lead"


def test_s13_a_guessed_token_does_nothing(desk: Desk, answer: Answer) -> None:
    guessed = f"<d.{desk.paul.id}.2026-03-02.20600.{'0' * 32}@seller.example>"
    answer(desk, "accept", replies_to=(guessed,), sender="Eve <eve@evil.example>")
    assert desk.decision() is None
    assert desk.count(Case) == 1


def test_m15_paul_himself_is_not_believed_where_dmarc_fails(
    session: Session, ledger: Ledger, tools: Tools, now: datetime, answer: Answer
) -> None:
    desk = a_desk(session, ledger, tools, now)
    object.__setattr__(tools.settings, "intake", Intake(authentication_server="mx.seller.example"))
    answer(desk, "accept", headers={"Authentication-Results": "mx.seller.example; dmarc=fail"})
    assert desk.decision() is None
    assert desk.replies() == []


def test_a_colleague_cannot_answer_for_paul_and_is_told(desk: Desk, answer: Answer) -> None:
    before = desk.count(Case)
    worked = answer(desk, "Paul, accept it please.", sender="Lea Brun <lea@seller.example>")
    message = desk.session.get_one(Message, worked.message_id)
    assert message.direction == "internal"
    assert desk.decision() is None
    assert desk.count(Case) == before
    assert [(mail.to_email, "somebody else" in mail.body) for mail in desk.replies()] == [("lea@seller.example", True)]


def test_m16_a_vacation_note_answers_nothing(desk: Desk, answer: Answer) -> None:
    answer(desk, "accept", headers={"Auto-Submitted": "auto-replied"})
    assert desk.decision() is None
    assert desk.replies() == []
    assert desk.count(Case) == 1


def test_m18_two_machines_do_not_keep_each_other_busy(desk: Desk, answer: Answer, now: datetime) -> None:
    replies_to: tuple[str, ...] = (desk.digest.headers["References"], desk.digest.rfc_id)
    for minute in range(10):
        answer(desk, "credit", replies_to=replies_to, at=now + timedelta(minutes=minute))
        last = desk.replies()[-1]
        replies_to = (*last.headers["References"].split(), last.rfc_id)
    assert len(desk.replies()) == 3, "as many as any address gets in a day"


def test_what_cannot_be_done_leaves_nothing_and_is_told(desk: Desk, answer: Answer) -> None:
    answer(desk, "credit 120 EUR")
    assert desk.tasks("approve_credit") == []
    assert "EUR" in desk.replies()[0].body
    answer(desk, "credit 999999.00")
    assert desk.tasks("approve_credit") == []
    assert desk.decision() is None
    assert Decimal(desk.cases[0].version) >= 1


def test_an_old_digest_is_answered_with_where_to_go(desk: Desk, answer: Answer, now: datetime) -> None:
    answer(desk, "accept", at=now + timedelta(days=120))
    assert desk.decision() is None
    assert "too old" in desk.replies()[0].body


def test_a_settled_case_stays_settled(desk: Desk, answer: Answer) -> None:
    desk.cases[0].state = "closed"
    desk.session.flush()
    answer(desk, "refuse")
    assert desk.decision() is None
    assert "settled already" in desk.replies()[0].body
