"""S5: HTML of mails executes nothing and fetches nothing, with all defences and with each alone."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Playwright
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app import auth
from app.edge import COOKIE
from app.main import create_app
from app.web.messages import FRAME_CSP
from disputes.safe_html import sanitise
from tests.e2e.conftest import Server, serving
from tests.e2e.hostile import Canary, batches, executions, layers, mail_with, page_of_frames, payloads, watched
from tests.factories import a_case, a_message, a_user, an_account, an_entity

pytestmark = pytest.mark.browser
POLICY_ALONE = FRAME_CSP.replace("; sandbox allow-popups allow-popups-to-escape-sandbox", "").replace("'self'", "*")


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Not the shared browser: this one's names all lead to the canary."""
    with watched(playwright) as (browser, canary):
        Watch.canary = canary
        yield browser


class Watch:
    """The canary of this module's browser."""

    canary: Canary


def clean(html: str) -> str:
    return sanitise(html, inline_url=lambda _content_id: None).html


def stays(html: str) -> bool:
    """Whether the HTML loads into its page only: no policy keeps a document from leaving or from looking up names."""
    return not any(word in html.lower() for word in ("refresh", "dns-prefetch", "preconnect"))


def shown(browser: Browser, layer: str) -> tuple[list[str], list[str]]:
    """What ran and what the canary was asked for when everything is shown behind one layer."""
    raw = [html if layer != "policy" or stays(html) else "" for html in payloads()]
    before = len(Watch.canary.hits)
    with serving(layers(raw, clean, POLICY_ALONE)) as url:
        page = browser.new_page()
        ran = executions(page, [f"{url}/{layer}/frames?{batch}" for batch in batches(len(raw))])
        page.close()
    return ran, Watch.canary.hits[before:]


def test_without_a_defence_the_payloads_do_run_and_do_fetch(chromium: Browser) -> None:
    ran, hits = shown(chromium, "none")
    assert len(ran) > 50
    assert len(hits) > 5


def test_the_sanitiser_alone_stops_scripts_and_requests(chromium: Browser) -> None:
    assert shown(chromium, "sanitiser") == ([], [])


def test_the_policy_alone_stops_scripts_and_requests(chromium: Browser) -> None:
    ran, hits = shown(chromium, "policy")
    assert ran == []
    # No policy keeps a browser from opening connections in advance; nothing may be asked over them.
    assert [hit for hit in hits if hit != "connection"] == []


def test_the_sandbox_alone_stops_scripts(chromium: Browser) -> None:
    ran, _hits = shown(chromium, "sandbox")
    assert ran == []


def test_as_the_desk_shows_it_nothing_runs_and_nothing_is_fetched(server: Server, chromium: Browser) -> None:
    raw = payloads()
    numbers = stored(server, raw)
    with server.database.transaction() as session:
        user = a_user(session, "Ana Silva", now=server.now)
        secret = auth.open_session(session, user=user, now=server.now, hours=8)
    before = len(Watch.canary.hits)
    with serving(desk_with_frames(server, numbers)) as url:
        context = chromium.new_context()
        context.add_cookies([{"name": COOKIE, "value": secret, "url": url}])
        page = context.new_page()
        ran = executions(page, [f"{url}/frames?{batch}" for batch in batches(len(raw))])
        shown = [frame for frame in page.frames if frame.url.endswith("/html")]
        whole = context.request.get(f"{url}/messages/{numbers[0]}/html")
        context.close()
    assert (ran, Watch.canary.hits[before:]) == ([], [])
    assert shown
    assert whole.status == 200
    assert "sandbox" in whole.headers["content-security-policy"]


def desk_with_frames(server: Server, numbers: list[int]) -> FastAPI:
    """The real application, and a page that frames the mails as the case page does."""
    app = create_app(server.services)

    def frames(request: Request) -> HTMLResponse:
        page = page_of_frames(request, sandboxed=True, address=lambda number: f"/messages/{numbers[number]}/html")
        # The page of frames runs the test's own script; each mail has its own policy.
        page.headers["content-security-policy"] = "script-src 'unsafe-inline'"
        return page

    app.routes.insert(0, Route("/frames", frames))
    return app


def stored(server: Server, raw: list[str]) -> list[int]:
    """Each payload as a mail of one case."""
    with server.database.transaction() as session:
        case = a_case(session, an_account(session, an_entity(session)), now=server.now)
        keys = [server.services.blobs.put(mail_with(html)) for html in raw]
        return [a_message(session, case, now=server.now, has_html=True, content_hash=key).id for key in keys]
