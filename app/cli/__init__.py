"""The `amiable` command: one module a family of commands, each a Typer app registered here."""

import sys

import typer

from app.cli import bench, demo, erp, evaluate, mail, run, users, webhooks
from app.core.errors import DomainError

app = typer.Typer(
    name="amiable",
    help="Amiable: a receivables mailbox turned into worked cases.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for family in (run, users, erp, mail, demo, evaluate, bench, webhooks):
    family.register(app)


def main() -> None:
    """Run a command; an expected error is one clear line on standard error and exit code 1, never a traceback."""
    try:
        app()
    except DomainError as error:
        sys.stderr.write(f"amiable: {error.message}\n")
        raise SystemExit(1) from error
