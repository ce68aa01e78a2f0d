"""S1: whatever is killed when, no message is lost and none makes two cases or two mails."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import format_datetime
from multiprocessing.process import BaseProcess
from random import Random

import pytest
from sqlalchemy import func, select

from app.core.clock import system_clock
from app.core.settings import Settings
from app.workflows import runtime
from disputes.actions.intake import receive
from disputes.model_file import Model, save_model
from disputes.models import Case, Message, Outgoing
from tests.databases import Database
from tests.factories import an_account, an_entity, an_invoice
from tests.servers.waiting import wait_until
from tests.workflows.s1_worker import MODEL, MailServer, run
from tests.workflows.stand_ins import QuickStore

MAILS = int(os.environ.get("AMIABLE_SOAK_MAILS", "1000"))
KILLS = int(os.environ.get("AMIABLE_SOAK_KILLS", "20"))
SEED = 20_260_302
"""`make soak` runs the same with 10,000 mails and 200 kills."""
A_MATTER = 4
"""Mails about one matter: one opens it, the others answer."""
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.workflows.s1_worker"])


def mail(number: int) -> bytes:
    matter, place = divmod(number, A_MATTER)
    answer = f"In-Reply-To: <0@customer{matter}.example>\r\n" if place else ""
    subject = f"{'Re: ' if place else ''}Price on invoice {invoice_number(matter)}"
    return (
        f"From: buyer@customer{matter}.example\r\nTo: ar@seller.example\r\nSubject: {subject}\r\n{answer}"
        f"Message-ID: <{place}@customer{matter}.example>\r\nDate: {format_datetime(system_clock())}\r\n\r\n"
        f"The price on invoice {invoice_number(matter)} is not the one agreed. This is mail {number}.\r\n"
    ).encode()


def invoice_number(matter: int) -> str:
    return f"F2026-{matter:05d}"


def a_ledger(database: Database) -> None:
    """A customer with an invoice for each matter."""
    with database.transaction() as session:
        entity = an_entity(session, mailbox="ar@seller.example")
        for matter in range(MAILS // A_MATTER):
            account = an_account(session, entity)
            account.contacts[0].email = f"buyer@customer{matter}.example"
            account.contacts[0].domain = f"customer{matter}.example"
            an_invoice(session, account, number=invoice_number(matter))


def feed(database: Database, settings: Settings, numbers: list[int], now: datetime) -> None:
    """Mails come in: stored and enqueued in one transaction, as every way in does."""
    blobs = QuickStore(settings.blob_folder)
    with database.transaction() as session:
        ids = [
            receive(
                session,
                raw=mail(number),
                source="file",
                source_ref=f"{number}.eml",
                mailbox=None,
                blobs=blobs,
                limits=settings.limits,
                received_at=now,
                now=now,
            ).message_id
            for number in numbers
        ]
        runtime.enqueue(session, "ingest", *ids)


@contextmanager
def a_worker(database: Database, settings: Settings, *, careless: bool) -> Iterator[BaseProcess]:
    process = FORKED.Process(target=run, args=(database.url, settings.data_folder), kwargs={"careless": careless})
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def unfinished(database: Database) -> int:
    """Messages to work and mails to send."""
    with database.transaction(read_only=True) as session:
        messages = select(func.count()).where(Message.state == "received")
        mails = select(func.count()).where(Outgoing.state.in_(("queued", "sending")))
        return (session.scalar(messages) or 0) + (session.scalar(mails) or 0)


def killed_again_and_again(database: Database, settings: Settings, *, mails: int, careless: bool) -> int:
    """Feed all mails, kill the worker at random moments, let the last one finish. Gives kills that hit work."""
    chance = Random(SEED)  # noqa: S311 - a seed makes the test the same each time
    numbers = list(range(mails))
    chance.shuffle(numbers)
    hits = 0
    for kill in range(KILLS):
        feed(database, settings, numbers[kill::KILLS], system_clock())
        before = starts(settings)
        with a_worker(database, settings, careless=careless) as process:
            # Most kills come while the worker works, however slow the machine; the others while it starts.
            if kill % 5:
                wait_until(lambda before=before: starts(settings) > before, seconds=60)  # type: ignore[misc] # a default
            process.join(timeout=chance.uniform(0.0, 0.6))
            assert process.is_alive(), (settings.data_folder / "worker.log").read_text()
        hits += unfinished(database) > 0
    with a_worker(database, settings, careless=careless):
        let_it_finish(database)
    return hits


def let_it_finish(database: Database) -> None:
    """Wait while the worker makes progress, however slow the machine."""

    def left() -> int:
        return unfinished(database) + runtime.unfinished(database.engine)

    while before := left():
        wait_until(lambda before=before: left() < before, seconds=120, every=0.25)  # type: ignore[misc] # a default


def starts(settings: Settings) -> int:
    """How many workers got as far as taking jobs."""
    lines = settings.data_folder / "worker.log"
    return lines.read_text().count("worker started") if lines.exists() else 0


def findings(database: Database, server: MailServer, *, mails: int) -> list[str]:
    """What is lost or doubled, in words."""
    with database.transaction(read_only=True) as session:
        messages = list(session.scalars(select(Message)))
        cases = list(session.scalars(select(Case)))
        outgoing = list(session.scalars(select(Outgoing)))
    taken = Counter(server.taken())
    by_case = Counter(message.case_id for message in messages)
    known = {mail.rfc_id for mail in outgoing if mail.state in {"sent", "uncertain"}}
    return [
        *(f"message {message.id} is {message.state}" for message in messages if message.state != "worked"),
        *(f"message {message.id} has no case" for message in messages if message.case_id is None),
        *([f"messages: {len(messages)}"] if len(messages) != mails else []),
        *([f"cases: {len(cases)}"] if len(cases) != mails // A_MATTER else []),
        *(f"case {case.id} has {by_case[case.id]} messages" for case in cases if by_case[case.id] != A_MATTER),
        *([f"mails: {len(outgoing)}"] if len(outgoing) != len(cases) else []),
        *(f"mail {name} went out {times} times" for name, times in taken.items() if times > 1),
        *(f"mail {mail.id} is {mail.state}" for mail in outgoing if mail.rfc_id not in known),
        *(f"mail {mail.id} never went out" for mail in outgoing if mail.state == "sent" and mail.rfc_id not in taken),
    ]


@pytest.fixture
def server(settings: Settings) -> MailServer:
    settings.data_folder.mkdir()
    return MailServer(settings.data_folder / "taken")


@pytest.mark.timeout(2_400 * max(1, MAILS // 1_000))
def test_nothing_is_lost_and_nothing_doubled(
    database: Database, settings: Settings, server: MailServer, small_model: Model
) -> None:
    save_model(small_model, settings.data_folder / MODEL)
    a_ledger(database)
    hits = killed_again_and_again(database, settings, mails=MAILS, careless=False)
    assert findings(database, server, mails=MAILS) == []
    assert hits >= KILLS // 2, "the kills must meet work in hand"


@pytest.mark.timeout(2_400 * max(1, MAILS // 1_000))
@pytest.mark.parametrize("careless", [False, True], ids=["with the defence", "without it"])
def test_the_control_without_the_defence_does_harm(
    database: Database, settings: Settings, server: MailServer, *, careless: bool
) -> None:
    killed_again_and_again(database, settings, mails=MAILS // 2, careless=careless)
    assert bool(findings(database, server, mails=MAILS // 2)) == careless
