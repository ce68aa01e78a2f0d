"""The team lead's page: load per person, what is late, reassigning and overflow from the same screen (U33)."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response
from pydantic import Field

from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.rules.common import MANAGE
from app.web.session import inside
from disputes.actions import teams
from disputes.queries import CaseFilter, list_cases
from disputes.queries.teams import Member, TeamLoad, team_loads

router = APIRouter(dependencies=MANAGE)
MOST = 100
"""Cases shown of one person, and given to another at once."""
NOBODY = "nobody"


class HandOverForm(ActionForm):
    """Ticked cases, or their numbers with commas as an undo sends them; `to` a user's id or "nobody"."""

    case: list[int] = Field(default=[], max_length=MOST)
    cases: str = Field(default="", max_length=2000)
    to: str = ""
    back: str = "/team"
    giver: str = NOBODY

    @property
    def numbers(self) -> list[int]:
        """The cases, each once."""
        listed = [int(one) for one in self.cases.split(",") if one.isdecimal() and len(one) < 18]  # noqa: PLR2004 - ids are 64-bit
        return list(dict.fromkeys([*self.case, *listed]))[:MOST]


class TeamForm(ActionForm):
    """How a team works; empty fields mean nobody, no limit, nowhere."""

    lead: str = ""
    capacity: str = ""
    overflow: str = ""


@router.get("/team")
def show(desk: DeskDep, member: int | None = None, queue: str = "", moved: int = 0, stayed: int = 0) -> Response:
    """Every team; with `member` or `queue` (a team's key) their cases beside it."""
    return _page(desk, member=member, queue=queue, moved=moved, stayed=stayed)


@router.post("/team/handover")
def hand_over(desk: DeskDep, form: Annotated[HandOverForm, Form()]) -> Response:
    """Give the ticked cases to somebody else; those that cannot go stay."""
    back = inside(form.back)
    if not form.numbers or not form.to:
        return desk.done(back)
    handed = teams.hand_over(
        desk.session,
        user=desk.user,
        case_ids=form.numbers,
        owner_id=_number(form.to),
        actor=desk.actor,
        now=desk.now,
    )
    told = {"cases": ",".join(map(str, handed.done)), "to": form.giver, "giver": form.to, "back": back}
    plain, _, asked = back.partition("?")
    kept = [part for part in asked.split("&") if part and not part.startswith(("moved=", "stayed="))]
    figures = [f"moved={len(handed.done)}", f"stayed={len(handed.stayed)}"]
    undo = Flash("assigned", "/team/handover", told) if handed.done else None
    return desk.done(f"{plain}?{'&'.join([*kept, *figures])}", undo)


@router.post("/team/{team_id}/settings")
def set_team(desk: DeskDep, team_id: int, form: Annotated[TeamForm, Form()]) -> Response:
    """Who leads, how much each takes, and where the rest goes; what cannot be comes back with the form."""
    try:
        teams.set_team(
            desk.session,
            team_id=team_id,
            lead_id=_number(form.lead),
            capacity=_capacity(form.capacity),
            overflow_id=_number(form.overflow),
            actor=desk.actor,
            now=desk.now,
        )
    except teams.BadTeam as refused:
        return _page(desk, status=422, team_id=team_id, form=form, fields=refused.fields)
    return desk.done("/team", Flash("saved"))


def _page(
    desk: Desk,
    *,
    member: int | None = None,
    queue: str = "",
    moved: int = 0,
    stayed: int = 0,
    status: int = 200,
    **wrong: Any,
) -> Response:
    loads = team_loads(desk.session, user=desk.user, now=desk.now, today=desk.today)
    people = [one for load in loads for one in load.members]
    chosen = next((one for one in people if one.user_id == member), None)
    asked = next((one for one in loads if one.key == queue), None) if queue else None
    filters = _asked(chosen, asked)
    context = {"team_id": None, "form": None, "fields": {}} | wrong
    return desk.page(
        "team/show.html",
        status=status,
        teams=loads,
        people=sorted(people, key=lambda one: one.name),
        most=max([one.load.open for one in people], default=0),
        chosen=chosen,
        queue=asked,
        cases=list_cases(desk.session, user=desk.user, filters=filters, now=desk.now, sort="due", limit=MOST)
        if filters
        else None,
        limit=MOST,
        moved=moved,
        stayed=stayed,
        **context,
    )


def _asked(chosen: Member | None, queue: TeamLoad | None) -> CaseFilter | None:
    """The open cases of one person or of a queue; None while neither is looked at."""
    if chosen is not None:
        return CaseFilter(owner=str(chosen.user_id))
    return CaseFilter(owner=NOBODY, team=queue.key) if queue is not None else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None  # noqa: PLR2004 - ids are 64-bit


def _capacity(text: str) -> int | None:
    """A limit as typed; what is no number is out of range."""
    text = text.strip()
    if not text:
        return None
    return int(text) if text.isdecimal() and len(text) < 9 else 0  # noqa: PLR2004 - far beyond the limit
