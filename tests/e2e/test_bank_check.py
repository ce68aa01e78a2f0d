"""S15 in the browser: Ana calls back, Ben confirms the next day; by keys, read by screen readers, at any width."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from disputes.models import BankCheck, Case, Message
from tests.e2e.conftest import Server
from tests.factories import a_bank_check, a_case, a_message, an_account, an_entity

pytestmark = pytest.mark.browser
TEXT = "Our bank account has changed: FR76 3000 1007 9412 3456. Questions: 06 12 34 56 78"


@pytest.fixture
def check(server: Server) -> BankCheck:
    """A mail about a new account, which cools off for three hours more."""
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        case = a_case(session, account, now=server.now, title="New bank details", flags=["payment_diversion"])
        mail = a_message(session, case, now=server.now, new_text=TEXT, flags=["payment_diversion"])
        return a_bank_check(session, case, mail, now=server.now, cool_until=server.now + timedelta(hours=3))


def state_of(server: Server, check: BankCheck) -> str:
    with server.database.transaction(read_only=True) as session:
        return session.get_one(BankCheck, check.id).state


def test_two_people_release_a_mail_about_bank_details_and_one_cannot(
    server: Server, signed_in: Callable[..., Page], check: BankCheck
) -> None:
    page = signed_in("Ana Silva", role="lead")
    page.goto(server.address("/inbox"))
    expect(page.get_by_text("Changed bank details: held for two people")).to_be_attached()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    warning = page.get_by_role("alert").filter(has_text="This mail may be a fraud")
    expect(warning).to_contain_text("Do not use bank details, links or telephone numbers from it.")
    expect(warning).to_contain_text("Call back on a number you knew before this mail.")
    panel = page.locator(f"#bank-check-{check.id}")
    expect(panel.get_by_role("radio", name="+33 1 42 00 00 00")).to_be_checked()
    expect(panel).not_to_contain_text("06 12 34 56 78")
    assert Axe().run(page).response["violations"] == []

    warning.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(server.address(f"/cases/{check.case_id}#bank-check-{check.id}"))
    panel.get_by_role("radio", name="+33 1 42 00 00 00").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(panel.get_by_role("radio", name="It is genuine")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Claire Martin says that they moved to another bank")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Kept: a second person is asked to confirm it.")).to_be_visible()
    expect(panel).to_contain_text("it cannot be you")
    expect(panel.get_by_role("button", name="release it")).to_have_count(0)
    assert state_of(server, check) == "asked"

    page = signed_in("Ben Roth")
    page.goto(server.address("/tasks"))
    page.get_by_role("link", name="Second person needed").click()
    page.get_by_role("link", name="confirm as second person").click()
    expect(panel_of(page, check)).to_contain_text("Claire Martin says that they moved to another bank")
    expect(panel_of(page, check).get_by_role("button", name="release it")).to_be_disabled()
    expect(panel_of(page, check)).to_contain_text("Cooling off")
    server.services.clock.advance(timedelta(hours=3))  # type: ignore[attr-defined] # the clock of tests
    page.reload()
    panel_of(page, check).get_by_label("A word on it").fill("I rang her too")
    page.keyboard.press("Enter")
    expect(panel_of(page, check)).to_contain_text("Bank details: released by two people")
    expect(page.get_by_text("Do not use bank details")).to_have_count(0)
    expect(panel_of(page, check)).to_contain_text("I rang her too")
    assert Axe().run(page).response["violations"] == []


def panel_of(page: Page, check: BankCheck) -> Locator:
    return page.locator(f"#bank-check-{check.id}")


def test_a_fraud_is_told_at_any_width_in_the_dark(
    server: Server, signed_in: Callable[..., Page], check: BankCheck
) -> None:
    with server.database.transaction() as session:
        row = session.get_one(BankCheck, check.id)
        row.state, row.outcome, row.note = "fraud", "fraud", "Nobody there wrote this"
        a_message(session, session.get_one(Case, row.case_id), now=server.now, subject="Did you pay?")
        session.query(Message).update({"from_email": "claire@customer.example"})
        row.sender = "claire@customer.example"
        row.first_at = row.second_at = server.now
    page = signed_in()
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(server.address(f"/cases/{check.case_id}"))
    expect(page.get_by_role("alert").filter(has_text="This mail is a fraud.")).to_be_visible()
    expect(page.get_by_role("link", name="Did you pay?")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert Axe().run(page).response["violations"] == []
