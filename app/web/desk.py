"""What every page needs: who is asking, in which language, and how to answer."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cached_property, partial
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from app import auth
from app.core.events import Actor, user_actor
from app.core.i18n import Words, chosen_language, words, zone
from app.edge import Services, ServicesDep, SessionDep, UserDep
from app.web import flash
from app.web.reason_names import ReasonNames
from app.web.rendering import render
from disputes.queries import ViewCounts, newest_change, view_counts
from disputes.queries.outbox import mails_to_decide_count
from disputes.queries.replies import drafts_count
from disputes.queries.review import quarantine_count, review_count
from disputes.queries.tasks import TaskCounts, own_counts
from disputes.rules_in_force import all_reasons

THEMES = ("light", "dark")
DENSITIES = ("compact",)


@dataclass(frozen=True, slots=True)
class Nav:
    """The counts beside the navigation."""

    views: ViewCounts
    review: int
    quarantine: int
    mails: int
    drafts: int
    tasks: TaskCounts


@dataclass(frozen=True)
class Look:
    """How this browser wants the desk shown; each is "" for the default."""

    theme: str
    density: str
    keys: str


@dataclass(frozen=True)
class Desk:
    """A signed-in user's request."""

    request: Request
    session: Session
    user: auth.User
    services: Services

    @cached_property
    def now(self) -> datetime:
        """The moment of the request, the same for all it does."""
        return self.services.clock()

    @cached_property
    def zone(self) -> tzinfo:
        """The reader's time zone, as their browser told."""
        return zone(self.request.cookies.get("zone"))

    @property
    def today(self) -> date:
        """The reader's date."""
        return self.now.astimezone(self.zone).date()

    @cached_property
    def words(self) -> Words:
        """The reader's language."""
        return words(self.request.state.language)

    @cached_property
    def reason_names(self) -> ReasonNames:
        """What reasons are called, the deployment's own among them."""
        return ReasonNames(self.words, partial(all_reasons, self.session))

    @property
    def actor(self) -> Actor:
        """The user as the event log names them."""
        return user_actor(self.user.id)

    def page(self, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """A page of the desk as an answer."""
        told = flash.told(self.request)
        shared = page_context(self.request, self.words) | {
            "reason_name": self.reason_names,
            "user": self.user,
            "now": self.now,
            "today": self.today,
            "zone": self.zone,
            "nav": self._nav(),
            "flash": told,
            "flash_messages": flash.MESSAGES,
            "may_see_quarantine": auth.may(self.user, "see quarantine"),
            "may_manage_rules": auth.may(self.user, "manage rules"),
            "may_manage_reasons": auth.may(self.user, "manage reasons"),
            "may_manage_webhooks": auth.may(self.user, "manage webhooks"),
        }
        response = HTMLResponse(render(template, self.words.language, shared | context), status_code=status)
        if told is not None:
            response.delete_cookie(flash.COOKIE, path="/")
        return response

    def done(self, to: str, told: flash.Flash | None = None) -> Response:
        """The answer to a form that worked: 303 to a page that tells what was done."""
        response = RedirectResponse(to, status_code=303)
        if told is not None:
            flash.tell(response, told, secure=self.services.settings.tls)
        return response

    def _nav(self) -> Nav:
        """The navigation's counts, counted anew only after a change or when the minute turns."""
        kept: dict[int, tuple[tuple[int, int], Nav]] = self.services.extras.setdefault("nav", {})
        state = (newest_change(self.session), int(self.now.timestamp() // 60))
        known = kept.get(self.user.id)
        if known is not None and known[0] == state:
            return known[1]
        nav = Nav(
            views=view_counts(self.session, user=self.user, now=self.now),
            review=review_count(self.session, user=self.user),
            quarantine=quarantine_count(self.session, user=self.user),
            mails=mails_to_decide_count(self.session, user=self.user),
            drafts=drafts_count(self.session, user=self.user),
            tasks=own_counts(self.session, user=self.user, now=self.now),
        )
        kept[self.user.id] = (state, nav)
        return nav


def desk(request: Request, session: SessionDep, user: UserDep, services: ServicesDep) -> Desk:
    """The dependency every page of the desk takes."""
    # Kept for error pages: after a rollback the user's row can no longer be read.
    request.state.language = language_of(request, services, user)
    return Desk(request, session, user, services)


DeskDep = Annotated[Desk, Depends(desk)]


def language_of(request: Request, services: Services, user: auth.User | None) -> str:
    """By user, then Accept-Language, then the deployment (U34)."""
    accept = request.headers.get("accept-language", "")
    return chosen_language(user.language if user else None, accept, services.settings.default_language)


def page_context(request: Request, spoken: Words) -> dict[str, Any]:
    """What the layout needs, signed in or not."""
    return {
        "request": request,
        "words": spoken,
        "reason_name": ReasonNames(spoken),
        "lang": spoken.language,
        "nonce": request.state.nonce,
        "look": look_of(request),
        "path": request.url.path,
    }


def look_of(request: Request) -> Look:
    """The browser's own settings; anything unknown is the default."""
    cookies = request.cookies
    theme, density, keys = (cookies.get(name, "") for name in ("theme", "density", "keys"))
    return Look(
        theme=theme if theme in THEMES else "",
        density=density if density in DENSITIES else "",
        keys="off" if keys == "off" else "",
    )
