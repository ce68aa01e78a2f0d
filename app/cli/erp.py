"""amiable erp import: ledger files through the code of an ERP push."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Annotated, Any, BinaryIO, Self, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session, sessionmaker

from app.cli.context import open_engine, print_result, read_settings
from app.connectors.erp import Raw, entities_in, push_rows, read_documents
from app.connectors.erp_csv import Opener, read_csv, sheet_of
from app.connectors.erp_processes import prepare_batches, processes_for
from app.core import db
from app.core.clock import system_clock
from app.core.errors import BadInput, DomainError, NotFound
from app.core.events import Actor, system
from app.core.settings import Limits
from app.workflows import runtime
from app.workflows.ledger_sync import ask_for_rechecks
from invoices import actions
from invoices.actions import STATUSES, Outcome, Row
from invoices.feed import Refused

erp = typer.Typer(help="The ledger, as the ERP tells it.", no_args_is_help=True)

COMMIT_EVERY = 10_000
"""Documents a transaction: each commit waits for the disk, and each writes the pages of all indexes again."""

SHOW_EVERY = 500

FORMATS = (".json", ".ndjson", ".jsonl", ".csv")


class UnknownFormat(BadInput):
    """A file whose ending names no format we read."""


class Stopped(DomainError):
    """The user stopped an import; what is done is kept."""


@dataclass(frozen=True)
class Source:
    """A file, or CSV files that belong together, as documents. `entities` are in a first pass, as CSV needs none."""

    name: str
    size: int
    documents: Callable[[Opener], Iterator[Raw]]
    entities: Callable[[date], Mapping[int, Row | Refused]]


class Importer:
    """Writes prepared batches, several of them a transaction: what is committed stays when the import is stopped."""

    def __init__(self, sessions: sessionmaker[Session], push_id: int, actor: Actor, now: datetime) -> None:
        self._sessions, self._push_id, self._actor, self._now = sessions, push_id, actor, now
        self._transaction = ExitStack()
        self._session: Session | None = None
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transaction.__exit__(kind, error, trace)

    def write(self, rows: Sequence[Row | Refused]) -> list[Outcome]:
        """Bring one batch into the ledger."""
        session = self._session or self._transaction.enter_context(db.transaction(self._sessions))
        self._session = session
        outcomes = actions.write_batch(session, rows=rows, push_id=self._push_id, actor=self._actor, now=self._now)
        accounts = actions.changed(outcomes).accounts
        ask_for_rechecks(session, account_ids=accounts, enqueue=runtime.enqueue)
        self._written += len(rows)
        if self._written >= COMMIT_EVERY:
            self._transaction.close()
            self._session, self._written = None, 0
        return outcomes


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.add_typer(erp, name="erp")


@erp.callback()
def _group() -> None:
    """Keep `erp import` a subcommand while it is the only one."""


@erp.command("import")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="JSON, NDJSON or CSV; CSV files that belong together in one go")],
    type_: Annotated[
        str | None, typer.Option("--type", help="What a CSV file holds, where its name does not say")
    ] = None,
    refused: Annotated[Path | None, typer.Option(help="Where the refused rows go [NAME.refused.ndjson]")] = None,
    *,
    strict: Annotated[bool, typer.Option(help="Exit with 1 when a row was refused")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table")] = False,
) -> None:
    """Bring ledger files in. May be stopped and repeated: what is there already is left as it is."""
    settings = read_settings()
    sources = sources_of(files, type_, settings.limits)
    report = refused or Path(f"{files[0].stem}.refused.ndjson")
    engine = open_engine(settings)
    try:
        result = run_import(db.session_factory(engine), sources, report=report, batch=settings.limits.push_batch)
    finally:
        engine.dispose()
    print_result(result, as_json=as_json)
    if strict and result["refused"]:
        raise typer.Exit(1)


def sources_of(files: Sequence[Path], type_: str | None, limits: Limits) -> list[Source]:
    """The files as sources, CSV files as one. Raises NotFound, UnknownFormat or BadCsv before anything is written."""
    for path in files:
        if not path.is_file():
            raise NotFound(f"{path}: there is no such file")
        if path.suffix.lower() not in FORMATS:
            raise UnknownFormat(f"{path}: the name must end in one of {', '.join(FORMATS)}")
    sheets = {path: sheet_of(path, type_) for path in files if path.suffix.lower() == ".csv"}
    others = [_stream_source(path, limits) for path in files if path not in sheets]
    return [*([_csv_source(sheets)] if sheets else []), *others]


def _csv_source(sheets: Mapping[Path, str]) -> Source:
    """Their kinds give the order: entities come first by themselves."""
    names, size = ", ".join(path.name for path in sheets), _size(sheets)
    return Source(names, size, lambda open_file: read_csv(sheets, open_file), lambda _today: {})


def _stream_source(path: Path, limits: Limits) -> Source:
    ndjson = path.suffix.lower() != ".json"

    def documents(open_file: Opener) -> Iterator[Raw]:
        with open_file(path) as stream:
            yield from read_documents(stream, ndjson=ndjson, limit=limits.document_bytes)

    return Source(path.name, _size([path]), documents, lambda today: entities_in(documents(_open), today))


def _size(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


def run_import(
    sessions: sessionmaker[Session], sources: Sequence[Source], *, report: Path, batch: int
) -> dict[str, Any]:
    """Import the sources as one push: counts, seconds, and where the refused rows are (`report`, made when needed)."""
    started, now, actor = perf_counter(), system_clock(), system("import")
    with db.transaction(sessions) as session:
        push_id = actions.begin(session, actor=actor, now=now).id
    with _progress() as progress, _Report(report) as refusals:
        reading = _Reading(progress, sum(source.size for source in sources))
        with Importer(sessions, push_id, actor, now) as importer:
            outcomes = _outcomes(importer, sources, reading.open, batch=batch, today=now.date())
            counts = _counted(outcomes, refusals, reading)
    with db.transaction(sessions) as session:
        actions.finish(session, push_id=push_id, counts=counts, actor=actor, now=now)
    return _summary(counts, perf_counter() - started, report)


def _outcomes(
    importer: Importer, sources: Sequence[Source], open_file: Opener, *, batch: int, today: date
) -> Iterator[tuple[str, int, Outcome]]:
    """Each document's file, place in it, and outcome."""
    for source in sources:
        early = source.entities(today)
        raws = actions.batches(source.documents(open_file), batch)
        prepared = prepare_batches(raws, today=today, processes=processes_for(source.size))
        for place, outcome in enumerate(push_rows(prepared, importer.write, early=early)):
            yield source.name, place, outcome


