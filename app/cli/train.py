"""amiable train, train classifier, train matching: learn again from what is there."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from app.cli import train_classifier, train_matching
from app.cli.context import print_result, read_settings
from disputes.classifier import ensure_model

train = typer.Typer(help="Learn again: the classifier, or the weights of matching.")


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    train_classifier.register(train)
    train_matching.register(train)
    app.add_typer(train, name="train")


@train.callback(invoke_without_command=True)
def train_shipped(
    context: typer.Context, *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False
) -> None:
    """Without a name: rebuild the classifier from the examples that ship (under a minute)."""
    if context.invoked_subcommand is None:
        files = rebuild(read_settings().model_folder)
        print_result({"trained": "classifier", "file": ", ".join(map(str, files))}, as_json=as_json)


def rebuild(folder: Path) -> list[Path]:
    """Train what ships once more, beside `folder`, and only then put it where the old one was."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as scratch:
        ensure_model(Path(scratch))
        return [made.replace(folder / made.name) for made in Path(scratch).glob("*.npz")]
