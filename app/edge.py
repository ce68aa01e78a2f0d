"""The HTTP edge: who calls, one transaction per request, CSRF, size limits, headers, errors into answers."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.orm import Session, sessionmaker
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import auth
from app.core import db
from app.core.blobs import BlobStore
from app.core.clock import Clock
from app.core.errors import DomainError, Forbidden, NotSignedIn
from app.core.log import correlation_id, logger
from app.core.settings import Settings

COOKIE = "amiable_session"
Enqueue = Callable[..., None]
"""`enqueue(session, job, *ids)`: adds a job in the caller's transaction."""
ErrorPage = Callable[[Request, int, str], Response]


@dataclass(frozen=True)
class Services:
    """What requests need, made once per process and passed down."""

    settings: Settings
    sessions: sessionmaker[Session]
    clock: Clock
    blobs: BlobStore
    enqueue: Enqueue
    extras: dict[str, Any] = field(default_factory=dict)


class TooLarge(DomainError):
    """The request's body is over its limit."""

    status = 413


def services(request: Request) -> Services:
    """The process's services."""
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]


def get_session(request: Request) -> Iterator[Session]:
    """One transaction per request; read-only for GET, so that SQLite readers never wait for a writer."""
    reading = request.method in {"GET", "HEAD"}
    with db.transaction(services(request).sessions, read_only=reading) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session, scope="function")]
"""scope="function": the commit happens before the answer leaves; a failing commit must not answer 200."""


def current_user(request: Request, session: SessionDep) -> auth.User:
    """The signed-in user. Raises NotSignedIn, which pages turn into a redirect to the sign-in form."""
    secret = request.cookies.get(COOKIE, "")
    user = auth.signed_in_user(session, secret=secret, now=services(request).clock()) if secret else None
    if user is None:
        raise NotSignedIn("Please sign in")
    request.state.user = user
    return user


UserDep = Annotated[auth.User, Depends(current_user)]


def require(action: str) -> Callable[[auth.User], auth.User]:
    """A dependency: the signed-in user, if their role may `action`; else Forbidden."""

    def allowed(user: UserDep) -> auth.User:
        if not auth.may(user, action):
            raise Forbidden(f"Your role ({user.role}) may not {action}")
        return user

    return allowed


def token(scope: str) -> Callable[..., auth.ApiToken]:
    """A dependency: the API token of an `Authorization: Bearer` header, good for `scope` (else 401 or 403)."""

    def presented(request: Request, session: SessionDep) -> auth.ApiToken:
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not text:
            raise NotSignedIn("Send the API token as: Authorization: Bearer amk_...")
        found = auth.token_for(session, text=text.strip(), scope=scope)
        found.last_used_at = services(request).clock()
        return found

    return presented


def set_session_cookie(response: Response, secret: str, settings: Settings) -> None:
    """Give the browser its session: HttpOnly, SameSite=Lax, Secure behind TLS."""
    age = settings.session_hours * 3600
    response.set_cookie(COOKIE, secret, max_age=age, httponly=True, samesite="lax", secure=settings.tls, path="/")


def install_errors(app: FastAPI, page: ErrorPage) -> None:
    """Answer expected errors in words: problem+json (RFC 9457) for the API, a page for people."""

    def domain_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)  # noqa: S101 - registered for this class only
        if wants_json(request):
            return problem(error.status, error.message, error.fields)
        if isinstance(error, NotSignedIn):
            return RedirectResponse(f"/sign-in?next={quote(_wanted(request))}", status_code=HTTPStatus.SEE_OTHER)
        return page(request, error.status, error.message)

    def bad_request(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
        fields = {".".join(map(str, item["loc"][1:])): item["msg"] for item in error.errors()}
        if wants_json(request):
            return problem(422, "The request cannot be read: " + _in_words(fields), fields)
        return page(request, 422, _in_words(fields))

    def bug(request: Request, error: Exception) -> Response:
        logger().error("unexpected error", path=request.url.path, method=request.method, exc_info=error)
        words = "Something went wrong on our side; nothing was changed."
        return problem(500, words) if wants_json(request) else page(request, 500, words)

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
        words = str(error.detail)
        return problem(error.status_code, words) if wants_json(request) else page(request, error.status_code, words)

    app.add_exception_handler(DomainError, domain_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, bad_request)
    app.add_exception_handler(Exception, bug)


def problem(status: int, detail: str, fields: dict[str, str] | None = None) -> JSONResponse:
    """An error for machines, as RFC 9457 describes, with `fields` naming the inputs at fault."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    body |= {"detail": detail, "fields": fields or {}}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def wants_json(request: Request) -> bool:
    """Whether the caller is a machine."""
    return request.url.path.startswith("/api/")


def _wanted(request: Request) -> str:
    """Where to go after signing in: only a GET can be repeated."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _in_words(fields: dict[str, str]) -> str:
    return "; ".join(f"{name}: {words}" if name else words for name, words in fields.items())


CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'self'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "cache-control": "private, no-cache",
}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


class Guard:
    """Around every request: correlation id, CSRF check, body limit, security headers.

    A view may set its own content-security-policy or cache-control; whatever it does not set is set here.
    The page's style nonce is `request.state.nonce`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request inside the guard."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        correlation_id.set(secrets.token_hex(8))
        guarded = self._with_headers(send, nonce)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, guarded)
            return
        await self.app(scope, self._limited(receive, self._limit(scope)), guarded)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        declared = headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self._limit(scope):
            return problem(TooLarge.status, f"The body is over the limit of {self._limit(scope)} bytes")
        if not scope["path"].startswith("/api/") and scope["method"] not in SAFE_METHODS and not same_origin(headers):
            return problem(403, "This request did not come from our own pages (CSRF check)")
        return None

    def _limit(self, scope: Scope) -> int:
        limits = self.settings.limits
        return limits.push_bytes if scope["path"] == "/api/v1/erp/push" else limits.request_bytes

    def _limited(self, receive: Receive, limit: int) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                # An HTTPException, because FastAPI turns any other error while reading a body into a 400.
                raise HTTPException(TooLarge.status, f"The body is over the limit of {limit} bytes")
            return message

        return counted

    def _with_headers(self, send: Send, nonce: str) -> Send:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", CSP.format(nonce=nonce))
                headers.setdefault("x-correlation-id", correlation_id.get())
                if self.settings.tls:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        return with_headers


def same_origin(headers: Headers) -> bool:
    """Whether an unsafe request comes from our own pages: Sec-Fetch-Site, else Origin against Host (ui.md, CSRF)."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin", "")
    return bool(origin) and origin.split("://", 1)[-1] == headers.get("host")
