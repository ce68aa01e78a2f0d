"""What people write in a case: notes that only colleagues see."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.web.case_actions import ActionForm
from app.web.cases import case_response
from app.web.desk import DeskDep
from app.web.flash import Flash
from disputes.actions import notes
from disputes.queries import visible_case

router = APIRouter()
N_ = str  # marks a msgid for extraction


class NoteForm(ActionForm):
    """The words of a note; @name tells a colleague."""

    text: str = ""


@router.post("/cases/{case_id}/notes")
def write_note(desk: DeskDep, case_id: int, form: Annotated[NoteForm, Form()]) -> Response:
    """Keep an internal note; an empty or overlong one comes back with its words."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    try:
        notes.add_note(desk.session, case_id=case_id, text=form.text, actor=desk.actor, now=desk.now)
    except notes.EmptyNote:
        refusal = N_("This note is empty or too long.")
        return case_response(desk, case_id, status=422, note_error=refusal, note_text=form.text)
    return desk.done(f"/cases/{case_id}", Flash("noted"))
