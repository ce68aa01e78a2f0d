"""The databases a benchmark runs on: a SQLite file of its own, and a PostgreSQL given or started for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, inspect

from app.core import db
from app.core.errors import BadInput
from app.models import metadata
from benchmarks.postgres import running_postgres
from benchmarks.report import Options
from invoices.models import Invoice


def databases(options: Options) -> Iterator[tuple[str, str]]:
    """Name and address of each, empty. Raises BadInput for a given one that is not, NoPostgres without any."""
    yield "sqlite", f"sqlite:///{options.folder / 'bench.db'}"
    if options.database:
        _refuse_if_used(options.database)
        yield "postgres", options.database
        return
    with running_postgres() as url:
        yield "postgres", url


def _refuse_if_used(url: str) -> None:
    """A benchmark ends by dropping its tables: not those of somebody at work."""
    engine = db.create_engine(url)
    used = inspect(engine).has_table(Invoice.__tablename__)
    engine.dispose()
    if used:
        raise BadInput("The database given to the benchmark is not empty: give it one of its own")


@contextmanager
def fresh(url: str) -> Iterator[Engine]:
    """A database with the schema and not a row, and without both at the end."""
    engine = db.create_engine(url)
    metadata.create_all(engine)
    try:
        yield engine
    finally:
        _leave_nothing(engine)


def _leave_nothing(engine: Engine) -> None:
    """SQLite would look row by row for others that point to what is dropped, minutes for many cases: the file goes."""
    if engine.dialect.name != "sqlite":
        metadata.drop_all(engine)
    engine.dispose()
    if engine.dialect.name == "sqlite":
        for end in ("", "-wal", "-shm"):
            Path(f"{engine.url.database}{end}").unlink(missing_ok=True)
