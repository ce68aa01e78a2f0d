"""The `amiable` command: one module a family of commands, loaded when one of them is called."""

import sys
from typing import ClassVar

import typer

from app.cli.lazy import LazyGroup
from app.core.errors import DomainError


class Commands(LazyGroup):
    """Their names as users type them, in the order of the help."""

    families: ClassVar = {
        "serve": "run",
        "work": "run",
        "migrate": "run",
        "user": "users",
        "token": "users",
        "erp": "erp",
        "mail": "mail",
        "demo": "demo",
        "eval": "evaluate",
        "train": "train",
        "rates": "rates",
        "bench": "bench",
        "webhook": "webhooks",
    }


app = typer.Typer(
    name="amiable",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _amiable() -> None:
    """Amiable: a receivables mailbox turned into worked cases."""


def main() -> None:
    """Run a command; an expected error is one clear line on standard error and exit code 1, never a traceback."""
    try:
        app()
    except DomainError as error:
        sys.stderr.write(f"amiable: {error.message}\n")
        raise SystemExit(1) from error
