"""Files of a draft: put there by its writer, or taken from a mail of its case; never named by a hash from outside."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.blobs import BlobStore
from app.core.errors import NotFound
from app.core.events import Actor
from disputes.actions.replies import MOST_BYTES, CannotSend, File, Words, draft_of, own_draft, proposed, save_draft
from disputes.actions.shared import case_for_change
from disputes.models import Attachment, Draft, Message
from disputes.replies import one_line

LONGEST_NAME = 200


class NoFile(NotFound):
    """There is no such file in the draft, or in the case."""


def attach(
    session: Session,
    *,
    case_id: int,
    filename: str,
    content_type: str,
    content: bytes,
    blobs: BlobStore,
    actor: Actor,
    now: datetime,
) -> Draft:
    """Put a file into the person's draft, which begins here if there is none. Raises CannotSend when it is too much."""
    if not content or len(content) > MOST_BYTES:
        what = "empty" if not content else f"over {MOST_BYTES:,} bytes"
        raise CannotSend(f"{filename}: the file is {what}", fields={"files": what})
    file = File(_named(filename), one_line(content_type)[:100], blobs.put(content), len(content))
    return _with(session, case_id, file, actor=actor, now=now)


def attach_received(session: Session, *, case_id: int, attachment_id: int, actor: Actor, now: datetime) -> Draft:
    """Put a file of one of the case's mails into the draft. Raises NoFile for one of another case, CannotSend."""
    found = session.scalar(
        select(Attachment)
        .join(Message, Message.id == Attachment.message_id)
        .where(Attachment.id == attachment_id, Message.case_id == case_id)
    )
    if found is None:
        raise NoFile(f"There is no file {attachment_id} in case {case_id}")
    file = File(_named(found.filename), found.content_type, found.content_hash, found.size)
    return _with(session, case_id, file, actor=actor, now=now)


def detach(session: Session, *, case_id: int, position: int, actor: Actor, now: datetime) -> Draft:
    """Take the file at a place (from 0) out of the draft. Raises NoDraft, NoFile."""
    draft = own_draft(session, case_id=case_id, actor=actor)
    files = files_of(draft)
    if not 0 <= position < len(files):
        raise NoFile(f"The draft has no file {position}")
    left = (*files[:position], *files[position + 1 :])
    return save_draft(session, case_id=case_id, words=_words(draft, left), actor=actor, now=now)


def files_of(draft: Draft) -> tuple[File, ...]:
    """The draft's files."""
    return tuple(File(**one) for one in draft.attachments)


def _named(filename: str) -> str:
    """A name, not a path (M27)."""
    return one_line(filename).replace("\\", "/").rpartition("/")[2][:LONGEST_NAME] or "file"


def _with(session: Session, case_id: int, file: File, *, actor: Actor, now: datetime) -> Draft:
    case = case_for_change(session, case_id)
    draft = draft_of(session, case_id=case_id, actor=actor)
    words = _words(draft, files_of(draft)) if draft else replace(proposed(session, case=case), files=())
    words = replace(words, files=(*(words.files or ()), file))
    return save_draft(session, case_id=case_id, words=words, actor=actor, now=now)


def _words(draft: Draft, files: tuple[File, ...]) -> Words:
    cc = tuple(str(one) for one in draft.cc)
    return Words(to=draft.to, subject=draft.subject, body=draft.body, cc=cc, files=files)
