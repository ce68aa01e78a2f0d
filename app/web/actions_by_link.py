"""The pages behind a digest's links: what it is about, what will happen, and a button. To look does nothing.

No password: the link is signed, names one person, one case and one action, ends after some days and works once. Mail
scanners and previews follow links with GET and HEAD, which is why only the button's POST does anything.
"""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cached_property, partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from app.core.errors import BadInput, Conflict, NotFound
from app.core.i18n import chosen_language, words
from app.core.keys import key_for
from app.edge import Services, ServicesDep, SessionDep
from app.web.case_actions import ActionForm
from app.web.desk import page_context
from app.web.owner_answers import command_of, refusal, shown_plain
from app.web.reason_names import ReasonNames
from app.web.rendering import render
from disputes.actions import owner_links
from disputes.digest_tokens import LinkedAction, LinkTokens
from disputes.digests import zone_of
from disputes.queries.digests import people
from disputes.queries.owner_links import LinkView, link_view
from disputes.rules_in_force import all_reasons

router = APIRouter()
STATUS = {"forged": 404, "gone": 404, "expired": 410, "over": 409}
HEADERS = {"cache-control": "no-store", "x-robots-tag": "noindex, nofollow"}


class NoLink(NotFound):
    """The address is cut short or was never a link of ours."""


class DoForm(ActionForm):
    """The reason or what is needed, and the sum to credit as a person writes it."""

    text: str = ""
    amount: str = ""


@dataclass(frozen=True)
class _Visit:
    """Somebody at a link, and how the link stands."""

    request: Request
    session: Session
    services: Services
    linked: LinkedAction
    view: LinkView

    @cached_property
    def language(self) -> str:
        """The owner's, else what their browser asks for."""
        accept = self.request.headers.get("accept-language", "")
        preferred = self.view.user.language if self.view.user else None
        return chosen_language(preferred, accept, self.services.settings.default_language)

    def page(self, *, form: DoForm | None = None, error: str = "") -> Response:
        """The page, with the form as it was sent where it could not be done."""
        context = page_context(self.request, words(self.language)) | {
            "reason_name": ReasonNames(words(self.language), partial(all_reasons, self.session)),
            "view": self.view,
            "item": self.view.item,
            "action": self.linked.action,
            "now": self.services.clock(),
            "zone": self._zone(),
            "form": form or DoForm(),
            "asked": self._asked(),
            "error": error,
        }
        status = 422 if error else STATUS.get(self.view.state, 200)
        return HTMLResponse(render("link/show.html", self.language, context), status_code=status, headers=HEADERS)

    def _asked(self) -> str:
        """The customer's own figure, as the reader types it; "" where they gave none."""
        asked = self.view.item.asked_amount if self.view.item is not None else None
        return shown_plain(*asked, locale=words(self.language).locale) if asked is not None else ""

    def _zone(self) -> tzinfo:
        person = next(iter(people(self.session, user_id=self.linked.user_id)), None) if self.view.user else None
        return zone_of(person.rhythm, person.calendar) if person is not None else UTC


def _visit(request: Request, session: Session, services: Services, token: str) -> _Visit:
    tokens = LinkTokens(key_for(services.settings, "digest action"))
    linked = tokens.check(token, now=services.clock())
    if linked is None:
        raise NoLink("This link is not complete: open it from the mail again")
    return _Visit(request, session, services, linked, link_view(session, linked=linked))


@router.api_route("/do/{token}", methods=["GET", "HEAD"])
def look(request: Request, session: SessionDep, services: ServicesDep, token: str) -> Response:
    """What the link is about. Nothing changes."""
    return _visit(request, session, services, token).page()


@router.post("/do/{token}")
def act(
    request: Request, session: SessionDep, services: ServicesDep, token: str, form: Annotated[DoForm, Form()]
) -> Response:
    """Do it, once; what cannot be done comes back with the form."""
    visit = _visit(request, session, services, token)
    if visit.view.state not in {"ready", "done"}:
        return visit.page()
    try:
        if visit.view.state == "ready":
            _use(visit, form)
    except (BadInput, Conflict) as error:
        return visit.page(form=form, error=refusal(error))
    return RedirectResponse(f"/do/{token}", status_code=HTTPStatus.SEE_OTHER)


def _use(visit: _Visit, form: DoForm) -> None:
    item, linked = visit.view.item, visit.linked
    command = command_of(
        linked.case_id,
        linked.action,
        form.text,
        form.amount,
        currency=item.amount[1] if item is not None and item.amount is not None else "",
        locale=words(visit.language).locale,
    )
    limit = visit.services.settings.casework.credit_limit
    owner_links.use(visit.session, linked=linked, command=command, limit=limit, now=visit.services.clock())
