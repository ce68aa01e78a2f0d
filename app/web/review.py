"""What the program is not sure of, and mail it could not read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from app import auth
from app.edge import require
from app.web.case_actions import BackForm
from app.web.case_view import rival_of
from app.web.desk import DeskDep
from app.web.flash import Flash
from app.web.proof import part, proofs
from disputes.actions import corrections
from disputes.queries import message_of, quarantined, review_queue

router = APIRouter()


@router.get("/review")
def review(desk: DeskDep, after: int | None = None) -> Response:
    """Uncertain links and cases, one question a message, oldest first."""
    items, next_key = review_queue(desk.session, user=desk.user, after=after)
    return desk.page("review/list.html", items=items, next_key=next_key, part=part, proofs=proofs, rival_of=rival_of)


@router.get("/quarantine")
def quarantine(desk: DeskDep, _: Annotated[auth.User, Depends(require("see quarantine"))]) -> Response:
    """Mail that could not be read, with the reason."""
    return desk.page("quarantine/list.html", messages=quarantined(desk.session, user=desk.user))


@router.post("/messages/{message_id}/reading")
def read_again(
    desk: DeskDep,
    message_id: int,
    _: Annotated[auth.User, Depends(require("see quarantine"))],
    form: Annotated[BackForm, Form()],  # noqa: ARG001 - unknown fields are refused
) -> Response:
    """Put a quarantined message back into the queue."""
    message = message_of(desk.session, user=desk.user, message_id=message_id)
    corrections.requeue(desk.session, message_id=message.id, actor=desk.actor, now=desk.now)
    desk.services.enqueue(desk.session, "ingest", message.id)
    return desk.done("/quarantine", Flash("requeued"))
