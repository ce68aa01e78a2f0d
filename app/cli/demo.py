"""amiable demo: the demo company."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli.context import open_sessions, print_result, read_settings
from app.core import db
from app.core.clock import system_clock
from app.core.settings import Settings
from app.demo.load import is_wanted, load
from app.demo.people import PASSWORD, PEOPLE
from app.workflows.intake import build_tools


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("demo")(demo)


def demo(
    *,
    if_empty: Annotated[bool, typer.Option(help="Do nothing when the database is in use")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Load the demo company: a cookware maker, 200 accounts, 3,000 invoices, 400 mails of the last weeks."""
    settings = read_settings()
    sessions = open_sessions(settings)
    with db.transaction(sessions, read_only=True) as session:
        wanted = is_wanted(session)
    if wanted or not if_empty:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            step = bar.add_task("Demo company")
            load(
                sessions,
                tools=build_tools(settings),
                now=system_clock(),
                progress=lambda done, total: bar.update(step, completed=done, total=total),
            )
    print_result(_how_to_sign_in(settings, loaded=wanted), as_json=as_json)


def _how_to_sign_in(settings: Settings, *, loaded: bool) -> dict[str, str]:
    agent, lead = PEOPLE[0][0], next(email for email, _, role, _ in PEOPLE if role == "lead")
    return {
        "demo": "loaded" if loaded else "kept as it is",
        "address": settings.public_url,
        "sign in": f"{agent} (or {lead}), password {PASSWORD}",
    }
