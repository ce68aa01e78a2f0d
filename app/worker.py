"""The worker of a process: waits for the database, runs the job engine, goes its rounds, ends in order."""

import fcntl
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from os import getpid
from pathlib import Path
from threading import Event

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from app.core import db, heap, heartbeat
from app.core.errors import Conflict
from app.core.heartbeat import Watch
from app.core.log import logger
from app.core.schema import migrations
from app.core.settings import Settings
from app.workflows import runtime
from app.workflows.assembly import context_of
from app.workflows.classifier_training import train
from app.workflows.context import Context
from app.workflows.digests import write_due
from app.workflows.ledger_sync import recheck
from app.workflows.letters import work_letters
from app.workflows.mail_jobs import ingest, poll
from app.workflows.outbox import send
from app.workflows.progress import sweep
from app.workflows.schedule import Rounds
from app.workflows.webhooks import deliver
from disputes.actions import outbox

RETRY_SECONDS = 2.0


class SecondWorker(Conflict):
    """On SQLite one worker is all there can be: its executor id is fixed, so that it finds its own unfinished jobs."""


def executor_id(database: Engine) -> str:
    """Fixed on SQLite, where a restarted worker is the same one; its own for each process on PostgreSQL."""
    if database.dialect.name == "sqlite":
        return "local"
    return f"{socket.gethostname()}-{getpid()}-{secrets.token_hex(4)}"[:100]


def real_context(settings: Settings, database: Engine, stopping: Event) -> Context:
    """What this process's jobs work with, loaded to stay."""
    context = context_of(settings, database, worker=executor_id(database), stopping=stopping)
    heap.settle()
    return context


def jobs_of(context: Context) -> dict[str, runtime.Run]:
    """What each kind of job does."""
    return {
        "ingest": partial(ingest, context),
        "send": partial(send, context),
        "poll": partial(poll, context),
        "recheck": partial(recheck, context),
        "webhooks": partial(deliver, context),
        "progress": partial(sweep, context),
        "digests": partial(write_due, context),
        "letters": partial(work_letters, context),
        "training": partial(train, context),
    }


def work(
    database: Engine,
    prepare: Callable[[], Context],
    *,
    stopping: Event,
    jobs: Callable[[Context], Mapping[str, runtime.Run]] = jobs_of,
) -> bool:
    """Work until `stopping` is set, riding out a database that is away. False when jobs were left running.

    `prepare` is called once the database is there. Raises SecondWorker.
    """
    with only_worker(database):
        if not wait_until_ready(database, stopping):
            return True
        context = prepare()
        engine = _started(context, jobs(context))
        if engine is None:
            return True
        try:
            _rounds(context, engine).run()
        finally:
            idle = _end(context, engine)
        return idle


@contextmanager
def only_worker(database: Engine) -> Iterator[None]:
    """Hold the lock that keeps a second worker from a SQLite file; nothing to hold on PostgreSQL."""
    if database.dialect.name != "sqlite" or not database.url.database:
        yield
        return
    with Path(f"{database.url.database}.worker").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SecondWorker(
                f"A worker already runs on {database.url.database}. Stop it, or use PostgreSQL to run several"
            ) from error
        yield


def wait_until_ready(database: Engine, stopping: Event) -> bool:
    """Wait for the database and its schema, with one line for each reason. False when the process should end."""
    told = ""
    while reason := trouble(database):
        if reason != told:
            logger().warning("waiting for the database", reason=reason)
        told = reason
        if stopping.wait(RETRY_SECONDS):
            return False
    return not stopping.is_set()


def trouble(database: Engine) -> str:
    """Why work cannot begin on this database, in words; empty when it can."""
    needed = ScriptDirectory.from_config(migrations()).get_current_head()
    try:
        with db.transaction(db.session_factory(database), read_only=True) as session:
            found = MigrationContext.configure(session.connection()).get_current_revision()
    except db.NoDatabase as error:
        return error.message
    if found == needed:
        return ""
    return f"the schema is at version {found or 'none'}, this program needs {needed}: run `amiable migrate`"


def _started(context: Context, jobs: Mapping[str, runtime.Run]) -> runtime.Engine | None:
    while not context.stopping.is_set():
        try:
            return _start(context, jobs)
        except db.NoDatabase as error:
            logger().warning("waiting for the database", reason=error.message)
            context.stopping.wait(RETRY_SECONDS)
    return None


def _start(context: Context, jobs: Mapping[str, runtime.Run]) -> runtime.Engine:
    runtime.migrate(context.database)
    with db.transaction(context.sessions) as session:
        heartbeat.beat(session, executor_id=context.worker, now=context.clock())
        # On SQLite this worker bears the name of the one before: what that one was sending is uncertain now.
        outbox.abandon(session, workers={context.worker}, now=context.clock())
    single = context.database.dialect.name == "sqlite"
    engine = runtime.start(
        context.database,
        executor_id=context.worker,
        jobs=jobs,
        # SQLite has one writer: a second thread would only wait for it.
        concurrency=1 if single else context.settings.workers,
        poll_seconds=context.settings.background.queue_poll_seconds,
    )
    logger().info("worker started", worker=context.worker, database=context.database.dialect.name)
    return engine


def _rounds(context: Context, engine: runtime.Engine) -> Rounds:
    watch = Watch(own=context.worker, rounds=context.settings.background.missed_beats)
    return Rounds(context, engine, watch)


def _end(context: Context, engine: runtime.Engine) -> bool:
    context.stopping.set()
    idle = engine.stop(wait_seconds=context.settings.background.stop_seconds)
    try:
        with db.transaction(context.sessions) as session:
            heartbeat.forget(session, executor_ids={context.worker})
    except db.NoDatabase as error:
        logger().warning("the database is away", reason=error.message)
    logger().info("worker stopped", worker=context.worker, state="idle" if idle else "jobs left to the next worker")
    return idle
