"""Database: base class, column types, engines, and the only commit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    Select,
    TypeDecorator,
    bindparam,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy import create_engine as sqlalchemy_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import InvalidRequestError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.orm.util import identity_key

from app.core.errors import Unavailable
from app.core.turns import Turns

BigId = BigInteger().with_variant(Integer, "sqlite")
"""64-bit identity; SQLite only gives row ids to INTEGER PRIMARY KEY."""

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class NoDatabase(Unavailable):
    """The database cannot be reached or opened."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in UTC on both databases (SQLite stores no zone). Refuses naive ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; give SQLite the bare UTC time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r} reached the database")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Aware again."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ScaledDecimal(TypeDecorator[Decimal]):
    """Exact decimals as 64-bit integers: SQLite's NUMERIC is a float and would lose cents.

    `scale` decimals are kept; a finer value raises ValueError instead of being rounded in silence.
    """

    impl = BigInteger
    cache_ok = True

    def __init__(self, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self._unit = Decimal(1).scaleb(-scale)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Decimal to integer."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.scale)
        if scaled != int(scaled):
            raise ValueError(f"{value} has more than {self.scale} decimals")
        return int(scaled)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Integer (or PostgreSQL's NUMERIC sum of integers) to Decimal."""
        return None if value is None else Decimal(int(value)) * self._unit


Amount = ScaledDecimal(4)
"""Money in its currency's units; four decimals hold every ISO 4217 minor unit. Sums and comparisons work in SQL."""

Quantity = ScaledDecimal(6)
"""Quantities and unit prices, which are finer than money."""


class Base(DeclarativeBase):
    """Base of every table; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012 - SQLAlchemy's hook


def create_engine(url: str, *, pool_size: int = 10) -> Engine:
    """An engine for SQLite or PostgreSQL with the settings that lose nothing (security.md, S1)."""
    parsed = _with_driver(make_url(url))
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    # A plan for any value takes a third of all rows to be before "now" and reads them all: 80 ms for an idle sweep of
    # 100,000 cases instead of 1.5 (amiable bench progress).
    planned = {"options": "-c plan_cache_mode=force_custom_plan"}
    return sqlalchemy_engine(
        parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, connect_args=planned
    )


def _with_driver(url: URL) -> URL:
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    return url


_NEAR = ("mmap_size=1073741824", "cache_size=-32000")
"""A ledger of millions is read where the system keeps it: a look-up a third quicker than by copies of 2 MB at most."""


def _sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sqlalchemy_engine(url, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: object) -> None:
        # pysqlite's own transaction handling begins late and lost updates in trials: we emit BEGIN ourselves.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", *_NEAR):
            connection.execute(f"PRAGMA {pragma}")

    turns = Turns()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # Writers take the lock at once; a deferred transaction that upgrades later fails with SQLITE_BUSY.
        if connection.get_execution_options().get("read_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        connection.info["turn"] = turns.take()
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            _over(connection)
            raise

    @event.listens_for(engine, "commit")
    @event.listens_for(engine, "rollback")
    def _over(connection: Any) -> None:
        if connection.info.pop("turn", False):
            turns.give()

    return engine


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Sessions that keep loaded rows usable after the transaction."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: sessionmaker[Session], *, read_only: bool = False) -> Iterator[Session]:
    """One request, job step or command: everything or nothing. The only place that commits.

    Raises NoDatabase when the server cannot be reached.
    """
    session = sessions()
    try:
        if read_only:
            session.connection(execution_options={"read_only": True})
        yield session
        session.commit()
    except OperationalError as error:
        session.rollback()
        if session.get_bind().dialect.is_disconnect(error.orig, None, None) or _cannot_connect(error):  # type: ignore[arg-type] # orig is DBAPI's
            raise NoDatabase(f"The database cannot be reached: {_first_line(error)}") from error
        raise
    except BaseException:
        _let_go(session.rollback)
        raise
    finally:
        _let_go(session.close)


def _let_go(end: Callable[[], None]) -> None:
    """End a session. One that is given up while a thread still connects for it (a server that stops) ends with that."""
    with suppress(InvalidRequestError):
        end()


Row = TypeVar("Row", bound=Base)


def locked(session: Session, model: type[Row], key: Any) -> Row | None:
    """The row by its primary key of one column, to be changed: held until this transaction ends, and as it is now.

    Where somebody else held it, what was read before the wait is old: it is read again, changes of this transaction
    and loaded relations are kept. None where there is no such row.
    """
    known = session.identity_map.get(identity_key(model, key))
    if known is None:
        found: Row | None = session.scalar(_for_change(model), {"key": key})
        return found
    session.flush()
    session.refresh(known, [column.key for column in inspect(model).column_attrs], with_for_update=True)
    return known


@cache
def _for_change(model: type[Base]) -> Select[Any]:
    (key,) = inspect(model).primary_key
    return select(model).where(key == bindparam("key")).with_for_update()


def one_at_a_time(session: Session, what: str) -> None:
    """Wait until no other transaction does the same, and keep the others waiting until this one ends.

    For decisions that look at what others may be writing at this moment, such as "is there a case for this mail?".
    SQLite has one writer anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext(what))))


def _cannot_connect(error: OperationalError) -> bool:
    words = str(error.orig).lower()
    return any(word in words for word in ("connection", "unable to open", "starting up", "shutting down", "is locked"))


def _first_line(error: OperationalError) -> str:
    return str(error.orig).splitlines()[0] if str(error.orig) else "no reason given"
