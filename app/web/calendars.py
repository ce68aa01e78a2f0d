"""Each person's tasks as a calendar their own calendar program subscribes to: its address is the key to it."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response

from app import auth
from app.core.errors import NotFound
from app.core.i18n import Words, words
from app.core.keys import key_for
from app.edge import Services, ServicesDep, SessionDep
from app.web.case_actions import BackForm
from app.web.desk import Desk, DeskDep, language_of
from app.web.flash import Flash
from app.web.task_view import name_of
from disputes.calendar_feed import Entry, feed
from disputes.models import Task
from disputes.queries.tasks import calendar_tasks

router = APIRouter()
N_ = str  # marks a msgid for extraction


class NoCalendar(NotFound):
    """The address opens no calendar: mistyped, renewed, or of somebody who left."""


@router.get("/calendar")
def settings(desk: DeskDep) -> Response:
    """The reader's own calendar address, and how to renew it."""
    secret = auth.calendar_address(desk.user, key=_key(desk.services))
    base = desk.services.settings.public_url.rstrip("/")
    return desk.page("calendar/show.html", address=f"{base}/calendar/{secret}.ics" if secret else "")


@router.post("/calendar/renewal")
def renew(desk: DeskDep, form: Annotated[BackForm, Form()]) -> Response:  # noqa: ARG001 - unknown fields are refused
    """A new address; whoever has the old one sees nothing any more."""
    return _changed(desk, given=True)


@router.post("/calendar/ending")
def end(desk: DeskDep, form: Annotated[BackForm, Form()]) -> Response:  # noqa: ARG001 - unknown fields are refused
    """No calendar any more."""
    return _changed(desk, given=False)


def _changed(desk: Desk, *, given: bool) -> Response:
    auth.renew_calendar(desk.session, user=desk.user, given=given, actor=desk.actor, now=desk.now)
    return desk.done("/calendar", Flash("calendar_renewed" if given else "calendar_ended"))


@router.get("/calendar/{secret}.ics")
def subscribed(request: Request, services: ServicesDep, session: SessionDep, secret: str) -> Response:
    """The file a calendar program fetches: no session, the secret alone. Any other address is not found."""
    user = auth.calendar_user(session, address=secret, key=_key(services))
    if user is None:
        raise NoCalendar("There is no such calendar")
    spoken = words(language_of(request, services, user))
    base = services.settings.public_url.rstrip("/")
    entries = [_entry(task, spoken, base) for task in calendar_tasks(session, user=user)]
    content = feed(entries, name=spoken.gettext(N_("Amiable: to do")), host=urlsplit(base).hostname or "amiable")
    headers = {"content-disposition": 'inline; filename="amiable.ics"', "referrer-policy": "no-referrer"}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


def _entry(task: Task, spoken: Words, base: str) -> Entry:
    assert task.due_at is not None  # noqa: S101 - the query selects those that have a time
    what = spoken.gettext(name_of(task))
    return Entry(
        number=task.id,
        title=f"{what}: {task.case.title} (#{task.case.id})" if task.case else what,
        url=f"{base}/tasks/{task.id}",
        due_at=task.due_at,
        made_at=task.created_at,
    )


def _key(services: Services) -> bytes:
    return key_for(services.settings, "calendar")
