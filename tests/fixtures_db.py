"""Fixtures: settings, a stopped clock, databases of both kinds, exact query counts, and no way out to the network."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.core.db import create_engine
from app.core.settings import Settings
from tests.databases import Database, QueryRecorder, migrate, opened, rolled_back
from tests.servers.postgres import PostgresServer, running_postgres
from tests.sockets import loopback_only

TEMPLATE = "amiable_template"
KINDS = ("sqlite", pytest.param("postgres", marks=pytest.mark.postgres))
database_numbers = count(1)


class FixedClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, step: timedelta) -> datetime:
        """Move on, and give the new moment."""
        self.moment += step
        return self.moment


@pytest.fixture(scope="session", autouse=True)
def _closed_world() -> Iterator[None]:
    """Tests depend on neither the network nor the developer's own settings."""
    for name in [name for name in os.environ if name.startswith("AMIABLE_")]:
        del os.environ[name]
    with loopback_only():
        yield


@pytest.fixture(autouse=True)
def _logs_outlive_no_test() -> Iterator[None]:
    """A command run inside a test sends the logs to that test's own stream, which is closed when the next one logs."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def clock() -> FixedClock:
    """Stands at Monday 2 March 2026, 09:00 UTC."""
    return FixedClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    """The moment the clock stands at."""
    return clock()


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings on a temporary folder; their database is the test's `database` when it has one."""
    url = f"sqlite:///{tmp_path / 'settings.db'}"
    if "database" in request.fixturenames:
        url = request.getfixturevalue("database").url
    return Settings(database_url=url, data_folder=tmp_path / "var", secret_key=SecretStr("a secret of the tests only"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL cluster of this test process, with a migrated template database."""
    with running_postgres() as server:
        migrate(server.create(TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    path = tmp_path_factory.mktemp("template") / "amiable.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Each test that touches a database runs on both kinds."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database of this test alone."""
    if database_kind == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "amiable.db")
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = f"test_{next(database_numbers)}"
    yield server.create(name, template=TEMPLATE)
    server.drop(name)


@pytest.fixture
def database(database_kind: str, database_url: str) -> Iterator[Database]:
    """A migrated, empty database in which code under test may commit."""
    with opened(database_kind, database_url) as database:
        yield database


@pytest.fixture(scope="session")
def _shared_engines() -> Iterator[dict[str, Engine]]:
    engines: dict[str, Engine] = {}
    yield engines
    for engine in engines.values():
        engine.dispose()


def _shared_engine(request: pytest.FixtureRequest, kind: str) -> Engine:
    engines: dict[str, Engine] = request.getfixturevalue("_shared_engines")
    if kind not in engines:
        if kind == "sqlite":
            template: Path = request.getfixturevalue("sqlite_template")
            engines[kind] = create_engine(f"sqlite:///{shutil.copy(template, template.with_name('shared.db'))}")
        else:
            server: PostgresServer = request.getfixturevalue("postgres_server")
            engines[kind] = create_engine(server.create("shared", template=TEMPLATE))
    return engines[kind]


@pytest.fixture
def session(request: pytest.FixtureRequest, database_kind: str) -> Iterator[Session]:
    """A session in a migrated, empty database; all it does is rolled back. Quicker than `database`."""
    if "database" in request.fixturenames:
        pytest.fail("`session` and `database` are two databases: use database.transaction()")
    with rolled_back(_shared_engine(request, database_kind)) as session:
        yield session


@pytest.fixture
def queries() -> QueryRecorder:
    """Counts statements: `with queries: ...` then `assert queries.count == 3`."""
    return QueryRecorder()
