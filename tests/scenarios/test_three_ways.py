"""The same mail by IMAP, by HTTP and from a file, one after the other and all at once (mail.md M1-M5)."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from threading import Barrier

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from app.api.messages import signature
from app.connectors.mail_files import find_mail_files
from app.core.settings import Intake, Limits, MailboxSettings, Settings
from app.edge import Services
from app.main import create_app
from app.workflows import runtime
from app.workflows.assembly import context_of
from app.workflows.context import Context
from app.workflows.intake import Tools, build_tools
from app.workflows.mail_import import MailImport
from app.workflows.mail_jobs import ingest, poll
from disputes.actions import corrections
from disputes.classifier import Model
from disputes.models import Delivery, Message
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.fixtures_pipeline import make_ledger
from tests.servers.dovecot import PASSWORD, DovecotServer
from tests.workflows.stand_ins import ACTOR

pytestmark = pytest.mark.imap

SECRET = "of the gateway"
MAIL = (
    b"From: Ann Lee <ann@acme.example>\r\nTo: ar@seller.example\r\nSubject: Wrong price\r\n"
    b"Message-ID: <1@acme.example>\r\nDate: Mon, 02 Mar 2026 08:30:00 +0000\r\n\r\n"
    b"The price on invoice INV-2026-0101 is not the one agreed.\r\n"
)
WITHOUT_ID = MAIL.replace(b"Message-ID: <1@acme.example>\r\n", b"")


@dataclass
class Desk:
    """The program with its three doors."""

    database: Database
    context: Context
    client: TestClient
    dovecot: DovecotServer
    folder: Path
    clock: FixedClock

    @property
    def mailbox(self) -> MailboxSettings:
        return self.context.settings.mailboxes[0]

    def by_imap(self, raw: bytes, *, seen: bool = False) -> None:
        self.dovecot.deliver("ar-uk", raw, folder=self.mailbox.folder, seen=seen)
        self.poll()

    def poll(self) -> int:
        return poll(self.context, [self.mailbox.name])

    def by_http(self, raw: bytes) -> None:
        at = int(self.clock().timestamp())
        signed = signature(SECRET, at=at, labels=("", self.mailbox.name), raw=raw)
        headers = {"x-amiable-signature": f"t={at},v1={signed}", "x-amiable-mailbox": self.mailbox.name}
        assert self.client.post("/api/v1/messages", content=raw, headers=headers).status_code == 202

    def by_file(self, raw: bytes) -> None:
        file = self.folder / f"{uuid.uuid4().hex}.eml"
        file.write_bytes(raw.replace(b"\r\n", b"\n"))
        MailImport(self.context, self.mailbox.name, wait=False).take(list(find_mail_files([file]).mails()))

    def work(self) -> None:
        ingest(self.context, [])

    def messages(self) -> list[Message]:
        with self.database.transaction(read_only=True) as session:
            return list(session.scalars(select(Message).order_by(Message.id)))

    def deliveries(self) -> list[str]:
        with self.database.transaction(read_only=True) as session:
            return sorted(session.scalars(select(Delivery.source)))


WAYS: tuple[Callable[[Desk, bytes], None], ...] = (Desk.by_imap, Desk.by_http, Desk.by_file)
ORDERS = list(permutations(WAYS))


@pytest.fixture
def settings(settings: Settings, dovecot: DovecotServer) -> Settings:
    mailbox = MailboxSettings(
        name="ar",
        host="127.0.0.1",
        port=dovecot.port,
        security="plain",
        username="ar-uk",
        password=SecretStr(PASSWORD),
        folder=f"F{uuid.uuid4().hex[:8]}",
        entity="UK01",
    )
    changed = {
        "mailboxes": (mailbox,),
        "intake": Intake(webhook_secret=SecretStr(SECRET)),
        "limits": Limits(mail_parts=5),
    }
    return settings.model_copy(update=changed)


@pytest.fixture
def tools(settings: Settings, small_model: Model) -> Tools:
    return build_tools(settings, model=small_model)


@pytest.fixture
def desk(
    database: Database, settings: Settings, tools: Tools, clock: FixedClock, dovecot: DovecotServer, tmp_path: Path
) -> Desk:
    with database.transaction() as session:
        make_ledger(session)
    with dovecot.client("ar-uk") as client:
        client.create(settings.mailboxes[0].folder)
    context = context_of(settings, database.engine, worker="w", clock=clock, tools=tools)
    services = Services(settings, database.sessions, clock, tools.blobs, runtime.enqueue)
    return Desk(database, context, TestClient(create_app(services)), dovecot, tmp_path, clock)


@pytest.mark.parametrize("ways", ORDERS, ids=lambda ways: " then ".join(way.__name__ for way in ways))
def test_m02_one_mail_three_ways_is_one_message_with_three_deliveries(
    desk: Desk, ways: tuple[Callable[[Desk, bytes], None], ...]
) -> None:
    for way in ways:
        way(desk, MAIL)
    desk.work()
    (message,) = desk.messages()
    assert (message.state, message.reason, message.id_conflict) == ("worked", "price", False)
    assert desk.deliveries() == ["file", "http", "imap"]


def test_m02_all_at_once(desk: Desk) -> None:
    start = Barrier(len(WAYS))

    def arrive(way: Callable[[Desk, bytes], None]) -> None:
        start.wait(timeout=30)
        way(desk, MAIL)

    with ThreadPoolExecutor(len(WAYS)) as pool:
        for arrived in [pool.submit(arrive, way) for way in WAYS]:
            arrived.result()
    desk.work()
    assert [message.state for message in desk.messages()] == ["worked"]
    assert desk.deliveries() == ["file", "http", "imap"]


def test_m03_the_same_message_id_with_other_content_is_another_message_and_flagged(desk: Desk) -> None:
    for way, words in zip(WAYS, (b"agreed", b"ordered", b"quoted"), strict=True):
        way(desk, MAIL.replace(b"agreed", words))
    desk.work()
    assert [message.rfc_id for message in desk.messages()] == ["<1@acme.example>"] * 3
    assert [message.id_conflict for message in desk.messages()] == [False, True, True]


def test_m04_a_mail_without_message_id_is_known_by_its_content(desk: Desk) -> None:
    for way in WAYS:
        way(desk, WITHOUT_ID)
    desk.work()
    (message,) = desk.messages()
    assert (message.rfc_id, message.state) == (None, "worked")
    assert desk.deliveries() == ["file", "http", "imap"]


def test_m05_mail_read_elsewhere_is_fetched_and_a_renumbered_folder_makes_no_doubles(desk: Desk) -> None:
    desk.by_imap(MAIL, seen=True)
    desk.by_imap(WITHOUT_ID)
    assert desk.poll() == 0
    desk.dovecot.renumber("ar-uk", folder=desk.mailbox.folder)
    assert desk.poll() == 2
    assert len(desk.messages()) == 2
    assert desk.deliveries() == ["imap"] * 4, "each delivery is noted, also the second of the same mail"


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_m01_a_mail_that_cannot_be_read_is_kept_shown_and_can_be_worked_again(
    desk: Desk, way: Callable[[Desk, bytes], None], tools: Tools
) -> None:
    parts = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n" * 9
    poison = (
        MAIL.split(b"\r\n\r\n")[0] + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n"
    )
    way(desk, poison)
    way(desk, WITHOUT_ID)
    desk.work()
    first, second = desk.messages()
    assert (first.state, second.state) == ("quarantined", "worked")
    assert first.quarantine_reason
    assert b"multipart/mixed" in tools.blobs.get(first.content_hash)
    with desk.database.transaction() as session:
        corrections.requeue(session, message_id=first.id, actor=ACTOR, now=desk.clock())
    desk.work()
    assert desk.messages()[0].state == "quarantined", "tried again, and the reason still stands"
