"""amiable rates: interest rates that came after this program, from files with their sources."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from app.cli.context import open_engine, print_result, read_settings
from app.core import db
from app.core.clock import system_clock
from app.core.errors import BadInput
from app.core.events import system
from disputes.actions import policies
from letters.rules import RATES, reader_of

rates = typer.Typer(help="Interest rates of late payment.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.add_typer(rates, name="rates")


@rates.command("load")
def load(
    files: Annotated[list[Path], typer.Argument(help="Tables of the form of letters/rates/*.toml, by the same name")],
    *,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Take rate tables in, for every letter from now on; all of them, or none."""
    contents = {path: _content(path) for path in files}
    engine = open_engine(read_settings())
    try:
        with db.transaction(db.session_factory(engine)) as session:
            for path, content in contents.items():
                _save(session, path, content)
    finally:
        engine.dispose()
    print_result({"loaded": [path.stem for path in files]}, as_json=as_json)


def _save(session: Session, path: Path, content: dict[str, object]) -> None:
    policies.save(
        session,
        family=RATES,
        key=path.stem,
        content=content,
        note=path.name,
        actor=system("cli"),
        now=system_clock(),
        read=reader_of(RATES, path.stem),
    )


def _content(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no TOML file: {error}") from error
