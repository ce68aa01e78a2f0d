"""amiable mail parse: what the mailroom reads of a mail, without a database."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import typer

from app.cli.context import print_result
from app.connectors.mail_files import NoSuchPath
from app.core.settings import Limits
from disputes.guarded import Frames, Guarded
from disputes.mail_summary import unread_summary

SECONDS_A_MAIL = 1.9
_SHOWN = 120


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("parse")(parse_mails)


def parse_mails(
    path: Annotated[Path, typer.Argument(help="A mail, or a folder of them: every file is taken as one mail")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a mail and line")] = False,
) -> None:
    """Show what is read of mails: addresses, new and quoted text, files, what machine wrote it. Changes nothing."""
    for file, summary in summaries(path):
        if as_json:
            named = {"file": str(file.relative_to(path)), **summary} if path.is_dir() else summary
            sys.stdout.write(json.dumps(named, ensure_ascii=False) + "\n")
        else:
            print_result({"file": file, **{name: _short(value) for name, value in summary.items()}}, as_json=False)
            sys.stdout.write("\n")


def summaries(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each file, taken as one mail, with what was read of it. Raises NoSuchPath."""
    reader = Guarded("disputes.mail_worker")
    try:
        for file in _files(path):
            yield file, _read(reader, file)
    finally:
        reader.stop()


def _files(path: Path) -> list[Path]:
    """All files of a folder, whatever their names: this command is for looking at odd mails."""
    if not path.exists():
        raise NoSuchPath(f"There is no file or folder {path}")
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _read(reader: Guarded, file: Path) -> dict[str, Any]:
    """The summary, or the reason why there is none: a mail that takes too long ends the process that reads it."""
    try:
        raw, worker = _bytes_of(file), reader.running()
    except OSError as error:
        return unread_summary(f"Not read: {error}")
    frames = Frames(worker, perf_counter() + SECONDS_A_MAIL)
    answer = frames.next() if frames.send(f"{len(raw)}\n".encode() + raw) else None
    if answer is None:
        reader.stop()
        return unread_summary(f"Reading it takes more than {SECONDS_A_MAIL} s or too much memory")
    found: dict[str, Any] = json.loads(answer)
    return found


def _bytes_of(file: Path) -> bytes:
    """The file, as far as the limit and a byte more, which is then refused for its size."""
    with file.open("rb") as opened:
        return opened.read(Limits().mail_bytes + 1)


def _short(value: object) -> str:
    line = " ".join(str(value).split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
