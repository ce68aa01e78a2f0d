"""Proof of delivery: asked for once, handed in to the byte, kept inside the company until somebody sends it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.blobs import FolderStore
from app.core.events import Event, user_actor
from app.core.settings import Limits
from disputes.actions import deliveries, draft_files, life
from disputes.actions.deliveries import BadDocument, Document, NothingAsked
from disputes.actions.tasks import TaskEnded
from disputes.models import Attachment, Case, Message, Task
from disputes.parsing import parse
from invoices.models import Account
from tests.factories import a_case, a_message, a_team, a_user, an_account, an_entity, an_invoice, in_case

PDF = b"%PDF-1.4\r\nsigned by the customer\r\n%%EOF\r\n"


@dataclass
class Desk:
    """A case about a delivery, its owner in pricing, and Nora who has the delivery notes."""

    session: Session
    case: Case
    paula: User
    nora: User
    blobs: FolderStore
    now: datetime

    def ask(self) -> Task:
        return deliveries.ask_for_proof(
            self.session, case_id=self.case.id, note="They say nothing came.", actor=user_actor(self.paula.id),
            now=self.now,
        )  # fmt: skip

    def hand_in(self, task: Task, name: str = "BL 99.pdf", content: bytes = PDF) -> Attachment:
        return deliveries.hand_in(
            self.session, task_id=task.id, document=Document(name=name, content=content, note="Signed by M. Roux"),
            blobs=self.blobs, header_bytes=Limits().mail_header_bytes, actor=user_actor(self.nora.id), now=self.now,
        )  # fmt: skip


@pytest.fixture
def desk(session: Session, now: datetime, tmp_path: Path) -> Desk:
    account = an_account(session, an_entity(session))
    pricing, logistics = a_team(session), a_team(session, "logistics")
    paula = a_user(session, "Paula Lang", now=now, role="owner", team_id=pricing.id)
    nora = a_user(session, "Nora Haskell", now=now, role="owner", team_id=logistics.id)
    case = a_case(session, account, now=now, team_id=pricing.id, owner_id=paula.id)
    in_case(session, case, an_invoice(session, account, number="F-42", delivery="BL-99"), now=now)
    a_message(session, case, now=now)
    return Desk(session, case, paula, nora, FolderStore(tmp_path / "blobs"), now)


def test_the_people_with_the_delivery_notes_are_asked_once(desk: Desk) -> None:
    task = desk.ask()
    assert (task.team_id, task.assignee_id) == (desk.nora.team_id, None)
    assert task.title == "Proof of delivery for BL-99"
    assert desk.ask() is task


def test_proof_is_asked_for_anew_after_cases_came_apart(desk: Desk, session: Session) -> None:
    actor = user_actor(desk.paula.id)
    other = a_case(session, session.get_one(Account, desk.case.account_id), now=desk.now, owner_id=desk.paula.id)
    theirs = deliveries.ask_for_proof(session, case_id=other.id, actor=actor, now=desk.now)
    deliveries.none_found(session, task_id=theirs.id, note="Not here", actor=actor, now=desk.now)
    life.merge(session, case_id=other.id, target_id=desk.case.id, actor=actor, now=desk.now)
    together = desk.ask()
    deliveries.none_found(session, task_id=together.id, note="Not here", actor=actor, now=desk.now)
    life.unmerge(session, case_id=other.id, actor=actor, now=desk.now)
    apart = desk.ask()
    assert (apart.id == together.id, apart.state) == (False, "open")


def test_a_document_handed_in_joins_the_case_and_its_owner_is_told(desk: Desk, session: Session) -> None:
    task = desk.ask()
    file = desk.hand_in(task, name="..\\scans\\BL 99.pdf")
    message = session.get_one(Message, file.message_id)
    assert (file.filename, file.content_type, desk.blobs.get(file.content_hash)) == (
        "BL 99.pdf",
        "application/pdf",
        PDF,
    )
    assert (message.case_id, message.direction, message.new_text) == (desk.case.id, "internal", "Signed by M. Roux")
    kept = parse(desk.blobs.get(message.content_hash), limits=Limits())
    assert [(one.filename, one.payload) for one in kept.attachments] == [("BL 99.pdf", PDF)]
    assert (task.state, task.outcome) == ("done", "handed in")
    told = session.scalars(select(Task).where(Task.kind == "document_arrived")).one()
    assert told.assignee_id == desk.paula.id
    assert session.scalars(select(Event.verb).where(Event.verb == "document handed in")).one()
    with pytest.raises(TaskEnded):
        desk.hand_in(task)
    draft = draft_files.attach_received(
        session, case_id=desk.case.id, attachment_id=file.id, actor=user_actor(desk.paula.id), now=desk.now
    )
    assert "Signed by M. Roux" not in draft.body, "what colleagues write stays inside"


def test_that_there_is_none_is_an_answer_too(desk: Desk, session: Session) -> None:
    task = desk.ask()
    with pytest.raises(NothingAsked, match="where"):
        deliveries.none_found(session, task_id=task.id, note=" ", actor=user_actor(desk.nora.id), now=desk.now)
    deliveries.none_found(
        session, task_id=task.id, note="Asked the carrier", actor=user_actor(desk.nora.id), now=desk.now
    )
    assert (task.outcome, task.payload["answer"]) == ("not found", "Asked the carrier")
    assert session.scalars(select(Task.title).where(Task.kind == "document_arrived")).one() == (
        "No proof of delivery was found"
    )
    assert desk.ask() is not task


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pdf", b""), ("virus.exe", b"MZ"), ("noname", b"x"), ("big.pdf", b"x" * (deliveries.MOST_BYTES + 1))],
)
def test_what_is_no_document_is_refused_and_nothing_is_written(
    desk: Desk, session: Session, name: str, content: bytes
) -> None:
    task = desk.ask()
    with pytest.raises(BadDocument):
        desk.hand_in(task, name=name, content=content)
    assert task.state == "open"
    assert session.scalars(select(Attachment)).all() == []


def test_only_what_was_asked_is_handed_in(desk: Desk, session: Session) -> None:
    other = Task(case_id=desk.case.id, kind="answer", title="Answer", created_at=desk.now, payload={})
    session.add(other)
    session.flush()
    with pytest.raises(NothingAsked):
        desk.hand_in(other)
    desk.case.state = "closed"
    with pytest.raises(NothingAsked, match="closed"):
        desk.ask()
