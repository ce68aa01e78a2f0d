"""Runs migrations on the engine it is given (`config.attributes`) or on AMIABLE_DATABASE_URL."""

from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, Connection

from app.core.db import ScaledDecimal, UtcDateTime, create_engine
from app.core.settings import Settings
from app.models import metadata

ENGINE_TABLES = (
    "application_versions",
    "dbos_",
    "event_dispatch",
    "notifications",
    "operation_outputs",
    "queues",
    "streams",
    "workflow_",
)
"""DBOS keeps its own tables in our database and migrates them itself: prefixes left out of autogenerate."""


def ours(_object: object, name: str | None, kind: str, reflected: bool, _compare_to: object) -> bool:
    """Whether Alembic should look at this object: everything but the job engine's tables."""
    return not (kind == "table" and reflected and name is not None and name.startswith(ENGINE_TABLES))


def rendered(kind: str, value: object, autogen: AutogenContext) -> str | Literal[False]:
    """Our column types as plain ones: a migration must not change when the code of a type does."""
    if kind == "type" and isinstance(value, ScaledDecimal):
        return "sa.BigInteger()"
    if kind == "type" and isinstance(value, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(value, JSON):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def run(connection: Connection) -> None:
    """Migrate over one connection, in one transaction; SQLite alters tables by copying them."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=ours,
        render_item=rendered,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


connection = context.config.attributes.get("connection")
if connection is not None:
    run(connection)
else:
    with create_engine(Settings().database_url).begin() as opened:
        run(opened)
