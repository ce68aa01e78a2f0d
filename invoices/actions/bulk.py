"""Many rows at once, on both databases: reserved ids, inserts, updates, removal of parts.

Row by row through the ORM a million invoices take an hour. PostgreSQL is given its rows by COPY, SQLite by
executemany; both past SQLAlchemy's types (rows.py has the stored form already). SQL is made of our own table and
column names only.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Connection, Select, String, Table, func, literal, select, text, true
from sqlalchemy.orm import Session

Rows = Sequence[tuple[Any, ...]]

_LEDGER_LOCK = 0x616D6961626C65
"""Our number among PostgreSQL's advisory locks ("amiable" in ASCII)."""


def lock_ledger(session: Session) -> None:
    """One writer of the ledger at a time: PostgreSQL waits here, SQLite did when the transaction began."""
    if _is_postgres(session):
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LEDGER_LOCK})


def reserve_ids(session: Session, table: Table, count: int) -> Sequence[int]:
    """Identities for `count` new rows, so that their parts can be written in the same breath. Needs the lock."""
    if not count:
        return ()
    if _is_postgres(session):
        taken = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
        return session.scalars(taken, {"name": table.name, "count": count}).all()
    last: int = session.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0
    return range(last + 1, last + 1 + count)


def insert(session: Session, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """Add rows given as tuples of stored values."""
    if not rows:
        return
    connection = session.connection()
    names = ", ".join(columns)
    if _is_postgres(session):
        _copy(connection, f"COPY {table.name} ({names}) FROM STDIN", rows)
        return
    marks = ", ".join("?" * len(columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))


def update(session: Session, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """Set columns of rows by id; each tuple holds the columns' values, then the id."""
    if not rows:
        return
    mark = "%s" if _is_postgres(session) else "?"
    settings = ", ".join(f"{column} = {mark}" for column in columns)
    session.connection().exec_driver_sql(f"UPDATE {table.name} SET {settings} WHERE id = {mark}", list(rows))


def remove_parts(session: Session, table: Table, parent: str, ids: Sequence[int]) -> None:
    """Delete the rows of a child table that belong to `ids`."""
    if ids:
        session.execute(table.delete().where(table.c[parent].in_(ids)))


def with_keys(
    session: Session, columns: Sequence[ColumnElement[Any]], key: ColumnElement[str], keys: Sequence[str], scope: int
) -> Select[Any]:
    """
    The rows of a table whose `key` is one of many, within the entity `scope` (0 for entities themselves).

    PostgreSQL looks each key up in a lateral subquery: without statistics, as on the day of the first load, it takes
    one entity for a handful of rows and compares all of them with every key (tried: eight times the whole import).
    """
    if _is_postgres(session):
        wanted = func.unnest(literal(list(keys), ARRAY(String))).table_valued("key", name="wanted").render_derived()
        row = _within(select(*columns).where(key == wanted.c.key), key, scope).limit(1).lateral("row")
        return select(row).select_from(wanted.join(row, true()))
    return _within(select(*columns).where(key.in_(keys)), key, scope)


def _within(query: Select[Any], key: ColumnElement[str], scope: int) -> Select[Any]:
    return query.where(key.table.c.entity_id == scope) if scope else query


def _copy(connection: Connection, statement: str, rows: Rows) -> None:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
