"""Proof of delivery: asked of the people who have it, handed in as a document of the case, or said not to exist.

The document becomes an internal mail of the case, as if the colleague had forwarded it: it is kept like any mail, and
can be put into an answer to the customer; by itself it goes nowhere.
"""

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team, User
from app.core.blobs import BlobStore
from app.core.errors import BadInput
from app.core.events import Actor
from disputes.actions import tasks
from disputes.actions.shared import case_for_change, record_case, touch, user_id
from disputes.identity import identify
from disputes.mime import safe_name
from disputes.models import Attachment, Case, CaseInvoice, Message, Task
from disputes.replies import one_line
from disputes.workdays import due
from invoices.models import Entity, Invoice

KIND, ARRIVED = "check_delivery", "document_arrived"
HANDED_IN, NOT_FOUND = "handed in", "not found"
HOLDERS = "logistics"
"""The team that has delivery notes; where there is none, the case's own is asked."""
ANSWER_DAYS, LONGEST_NOTE = 2, 2_000
MOST_BYTES = 20_000_000
"""One scanned document: what is larger would not fit into a mail to the customer either."""
SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "image/tiff", "image/webp", "text/plain"})
_GOING = frozenset({"new", "in_progress", "waiting"})


class BadDocument(BadInput):
    """The file is empty or too large, or it is none of the kinds a proof comes as."""


class NothingAsked(BadInput):
    """The case is over, or the task asks for no document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file handed in, with the words that came with it. `name` is no path; its ending says what it is."""

    name: str
    content: bytes
    note: str = ""

    @property
    def kind(self) -> str:
        """Its media type, "" for an unknown ending."""
        return mimetypes.guess_type(self.name)[0] or ""


def ask_for_proof(session: Session, *, case_id: int, note: str = "", actor: Actor, now: datetime) -> Task:
    """Ask whoever has the delivery notes; the open request if there is one. Raises NoCase, CaseMerged, NothingAsked."""
    case = case_for_change(session, case_id)
    if case.state not in _GOING:
        raise NothingAsked(f"Case {case_id} is {case.state}: open it again first")
    asked = select(Task).where(Task.case_id == case_id, Task.kind == KIND, Task.state == "open").order_by(Task.id)
    if (standing := session.scalars(asked.limit(1)).first()) is not None:
        return standing
    numbers = _delivery_notes(session, case)
    task = tasks.open_task(
        session,
        kind=KIND,
        title=f"Proof of delivery for {', '.join(numbers) or case.title}",
        dedupe_key=tasks.next_key(session, case=case, kind=KIND, about=KIND),
        actor=actor,
        now=now,
        due_at=due(now, days=ANSWER_DAYS, country=_country(session, case)),
        case=case,
        payload={"note": note.strip()[:LONGEST_NOTE], "asked_by": user_id(actor)},
    )
    holders = session.scalar(select(Team.id).where(Team.key == HOLDERS))
    if holders is not None:
        task.team_id, task.assignee_id = holders, None
    session.flush()
    return task


def _delivery_notes(session: Session, case: Case) -> list[str]:
    rows = session.execute(
        select(Invoice.delivery, Invoice.number)
        .join(CaseInvoice, CaseInvoice.invoice_id == Invoice.id)
        .where(CaseInvoice.case_id == case.id)
        .order_by(Invoice.number)
    )
    return [delivery or number for delivery, number in rows]


def hand_in(
    session: Session,
    *,
    task_id: int,
    document: Document,
    blobs: BlobStore,
    header_bytes: int,
    actor: Actor,
    now: datetime,
) -> Attachment:
    """The document is there: it joins the case, the task is done, and the case's owner is told.

    Raises NoTask, TaskEnded, NothingAsked, BadDocument.
    """
    task, case = _asked(session, task_id)
    document = replace(document, name=safe_name(document.name) or "document", note=document.note.strip()[:LONGEST_NOTE])
    _check(document)
    giver = session.get(User, user_id(actor) or 0)
    raw = _as_mail(document, giver=giver, subject=one_line(task.title)[:200], now=now)
    message = _message(case, giver, raw, subject=one_line(task.title)[:200], header_bytes=header_bytes, now=now)
    message.content_hash, message.new_text = blobs.put(raw), document.note
    session.add(message)
    session.flush()
    file = _attachment(message, document, blobs.put(document.content))
    session.add(file)
    case.message_count += 1
    tasks.finish(session, task_id=task_id, outcome=HANDED_IN, actor=actor, now=now)
    touch(case, now=now)
    after = {"message_id": message.id, "file": file.filename, "size": file.size}
    record_case(session, case, verb="document handed in", actor=actor, now=now, after=after)
    _tell_owner(session, case, task, f"Proof of delivery is there: {file.filename}", actor=actor, now=now)
    session.flush()
    return file


