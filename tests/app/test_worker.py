"""The worker as a whole, and the commands that run it: outages in one line, an orderly end, no traceback."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from threading import Event

import httpx
import pytest
from sqlalchemy import select

from app.core.db import create_engine
from app.core.heartbeat import WorkerHeartbeat
from app.core.settings import Background, Settings
from app.worker import SecondWorker, executor_id, only_worker, trouble, wait_until_ready, work
from app.workflows.context import Context
from disputes.models import Message, Outgoing
from tests.architecture_source import ROOT
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until
from tests.workflows.stand_ins import Sink, context, queued, received

QUICK = Background(heartbeat_seconds=0.05, missed_beats=3, sweep_seconds=0.1, queue_poll_seconds=0.05)


@contextmanager
def working(database: Database, prepared: Context) -> Iterator[Future[bool]]:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, database.engine, lambda: prepared, stopping=prepared.stopping)
        try:
            yield future
        finally:
            prepared.stopping.set()


def states(database: Database) -> set[str]:
    with database.transaction(read_only=True) as session:
        return {*session.scalars(select(Message.state)), *session.scalars(select(Outgoing.state))}


def beating(database: Database) -> list[str]:
    with database.transaction(read_only=True) as session:
        return list(session.scalars(select(WorkerHeartbeat.executor_id)))


def test_a_worker_does_what_waits_and_ends_in_order(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    quick = settings.model_copy(update={"background": QUICK})
    received(database, settings, now, count=3)
    queued(database, now, count=2)
    sink = Sink()
    prepared = replace(context(database, quick, clock, mailer=sink), worker=executor_id(database.engine))
    with working(database, prepared) as future:
        wait_until(lambda: states(database) == {"worked", "sent"})
        assert beating(database) == [prepared.worker]
    assert future.result() is True
    assert len(sink.sent) == 2
    assert beating(database) == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_the_last_worker_on_sqlite_was_sending_is_uncertain(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    queued(database, now)
    with database.transaction() as session:
        mail = session.scalars(select(Outgoing)).one()
        mail.state, mail.claimed_by = "sending", "local"
    quick = settings.model_copy(update={"background": QUICK})
    prepared = replace(context(database, quick, clock), worker="local")
    with working(database, prepared):
        wait_until(lambda: states(database) == {"uncertain"})
    assert states(database) == {"uncertain"}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_one_worker_is_all_a_sqlite_file_bears(database: Database) -> None:
    with only_worker(database.engine), pytest.raises(SecondWorker, match="PostgreSQL"):
        only_worker(database.engine).__enter__()
    with only_worker(database.engine):
        assert executor_id(database.engine) == "local"


@pytest.mark.parametrize("database_kind", [pytest.param("postgres", marks=pytest.mark.postgres)])
def test_on_postgresql_each_worker_has_a_name_of_its_own(database: Database) -> None:
    with only_worker(database.engine), only_worker(database.engine):
        assert executor_id(database.engine) != executor_id(database.engine)


def test_a_current_database_is_no_trouble(database: Database) -> None:
    assert trouble(database.engine) == ""
    assert wait_until_ready(database.engine, Event())


def test_a_database_without_its_schema_is_told_with_the_remedy(tmp_path: Path) -> None:
    assert "run `amiable migrate`" in trouble(create_engine(f"sqlite:///{tmp_path / 'empty.db'}"))


def test_waiting_ends_when_the_process_should(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopping = Event()
    stopping.set()
    assert not wait_until_ready(create_engine(f"sqlite:///{tmp_path / 'empty.db'}"), stopping)
    assert len(capsys.readouterr().out.splitlines()) == 1


@contextmanager
def command(folder: Path, url: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """An `amiable` command with what it writes on standard error in `folder/errors`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AMIABLE_")}
    environment |= {"AMIABLE_DATABASE_URL": url, "AMIABLE_DATA_FOLDER": str(folder / "var")}
    with (folder / "errors").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", *words], cwd=ROOT, env=environment, stderr=errors, stdout=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def errors(folder: Path) -> str:
    return (folder / "errors").read_text()


def test_a_database_that_is_away_is_one_clear_line_and_a_retry(tmp_path: Path) -> None:
    url = f"postgresql://amiable@127.0.0.1:{free_port()}/amiable"
    with command(tmp_path, url, "work") as process:
        wait_until(lambda: "waiting for the database" in errors(tmp_path), seconds=200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert len(errors(tmp_path).splitlines()) == 1
    assert "refused" in errors(tmp_path)


def test_a_second_worker_on_sqlite_is_refused_in_words(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'amiable.db'}"
    with only_worker(create_engine(url)), command(tmp_path, url, "work") as process:
        assert process.wait(timeout=200) == 1
    assert errors(tmp_path).startswith("amiable: A worker already runs on")
    assert len(errors(tmp_path).splitlines()) == 1


def test_a_port_that_is_taken_is_told_in_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command(tmp_path, f"sqlite:///{tmp_path / 'amiable.db'}", "serve", "--port", port) as process:
            assert process.wait(timeout=200) == 1
    assert f"127.0.0.1:{port}" in errors(tmp_path)
    assert len(errors(tmp_path).splitlines()) == 1


@pytest.mark.parametrize("words", [["serve", "--web-only"], ["serve"]], ids=" ".join)
def test_serve_answers_and_ends_in_order(tmp_path: Path, words: list[str]) -> None:
    port = free_port()
    url = f"sqlite:///{tmp_path / 'amiable.db'}"
    with command(tmp_path, url, *words, "--port", str(port)) as process:

        def status() -> int:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code
            except httpx.HTTPError:
                return 0

        wait_until(lambda: status() == 200, seconds=200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert "Traceback" not in errors(tmp_path)
