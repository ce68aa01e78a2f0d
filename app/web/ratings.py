"""The page a customer's link leads to: how well were you looked after? To look at it does nothing."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.i18n import LANGUAGES, words
from app.core.keys import key_for
from app.edge import Services, ServicesDep, SessionDep
from app.web.case_actions import ActionForm
from app.web.desk import language_of, page_context
from app.web.rendering import render
from disputes.actions import satisfaction
from disputes.queries.ratings import Standing, standing_of
from disputes.satisfaction import Asked, RatingLinks

router = APIRouter(prefix="/rating")
N_ = str  # marks a msgid for extraction


class NoQuestion(NotFound):
    """The link asks nothing: it is cut short or not ours."""


class RatingForm(ActionForm):
    """1 (poor) to 5, and what the customer says about it."""

    rating: int
    comment: str = ""


@router.get("/{token}")
def ask(request: Request, session: SessionDep, services: ServicesDep, token: str) -> Response:
    """The question, or the answer that stands and may be changed."""
    asked = _asked(services, token)
    return _page(request, session, services, asked)


@router.post("/{token}")
def answer(
    request: Request, session: SessionDep, services: ServicesDep, token: str, form: Annotated[RatingForm, Form()]
) -> Response:
    """Keep the answer; one that cannot be changed any more is shown as it stands."""
    asked = _asked(services, token)
    if asked.ended or not standing_of(session, case_id=asked.case_id, now=services.clock()).changeable:
        return _page(request, session, services, asked, status=409)
    satisfaction.rate(session, case_id=asked.case_id, rating=form.rating, comment=form.comment, now=services.clock())
    return RedirectResponse(f"/rating/{token}", status_code=303)


def rating_links(services: Services) -> RatingLinks:
    """What makes and checks the links."""
    return RatingLinks(key_for(services.settings, "rating link"), services.settings.public_url)


def _asked(services: Services, token: str) -> Asked:
    asked = rating_links(services).check(token, now=services.clock())
    if asked is None:
        raise NoQuestion("This link is not complete: open it from the mail again")
    return asked


def _page(request: Request, session: Session, services: Services, asked: Asked, *, status: int = 200) -> Response:
    standing = standing_of(session, case_id=asked.case_id, now=services.clock())
    language = _language(request, services, standing)
    context: dict[str, Any] = page_context(request, words(language))
    context |= {"standing": standing, "case": standing.case, "ended": asked.ended}
    return HTMLResponse(
        render("rating/show.html", language, context), status_code=status, headers={"referrer-policy": "no-referrer"}
    )


def _language(request: Request, services: Services, standing: Standing) -> str:
    """The customer's, where we speak it; else what their browser asks for."""
    language: str = standing.case.language
    return language if language in LANGUAGES else language_of(request, services, None)
