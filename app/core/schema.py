"""The schema brought to its newest version by the migrations."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

ROOT = Path(__file__).parents[2]


def migrations() -> Config:
    """Alembic's configuration, wherever the program was started."""
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "alembic"))
    return config


def upgrade(engine: Engine, *, revision: str = "head") -> None:
    """Bring a database up to a revision, all steps in one transaction: Alembic's, the one beside app.core.db's own."""
    config = migrations()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
