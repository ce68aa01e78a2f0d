"""Mail of ours that a person decides about: it failed, or nobody knows whether it went out (S2)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.web.case_actions import ActionForm
from app.web.desk import DeskDep
from app.web.flash import Flash
from app.web.session import inside
from disputes.actions import outbox
from disputes.models import Outgoing
from disputes.queries.outbox import mails_to_decide, outgoing_of

router = APIRouter()
_ACTS: Mapping[str, Callable[..., Outgoing]] = {
    "sent": partial(outbox.settle, sent=True),
    "again": outbox.send_again,
    "drop": outbox.drop,
}


class DecisionForm(ActionForm):
    """What becomes of the mail; `back` is the page they are on."""

    decision: Literal["sent", "again", "drop"]
    back: str = ""


@router.get("/mails")
def waiting(desk: DeskDep) -> Response:
    """Every mail that waits for a decision, the oldest first."""
    return desk.page("mails/list.html", mails=mails_to_decide(desk.session, user=desk.user))


@router.post("/mails/{outbox_id}/decision")
def decide(desk: DeskDep, outbox_id: int, form: Annotated[DecisionForm, Form()]) -> Response:
    """It went out, it is sent again, or it is let be; deciding twice changes nothing."""
    mail = outgoing_of(desk.session, user=desk.user, outbox_id=outbox_id)
    back = inside(form.back or "/mails")
    try:
        _ACTS[form.decision](desk.session, outbox_id=mail.id, actor=desk.actor, now=desk.now)
    except outbox.Decided:
        return desk.done(back, Flash("decided_already"))
    if form.decision == "again":
        desk.services.enqueue(desk.session, "send", mail.id)
    return desk.done(back, Flash(f"mail_{form.decision}"))
