"""The pages put together: routers, built files, the error page."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

from app.core.i18n import words
from app.edge import services
from app.web import (
    accounts,
    actions_by_link,
    approvals,
    bank_checks,
    calendars,
    calls,
    case_actions,
    case_life,
    case_plan,
    cases,
    deliveries,
    digest,
    inbox,
    letter_rules,
    letter_runs,
    letter_texts,
    letter_writing,
    letterheads,
    letters,
    live,
    mails,
    messages,
    owner_answers,
    presence,
    ratings,
    replies,
    review,
    search,
    session,
    talk,
    tasks,
    webhooks,
)
from app.web.desk import language_of, page_context
from app.web.rendering import STATIC, render
from app.web.rules import absences, learning, levels, playbooks, reasons, reminders, routing, team, versions, wordings

FAMILIES = (
    session,
    inbox,
    cases,
    case_actions,
    case_life,
    case_plan,
    talk,
    replies,
    presence,
    mails,
    messages,
    accounts,
    letters,
    letter_runs,
    letter_rules,
    letterheads,
    letter_texts,
    letter_writing,
    tasks,
    calls,
    approvals,
    bank_checks,
    deliveries,
    calendars,
    review,
    search,
    live,
    playbooks,
    levels,
    routing,
    reminders,
    wordings,
    reasons,
    absences,
    learning,
    versions,
    team,
    webhooks,
    ratings,
    actions_by_link,
    digest,
    owner_answers,
)


class BuiltFiles(StaticFiles):
    """Files whose names carry a hash: kept by the browser for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, cacheable for a year."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def install(app: FastAPI) -> None:
    """Add every page to the application."""
    for family in FAMILIES:
        app.include_router(family.router, include_in_schema=False)
    app.mount("/static", BuiltFiles(directory=STATIC, check_dir=False), name="static")


def error_page(request: Request, status: int, message: str) -> Response:
    """An expected error as a page: what happened, in the reader's language, and where to go from here."""
    language = getattr(request.state, "language", None) or language_of(request, services(request), None)
    spoken = words(language)
    context = page_context(request, spoken) | {"status": status, "message": message}
    return HTMLResponse(render("errors/error.html", spoken.language, context), status_code=status)
