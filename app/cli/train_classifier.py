"""amiable train classifier: learn reasons from people's corrections, go back to an older version, list them."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from app.cli.context import open_sessions, print_result, read_settings
from app.cli.train_versions import refuse_both, version_row
from app.core import db
from app.core.blobs import FolderStore
from app.core.clock import system_clock
from app.core.events import system
from app.workflows.classifier_training import told, train_classifier
from disputes.actions.model_training import go_back
from disputes.classifier import ensure_model
from disputes.model_versions import versions
from disputes.reason_refit import ENOUGH


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("classifier")(classifier)


def classifier(
    *,
    rollback: Annotated[int | None, typer.Option(min=0, help="Put this version in force; 0 is what ships")] = None,
    list_versions: Annotated[bool, typer.Option("--versions", help="List what was in force when")] = False,
    needed: Annotated[int, typer.Option(min=ENOUGH, help="New mails people said something of")] = ENOUGH,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """Learn kinds and reasons from what people corrected and confirmed; used only if better on mails held out."""
    refuse_both(rollback=rollback, list_versions=list_versions)
    settings = read_settings()
    sessions, blobs, actor = open_sessions(settings), FolderStore(settings.blob_folder), system("cli")
    if list_versions:
        with db.transaction(sessions, read_only=True) as session:
            result: Mapping[str, Any] = {"versions": [version_row(one) for one in versions(session)]}
    elif rollback is not None:
        with db.transaction(sessions) as session:
            made = go_back(session, number=rollback, blobs=blobs, actor=actor, now=system_clock())
            result = {"in_force": rollback, "note": made.note if made else "what ships with the program"}
    else:
        trained = train_classifier(
            sessions,
            shipped=lambda: ensure_model(settings.model_folder),
            blobs=blobs,
            actor=actor,
            clock=system_clock,
            needed=needed,
        )
        result = told(trained)
    print_result(result, as_json=as_json)