def came_by_mail(
    session: Session, *, case: Case, message: Message, files: Sequence[str], actor: Actor, now: datetime
) -> int:
    """A colleague's mail in the case brought documents: what was searched for is there. Gives how many searches end."""
    asked = session.scalars(select(Task).where(Task.case_id == case.id, Task.kind == KIND, Task.state == "open")).all()
    names = ", ".join(files)
    for task in asked:
        tasks.finish(session, task_id=task.id, outcome=HANDED_IN, actor=actor, now=now)
        after = {"message_id": message.id, "file": names}
        record_case(session, case, verb="document handed in", actor=actor, now=now, after=after)
        _tell_owner(session, case, task, f"Proof of delivery is there: {names}", actor=actor, now=now)
    return len(asked)


def none_found(session: Session, *, task_id: int, note: str, actor: Actor, now: datetime) -> Task:
    """There is no proof: the owner must know, for then we cannot insist. Raises NoTask, TaskEnded, NothingAsked."""
    task, case = _asked(session, task_id)
    if not note.strip():
        raise NothingAsked("Say where you looked", fields={"note": "empty"})
    task.payload = {**task.payload, "answer": note.strip()[:LONGEST_NOTE]}
    tasks.finish(session, task_id=task_id, outcome=NOT_FOUND, actor=actor, now=now)
    touch(case, now=now)
    record_case(session, case, verb="no document found", actor=actor, now=now, after={"task_id": task_id})
    _tell_owner(session, case, task, "No proof of delivery was found", actor=actor, now=now)
    return task


def _asked(session: Session, task_id: int) -> tuple[Task, Case]:
    task = tasks.open_for_change(session, task_id)
    if task.kind != KIND or task.case_id is None:
        raise NothingAsked(f"Task {task_id} asks for no document")
    return task, case_for_change(session, task.case_id)


def _check(document: Document) -> None:
    name, size = document.name, len(document.content)
    if not 0 < size <= MOST_BYTES:
        what = f"over {MOST_BYTES:,} bytes" if size else "empty"
        raise BadDocument(f"{name}: the file is {what}", fields={"document": what})
    if document.kind not in SHOWN:
        raise BadDocument(f"{name}: send a PDF or a picture", fields={"document": "not a PDF or a picture"})


def _as_mail(document: Document, *, giver: User | None, subject: str, now: datetime) -> bytes:
    mail = EmailMessage()
    if giver is not None:
        mail["From"] = Address(one_line(giver.name), addr_spec=giver.email)
    mail["Subject"], mail["Date"] = subject, format_datetime(now)
    mail["Message-ID"] = make_msgid(domain="amiable.invalid")
    mail.set_content(document.note or document.name)
    family, _, sort = document.kind.partition("/")
    # A text would be written as text, its line ends changed: the file is kept to the byte.
    family, sort = ("application", "octet-stream") if family == "text" else (family, sort)
    mail.add_attachment(document.content, maintype=family, subtype=sort, filename=document.name)
    return mail.as_bytes()


def _message(case: Case, giver: User | None, raw: bytes, *, subject: str, header_bytes: int, now: datetime) -> Message:
    identity = identify(raw, header_bytes=header_bytes)
    return Message(
        identity=identity.key,
        rfc_id=identity.rfc_id,
        size=len(raw),
        state="worked",
        direction="internal",
        received_at=now,
        sent_at=now,
        from_email=giver.email if giver else "",
        from_name=giver.name if giver else "",
        subject=subject,
        case_id=case.id,
        account_id=case.account_id,
        entity_id=case.entity_id,
    )


def _attachment(message: Message, document: Document, content_hash: str) -> Attachment:
    return Attachment(
        message_id=message.id,
        position=0,
        filename=document.name,
        content_type=document.kind,
        size=len(document.content),
        content_hash=content_hash,
    )


def _tell_owner(session: Session, case: Case, task: Task, title: str, *, actor: Actor, now: datetime) -> None:
    """A task for the case's owner, unless they did it themselves."""
    if case.owner_id is not None and case.owner_id == user_id(actor):
        return
    tasks.open_task(
        session,
        kind=ARRIVED,
        title=title,
        dedupe_key=f"{ARRIVED}:{task.id}",
        actor=actor,
        now=now,
        due_at=due(now, days=1, country=_country(session, case)),
        case=case,
        payload={"about": task.id},
    )


def _country(session: Session, case: Case) -> str | None:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    return entity.country if entity else None
