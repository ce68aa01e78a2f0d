"""A person's own digest: how often, when, and what it would say now."""

from datetime import date
from typing import Annotated, Literal

from babel.dates import format_date
from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from app.reports.digest import Digest
from app.reports.owner_day import day_of, mail_of, shown_links
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from disputes.actions import digests
from disputes.digests import DigestMail, Rhythm, zone_of
from disputes.queries.digests import Person, people

router = APIRouter()
N_ = str  # marks a msgid for extraction
FRAME_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)
"""The preview is the mail itself, whose styles stand in it: shown in a frame that can do nothing."""
_A_MONDAY = 5


class RhythmForm(ActionForm):
    """How a person wants their digest; an unticked box is not sent."""

    rhythm: Literal["off", "daily", "weekly"]
    hour: int = Field(ge=0, le=23)
    weekday: int = Field(default=0, ge=0, le=6)
    at_once: bool = False


@router.get("/digest")
def show(desk: DeskDep) -> Response:
    """The person's rhythm, and whether there would be a mail now."""
    person = _person(desk)
    digest, mail = _written(desk, person)
    return desk.page(
        "digest/show.html",
        rhythm=person.rhythm,
        zone_name=zone_of(person.rhythm, person.calendar).key,
        weekdays=[format_date(date(2026, 1, _A_MONDAY + day), "EEEE", locale=desk.words.locale) for day in range(7)],
        worth=digest.worth_a_mail,
        subject=mail.subject,
        error="",
    )


@router.post("/digest")
def choose(desk: DeskDep, form: Annotated[RhythmForm, Form()]) -> Response:
    """Keep it, with the time zone the person's browser is in."""
    here = desk.request.cookies.get("zone", "")
    rhythm = Rhythm(**form.model_dump(), zone=here or _person(desk).rhythm.zone)
    digests.choose_rhythm(desk.session, user=desk.user, rhythm=rhythm, actor=desk.actor, now=desk.now)
    return desk.done("/digest", Flash("saved"))


@router.get("/digest/preview")
def preview(desk: DeskDep) -> Response:
    """The mail as it would be now; its buttons do nothing."""
    _, mail = _written(desk, _person(desk))
    return HTMLResponse(mail.html, headers={"content-security-policy": FRAME_CSP})


def _person(desk: Desk) -> Person:
    return people(desk.session, user_id=desk.user.id)[0]


def _written(desk: Desk, person: Person) -> tuple[Digest, DigestMail]:
    settings = desk.services.settings
    digest = day_of(desk.session, person=person, now=desk.now)
    return digest, mail_of(digest, person=person, links=shown_links(settings), settings=settings, now=desk.now)
