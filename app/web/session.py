"""Signing in and out, and the user's own settings."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict

from app import auth
from app.core.i18n import words
from app.edge import COOKIE, Services, ServicesDep, SessionDep, set_session_cookie
from app.web.desk import DeskDep, language_of, page_context
from app.web.flash import Flash
from app.web.rendering import render

router = APIRouter()
N_ = str  # marks a msgid for extraction
REFUSALS = {
    "wrong address or password": N_("The address or the password is not right."),
    "too many attempts": N_("Too many attempts. Wait a quarter of an hour, then try again."),
}


class SignInForm(BaseModel):
    """What the sign-in form sends."""

    model_config = ConfigDict(extra="forbid")

    email: str = ""
    password: str = ""
    next: str = "/"


class PreferencesForm(BaseModel):
    """What the user menu sends."""

    model_config = ConfigDict(extra="forbid")

    language: Literal["en", "fr"]
    back: str = "/"


def inside(path: str) -> str:
    """The path if it leads to our own pages, else the desk: no open redirect (S16)."""
    safe = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and "\\" not in path
    return path if safe else "/"


@router.get("/sign-in")
def sign_in_page(request: Request, services: ServicesDep, next: str = "/") -> HTMLResponse:  # noqa: A002 - its name in the address
    """The sign-in form."""
    return _form(request, services, SignInForm(next=next), refusal=None, status=200)


@router.post("/sign-in")
def sign_in(
    request: Request, services: ServicesDep, session: SessionDep, form: Annotated[SignInForm, Form()]
) -> Response:
    """Open a session and go where the user wanted to."""
    settings, client = services.settings, request.client.host if request.client else "unknown"
    found = auth.sign_in(
        session,
        email=form.email,
        password=form.password,
        client=client,
        now=services.clock(),
        hours=settings.session_hours,
    )
    if found.secret is None:
        return _form(request, services, form, refusal=found.refusal, status=422)
    response = RedirectResponse(inside(form.next), status_code=303)
    set_session_cookie(response, found.secret, settings)
    return response


@router.post("/sign-out")
def sign_out(request: Request, services: ServicesDep, session: SessionDep) -> Response:
    """End the session on the server, not only the cookie."""
    auth.sign_out(session, secret=request.cookies.get(COOKIE, ""), now=services.clock())
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.post("/preferences")
def preferences(desk: DeskDep, form: Annotated[PreferencesForm, Form()]) -> Response:
    """The language the user reads."""
    auth.set_language(desk.session, user=desk.user, language=form.language, actor=desk.actor, now=desk.now)
    return desk.done(inside(form.back), Flash("saved"))


def _form(request: Request, services: Services, form: SignInForm, *, refusal: str | None, status: int) -> HTMLResponse:
    spoken = words(language_of(request, services, None))
    context = page_context(request, spoken) | {
        "email": form.email,
        "next": inside(form.next),
        "refusal": REFUSALS.get(refusal or "", refusal),
    }
    return HTMLResponse(render("session/sign_in.html", spoken.language, context), status_code=status)
