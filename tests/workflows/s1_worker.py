"""A worker to be killed: the program's own on fast settings, forked so that it starts in no time.

`careless` is the control, the same worker with the defence off: it takes a message in one transaction and works it
in the next, and it sends a mail before it claims it.
"""

import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event

from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from app import worker
from app.connectors.contracts import Sendable
from app.core import db, log
from app.core.clock import system_clock
from app.core.settings import Background, Settings
from app.workflows import runtime
from app.workflows.context import Context, Pipeline
from app.workflows.intake import build_tools, work_message
from app.workflows.runtime import JobId
from disputes.actions import outbox, waiting
from disputes.model_file import load_model
from disputes.models import Message
from tests.workflows.stand_ins import Folder, QuickStore, opening_cases

FAST = Background(heartbeat_seconds=0.2, missed_beats=3, sweep_seconds=0.4, queue_poll_seconds=0.05, stop_seconds=10)


MODEL = "small.model"


@dataclass(frozen=True)
class MailServer:
    """Writes down each mail it takes before it answers."""

    path: Path

    def send(self, mail: Sendable) -> None:
        """Take the mail."""
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{mail.rfc_id}\n".encode())
        os.close(handle)

    def taken(self) -> list[str]:
        """The Message-IDs it took, in order."""
        return self.path.read_text().split() if self.path.exists() else []


def run(url: str, folder: Path, *, careless: bool) -> None:
    """Work until told to end, or killed."""
    sys.stderr = (folder / "worker.log").open("a", buffering=1)
    log.configure(json=False, stream=sys.stderr)
    stopping = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    database = quick_engine(url)
    settings = Settings(database_url=url, data_folder=folder, background=FAST)
    jobs = careless_jobs if careless else worker.jobs_of
    worker.work(database, lambda: context(settings, database, stopping), stopping=stopping, jobs=jobs)


def quick_engine(url: str) -> Engine:
    """An engine that does not wait for the disk: a killed process, unlike a power cut, loses nothing by that."""
    engine = db.create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine


def context(settings: Settings, database: Engine, stopping: Event) -> Context:
    """The worker's context: a pipeline, a mail server that keeps a list."""
    return Context(
        settings=settings,
        database=database,
        sessions=db.session_factory(database),
        clock=system_clock,
        blobs=QuickStore(settings.blob_folder),
        pipeline=pipeline_of(settings),
        mailer=MailServer(settings.data_folder / "taken"),
        open_mailbox=lambda _: Folder(),
        worker=worker.executor_id(database),
        stopping=stopping,
    )


def pipeline_of(settings: Settings) -> Pipeline:
    """The program's own pipeline when the test left a model in the folder, else the one in small."""
    if not (settings.data_folder / MODEL).exists():
        return opening_cases(settings)
    model = load_model(settings.data_folder / MODEL)
    tools = build_tools(settings, blobs=QuickStore(settings.blob_folder), model=model)

    def pipeline(session: Session, *, message_id: int) -> None:
        work_message(session, message_id=message_id, tools=tools, now=system_clock())

    return pipeline


def careless_jobs(context: Context) -> dict[str, runtime.Run]:
    """The same jobs as they are written when nobody thinks of kill -9."""
    return {
        **worker.jobs_of(context),
        "ingest": partial(careless_ingest, context),
        "send": partial(careless_send, context),
    }


def careless_ingest(context: Context, ids: Iterable[JobId], *, dispatches: int) -> None:  # noqa: ARG001 - a job's signature
    """Take a message off the queue, then work it."""
    with db.transaction(context.sessions, read_only=True) as session:
        waiting_ids = waiting.waiting_ids(session, limit=1_000)
    for message_id in [*map(int, ids), *waiting_ids]:
        with db.transaction(context.sessions) as session:
            taken = _turn(session, message_id, "received", "taken")
        if taken:
            with db.transaction(context.sessions) as session:
                _turn(session, message_id, "taken", "received")
                context.pipeline(session, message_id=message_id)


def _turn(session: Session, message_id: int, before: str, after: str) -> bool:
    message = session.scalar(select(Message).where(Message.id == message_id).with_for_update())
    if message is None or message.state != before:
        return False
    message.state = after
    session.flush()
    return True


def careless_send(context: Context, ids: Iterable[JobId], *, dispatches: int) -> None:  # noqa: ARG001 - a job's signature
    """Send what is due, then write down that it was."""
    with db.transaction(context.sessions, read_only=True) as session:
        due = outbox.due_ids(session, now=context.clock(), limit=100)
    for outbox_id in due:
        with db.transaction(context.sessions, read_only=True) as session:
            mail = outbox.mail_of(session, outbox_id=outbox_id)
        context.mailer.send(mail)
        with db.transaction(context.sessions) as session:
            outbox.claim(session, worker=context.worker, now=context.clock(), outbox_id=outbox_id)
            outbox.record_sent(session, outbox_id=outbox_id, now=context.clock())
