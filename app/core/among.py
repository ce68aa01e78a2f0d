"""Look-ups by many keys as one statement whose text never changes: built, compiled and planned once, however many.

SQLAlchemy's expanding IN writes a mark for each value, so every count of values is a statement of its own: rewritten
by us and planned anew by the database, which costs more than the look-up (`amiable bench match`).
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


def among(column: ColumnElement[Any] | InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """That `column` is one of the values (any sequence, none of them NULL) given as parameter `name`."""
    return column.bool_op("IN")(_Values(bindparam(name, type_=_Many(column.type))))


class _Values(FunctionElement[Any]):
    """The values of one parameter as the rows of a subquery, in each database's own words."""

    inherit_cache = True
    name = "values_of"


@compiles(_Values, "sqlite")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore] # SQLAlchemy leaves it untyped
def _of_json(element: _Values, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"


@compiles(_Values, "postgresql")  # type: ignore[no-untyped-call,untyped-decorator,unused-ignore] # SQLAlchemy leaves it untyped
def _of_array(element: _Values, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}))"


class _Many(TypeDecorator[Sequence[Any]]):
    """Several values of one type as a single parameter: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The type the parameter has on the wire."""
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        """PostgreSQL's array converts each value itself; in JSON they stand as the column stores them."""
        if value is None or dialect.name == "postgresql":
            return value if value is None else list(value)
        stored = _as_stored(self.item, dialect)
        return json.dumps([stored(each) for each in value] if stored else list(value))


def _as_stored(item: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    return item.dialect_impl(dialect).bind_processor(dialect)
