"""amiable bench NAME: benchmarks with their peers side by side."""

import json
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.core.errors import NotFound
from benchmarks.registry import BENCHES
from benchmarks.report import Options, Report

POSTGRES_VARIABLE = "AMIABLE_BENCH_POSTGRES"


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("bench")(bench)


def bench(
    name: Annotated[str, typer.Argument(help=", ".join(BENCHES))],
    size: Annotated[
        int | None, typer.Option(min=1, help="How much; each benchmark has its own unit and default")
    ] = None,
    database: Annotated[
        str | None, typer.Option(help=f"An empty PostgreSQL database [{POSTGRES_VARIABLE}, else one is started]")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table")] = False,
) -> None:
    """Measure beside the peers, on this machine."""
    if name not in BENCHES:
        raise NotFound(f"There is no benchmark {name!r}: {', '.join(BENCHES)}")
    found = BENCHES[name]
    with TemporaryDirectory(prefix="amiable-bench-") as folder:
        url = database or os.environ.get(POSTGRES_VARIABLE)
        report = found.run(Options(size or found.size, url, Path(folder)))
    if as_json:
        sys.stdout.write(json.dumps(report.as_object()) + "\n")
    else:
        show(report, found.about)


_MOST_COLUMNS = 6


def show(report: Report, about: str) -> None:
    """The report for people: a row a metric, so that many metrics and long names of peers fit a terminal.

    Where there are many rows, all but the first (a profile) stand below one another, with what each of them has.
    """
    console = Console()
    told = report.rows if len(report.rows) <= _MOST_COLUMNS else report.rows[:1]
    table = Table("", *(str(row["subject"]) for row in told), title=f"{report.bench}: {about}")
    for metric in dict.fromkeys(key for row in told for key in row if key != "subject"):
        table.add_row(metric, *(_cell(row.get(metric, "")) for row in told))
    console.print(table)
    for row in report.rows[len(told) :]:
        console.print("  ".join(f"{name} {_cell(value)}" for name, value in row.items() if name != "subject"), end="  ")
        console.print(str(row["subject"]).strip(), highlight=False)
    console.print(f"size  {report.size:,}")
    for name, value in report.ratios.items():
        console.print(f"{name}  {value:g}")


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) else str(value)
