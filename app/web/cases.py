"""The case page."""

from typing import Any

from fastapi import APIRouter, Response

from app.web.case_view import files_of, invoice_cards, ranked_reasons, timeline, to_dos
from app.web.desk import Desk, DeskDep
from app.web.inbox import last_list
from disputes.queries import case_page, choices, neighbours

router = APIRouter()


@router.get("/cases/{case_id}")
def show(desk: DeskDep, case_id: int) -> Response:
    """One case: conversation, evidence, what happens next."""
    return case_response(desk, case_id)


def case_response(desk: Desk, case_id: int, *, status: int = 200, **form: Any) -> Response:
    """The case page; `form` carries what was typed and why it was refused (`add_error`, `note_text`...)."""
    page = case_page(desk.session, user=desk.user, case_id=case_id)
    asked = last_list(desk)
    before, after = neighbours(
        desk.session, user=desk.user, filters=asked.filters, now=desk.now, sort=asked.sort, case=page.case
    )
    return desk.page(
        "case/show.html",
        status=status,
        page=page,
        case=page.case,
        entries=timeline(page),
        cards=invoice_cards(page),
        reasons=ranked_reasons(page.case, page.messages),
        files=files_of(page),
        people=choices(desk.session).people,
        to_dos=to_dos(page.tasks),
        before=before,
        after=after,
        back=asked.values,
        form={"add_error": "", "add_number": "", "note_error": "", "note_text": "", **form},
    )
