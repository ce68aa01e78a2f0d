"""The job engine on both databases: jobs live and die with the caller's transaction, and outlive their worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import inspect

from app.core.clock import system_clock
from app.core.schema import migrations
from app.workflows import runtime
from app.workflows.runtime import JobId
from tests.databases import Database
from tests.servers.waiting import wait_until

Done = list[tuple[str, tuple[JobId, ...], int]]


class Ledger:
    """Jobs that write down that they ran."""

    def __init__(self) -> None:
        self.done: Done = []

    def __call__(self, ids: list[JobId], *, dispatches: int) -> None:
        self.done.append(("ingest", tuple(ids), dispatches))


@contextmanager
def running(database: Database, job: runtime.Run, *, executor_id: str = "local") -> Iterator[runtime.Engine]:
    engine = runtime.start(
        database.engine, executor_id=executor_id, jobs={"ingest": job}, concurrency=2, poll_seconds=0.05
    )
    try:
        yield engine
    finally:
        engine.stop(wait_seconds=10)


def enqueue_and_fail(database: Database) -> None:
    with database.transaction() as session:
        runtime.enqueue(session, "ingest", 3)
        raise ZeroDivisionError


def test_a_job_exists_if_and_only_if_its_transaction_commits(database: Database) -> None:
    with database.transaction() as session:
        runtime.enqueue(session, "ingest", 1, 2)
    with pytest.raises(ZeroDivisionError):
        enqueue_and_fail(database)
    assert runtime.unfinished(database.engine) == 1
    ledger = Ledger()
    with running(database, ledger):
        wait_until(lambda: runtime.unfinished(database.engine) == 0)
    assert ledger.done == [("ingest", (1, 2), 1)]


def test_many_ids_share_few_jobs(database: Database) -> None:
    with database.transaction() as session:
        runtime.enqueue(session, "ingest", *range(120))
        runtime.enqueue(session, "ingest")
    assert runtime.unfinished(database.engine) == 3


def test_a_job_may_wait_for_its_time(database: Database) -> None:
    moments: list[float] = []
    asked = time.monotonic()
    with database.transaction() as session:
        runtime.enqueue(session, "ingest", 1, delay=timedelta(seconds=1))
    with running(database, lambda _ids, *, dispatches: moments.append(time.monotonic() * dispatches)):
        wait_until(lambda: runtime.unfinished(database.engine) == 0)
    assert moments[0] - asked >= 1


def test_a_nudge_is_not_repeated_while_it_waits(database: Database) -> None:
    for _ in range(3):
        runtime.nudge(database.engine, "ingest")
        runtime.nudge(database.engine, "poll", "billing")
    runtime.nudge(database.engine, "poll", "sales")
    assert runtime.unfinished(database.engine) == 3


def test_a_nudge_may_come_again_once_done(database: Database) -> None:
    ledger = Ledger()
    with running(database, ledger):
        for round_ in (1, 2):
            runtime.nudge(database.engine, "ingest")
            wait_until(lambda: runtime.unfinished(database.engine) == 0)
            assert len(ledger.done) == round_


def test_a_job_of_an_unknown_kind_is_told_and_ended(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with database.transaction() as session:
        runtime.enqueue(session, "send", 7)
    with running(database, Ledger()):
        wait_until(lambda: runtime.unfinished(database.engine) == 0)
    assert "unknown kind" in capsys.readouterr().out


def test_ended_jobs_are_forgotten_after_a_while(database: Database) -> None:
    with database.transaction() as session:
        runtime.enqueue(session, "ingest", 1)
    with running(database, Ledger()) as engine:
        wait_until(lambda: runtime.unfinished(database.engine) == 0)
        assert engine.tidy(before=system_clock() - timedelta(days=1)) == 0
        assert engine.tidy(before=system_clock() + timedelta(minutes=1)) == 1


def test_alembic_leaves_the_engines_tables_alone(database: Database) -> None:
    schema = "dbos" if database.kind == "postgres" else None
    assert "workflow_status" in inspect(database.engine).get_table_names(schema=schema)
    config = migrations()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)
