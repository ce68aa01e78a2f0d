"""Runs of reminders: looked at before they start, trimmed, started, watched, cancelled; files for the print shop."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Response
from pydantic import BaseModel

from app.auth import may
from app.core.errors import Forbidden, NotFound
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.letters import JOB, totals_of
from app.web.messages import download
from letters.actions import life, prints, runs
from letters.models import Run
from letters.queries import letters as queries

router = APIRouter()
N_ = str  # marks a msgid for extraction


class RunForm(ActionForm):
    """For which entity, under which name."""

    entity: int
    name: str = ""


class ExcludeForm(ActionForm):
    """An account left out, or taken in again."""

    account: int
    out: Literal["yes", "no"] = "yes"


class PrintForm(ActionForm):
    """For which entity."""

    entity: int


class ItemQuery(BaseModel):
    """Which accounts of a run are shown."""

    state: str = ""
    code: str = ""
    after: int | None = None


def _worker(desk: Desk) -> None:
    if not may(desk.user, life.APPROVE):
        raise Forbidden(f"Your role ({desk.user.role}) may not {life.APPROVE}")


def _entity(desk: Desk, entity_id: int) -> None:
    """Raises NotFound for an entity the user does not write for."""
    if entity_id not in {one.id for one in queries.visible_entities(desk.session, user=desk.user)}:
        raise NotFound(f"There is no entity {entity_id} that you write letters for")


@router.get("/letter-runs")
def show_all(desk: DeskDep) -> Response:
    """The newest runs, and a form to begin one."""
    _worker(desk)
    found = queries.list_runs(desk.session, user=desk.user)
    return desk.page(
        "letters/runs.html",
        runs=found,
        entities=queries.visible_entities(desk.session, user=desk.user),
        names=queries.names_of(desk.session, {run.created_by for run in found}),
    )


@router.post("/letter-runs")
def begin(desk: DeskDep, form: Annotated[RunForm, Form()]) -> Response:
    """A run is looked through; nothing is written yet."""
    _entity(desk, form.entity)
    _worker(desk)
    run = runs.begin(desk.session, entity_id=form.entity, name=form.name, actor=desk.actor, now=desk.now)
    desk.services.enqueue(desk.session, JOB, "run")
    return desk.done(f"/letter-runs/{run.id}")


@router.get("/letter-runs/{run_id}")
def show(desk: DeskDep, run_id: int, asked: Annotated[ItemQuery, Query()]) -> Response:
    """What a run comes to: totals, exceptions with their reason, every account."""
    run = _run(desk, run_id)
    rows, following = queries.run_items(desk.session, run=run, state=asked.state, code=asked.code, after=asked.after)
    return desk.page(
        "letters/run.html",
        run=run,
        rows=rows,
        next_key=following,
        asked=asked,
        totals_of=totals_of,
        figures=queries.figures(desk.session, run=run),
        names=queries.names_of(desk.session, {run.created_by}),
    )


def _run(desk: Desk, run_id: int) -> Run:
    run = queries.run_of(desk.session, user=desk.user, run_id=run_id)
    _worker(desk)
    return run


@router.post("/letter-runs/{run_id}/exclusion")
def exclude(desk: DeskDep, run_id: int, form: Annotated[ExcludeForm, Form()]) -> Response:
    """An account gets no letter of this run, or does again."""
    _run(desk, run_id)
    out = form.out == "yes"
    runs.exclude(desk.session, run_id=run_id, account_id=form.account, out=out, actor=desk.actor, now=desk.now)
    return desk.done(f"/letter-runs/{run_id}#account-{form.account}")


@router.post("/letter-runs/{run_id}/start")
def start(desk: DeskDep, run_id: int) -> Response:
    """The letters are written. A second click changes nothing."""
    if _run(desk, run_id).state == "ready":
        runs.start(desk.session, run_id=run_id, actor=desk.actor, now=desk.now)
        desk.services.enqueue(desk.session, JOB, "run")
    return desk.done(f"/letter-runs/{run_id}", Flash("run_started"))


@router.post("/letter-runs/{run_id}/cancellation")
def cancel(desk: DeskDep, run_id: int) -> Response:
    """No more letters are written, and those nobody approved are taken back."""
    if _run(desk, run_id).state in {"looking", "ready", "running"}:
        runs.cancel(desk.session, run_id=run_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/letter-runs/{run_id}", Flash("run_cancelled"))


# --- the print shop


@router.post("/letter-prints")
def make(desk: DeskDep, form: Annotated[PrintForm, Form()]) -> Response:
    """The approved letters for the post, as one file with a list."""
    _entity(desk, form.entity)
    _worker(desk)
    limit = desk.services.settings.letters.print_run
    prints.make(
        desk.session, entity_id=form.entity, blobs=desk.services.blobs, limit=limit, actor=desk.actor, now=desk.now
    )
    return desk.done("/letters?view=post", Flash("print_made"))


@router.get("/letter-prints/{print_id}/file")
def file(desk: DeskDep, print_id: int) -> Response:
    """All letters of a print run, as one PDF."""
    made = queries.print_of(desk.session, user=desk.user, print_id=print_id)
    return download(desk.services.blobs.get(made.content_hash), f"print-run-{made.id}.pdf")


@router.get("/letter-prints/{print_id}/list")
def manifest(desk: DeskDep, print_id: int) -> Response:
    """Which pages are whose."""
    made = queries.print_of(desk.session, user=desk.user, print_id=print_id)
    return download(desk.services.blobs.get(made.manifest_hash), f"print-run-{made.id}.csv")


@router.post("/letter-prints/{print_id}/handover")
def hand_over(desk: DeskDep, print_id: int) -> Response:
    """The print shop has them. A second click changes nothing."""
    made = queries.print_of(desk.session, user=desk.user, print_id=print_id)
    _worker(desk)
    if made.state == "made":
        prints.hand_over(desk.session, print_id=print_id, actor=desk.actor, now=desk.now)
    return desk.done("/letters?view=sent", Flash("print_handed_over"))
