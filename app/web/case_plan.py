"""How a person changes what happens next in a case: skip a step, or have it taken now."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.core.keys import key_for
from app.web.case_actions import ActionForm
from app.web.desk import DeskDep
from app.web.flash import Flash
from app.web.ratings import rating_links
from disputes.actions import progress
from disputes.queries import visible_case
from disputes.reply_tokens import ReplyTokens

router = APIRouter()
LONGEST_WHY = 300
_TOLD = {"take": "step_taken", "refuse": "step_refused", "skip": "step_not_now"}


class StepForm(ActionForm):
    """A step of the case's playbook."""

    step: str


class SkipForm(StepForm):
    """Why the step is not needed."""

    why: str


@router.post("/cases/{case_id}/skipping")
def skip(desk: DeskDep, case_id: int, form: Annotated[SkipForm, Form()]) -> Response:
    """The step is not needed this time; the log keeps why."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    why = form.why.strip()[:LONGEST_WHY]
    progress.skip(desk.session, case_id=case_id, step=form.step, why=why, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("step_skipped"))


@router.post("/cases/{case_id}/bringing-forward")
def bring_forward(desk: DeskDep, case_id: int, form: Annotated[StepForm, Form()]) -> Response:
    """Take the step now. The guards are asked all the same: the page shows which one refused it, and why."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    verdict = progress.bring_forward(
        desk.session,
        case_id=case_id,
        step=form.step,
        tokens=ReplyTokens(key_for(desk.services.settings, "reply token")),
        links=rating_links(desk.services),
        actor=desk.actor,
        now=desk.now,
    )
    return desk.done(f"/cases/{case_id}", Flash(_TOLD[verdict.verdict]))
