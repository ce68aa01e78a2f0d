"""amiable mail: what is done with mails by hand."""

from typing import ClassVar

import typer

from app.cli.lazy import LazyGroup


class MailCommands(LazyGroup):
    """Bringing mail in, and looking at what is read of it."""

    families: ClassVar = {"import": "mail_import", "parse": "mail_parse"}


mail = typer.Typer(help="Mail in.", cls=MailCommands, no_args_is_help=True)


@mail.callback()
def _mail() -> None:
    """Mail in."""


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.add_typer(mail, name="mail")
