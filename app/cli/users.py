"""amiable user add, amiable token add."""

from typing import Annotated

import typer

from app import auth
from app.cli.context import open_sessions, print_result, read_settings
from app.core import db
from app.core.clock import system_clock
from app.core.events import system

users = typer.Typer(help="People who sign in.", no_args_is_help=True)
tokens = typer.Typer(help="Keys for machines that call the API.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.add_typer(users, name="user")
    app.add_typer(tokens, name="token")


@users.command("add")
def add_user(
    email: str,
    *,
    name: Annotated[str, typer.Option(help="As colleagues see it")],
    role: Annotated[str, typer.Option(help="agent, owner, lead or admin")] = "agent",
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)] = "",
    language: Annotated[str | None, typer.Option(help="en or fr")] = None,
    entity: Annotated[list[str] | None, typer.Option(help="Limit to these entities; repeatable")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Add a user who can sign in at once."""
    with db.transaction(open_sessions(read_settings())) as session:
        user = auth.add_user(
            session,
            email=email,
            name=name,
            role=role,
            password=password,
            language=language,
            entities=tuple(entity or ()),
            actor=system("cli"),
            now=system_clock(),
        )
        session.flush()
        print_result({"id": user.id, "email": user.email, "role": user.role}, as_json=as_json)


@tokens.command("add")
def add_token(
    name: str,
    scope: Annotated[list[str], typer.Option(help=f"{', '.join(auth.SCOPES)}; repeatable")],
    entity: Annotated[str | None, typer.Option(help="Limit to one entity")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Make an API token. The secret is shown once and cannot be read again."""
    with db.transaction(open_sessions(read_settings())) as session:
        secret = auth.add_token(
            session, name=name, scopes=tuple(scope), entity=entity, actor=system("cli"), now=system_clock()
        )
        print_result({"name": name, "token": secret, "scopes": ", ".join(scope)}, as_json=as_json)
