"""Files of a draft come from its writer or from the case, and from nowhere else (M27, S17)."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from app.core.blobs import FolderStore
from app.core.events import Actor, user_actor
from app.core.settings import Settings
from disputes.actions import draft_files, replies
from disputes.actions.draft_files import NoFile, files_of
from disputes.actions.replies import CannotSend, Words
from disputes.models import Attachment, Case
from tests.factories import a_case, a_message, a_user, an_account, an_entity


@pytest.fixture
def case(session: Session, now: datetime) -> Case:
    return a_case(session, an_account(session, an_entity(session)), now=now)


@pytest.fixture
def actor(session: Session, now: datetime) -> Actor:
    return user_actor(a_user(session, "Ana", now=now).id)


def test_a_file_is_put_in_kept_while_typing_and_taken_out(
    session: Session, settings: Settings, case: Case, actor: Actor, now: datetime
) -> None:
    blobs = FolderStore(settings.blob_folder)
    for name in ("C:\\Users\\ana\\proof.pdf", "../../two.pdf"):
        draft = draft_files.attach(
            session,
            case_id=case.id,
            filename=name,
            content_type="application/pdf",
            content=name.encode(),
            blobs=blobs,
            actor=actor,
            now=now,
        )
    assert draft.to.startswith("claire@")
    words = Words(to=draft.to, subject="Re: price", body="see the files")
    replies.save_draft(session, case_id=case.id, words=words, actor=actor, now=now)
    assert [one.filename for one in files_of(draft)] == ["proof.pdf", "two.pdf"]
    assert blobs.get(files_of(draft)[1].content_hash) == b"../../two.pdf"
    draft_files.detach(session, case_id=case.id, position=0, actor=actor, now=now)
    assert [one.filename for one in files_of(draft)] == ["two.pdf"]
    with pytest.raises(NoFile):
        draft_files.detach(session, case_id=case.id, position=1, actor=actor, now=now)


def test_a_file_of_the_case_may_be_sent_on_one_of_another_may_not(
    session: Session, case: Case, actor: Actor, now: datetime
) -> None:
    other = a_case(session, an_account(session, an_entity(session, "DE01")), now=now)
    files = []
    for of_case in (case, other):
        message = a_message(session, of_case, now=now)
        file = Attachment(
            message_id=message.id,
            position=0,
            filename="proof.pdf",
            content_type="application/pdf",
            size=9,
            content_hash="a" * 64,
        )
        session.add(file)
        files.append(file)
    session.flush()
    draft = draft_files.attach_received(session, case_id=case.id, attachment_id=files[0].id, actor=actor, now=now)
    assert [one.filename for one in files_of(draft)] == ["proof.pdf"]
    with pytest.raises(NoFile):
        draft_files.attach_received(session, case_id=case.id, attachment_id=files[1].id, actor=actor, now=now)


@pytest.mark.parametrize("content", [b"", b"x" * (replies.MOST_BYTES + 1)])
def test_nothing_and_too_much_is_refused(
    session: Session, settings: Settings, case: Case, actor: Actor, now: datetime, content: bytes
) -> None:
    with pytest.raises(CannotSend):
        draft_files.attach(
            session,
            case_id=case.id,
            filename="x",
            content_type="text/plain",
            content=content,
            blobs=FolderStore(settings.blob_folder),
            actor=actor,
            now=now,
        )
