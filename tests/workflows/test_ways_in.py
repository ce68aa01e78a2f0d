"""The same mail by IMAP, from a file and by HTTP, all at once, against a real dovecot (mail.md M1-M5)."""

import uuid
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from app.connectors.mail_files import FoundMail
from app.connectors.mailbox import ImapMailbox
from app.core.blobs import FolderStore
from app.core.settings import MailboxSettings, Settings
from app.workflows.context import Context
from app.workflows.mail_import import MailImport
from app.workflows.mail_jobs import poll
from disputes.actions.intake import receive
from disputes.models import Delivery, Message
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.servers.dovecot import PASSWORD, DovecotServer
from tests.workflows.stand_ins import context, mail

pytestmark = pytest.mark.imap
TWO_USERS = ("ar-fr", "ar-uk")


@pytest.fixture
def work(database: Database, settings: Settings, clock: FixedClock, dovecot: DovecotServer) -> Context:
    """A worker that reads two mailboxes of the real server, each in a folder of this test's own."""
    folder = f"W{uuid.uuid4().hex[:8]}"
    boxes = tuple(
        MailboxSettings.model_validate({
            "name": user, "host": "127.0.0.1", "port": dovecot.port, "security": "plain", "username": user,
            "password": PASSWORD, "folder": folder, "entity": "FR01",
        })
        for user in TWO_USERS
    )  # fmt: skip
    here = context(database, settings.model_copy(update={"mailboxes": boxes}), clock)
    return replace(here, open_mailbox=ImapMailbox)


def deliver(server: DovecotServer, work: Context, user: str, *mails: bytes) -> None:
    for raw in mails:
        server.deliver(user, raw, folder=work.settings.mailboxes[0].folder)


def stored(database: Database) -> dict[str, set[str]]:
    """Message-ID (or content hash) -> how it came."""
    with database.transaction(read_only=True) as session:
        rows = session.execute(
            select(Message.rfc_id, Message.content_hash, Delivery.source).join(
                Delivery, Delivery.message_id == Message.id
            )
        )
        found: dict[str, set[str]] = {}
        for rfc_id, content, source in rows:
            found.setdefault(rfc_id or content, set()).add(source)
        return found


def test_m02_one_message_however_it_comes(
    database: Database, work: Context, dovecot: DovecotServer, now: datetime
) -> None:
    deliver(dovecot, work, "ar-fr", mail(1), mail(2))
    deliver(dovecot, work, "ar-uk", mail(2))
    assert poll(work, list(TWO_USERS)) == 3
    MailImport(work).take([FoundMail(mail(1).replace(b"\r\n", b"\n"), "old.mbox#1", 100)])
    with database.transaction() as session:
        for ref in ("portal-1", "portal-1"):
            receive(
                session, raw=b"Received: by us\r\n" + mail(1), source="http", source_ref=ref, mailbox=None,
                blobs=FolderStore(work.settings.blob_folder), limits=work.settings.limits, received_at=now, now=now,
            )  # fmt: skip
    assert stored(database) == {"<1@customer.example>": {"imap", "file", "http"}, "<2@customer.example>": {"imap"}}


def test_m03_m04_other_content_and_no_message_id_are_messages_of_their_own(
    database: Database, work: Context, dovecot: DovecotServer
) -> None:
    nameless = mail(3).replace(b"Message-ID: <3@customer.example>\r\n", b"")
    deliver(dovecot, work, "ar-fr", mail(1), mail(1, words="Another text."), nameless, nameless)
    assert poll(work, ["ar-fr"]) == 4
    with database.transaction(read_only=True) as session:
        rows = session.execute(select(Message.rfc_id, Message.id_conflict).order_by(Message.id)).all()
    assert [tuple(row) for row in rows] == [
        ("<1@customer.example>", False),
        ("<1@customer.example>", True),
        (None, False),
    ]


def test_m05_a_renumbered_mailbox_is_read_again_without_duplicates(
    database: Database, work: Context, dovecot: DovecotServer
) -> None:
    deliver(dovecot, work, "ar-fr", mail(1), mail(2))
    assert poll(work, ["ar-fr"]) == 2
    assert poll(work, ["ar-fr"]) == 0
    dovecot.renumber("ar-fr", folder=work.settings.mailboxes[0].folder)
    deliver(dovecot, work, "ar-fr", mail(3))
    assert poll(work, ["ar-fr"]) == 3
    assert len(stored(database)) == 3


def test_m01_bytes_are_kept_before_anything_is_read(database: Database, work: Context, dovecot: DovecotServer) -> None:
    raw = b"\xff\xfe no mail at all \x80\r\n"
    deliver(dovecot, work, "ar-fr", raw)
    assert poll(work, ["ar-fr"]) == 1
    with database.transaction(read_only=True) as session:
        kept = session.scalars(select(Message.content_hash)).one()
    assert FolderStore(work.settings.blob_folder).get(kept) == raw


def test_m05_a_mailbox_that_cannot_be_read_does_not_keep_the_others_from_being_read(
    database: Database, work: Context, dovecot: DovecotServer
) -> None:
    deliver(dovecot, work, "ar-uk", mail(1))
    broken = work.settings.mailboxes[0].model_copy(update={"folder": "No Such"})
    settings = work.settings.model_copy(update={"mailboxes": (broken, work.settings.mailboxes[1])})
    assert poll(replace(work, settings=settings), list(TWO_USERS)) == 1
    assert len(stored(database)) == 1
