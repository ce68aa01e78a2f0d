"""Proof of delivery: asking for it, and the page where whoever has it hands it in."""

from typing import Annotated

from fastapi import APIRouter, Form, Response, UploadFile
from starlette.datastructures import UploadFile as Uploaded

from app.core.errors import BadInput
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.task_view import DELIVERY
from app.web.tasks import on_to_next
from disputes.actions import deliveries
from disputes.actions.deliveries import BadDocument, Document, NothingAsked
from disputes.queries import case_invoices, visible_case
from disputes.queries.tasks import visible_task

router = APIRouter()
N_ = str  # marks a msgid for extraction


class AskForm(ActionForm):
    """A word on what is needed."""

    note: str = ""


class NoneForm(ActionForm):
    """Where one looked for it."""

    note: str = ""


@router.post("/cases/{case_id}/proof")
def ask(desk: DeskDep, case_id: int, form: Annotated[AskForm, Form()]) -> Response:
    """Ask whoever has the delivery notes; asking twice is harmless."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    deliveries.ask_for_proof(desk.session, case_id=case_id, note=form.note, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("proof_asked"))


@router.get("/deliveries/{task_id}")
def show(desk: DeskDep, task_id: int) -> Response:
    """What is asked for, and the form to hand it in."""
    return _page(desk, task_id)


def _page(desk: Desk, task_id: int, *, status: int = 200, note: str = "", error: str = "") -> Response:
    task = visible_task(desk.session, user=desk.user, task_id=task_id, kind=DELIVERY)
    case = task.case
    return desk.page(
        "deliveries/show.html",
        status=status,
        task=task,
        case=case,
        rows=case_invoices(desk.session, case_id=case.id) if case else (),
        note=note,
        error=error,
    )


@router.post("/deliveries/{task_id}/document")
def hand_in(
    desk: DeskDep,
    task_id: int,
    document: UploadFile,
    note: Annotated[str, Form()] = "",
) -> Response:
    """Take the document into the case; what is none comes back with the form."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id, kind=DELIVERY)
    if task.state != "open":
        return desk.done("/tasks")
    try:
        deliveries.hand_in(
            desk.session,
            task_id=task_id,
            document=Document(name=document.filename or "", content=_content(document), note=note),
            blobs=desk.services.blobs,
            header_bytes=desk.services.settings.limits.mail_header_bytes,
            actor=desk.actor,
            now=desk.now,
        )
    except BadDocument as refusal:  # refused before anything was written
        return _page(desk, task_id, status=422, note=note, error=_refusal(refusal))
    return desk.done(on_to_next(desk, DELIVERY), Flash("handed_in"))


def _content(document: Uploaded) -> bytes:
    """One byte more than is taken shows that it is too much."""
    return document.file.read(deliveries.MOST_BYTES + 1)


def _refusal(refusal: BadInput) -> str:
    what = refusal.fields.get("document", "")
    if what == "empty":
        return N_("Choose a file that holds something.")
    if what.startswith("over"):
        return N_("The file is too large to send on: at most 20 MB.")
    return N_("Send a PDF or a picture.")


@router.post("/deliveries/{task_id}/absence")
def none_found(desk: DeskDep, task_id: int, form: Annotated[NoneForm, Form()]) -> Response:
    """There is no proof, which its owner must know."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id, kind=DELIVERY)
    if task.state != "open":
        return desk.done("/tasks")
    try:
        deliveries.none_found(desk.session, task_id=task_id, note=form.note, actor=desk.actor, now=desk.now)
    except NothingAsked:  # refused before anything was written
        return _page(desk, task_id, status=422, error=N_("Say where you looked."))
    return desk.done(on_to_next(desk, DELIVERY), Flash("none_found"))
