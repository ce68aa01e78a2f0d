"""The job engine, and the only importer of DBOS: durable jobs in our own database, added in the caller's transaction.

Heeded (architecture.md, Background work): the application version is pinned, or any edit would strand jobs; two
queues and one workflow name, for each costs polling; ids only, as JSON; the engine's own recovery only looks at
its own executor id, so dead workers are found by heartbeat.py and handed to `Engine.recover`.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Condition
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus
from sqlalchemy import Engine as Database
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.db import NoDatabase
from app.core.log import logger

APPLICATION = "amiable"
VERSION = "1"
"""Raised only when a job's meaning changes so much that old workers must not run new jobs."""
WORKFLOW = "job"
INSIDE, OUTSIDE = "inside", "outside"
QUEUES = {
    **dict.fromkeys(("ingest", "recheck", "digests", "progress", "training"), INSIDE),
    **dict.fromkeys(("send", "poll", "webhooks", "letters"), OUTSIDE),
}
"""Which queue a kind of job waits in: work on our own database, or talk to servers that may keep us waiting."""
CHUNK = 50
"""Ids in one job: few enough to share out and to repeat, many enough that the engine's cost is small."""

JobId = int | str


class Run(Protocol):
    """Does a job of one kind. It must bear being repeated: a job whose worker died is run again from the start."""

    def __call__(self, ids: list[JobId], *, dispatches: int) -> object:
        """Work on `ids`; `dispatches` is 1, and more when workers died in the middle of this job."""
        ...


def migrate(database: Database) -> None:
    """Make or upgrade the engine's own tables (schema `dbos` on PostgreSQL, the same file on SQLite)."""
    _quiet()
    with _reaching():
        DBOS.migrate(_address(database))


def enqueue(session: Session, job: str, *ids: JobId, delay: timedelta | None = None) -> None:
    """Add jobs of this kind in the caller's transaction: they exist if and only if it commits.

    They run as soon as a worker is free, or once `delay` is over.
    """
    client = _client(session.get_bind().engine)
    options: EnqueueOptions = {"workflow_name": WORKFLOW, "queue_name": QUEUES[job], "app_version": VERSION}
    if delay is not None:
        options["delay_seconds"] = delay.total_seconds()
    for chunk in _chunks(ids):
        client.enqueue_in_transaction(session, options, job, chunk)


def nudge(database: Database, job: str, *ids: JobId) -> None:
    """Add a job that looks for work by itself, unless one of the same kind and ids is waiting or running anywhere.

    It has a transaction of its own. Raises NoDatabase.
    """
    options: EnqueueOptions = {
        "workflow_name": WORKFLOW,
        "queue_name": QUEUES[job],
        "app_version": VERSION,
        "deduplication_id": ":".join(map(str, (job, *ids))),
        "duplication_policy": "return-existing",
    }
    with _reaching():
        _client(database).enqueue(options, job, list(ids))


def unfinished(database: Database) -> int:
    """How many jobs are waiting or running, anywhere."""
    return len(_jobs(database, "ENQUEUED", "PENDING", "DELAYED"))


@dataclass(frozen=True)
class Engine:
    """A running engine: this process works on jobs until `stop`."""

    executor_id: str
    database: Database
    running: "Running"

    def holders(self) -> set[str]:
        """Workers that have jobs in hand, dead or alive. Raises NoDatabase."""
        return {job.executor_id for job in _jobs(self.database, "PENDING") if job.executor_id}

    def recover(self, executor_ids: Collection[str]) -> int:
        """Take over the jobs of dead workers; harmless when two workers do it at once. Gives how many."""
        return len(DBOS._recover_pending_workflows(sorted(executor_ids)))  # noqa: SLF001 - no public way in DBOS 3.4

    def tidy(self, *, before: datetime, limit: int = 1_000) -> int:
        """Forget jobs that ended before that moment, or the engine's tables grow for ever. Gives how many."""
        ended = _jobs(self.database, "SUCCESS", "ERROR", "CANCELLED", completed_before=before.isoformat(), limit=limit)
        with _reaching():
            _client(self.database).delete_workflows([job.workflow_id for job in ended])
        return len(ended)

    def stop(self, *, wait_seconds: float) -> bool:
        """Wait for the running jobs, then end. False when some went on: they are recovered by whoever comes next."""
        idle = self.running.wait_idle(wait_seconds)
        DBOS.destroy(destroy_registry=True)
        return idle


