"""amiable train matching: refit the weights of matching from corrections, go back to an older version, list them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.context import open_sessions, print_result, read_settings
from app.cli.evaluate import read_corpus, trials_of
from app.cli.folds import match_examples
from app.cli.train_versions import refuse_both, version_row
from app.core import db
from app.core.blobs import FolderStore
from app.core.clock import system_clock
from app.core.errors import BadInput, NotFound
from app.core.events import system
from app.core.settings import Settings
from app.workflows.intake import Matching
from app.workflows.matching_training import Trained, train_matching
from disputes.actions import policies
from disputes.match_weights import FAMILY, KEY, read_weights, versions
from matching.fit import Example, calibrate
from matching.refit import ENOUGH, Figures
from matching.scoring import default_weights, prior_weights, to_json


class NoVersion(NotFound):
    """There is no such version of the weights."""


def register(app: typer.Typer) -> None:
    """Add this family's commands."""
    app.command("matching")(matching)


def matching(
    *,
    rollback: Annotated[int | None, typer.Option(min=0, help="Put this version in force; 0 is what ships")] = None,
    list_versions: Annotated[bool, typer.Option("--versions", help="List what was in force when")] = False,
    corpus: Annotated[list[Path] | None, typer.Option(help="Instead, fit what ships on labelled corpora")] = None,
    output: Annotated[Path | None, typer.Option(help="Where the weights of --corpus go")] = None,
    needed: Annotated[int, typer.Option(min=ENOUGH, help="Corrected mails from which to refit")] = ENOUGH,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object")] = False,
) -> None:
    """Refit the weights of matching from people's corrections; used only if better on mails held out."""
    refuse_both(rollback=rollback, list_versions=list_versions)
    settings = read_settings()
    if corpus:
        print_result(_fit_corpora(corpus, output, settings), as_json=as_json)
        return
    with db.transaction(open_sessions(settings)) as session:
        if list_versions:
            result: Mapping[str, Any] = {"versions": [version_row(one) for one in versions(session)]}
        elif rollback is not None:
            result = _go_back(session, rollback)
        else:
            tools = Matching(settings=settings, blobs=FolderStore(settings.blob_folder), weights=default_weights())
            trained = train_matching(session, tools=tools, actor=system("cli"), now=system_clock(), needed=needed)
            result = _told(trained)
    print_result(result, as_json=as_json)


def _fit_corpora(corpora: Sequence[Path], output: Path | None, settings: Settings) -> dict[str, Any]:
    """What ships: matching/weights.json, fitted on the development corpus and those of tests/corpora."""
    if output is None:
        raise BadInput("--corpus needs --output: the file the weights go to", fields={"output": "missing"})
    examples: list[Example] = []
    for corpus in corpora:
        with trials_of(corpus, settings) as trials:
            examples += match_examples(corpus, read_corpus(corpus), trials)
    weights = calibrate(examples, prior=prior_weights())
    output.write_text(f"{to_json(weights)}\n", encoding="utf-8")
    return {"weights": str(output), "features": len(weights.invoice)}


def _go_back(session: Any, wanted: int) -> dict[str, Any]:
    actor, now = system("cli"), system_clock()
    every = versions(session)
    if wanted == 0:
        if any(one.active for one in every):
            policies.drop(session, family=FAMILY, key=KEY, actor=actor, now=now)
        return {"in_force": 0, "note": "what ships with the program"}
    found = next((one for one in every if one.version == wanted), None)
    if found is None:
        known = ", ".join(str(one.version) for one in every) or "none yet"
        raise NoVersion(f"There is no version {wanted} of the weights of matching; there are: {known} (0 ships)")
    policies.activate(session, policy_id=found.id, actor=actor, now=now, read=read_weights)
    return {"in_force": found.version, "note": found.note}


def _told(trained: Trained) -> dict[str, Any]:
    """What became of the training, in one row."""
    if trained.refit is None:
        why = f"{trained.needed} corrected mails are needed, {trained.mails} are there: nothing changed"
        return {"corrected_mails": trained.mails, "promoted": False, "why": why}
    return {
        "corrected_mails": trained.mails,
        "promoted": trained.version is not None,
        "version": trained.version,
        "why": trained.refit.why,
        **_figures("before", trained.refit.before),
        **_figures("after", trained.refit.after),
    }


def _figures(when: str, found: Figures) -> dict[str, Any]:
    return {
        "held_out_mails": found.mails,
        f"loss_{when}": found.loss,
        f"exact_{when}": found.exact,
        f"wrong_automatic_{when}": found.wrong_auto,
    }
