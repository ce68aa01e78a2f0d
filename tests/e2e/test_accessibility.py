"""axe finds nothing on the pages, in light and in dark (U32). The pages are small: axe takes its time."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.conftest import Server
from tests.factories import (
    a_case,
    a_link,
    a_message,
    a_payment,
    a_task,
    an_account,
    an_entity,
    an_invoice,
    in_case,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def paths(server: Server) -> list[str]:
    """One of each thing a page can show."""
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        now = server.now
        case = a_case(
            session, account, now=now, urgent=True, sentiment="angry", flags=["legal_threat", "callback_requested"]
        )
        a_case(session, account, now=now, reason="copy_invoice", state="waiting", sentiment="annoyed", due_at=now)
        invoice = an_invoice(session, account)
        words = [{"source": "new", "start": 4, "end": 9, "text": "price", "weight": 1.0}]
        text = f"The price of {invoice.number} is not the one agreed."
        message = a_message(
            session,
            case,
            now=now,
            new_text=text,
            deciding_words=words,
            quoted_text="> Dear customer",
            signature="Claire",
            has_html=True,
        )
        a_message(session, case, now=now, direction="internal", new_text="Credit it.")
        a_message(session, case, now=now, direction="out", new_text="We credit it.")
        a_message(session, None, now=now, state="quarantined", quarantine_reason="Too many parts")
        a_link(session, message, invoice, now=now)
        a_task(session, now=now, case=case, message=message)
        in_case(session, case, invoice, now=now)
        a_payment(session, account)
        return [
            "/inbox",
            f"/cases/{case.id}",
            f"/accounts/{account.id}",
            "/accounts",
            "/review",
            "/quarantine",
            "/search?q=keller",
        ]


def findings(page: Page) -> list[str]:
    """What axe finds, one line a rule and place."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html'][:160]}" for rule in violations for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server: Server, signed_in: Callable[..., Page], paths: list[str], scheme: Any) -> None:
    page = signed_in(role="admin")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for path in paths:
        page.goto(server.address(path))
        if faults := findings(page):
            found[path] = faults
    page.goto(server.address(paths[1]))
    page.keyboard.press("t")
    assert not found
    assert not findings(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_way_in(server: Server, signed_in: Callable[..., Page], scheme: Any) -> None:
    page = signed_in()
    page.context.clear_cookies()
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(server.address("/sign-in"))
    assert not findings(page)


def test_nothing_is_wider_than_a_telephone(server: Server, signed_in: Callable[..., Page], paths: list[str]) -> None:
    page = signed_in(role="admin")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in paths:
        page.goto(server.address(path))
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, path
