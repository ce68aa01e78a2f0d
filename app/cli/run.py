"""amiable migrate: the schema to the newest version."""

import typer

from app.cli.context import open_engine, read_settings
from app.core import schema
from app.workflows import runtime


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("migrate")(migrate)


def migrate() -> None:
    """Bring the database schema to the newest version, the job engine's own tables included."""
    database = open_engine(read_settings())
    schema.upgrade(database)
    runtime.migrate(database)
