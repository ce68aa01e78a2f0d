"""Systems that are told of changes: who, how it goes, add one with its secret, stop one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response

from app.core.errors import BadInput
from app.edge import require
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash, is_background
from disputes.actions import webhooks as actions
from disputes.queries import choices
from disputes.queries.webhooks import last_deliveries, receivers

router = APIRouter(prefix="/webhooks", dependencies=[Depends(require("manage webhooks"))])
N_ = str  # marks a msgid for extraction
SECRET_COOKIE = "amiable_webhook_secret"  # noqa: S105 - a cookie's name
"""Carries a new secret to the next page, which shows it once; a minute at most, and to this page only."""


class WebhookForm(ActionForm):
    """Where changes are sent, of which entity ("" for all)."""

    url: str
    entity: str = ""


@router.get("")
def show(desk: DeskDep) -> Response:
    """Every webhook with how it goes, and the last deliveries."""
    return _page(desk)


@router.post("")
def add(desk: DeskDep, form: Annotated[WebhookForm, Form()]) -> Response:
    """Send changes to one more address; the next page shows its secret, once."""
    try:
        hook = actions.add(
            desk.session, url=form.url.strip(), entity_code=form.entity or None, actor=desk.actor, now=desk.now
        )
    except BadInput:
        refusal = N_("This is no address for a webhook: write https://host/path.")
        return _page(desk, status=422, error=refusal, url=form.url[:500], entity=form.entity)
    response = desk.done("/webhooks", Flash("webhook_added"))
    response.set_cookie(
        SECRET_COOKIE,
        f"{hook.id}:{hook.secret}",
        max_age=60,
        httponly=True,
        samesite="strict",
        secure=desk.services.settings.tls,
        path="/webhooks",
    )
    return response


@router.post("/{webhook_id}/stop")
def stop(desk: DeskDep, webhook_id: int) -> Response:
    """Send nothing there any more."""
    actions.stop(desk.session, webhook_id=webhook_id, actor=desk.actor, now=desk.now)
    return desk.done("/webhooks", Flash("webhook_stopped"))


def _page(desk: Desk, *, status: int = 200, **form: Any) -> Response:
    shown = "" if is_background(desk.request) else desk.request.cookies.get(SECRET_COOKIE, "")
    number, _, secret = shown.partition(":")
    response = desk.page(
        "webhooks/list.html",
        status=status,
        receivers=receivers(desk.session),
        deliveries=last_deliveries(desk.session),
        entities=choices(desk.session).entities,
        new=(int(number), secret) if number.isdecimal() else None,
        form={"error": "", "url": "", "entity": "", **form},
    )
    if shown:
        response.delete_cookie(SECRET_COOKIE, path="/webhooks")
    return response
