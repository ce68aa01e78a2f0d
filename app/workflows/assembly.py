"""What jobs need, made from the settings: the one place that chooses the real pipeline, mail server and mailboxes."""

from threading import Event

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.connectors.mailbox import ImapMailbox
from app.connectors.mailer import mailer_for
from app.core.blobs import BlobStore, FolderStore
from app.core.clock import Clock, system_clock
from app.core.db import session_factory
from app.core.settings import Settings
from app.workflows.context import Context, Pipeline
from app.workflows.intake import Tools, Worked, build_tools, work_message


def context_of(
    settings: Settings,
    database: Engine,
    *,
    worker: str,
    stopping: Event | None = None,
    clock: Clock = system_clock,
    tools: Tools | None = None,
) -> Context:
    """Everything real. Making the tools trains the shipped model when the data folder has none (under a minute)."""
    blobs = tools.blobs if tools else FolderStore(settings.blob_folder)
    ready = tools or build_tools(settings, blobs=blobs)
    return _context(
        settings, database, blobs, pipeline(ready, clock), worker=worker, clock=clock, stopping=stopping or Event()
    )


def storing_context(settings: Settings, database: Engine, *, clock: Clock = system_clock) -> Context:
    """Enough to store mails and leave them to the workers."""
    blobs = FolderStore(settings.blob_folder)
    return _context(settings, database, blobs, _left_to_workers, worker="", clock=clock, stopping=Event())


def pipeline(tools: Tools, clock: Clock) -> Pipeline:
    """The pipeline with its tools in hand."""

    def work(session: Session, *, message_id: int) -> Worked:
        return work_message(session, message_id=message_id, tools=tools, now=clock())

    return work


def _left_to_workers(session: Session, *, message_id: int) -> None:  # noqa: ARG001 - a pipeline's signature
    raise AssertionError(f"message {message_id} is for the workers")


def _context(
    settings: Settings,
    database: Engine,
    blobs: BlobStore,
    work: Pipeline,
    *,
    worker: str,
    clock: Clock,
    stopping: Event,
) -> Context:
    return Context(
        settings=settings,
        database=database,
        sessions=session_factory(database),
        clock=clock,
        blobs=blobs,
        pipeline=work,
        mailer=mailer_for(settings, clock=clock),
        open_mailbox=ImapMailbox,
        worker=worker,
        stopping=stopping,
    )
