"""A real PostgreSQL cluster in a temporary folder, for the tests that need one."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

SERVER_USER = "postgres"
"""PostgreSQL refuses to run as root: then Debian's own user runs it."""

TEST_SETTINGS = {
    # Nothing here outlives the tests, so the disk need not be waited for.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "fatal",
    "jit": "off",
}


@dataclass(frozen=True)
class PostgresServer:
    """A running cluster. `url` takes a database's name."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        """SQLAlchemy's address of one database."""
        return f"postgresql+psycopg://amiable@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str = "template1") -> str:
        """Make a database, as a copy of another, and give its address."""
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, connected or not."""
        self._run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def answers(self) -> bool:
        """Whether a connection succeeds."""
        try:
            self._run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, statement: str) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="amiable", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement.encode())


def postgres_programs() -> Path | None:
    """The folder of the newest installed PostgreSQL's programs (15 or later), None without one."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    suitable = {int(path.parent.name): path for path in versions if int(path.parent.name) >= 15}
    return suitable[max(suitable)] if suitable else None


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """A fresh cluster, stopped and removed at the end. Raises RuntimeError when none can be started."""
    programs = postgres_programs()
    if programs is None:
        raise RuntimeError("PostgreSQL 15 or later is not installed: scripts/system-packages test")
    folder = Path(tempfile.mkdtemp(prefix="amiable-pg-"))
    try:
        server = _start(programs, folder)
        try:
            yield server
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(programs: Path, folder: Path) -> PostgresServer:
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER, SERVER_USER)
    _initialise(programs, folder / "data")
    server = _launch(programs, folder, free_port())
    wait_until(lambda: server.answers() or server.process.poll() is not None, seconds=60)
    if server.process.poll() is not None:
        raise RuntimeError(f"PostgreSQL did not start: {(folder / 'log').read_text(errors='replace')[-2000:]}")
    return server


def _initialise(programs: Path, data: Path) -> None:
    command = [str(programs / "initdb"), "-D", str(data), "-U", "amiable", "--auth=trust", "--no-sync"]
    subprocess.run(
        [*_as_server_user(), *command, "--encoding=UTF8", "--locale=C.UTF-8"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=data.parent,
    )


def _launch(programs: Path, folder: Path, port: int) -> PostgresServer:
    settings = {**TEST_SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [*_as_server_user(), "setpriv", "--pdeathsig", "INT", str(programs / "postgres")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-D", str(folder / "data"), *options], stdout=log, stderr=log, cwd=folder, start_new_session=True
        )
    return PostgresServer(folder=folder, port=port, process=process)


def _as_server_user() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid", SERVER_USER, "--regid", SERVER_USER, "--init-groups"]


def _stop(server: PostgresServer) -> None:
    server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.process.send_signal(signal.SIGQUIT)
        server.process.wait(timeout=20)