class Running:
    """Counts the jobs that run in this process."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._count = 0

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until none runs; False when some still do after that time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)


def start(
    database: Database, *, executor_id: str, jobs: Mapping[str, Run], concurrency: int, poll_seconds: float
) -> Engine:
    """Start working on jobs in this process, its own unfinished ones first. One engine a process.

    Raises NoDatabase when the database is away; its schema must be current.
    """
    _quiet()
    DBOS(config=_config(database, executor_id))
    running = Running()
    DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(_dispatcher(jobs, database, running))
    try:
        # Known before the launch, or the engine would look for them a second later.
        for queue, limit in ((INSIDE, concurrency), (OUTSIDE, concurrency * 2)):
            client = _client(database)
            client.register_queue(queue, worker_concurrency=limit, polling_interval_sec=poll_seconds)
        DBOS.launch()
    except Exception as error:
        DBOS.destroy(destroy_registry=True)
        raise NoDatabase(f"The job engine cannot start: {_first_line(error)}") from error
    return Engine(executor_id, database, running)


def _config(database: Database, executor_id: str) -> DBOSConfig:
    return {
        "name": APPLICATION,
        "system_database_url": _address(database),
        "application_version": VERSION,
        "executor_id": executor_id,
        "serializer": DBOSPortableJSONSerializer(),
        "sys_db_pool_size": 10,
    }


def _dispatcher(jobs: Mapping[str, Run], database: Database, running: Running) -> Callable[[str, list[JobId]], None]:
    def job(kind: str, ids: list[JobId]) -> None:
        """One name for all kinds: the engine looks workflows up by name, and old names must stay for ever."""
        run = jobs.get(kind)
        if run is None:
            logger().error("job of an unknown kind: is this worker older than the web?", kind=kind, count=len(ids))
            return
        with running:
            run(ids, dispatches=_dispatches(database))

    return job


def _dispatches(database: Database) -> int:
    """How often the engine gave out the job that runs here; the public status leaves it out (DBOS 3.4)."""
    status = _client(database)._sys_db.get_workflow_status(DBOS.workflow_id or "")  # noqa: SLF001 - see above
    return (status and status["recovery_attempts"]) or 1


def _jobs(database: Database, *status: str, **conditions: Any) -> list[WorkflowStatus]:
    with _reaching():
        return _client(database).list_workflows(status=list(status), load_input=False, load_output=False, **conditions)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise NoDatabase(f"The database cannot be reached: {_first_line(error.orig)}") from error


def _chunks(ids: Sequence[JobId]) -> Iterable[list[JobId]]:
    return (list(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK))


def _address(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


_clients: WeakKeyDictionary[Database, DBOSClient] = WeakKeyDictionary()


def _client(database: Database) -> DBOSClient:
    """One client a database, which costs no connection of its own: it works on the engine it is given."""
    if database not in _clients:
        _clients[database] = DBOSClient(
            system_database_engine=database,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )
    return _clients[database]


class _OneLine(logging.Handler):
    """Passes the engine's errors on as one line each; its warnings repeat what our own outage line says."""

    def emit(self, record: logging.LogRecord) -> None:
        """Forward an error, without its traceback."""
        logger().error("job engine", reason=_first_line(record.getMessage()))


def _quiet() -> None:
    log = logging.getLogger("dbos")
    log.propagate = False
    if not any(isinstance(handler, _OneLine) for handler in log.handlers):
        log.handlers = [_OneLine(logging.ERROR)]


def _first_line(error: object) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]
