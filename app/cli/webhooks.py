"""amiable webhook add, amiable webhook stop."""

from typing import Annotated

import typer

from app.cli.context import open_sessions, print_result, read_settings
from app.core import db
from app.core.clock import system_clock
from app.core.events import system
from disputes.actions import webhooks as actions

webhooks = typer.Typer(help="Systems that are told of changes of dispute status.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.add_typer(webhooks, name="webhook")


@webhooks.command("add")
def add_webhook(
    url: str,
    entity: Annotated[str | None, typer.Option(help="Limit to one entity")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Have changes sent to an address. The secret that signs them is shown once."""
    with db.transaction(open_sessions(read_settings())) as session:
        hook = actions.add(session, url=url, entity_code=entity, actor=system("cli"), now=system_clock())
        print_result({"id": hook.id, "url": hook.url, "secret": hook.secret}, as_json=as_json)


@webhooks.command("stop")
def stop_webhook(webhook_id: int) -> None:
    """Send nothing to a webhook any more."""
    with db.transaction(open_sessions(read_settings())) as session:
        actions.stop(session, webhook_id=webhook_id, actor=system("cli"), now=system_clock())
