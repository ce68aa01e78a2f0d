"""What jobs work with, in small: a pipeline, a mail server and a mailbox that do as the test says."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.connectors.contracts import Fetched, Sendable
from app.core.blobs import FolderStore
from app.core.clock import Clock
from app.core.db import one_at_a_time
from app.core.errors import Unavailable
from app.core.events import Actor
from app.core.settings import MailboxSettings, Settings
from app.workflows.context import Context, Pipeline
from disputes.actions.intake import receive
from disputes.models import Case, Message, Outgoing
from tests.databases import Database

ACTOR = Actor("test")


def mail(number: int = 1, *, words: str = "Please send a copy of invoice 4711.") -> bytes:
    """A plain mail, each number with its own Message-ID."""
    return (
        f"From: buyer{number}@customer.example\r\nTo: ar@seller.example\r\nSubject: Invoice {number}\r\n"
        f"Message-ID: <{number}@customer.example>\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n\r\n{words}\r\n"
    ).encode()


def marking(session: Session, *, message_id: int) -> None:
    """A pipeline that only marks the message as worked."""
    session.get_one(Message, message_id).state = "worked"


class QuickStore(FolderStore):
    """Blobs that do not wait for the disk."""

    def put(self, content: bytes) -> str:
        """Store the bytes."""
        key = sha256(content).hexdigest()
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return key


def opening_cases(settings: Settings) -> Pipeline:
    """A pipeline in small: a mail opens a case with an acknowledgement, an answer joins the case of its Message-ID."""
    blobs = FolderStore(settings.blob_folder)

    def pipeline(session: Session, *, message_id: int) -> None:
        message = session.get_one(Message, message_id)
        read = message_from_bytes(blobs.get(message.content_hash))
        matter = str(read["In-Reply-To"] or read["Message-ID"])
        one_at_a_time(session, "intake")
        case = session.scalar(select(Case).where(Case.title == matter))
        if case is None:
            now = message.received_at
            case = Case(title=matter, kind="query", reason="status", opened_at=now, last_activity_at=now)
            session.add(case)
            session.flush()
            session.add(acknowledgement(case, now))
        message.case_id, message.state = case.id, "worked"

    return pipeline


def acknowledgement(case: Case, now: datetime) -> Outgoing:
    """The mail that tells the customer of a case."""
    return Outgoing(
        dedupe_key=f"ack:{case.id}",
        kind="acknowledgement",
        case_id=case.id,
        rfc_id=f"<ack.{case.id}@seller.example>",
        from_email="ar@seller.example",
        to_email="buyer@customer.example",
        subject="We received your mail",
        body="Thank you.",
        not_before=now,
        created_at=now,
    )


@dataclass
class Failing:
    """A pipeline that fails on some messages, and works the others."""

    on: set[int]
    error: Exception = field(default_factory=lambda: ValueError("this mail is poison"))
    calls: list[int] = field(default_factory=list)

    def __call__(self, session: Session, *, message_id: int) -> None:
        self.calls.append(message_id)
        marking(session, message_id=message_id)
        session.flush()
        if message_id in self.on:
            raise self.error


@dataclass
class Sink:
    """A mail server; `answer` may raise what servers do."""

    answer: Callable[[Sendable], None] = lambda _: None
    sent: list[str] = field(default_factory=list)

    def send(self, mail: Sendable) -> None:
        """Take the mail, unless `answer` raises."""
        self.answer(mail)
        self.sent.append(mail.rfc_id)


@dataclass
class Folder:
    """A mailbox: mails by UID; `away` makes it unreachable."""

    uidvalidity: int = 1
    mails: dict[int, bytes] = field(default_factory=dict)
    away: str = ""
    asked: list[int] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator["Folder"]:
        """Connect."""
        if self.away:
            raise Unavailable(self.away)
        yield self

    def after(self, uid: int) -> Iterator[Fetched]:
        """Mails above the UID."""
        self.asked.append(uid)
        return (Fetched(found, raw, None) for found, raw in sorted(self.mails.items()) if found > uid)


def context(
    database: Database,
    settings: Settings,
    clock: Clock,
    *,
    pipeline: Pipeline = marking,
    mailer: Sink | None = None,
    mailbox: Folder | None = None,
) -> Context:
    """A worker's context on stand-ins."""
    return Context(
        settings=settings,
        database=database.engine,
        sessions=database.sessions,
        clock=clock,
        blobs=FolderStore(settings.blob_folder),
        pipeline=pipeline,
        mailer=mailer or Sink(),
        open_mailbox=lambda _: mailbox or Folder(),
        worker="worker-1",
    )


def received(database: Database, settings: Settings, now: datetime, *, count: int) -> list[int]:
    """Mails stored and not yet worked."""
    with database.transaction() as session:
        return [
            receive(
                session,
                raw=mail(number),
                source="file",
                source_ref=f"mail {number}",
                mailbox=None,
                blobs=FolderStore(settings.blob_folder),
                limits=settings.limits,
                received_at=now,
                now=now,
            ).message_id
            for number in range(count)
        ]


def queued(database: Database, now: datetime, *, count: int = 1, kind: str = "acknowledgement") -> list[int]:
    """Mails in the outbox."""
    with database.transaction() as session:
        mails = [
            Outgoing(
                dedupe_key=f"{kind} {number}",
                kind=kind,
                rfc_id=f"<{kind}.{number}@seller.example>",
                from_email="ar@seller.example",
                to_email="buyer@customer.example",
                subject="We received your mail",
                body="Thank you.",
                not_before=now,
                created_at=now,
            )
            for number in range(count)
        ]
        session.add_all(mails)
        session.flush()
        return [mail.id for mail in mails]


def mailbox_settings() -> MailboxSettings:
    """A mailbox nobody listens at."""
    return MailboxSettings(name="billing", host="127.0.0.1", username="ar@seller.example", entity="FR01", batch=3)
