"""The schema brought to its newest version by the migrations."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

ROOT = Path(__file__).parents[2]


def migrations() -> Config:
    """Alembic's configuration, wherever the program was started."""
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "alembic"))
    return config


def upgrade(engine: Engine, *, revision: str = "head") -> None:
    """Bring a database up to a revision, all steps in one transaction: Alembic's, the one beside app.core.db's own."""
    config = migrations()
    with rebuilding(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


@contextmanager
def rebuilding(engine: Engine) -> Iterator[Connection]:
    """A transaction in which tables may be rebuilt. Raises IntegrityError when it would leave a dangling reference.

    SQLite alters a table by copying it and dropping the old one, which its foreign keys forbid; they are off for the
    while (a pragma that only works outside a transaction) and checked as a whole before the commit.
    """
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None  # noqa: S101 - an open connection has its driver's
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                _check_references(connection)
        finally:
            raw.execute("PRAGMA foreign_keys=ON")


def _check_references(connection: Connection) -> None:
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if dangling is not None:
        words = f"row {dangling[1]} of {dangling[0]} refers to nothing in {dangling[2]}"
        raise IntegrityError("PRAGMA foreign_key_check", None, ValueError(words))
