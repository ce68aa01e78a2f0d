"""Databases for tests: built once by the migrations, then copied or rolled back for each test."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker

from app.core.db import create_engine, session_factory, transaction
from app.core.schema import upgrade
from app.workflows import runtime


@dataclass(frozen=True)
class Database:
    """A migrated, empty database of one test. Code under test may commit in it."""

    kind: str
    url: str
    engine: Engine
    sessions: sessionmaker[Session]

    def transaction(self, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """A session that commits at the end of the block, as the edge does."""
        return transaction(self.sessions, read_only=read_only)


class QueryRecorder:
    """Keeps the SQL statements sent by any engine inside its `with` block, transactions' own left out."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    @property
    def count(self) -> int:
        """How many statements were sent."""
        return len(self.statements)

    def __enter__(self) -> Self:
        self.statements = []
        event.listen(Engine, "before_cursor_execute", self._keep)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        event.remove(Engine, "before_cursor_execute", self._keep)

    def _keep(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA")):
            self.statements.append(statement)


def migrate(url: str) -> None:
    """Bring a database to what `amiable migrate` leaves: the newest revision and the job engine's own tables."""
    engine = create_engine(url)
    upgrade(engine)
    runtime.migrate(engine)
    engine.dispose()


@contextmanager
def opened(kind: str, url: str) -> Iterator[Database]:
    """The database at an address, its connections closed at the end."""
    engine = create_engine(url)
    try:
        yield Database(kind, url, engine, session_factory(engine))
    finally:
        engine.dispose()


@contextmanager
def rolled_back(engine: Engine) -> Iterator[Session]:
    """A session whose every change is undone at the end; commits inside become savepoints."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, expire_on_commit=False, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()
