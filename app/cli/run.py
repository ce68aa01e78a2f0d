"""amiable serve, work, migrate: the running program and the schema of its database."""

import os
import sys
from signal import SIGINT, SIGTERM, signal
from threading import Event
from typing import Annotated

import typer

from app.cli import serving
from app.cli.context import open_engine, read_settings
from app.core import schema
from app.worker import real_context, work
from app.workflows import runtime


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("serve")(serve)
    app.command("work")(work_only)
    app.command("migrate")(migrate)


def serve(
    *,
    web_only: Annotated[bool, typer.Option("--web-only", help="No worker here; run `amiable work` elsewhere")] = False,
    host: Annotated[str | None, typer.Option(help="Address to listen on")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on")] = None,
) -> None:
    """Serve the web pages and the API; the background work is done in the same process."""
    given = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    settings = read_settings().model_copy(update=given)
    stopping = _stopping_on_signals()
    idle = serving.serve(settings, open_engine(settings), stopping=stopping, with_worker=not web_only)
    _leave(idle=idle)


def work_only() -> None:
    """Do the background work only: mail in, mail out, sweeps. As many as you like on PostgreSQL, one on SQLite."""
    settings = read_settings()
    database, stopping = open_engine(settings), _stopping_on_signals()
    _leave(idle=work(database, lambda: real_context(settings, database, stopping), stopping=stopping))


def migrate() -> None:
    """Bring the database schema to the newest version, the job engine's own tables included."""
    database = open_engine(read_settings())
    schema.upgrade(database)
    runtime.migrate(database)


def _stopping_on_signals() -> Event:
    stopping = Event()
    for number in (SIGINT, SIGTERM):
        signal(number, lambda *_: stopping.set())
    return stopping


def _leave(*, idle: bool) -> None:
    """End at once when a job still hangs on some server: Python would wait for its thread, and its rows are safe."""
    sys.stdout.flush()
    sys.stderr.flush()
    if not idle:
        os._exit(0)