def _counted(outcomes: Iterator[tuple[str, int, Outcome]], refusals: "_Report", reading: "_Reading") -> dict[str, int]:
    counts: Counter[str] = Counter()
    try:
        for name, place, outcome in outcomes:
            counts[outcome.status] += 1
            if place % SHOW_EVERY == 0:
                reading.show()
            if outcome.status == "refused":
                refusals.add(name, place, outcome)
    except KeyboardInterrupt as error:
        raise Stopped(
            "Stopped. What was committed is kept: run the same command again to bring in the rest."
        ) from error
    return {status: counts[status] for status in STATUSES}


def _summary(counts: Mapping[str, int], seconds: float, report: Path) -> dict[str, Any]:
    documents = sum(counts.values())
    speed = {"seconds": round(seconds, 2), "docs_per_s": round(documents / seconds) if seconds else 0}
    where = {"refused_rows": str(report)} if counts["refused"] else {}
    return {"documents": documents, **counts, **speed, **where}


class _Report:
    """The refused rows, one JSON object a line; the file is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_error: object) -> None:
        if self._file:
            self._file.close()

    def add(self, source: str, place: int, outcome: Outcome) -> None:
        """Write one refused row down: its file, its place from 1, who it is and what is wrong."""
        self._file = self._file or self._path.open("w", encoding="utf-8")
        row = {"file": source, "document": place + 1, **outcome.as_answer()}
        self._file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty())


class _Reading:
    """The files being read, and how far all of them together are."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("Ledger", total=total)
        self._files: list[tuple[BinaryIO, int]] = []

    def open(self, path: Path) -> BinaryIO:
        """Open a file whose reading counts."""
        file = path.open("rb")
        self._files.append((file, path.stat().st_size))
        return file

    def show(self) -> None:
        """Move the bar."""
        done = sum(size if file.closed else file.tell() for file, size in self._files)
        self._progress.update(self._task, completed=done)
