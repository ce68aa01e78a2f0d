"""amiable mail import: .eml, mbox and Maildir through the mailroom."""

import sys
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app.cli.context import open_engine, print_result, read_settings
from app.connectors.mail_files import MailFiles, find_mail_files
from app.core import heap
from app.core.errors import DomainError
from app.workflows import runtime
from app.workflows.assembly import context_of, storing_context
from app.workflows.mail_import import MailImport

TOTALS = ("mails", "new", "duplicates", "worked", "quarantined")


class Stopped(DomainError):
    """The user stopped an import; what is done is kept."""


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("import")(import_mails)


def import_mails(
    paths: Annotated[list[Path], typer.Argument(help=".eml files, mbox files, Maildir folders, folders of them")],
    mailbox: Annotated[str | None, typer.Option(help="Name or address of the mailbox they came to")] = None,
    *,
    wait: Annotated[bool, typer.Option(help="Work the mails here; --no-wait leaves them to the workers")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table")] = False,
) -> None:
    """Bring mails in. May be stopped and repeated: what is there already is left as it is."""
    settings = read_settings()
    found = find_mail_files(paths)
    database = open_engine(settings)
    context = context_of(settings, database, worker="import") if wait else storing_context(settings, database)
    heap.settle()
    started = perf_counter()
    totals = run_import(MailImport(context, mailbox, wait), found, batch=settings.intake.batch)
    runtime.nudge(database, "send")
    print_result(_summary(totals, found, perf_counter() - started), as_json=as_json)


def run_import(work: MailImport, found: MailFiles, *, batch: int) -> dict[str, int]:
    """Take all mails in, a batch at a time, with a progress bar. Raises Stopped when the user interrupts."""
    with _progress() as progress:
        bar = progress.add_task("Mail", total=found.size)
        mails = found.mails()
        try:
            while portion := list(islice(mails, batch)):
                work.take(portion)
                progress.advance(bar, sum(one.consumed for one in portion))
        except KeyboardInterrupt as error:
            done = work.totals["mails"]
            raise Stopped(f"Stopped: {done} mails are in. Run the same command again for the rest.") from error
    return {name: work.totals[name] for name in TOTALS}


def _summary(totals: dict[str, int], found: MailFiles, seconds: float) -> dict[str, Any]:
    speed = {"seconds": round(seconds, 2), "mails_per_s": round(totals["mails"] / seconds, 1) if seconds else 0}
    passed_over = {"passed_over": [str(file) for file in found.passed_over]} if found.passed_over else {}
    return {**totals, **speed, **passed_over}


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())
