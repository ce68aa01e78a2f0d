"""M16, M18, M19, S12: two installations that are each other's customer answer each other, and stop at two mails."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app.connectors.outgoing import rendered
from app.core.blobs import FolderStore
from app.core.settings import Settings
from app.workflows.intake import Tools, work_message
from disputes.actions import outbox
from disputes.actions.intake import receive
from disputes.classifier import Model
from disputes.models import Case, Message, Outgoing
from invoices.models import Contact
from matching.scoring import default_weights
from tests.databases import Database, opened
from tests.factories import an_account, an_entity, an_invoice
from tests.fixtures_pipeline import mail

PRICE = (
    "The chairs on F2026-7001 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)
Gateway = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Instance:
    """An installation: its database, its mailbox, what it works with."""

    database: Database
    mailbox: str
    tools: Tools

    def gets(self, raw: bytes, *, now: datetime) -> None:
        """A mail arrives and is worked."""
        with self.database.transaction() as session:
            received = receive(
                session,
                raw=raw,
                source="imap",
                source_ref=f"{hash(raw)}",
                mailbox=self.mailbox,
                blobs=self.tools.blobs,
                limits=self.tools.settings.limits,
                received_at=now,
                now=now,
            )
            work_message(session, message_id=received.message_id, tools=self.tools, now=now)

    def sends(self, *, now: datetime) -> Iterator[bytes]:
        """Everything due leaves, as bytes."""
        while True:
            with self.database.transaction() as session:
                claimed = outbox.claim(session, worker="w", now=now)
                if claimed is None:
                    return
                raw = rendered(claimed, now=now)
                outbox.record_sent(session, outbox_id=claimed.id, now=now)
            yield raw

    def count(self, model: type[Case] | type[Message] | type[Outgoing]) -> int:
        """How many rows there are."""
        with self.database.transaction(read_only=True) as session:
            return session.scalar(select(func.count()).select_from(model)) or 0


@contextmanager
def pair(database: Database, sqlite_template: Path, folder: Path, model: Model) -> Iterator[tuple[Instance, Instance]]:
    """Alpha on either kind of database, beta on a SQLite file; each knows the other's mailbox as its customer's."""
    path = shutil.copy(sqlite_template, folder / "beta.db")
    with opened("sqlite", f"sqlite:///{path}") as second:
        yield (
            made(database, "alpha", "beta", folder=folder, model=model),
            made(second, "beta", "alpha", folder=folder, model=model),
        )


def made(database: Database, name: str, other: str, *, folder: Path, model: Model) -> Instance:
    """One of the two."""
    settings = Settings(database_url=database.url, data_folder=folder / name)
    mailbox = f"ar@{name}.example"
    with database.transaction() as session:
        entity = an_entity(session, name.upper(), mailbox=mailbox, country="GB", currency="GBP", language="en")
        contact = Contact(name="Receivables", email=f"ar@{other}.example", domain=f"{other}.example")
        account = an_account(session, entity, name=f"{other.title()} Ltd", language="en", contacts=[contact])
        an_invoice(session, account, number="F2026-7001", currency="GBP")
    tools = Tools(settings=settings, blobs=FolderStore(folder / name / "blobs"), model=model, weights=default_weights())
    return Instance(database, mailbox, tools)


def exchanged(first: Instance, second: Instance, *, now: datetime, gateway: Gateway) -> int:
    """Carry each one's mail to the other until nobody writes any more; gives how many mails there were."""
    carried = 0
    for minute in range(10):
        at = now + timedelta(minutes=minute)
        moved = 0
        for sender, receiver in ((first, second), (second, first)):
            for raw in sender.sends(now=at):
                receiver.gets(gateway(raw), now=at)
                moved += 1
        carried += moved
        if not moved:
            return carried
    raise AssertionError(f"still answering each other after {carried} mails")


def as_is(raw: bytes) -> bytes:
    return raw


def without_marks(raw: bytes) -> bytes:
    """What a careless gateway leaves: no sign of a machine, no thread, another Message-ID."""
    read = message_from_bytes(raw)
    for name in ("Auto-Submitted", "X-Auto-Response-Suppress", "In-Reply-To", "References"):
        del read[name]
    read.replace_header("Message-ID", f"<gateway.{hash(raw)}@relay.example>")
    return read.as_bytes()


@pytest.mark.parametrize(("gateway", "most"), [(as_is, 1), (without_marks, 2)])
def test_two_instances_answering_each_other_stop(
    database: Database,
    sqlite_template: Path,
    tmp_path: Path,
    small_model: Model,
    now: datetime,
    gateway: Gateway,
    most: int,
) -> None:
    with pair(database, sqlite_template, tmp_path, small_model) as (alpha, beta):
        alpha.gets(
            mail(PRICE, at=now, sender=f"Beta <{beta.mailbox}>", to=alpha.mailbox, subject="Wrong price F2026-7001"),
            now=now,
        )
        assert 1 <= exchanged(alpha, beta, now=now, gateway=gateway) <= most
        assert alpha.count(Case) == 1
        if gateway is as_is:
            assert (beta.count(Case), beta.count(Message), beta.count(Outgoing)) == (0, 1, 0)


def test_m19_a_stranger_gets_no_automatic_mail(
    database: Database, sqlite_template: Path, tmp_path: Path, small_model: Model, now: datetime
) -> None:
    with pair(database, sqlite_template, tmp_path, small_model) as (alpha, beta):
        stranger = mail(PRICE, at=now, sender="Eve <eve@elsewhere.example>", to=alpha.mailbox, subject="Price")
        alpha.gets(stranger, now=now)
        assert exchanged(alpha, beta, now=now, gateway=as_is) == 0


def test_m16_an_out_of_office_answer_changes_nothing(
    database: Database, sqlite_template: Path, tmp_path: Path, small_model: Model, now: datetime
) -> None:
    with pair(database, sqlite_template, tmp_path, small_model) as (alpha, beta):
        alpha.gets(mail(PRICE, at=now, sender=f"Beta <{beta.mailbox}>", to=alpha.mailbox, subject="Price"), now=now)
        [sent] = list(alpha.sends(now=now))
        answered = message_from_bytes(sent)["Message-ID"]
        away = mail(
            "I am out of the office until Monday.",
            at=now + timedelta(minutes=1),
            sender=f"Beta <{beta.mailbox}>",
            to=alpha.mailbox,
            subject="Automatic reply: Price",
            replies_to=(str(answered),),
            headers={"Auto-Submitted": "auto-replied"},
        )
        alpha.gets(away, now=now + timedelta(minutes=1))
        assert list(alpha.sends(now=now + timedelta(hours=1))) == []
        with database.transaction(read_only=True) as session:
            case = session.scalars(select(Case)).one()
            assert (case.message_count, case.state) == (2, "new")
