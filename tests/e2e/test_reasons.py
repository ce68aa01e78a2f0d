"""An administrator adds a reason, types codes through the table with the keyboard, and is told what is wrong."""

from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from disputes.rules_in_force import all_reasons, code_map
from tests.e2e.conftest import Server
from tests.e2e.test_accessibility import findings
from tests.factories import a_case, a_message, a_team, an_account, an_entity

pytestmark = pytest.mark.browser
PAGE = "/rules/reasons"
PROMOTION = "price.promotion"


@pytest.fixture
def admin(server: Server, signed_in: Callable[..., Page]) -> Page:
    with server.database.transaction() as session:
        a_team(session, "sales")
        a_message(session, a_case(session, an_account(session, an_entity(session)), now=server.now), now=server.now)
    return signed_in("Ada Root", role="admin")


def add_promotion(page: Page) -> None:
    page.keyboard.press("n")
    form = page.locator("#add-reason")
    form.get_by_label("Special form of").select_option("price")
    form.get_by_label("Name for other systems").fill("promotion")
    form.get_by_label("English").fill("Promotion price")
    form.get_by_label("French").fill("Prix promotionnel")
    form.get_by_label("Team").select_option("sales")
    form.get_by_role("button", name="Add").click()


def test_a_reason_is_added_and_a_case_corrected_to_it(server: Server, admin: Page) -> None:
    admin.goto(server.address("/rules/routing"))
    admin.get_by_role("link", name="Reasons", exact=True).click()
    expect(admin.get_by_role("heading", name="Your own reasons")).to_be_visible()
    add_promotion(admin)
    expect(admin.locator(f'[id="own-{PROMOTION}"]')).to_contain_text("Promotion price")
    admin.goto(server.address("/cases/1"))
    admin.locator("#reason-menu summary").click()
    admin.get_by_role("button", name="Promotion price").click()
    expect(admin.locator("#reason-menu .main-reason")).to_contain_text("Promotion price")


def test_codes_are_typed_through_with_the_keyboard_alone(server: Server, admin: Page) -> None:
    admin.goto(server.address(PAGE))
    admin.get_by_label("Price, SAP").focus()
    for code in ("Z01", "Z02", "Z03"):
        admin.keyboard.type(code)
        admin.keyboard.press("Enter")
    admin.keyboard.press("ArrowUp")
    expect(admin.get_by_label("Quality, SAP")).to_be_focused()
    admin.keyboard.press("Tab")
    expect(admin.get_by_label("Quality, X12 426")).to_be_focused()
    admin.keyboard.press("Control+Enter")
    expect(admin.get_by_text("Saved.")).to_be_visible()
    expect(admin.get_by_label("Quantity, SAP")).to_have_value("Z02")
    with server.database.transaction(read_only=True) as session:
        mapped = code_map(session)
        assert [mapped.reason_for("sap", code) for code in ("Z01", "Z02", "Z03")] == ["price", "quantity", "quality"]


def test_a_wrong_code_is_told_at_its_cell_and_what_was_typed_stays(server: Server, admin: Page) -> None:
    admin.goto(server.address(PAGE))
    admin.get_by_label("Tax or legal mention, Peppol").fill("XXX")
    admin.get_by_label("Tax or legal mention, SAP").fill("T1")
    admin.get_by_role("button", name="Save the codes").click()
    cell = admin.get_by_label("Tax or legal mention, Peppol")
    expect(cell).to_have_attribute("aria-invalid", "true")
    expect(admin.get_by_text("This is not in the standard's list.")).to_be_visible()
    expect(admin.get_by_label("Tax or legal mention, SAP")).to_have_value("T1")
    cell.fill("LEG")
    admin.get_by_role("button", name="Save the codes").click()
    expect(admin.get_by_text("Saved.")).to_be_visible()


def test_a_reason_is_retired_and_used_again(server: Server, admin: Page) -> None:
    admin.goto(server.address(PAGE))
    add_promotion(admin)
    own = admin.locator(f'[id="own-{PROMOTION}"]')
    own.locator("summary").click()
    own.get_by_role("button", name="Retire").click()
    expect(own).to_contain_text("retired")
    with server.database.transaction(read_only=True) as session:
        assert not all_reasons(session).usable(PROMOTION)
    own.locator("summary").click()
    own.get_by_role("button", name="Use it again").click()
    expect(own).not_to_contain_text("retired")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_page(server: Server, admin: Page, scheme: Literal["light", "dark"]) -> None:
    admin.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    admin.goto(server.address(PAGE))
    add_promotion(admin)
    admin.locator(f'[id="own-{PROMOTION}"] summary').click()
    assert findings(admin) == []
