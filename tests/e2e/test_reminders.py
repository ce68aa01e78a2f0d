"""Reminders in the browser: a level added and moved, last quarter replayed in place, saved as a version."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Server
from tests.factories import a_case, an_account, an_entity, an_invoice, in_case
from tests.fixtures_db import FixedClock
from tests.letters.stories import ADDRESS

pytestmark = pytest.mark.browser


@pytest.fixture
def owing(server: Server, clock: FixedClock) -> None:
    """Two customers in arrears since October, one of them in dispute about another invoice from December on."""
    then = clock() - timedelta(days=87)
    owed = {"issued": date(2025, 8, 1), "due": date(2025, 10, 20), "gross": Decimal(500), "open_amount": Decimal(500)}
    with server.database.transaction() as session:
        entity = an_entity(session)
        for name in ("Boulangerie Keller", "Café Bleu"):
            account = an_account(session, entity, name=name, address=ADDRESS)
            an_invoice(session, account, **owed)
        case = a_case(session, account, now=then, waiting_on="customer", opened_at=then)
        in_case(session, case, an_invoice(session, account, **owed), now=then)


@pytest.mark.usefixtures("owing")
def test_a_procedure_is_changed_replayed_and_saved(server: Server, signed_in: Callable[..., Page]) -> None:
    page = signed_in("Lea Roth", role="lead")
    page.goto(server.address("/rules/reminders"))
    page.get_by_role("link", name="Edit France").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("France")
    expect(page.locator(".rule-card")).to_have_count(4)
    page.get_by_role("button", name="Replay last quarter").click()
    expect(page.get_by_text("8 letters to 2 customers")).to_be_visible()
    expect(page.get_by_text("1 letter would have gone to somebody in dispute")).to_be_visible()
    last = page.locator(".rule-card").last
    last.get_by_role("button", name="Take away").click()
    page.keyboard.press("p")
    expect(page.get_by_text("6 letters to 2 customers")).to_be_visible()
    assert not Axe().run(page).response["violations"]
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 1").first).to_be_visible()
    expect(page.locator(".rule-card")).to_have_count(3)
