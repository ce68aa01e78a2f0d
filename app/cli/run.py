"""amiable migrate: the schema to the newest version."""

import typer
from alembic import command

from app.cli.context import alembic_config, open_engine, read_settings


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("migrate")(migrate)


def migrate() -> None:
    """Bring the database schema to the newest version."""
    config = alembic_config()
    with open_engine(read_settings()).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
