"""What we promised, looked at in a browser: the chip opens all promises, by mouse and by keyboard, light and dark."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from disputes.models import Case
from tests.e2e.conftest import Server
from tests.factories import a_case, a_clock, an_account, an_entity

pytestmark = pytest.mark.browser


@pytest.fixture
def case(server: Server) -> Case:
    """A late first answer, an update to come, and a resolution that waits for the customer."""
    with server.database.transaction() as session:
        now = server.now
        case = a_case(session, an_account(session, an_entity(session), name="Keller"), now=now)
        a_clock(session, case, now=now, due=timedelta(hours=-2))
        a_clock(session, case, now=now, due=timedelta(days=2), kind="next_update")
        paused = {"paused_at": now, "pause_reason": "waiting on the customer", "left_seconds": 7200, "due_at": None}
        a_clock(session, case, now=now, due=timedelta(0), kind="resolution", **paused)
        return case


def test_the_chip_says_what_presses_and_opens_all_that_was_promised(
    server: Server, signed_in: Callable[..., Page], case: Case
) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    row = page.locator(f"#case-{case.id} .due")
    expect(row).to_contain_text("2h late")
    expect(row).to_contain_text("First answer")
    page.goto(server.address(f"/cases/{case.id}"))
    chip = page.get_by_text("First answer 2h late")
    chip.focus()
    page.keyboard.press("Enter")
    lines = page.locator(".promised li")
    expect(lines).to_have_count(3)
    expect(lines.nth(1)).to_contain_text("in 2 days")
    expect(lines.nth(2)).to_contain_text("paused: waiting on the customer · 2 office hours left")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page, context="#case-top")
        assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Escape")
    expect(lines.first).to_be_hidden()


def test_on_a_telephone_it_fits_and_late_cases_are_one_click_away(
    server: Server, signed_in: Callable[..., Page], case: Case
) -> None:
    page = signed_in(language="fr")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(server.address(f"/cases/{case.id}"))
    page.locator("#clocks-menu summary").click()
    expect(page.locator(".promised li").first).to_contain_text("en retard depuis")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(server.address("/inbox?standing=late"))
    expect(page.locator(f"#row-{case.id}")).to_be_visible()
