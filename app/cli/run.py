"""amiable migrate: the schema to the newest version."""

import typer
from alembic import command

from app.cli.context import alembic_config, open_engine, read_settings
from app.workflows import runtime


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("migrate")(migrate)


def migrate() -> None:
    """Bring the database schema to the newest version, the job engine's own tables included."""
    config = alembic_config()
    database = open_engine(read_settings())
    with database.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    runtime.migrate(database)
