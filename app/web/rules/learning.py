"""What the classifier learned from people: its versions with their figures, learning again, going back."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Response
from pydantic import Field

from app.auth import may
from app.core.errors import Forbidden
from app.web.case_actions import ActionForm
from app.web.desk import DeskDep
from app.web.flash import Flash
from app.web.rules.common import MANAGE
from disputes.actions import model_training
from disputes.queries import model as queries
from disputes.reason_refit import ENOUGH

router = APIRouter(dependencies=MANAGE)
PAGE = "/rules/learning"
JOB = "training"
PUT_BACK = "put models back"
GIVEN_UP = timedelta(minutes=30)
"""A training takes a minute. One that has not ended after so long has no worker: it may be asked for again."""
N_ = str  # marks a msgid for extraction
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "promoted": ("is-good", N_("The new model is better and in force")),
    "not_better": ("is-calm", N_("The new model is not better: nothing changed")),
    "too_few": ("is-calm", N_("Too little was said since: nothing changed")),
    "overtaken": ("is-warn", N_("Another version came in force meanwhile: nothing changed")),
    "failed": ("", N_("The training failed: nothing changed")),
}
"""How a training ended: how the notice looks, and its words."""


class VersionForm(ActionForm):
    """Which version is to be in force; 0 is what ships."""

    version: Annotated[int, Field(ge=0, le=1_000_000)]


@router.get(PAGE)
def show(desk: DeskDep) -> Response:
    """What is in force, what came of the last training, every version."""
    editions = queries.editions(desk.session)
    current = next((one for one in editions if one.version.active), None)
    usable = current.model if current else None
    training = queries.last_training(desk.session)
    runs = training.runs and training.asked_at is not None and desk.now - training.asked_at < GIVEN_UP
    return desk.page(
        "rules/learning.html",
        editions=editions,
        current=current,
        training=training,
        runs=runs,
        said=queries.said_since(desk.session, moment=usable.learned_to if usable else None),
        enough=ENOUGH,
        outcomes=OUTCOMES,
        may_put_back=may(desk.user, PUT_BACK),
    )


@router.post(f"{PAGE}/training")
def train(desk: DeskDep) -> Response:
    """A worker learns again; a second click while it does changes nothing."""
    training = queries.last_training(desk.session)
    if not training.runs or training.asked_at is None or desk.now - training.asked_at >= GIVEN_UP:
        model_training.ask(desk.session, actor=desk.actor, now=desk.now)
        desk.services.enqueue(desk.session, JOB, "asked")
    return desk.done(PAGE)


@router.post(f"{PAGE}/activation")
def put_back(desk: DeskDep, form: Annotated[VersionForm, Form()]) -> Response:
    """An older version, or what ships, reads mail again. Raises NoVersion, Forbidden for all but administrators."""
    if not may(desk.user, PUT_BACK):
        raise Forbidden(f"Your role ({desk.user.role}) may not {PUT_BACK}")
    blobs = desk.services.blobs
    model_training.go_back(desk.session, number=form.version, blobs=blobs, actor=desk.actor, now=desk.now)
    return desk.done(PAGE, Flash("saved"))
