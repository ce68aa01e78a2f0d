"""The whole program in a browser: a server of the test's own, and chromium looking at it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from app import auth
from app.core.blobs import FolderStore
from app.core.settings import Settings
from app.edge import COOKIE, Services
from app.main import create_app
from app.web.rendering import STATIC
from tests.databases import Database
from tests.factories import a_user
from tests.fixtures_db import FixedClock
from tests.servers.ports import free_port
from tests.servers.waiting import wait_until

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""ui.md: without these, Debian's chromium waits for a network it does not get."""


@pytest.fixture
def database_kind() -> str:
    """What the browser sees does not depend on the database; the routes are tested on both kinds."""
    return "sqlite"


@dataclass
class Server:
    """The application behind a real port."""

    url: str
    database: Database
    services: Services
    now: datetime

    def address(self, path: str) -> str:
        """A page's whole address."""
        return self.url + path


@pytest.fixture
def server(database: Database, settings: Settings, clock: FixedClock, now: datetime) -> Iterator[Server]:
    """Serves until the test ends."""
    if not (STATIC / "manifest.json").exists():
        pytest.fail("the front end is not built: scripts/build-frontend")
    services = Services(
        settings=settings,
        sessions=database.sessions,
        clock=clock,
        blobs=FolderStore(settings.blob_folder),
        enqueue=lambda *_job, **_when: None,
    )
    with serving(create_app(services)) as url:
        yield Server(url, database, services, now)


class serving:  # noqa: N801 - reads as a verb where it is used
    """Runs an ASGI application on a free port in a thread of its own."""

    def __init__(self, app: Any) -> None:
        self.port = free_port()
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="error", timeout_graceful_shutdown=1, lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        wait_until(lambda: self.server.started)
        return f"http://127.0.0.1:{self.port}"

    def __exit__(self, *_error: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=20)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright itself: there can be only one in a thread."""
    # A limit for what never comes, not a measurement: a busy machine may be slow.
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One browser for all tests; each gets a context of its own."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
    yield browser
    browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A clean profile, in English, in Paris."""
    context = chromium.new_context(locale="en-GB", timezone_id="Europe/Paris", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def signed_in(server: Server, context: BrowserContext) -> Callable[..., Page]:
    """Gives a page of a user who is signed in already; errors in its console fail the test."""

    def page_of(name: str = "Ana Silva", **values: Any) -> Page:
        with server.database.transaction() as session:
            user = a_user(session, name, now=server.now, **values)
            secret = auth.open_session(session, user=user, now=server.now, hours=8)
        context.add_cookies([{"name": COOKIE, "value": secret, "url": server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"error in the page: {error}"))
        return page

    return page_of
