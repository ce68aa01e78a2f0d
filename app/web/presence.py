"""Who else looks at a case or writes an answer in it (U17).

A browser says where it is when it comes and every twenty seconds; live.py tells the other browsers within a second
that somebody came, went or began to write, and they ask here who.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from app.core import presence
from app.web.case_actions import ActionForm
from app.web.desk import DeskDep
from disputes.queries import visible_case
from disputes.queries.replies import colleagues_at, draft_for, place_of

router = APIRouter()


class PresenceForm(ActionForm):
    """What the person does at the case."""

    doing: Literal["viewing", "replying", "gone"]


@router.get("/cases/{case_id}/presence")
def show(desk: DeskDep, case_id: int) -> Response:
    """Who else is at the case."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    here = colleagues_at(desk.session, user=desk.user, case_id=case_id, now=desk.now)
    draft = draft_for(desk.session, user=desk.user, case_id=case_id)
    return desk.page("reply/presence.html", case=case, here=here, draft=draft)


@router.post("/cases/{case_id}/presence")
def tell(desk: DeskDep, case_id: int, form: Annotated[PresenceForm, Form()]) -> Response:
    """Say that one is at the case, or goes away."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    if form.doing == "gone":
        presence.leave(desk.session, place=place_of(case_id), user_id=desk.user.id, now=desk.now)
    else:
        presence.arrive(desk.session, place=place_of(case_id), user_id=desk.user.id, doing=form.doing, now=desk.now)
    return desk.done(f"/cases/{case_id}/presence")
