"""amiable eval: a corpus through the same code as real mail, one prediction a message."""

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload, sessionmaker

from app.cli.context import print_result, read_settings
from app.cli.erp import run_import, sources_of
from app.cli.folds import Fold, Learned, Trials, fold_of, learn, shipped
from app.core import db, schema
from app.core.blobs import BlobStore, FolderStore
from app.core.errors import BadInput, Conflict, NotFound
from app.core.settings import Settings
from app.workflows.intake import Tools, build_tools, work_message
from disputes.actions.intake import receive
from disputes.identity import sent_at
from disputes.models import Link, Message


class NoCorpus(NotFound):
    """The folder holds no corpus."""


class UsedDatabase(Conflict):
    """The database is not fresh: what is in it would change the figures."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One file of the corpus, with its date: the feed is in that order."""

    name: str
    raw: bytes
    at: datetime


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("eval")(evaluate)


def evaluate(
    folder: Annotated[Path, typer.Argument(help="A folder with ledger.json and emails/*.eml")],
    predictions: Annotated[Path, typer.Option(help="Where the predictions go, one JSON object a line")],
    folds: Annotated[int, typer.Option(help="Train without each part's accounts (needs labels.jsonl)")] = 0,
    database: Annotated[str | None, typer.Option(help="An empty database [a temporary SQLite file]")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table")] = False,
) -> None:
    """Run a corpus through ledger push and mailroom and write what was made of each mail."""
    if folds == 1 or folds < 0:
        raise BadInput("--folds takes 2 or more; leave it out to use what ships", fields={"folds": "too few"})
    mails = read_corpus(folder)
    started = perf_counter()
    with tempfile.TemporaryDirectory(prefix="amiable-eval-") as scratch:
        settings = _settings(read_settings(), Path(scratch), database)
        learned = _learn(folder, mails, folds, settings)
        with ledger(settings, folder) as sessions:
            rows = run(sessions, mails, settings, learned=learned, folds=folds)
    predictions.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    seconds = round(perf_counter() - started, 1)
    print_result({"mails": len(rows), "predictions": str(predictions), "seconds": seconds}, as_json=as_json)


def read_corpus(folder: Path) -> list[Mail]:
    """The mails of a corpus in order of date. Raises NoCorpus."""
    files = sorted((folder / "emails").glob("*.eml"))
    if not files or not (folder / "ledger.json").is_file():
        raise NoCorpus(f"{folder}: a corpus has ledger.json and emails/*.eml")
    mails = [Mail(path.name, raw, sent_at(raw) or _EPOCH) for path in files for raw in (path.read_bytes(),)]
    return sorted(mails, key=lambda mail: (mail.at, mail.name))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _settings(settings: Settings, scratch: Path, database: str | None) -> Settings:
    """The operator's settings on a database and folder of this run alone; trained models stay where they are kept."""
    url = database or f"sqlite:///{scratch / 'eval.db'}"
    return settings.model_copy(update={"database_url": url})


def _learn(folder: Path, mails: Sequence[Mail], folds: int, settings: Settings) -> Learned:
    """What each fold learns; the weights of matching are fitted on a database of their own."""
    if not folds:
        return shipped(mails)
    with trials_of(folder, settings) as trials:
        return learn(folder, mails, folds, trials)


@contextmanager
def trials_of(folder: Path, settings: Settings) -> Iterator[Trials]:
    """A database and folder of their own with the corpus' ledger, to fit weights of matching on."""
    with tempfile.TemporaryDirectory(prefix="amiable-trials-") as scratch:
        own = settings.model_copy(update={"database_url": f"sqlite:///{scratch}/trials.db"})
        with ledger(own, folder) as sessions:
            yield Trials(sessions, own, FolderStore(Path(scratch) / "blobs"))


@contextmanager
def ledger(settings: Settings, folder: Path) -> Iterator[sessionmaker[Session]]:
    """A migrated database with the corpus' ledger, loaded as an ERP push is. Raises UsedDatabase when mail is in it."""
    engine = db.create_engine(settings.database_url)
    try:
        schema.upgrade(engine)
        sessions = db.session_factory(engine)
        with db.transaction(sessions, read_only=True) as session:
            if session.scalar(select(Message.id).limit(1)) is not None:
                raise UsedDatabase("The database holds mail already; give an empty one")
        sources = sources_of([folder / "ledger.json"], None, settings.limits)
        with tempfile.TemporaryDirectory() as scratch:
            run_import(sessions, sources, report=Path(scratch) / "refused.ndjson", batch=settings.limits.push_batch)
        yield sessions
    finally:
        engine.dispose()


def run(
    sessions: sessionmaker[Session],
    mails: Sequence[Mail],
    settings: Settings,
    *,
    learned: Learned,
    folds: int,
) -> list[dict[str, Any]]:
    """Feed the mails in their order through the mailroom; the predictions, in that order."""
    with tempfile.TemporaryDirectory(prefix="amiable-eval-blobs-") as scratch:
        tools = _tools(settings, FolderStore(Path(scratch)), learned, folds)
        worked = [
            (mail, *_work(sessions, mail, tools[fold_of(learned.keys[mail.name], folds)]))
            for mail in track(mails, "Mails", console=Console(stderr=True), transient=True)
        ]
    with db.transaction(sessions, read_only=True) as session:
        return [_prediction(session, mail.name, message_id, ms) for mail, message_id, ms in worked]


def _tools(settings: Settings, blobs: BlobStore, learned: Learned, folds: int) -> Mapping[int, Tools]:
    """The tools of each fold; without folds what ships, for all."""
    if not folds:
        return {0: build_tools(settings, blobs=blobs)}
    return {number: _fold_tools(settings, blobs, fold) for number, fold in enumerate(learned.folds)}


def _fold_tools(settings: Settings, blobs: BlobStore, fold: Fold) -> Tools:
    return Tools(settings=settings, blobs=blobs, model=fold.model, weights=fold.weights)


def _work(sessions: sessionmaker[Session], mail: Mail, tools: Tools) -> tuple[int, float]:
    """One mail as if it arrived on its date; its message and the milliseconds it took."""
    with db.transaction(sessions) as session:
        received = receive(
            session,
            raw=mail.raw,
            source="file",
            source_ref=mail.name,
            mailbox=None,
            blobs=tools.blobs,
            limits=tools.settings.limits,
            received_at=mail.at,
            now=mail.at,
        )
    started = perf_counter()
    with db.transaction(sessions) as session:
        work_message(session, message_id=received.message_id, tools=tools, now=mail.at)
    return received.message_id, round((perf_counter() - started) * 1000, 2)


def _prediction(session: Session, name: str, message_id: int, ms: float) -> dict[str, Any]:
    """What the database says of a message once all mail is in, in the words of score.py."""
    message = session.scalars(
        select(Message)
        .where(Message.id == message_id)
        .options(selectinload(Message.links).joinedload(Link.invoice), joinedload(Message.account))
    ).one()
    meant = [link for link in message.links if link.state == "confirmed" or _best_guess(link)]
    return {
        "file": name,
        "case": message.case_id,
        "kind": message.kind,
        "reason": message.reason,
        "reasons": [reason for reason, _ in message.ranking],
        "confidence": message.confidence,
        "invoices": sorted(link.invoice.number for link in meant),
        "review": any(link.state == "proposed" for link in meant),
        "account": message.account.number if message.account else None,
        "sentiment": message.sentiment,
        "urgent": message.urgent,
        "language": message.language,
        "flags": list(message.flags),
        "promise": message.promise and {key: message.promise[key] for key in ("date", "amount")},
        "ms": ms,
    }


def _best_guess(link: Link) -> bool:
    """A proposal likelier than its rivals and than none of them counts as predicted, but as left to a person."""
    return link.state == "proposed" and bool(link.runner_up and link.runner_up.get("best_guess"))
