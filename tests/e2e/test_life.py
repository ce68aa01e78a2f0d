"""Steering a case by the keyboard: resolve in part and see the money, wait, merge and separate, in two languages."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.core.events import system
from app.web.ratings import rating_links
from disputes.actions import links, money
from disputes.models import Case
from tests.e2e.conftest import Server
from tests.e2e.test_accessibility import findings
from tests.factories import a_case, a_link, a_message, an_account, an_entity, an_invoice

pytestmark = pytest.mark.browser


@pytest.fixture
def pair(server: Server) -> tuple[int, int]:
    """Two open disputes of one account; the first is about two invoices of 1,200.00."""
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        case = a_case(session, account, now=server.now, title="Price of the pallets")
        for number in ("F2026-00417", "F2026-00418"):
            invoice = an_invoice(session, account, number=number)
            message = a_message(session, case, now=server.now, new_text=f"The price of {number} is wrong.")
            link = a_link(session, message, invoice, now=server.now)
            links.confirm(session, link_id=link.id, actor=system("test"), now=server.now)
        other = a_case(session, account, now=server.now, title="Pallets again")
        a_message(session, other, now=server.now, new_text="Still wrong.")
        return case.id, other.id


def test_a_dispute_is_resolved_in_part_by_keys_and_its_money_is_seen(
    server: Server, signed_in: Callable[..., Page], pair: tuple[int, int]
) -> None:
    page = signed_in()
    page.goto(server.address(f"/cases/{pair[0]}"))
    page.keyboard.press("s")
    dialog = page.locator("#resolve-dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("ArrowDown")
    first = dialog.get_by_label("Accepted of F2026-00417")
    expect(first).to_be_visible()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.type("1300")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text("More is accepted than is in dispute.")
    expect(first).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("250,50")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Case resolved.")
    total = page.locator("#money-total")
    expect(total).to_contain_text("€250.50 still in dispute")
    expect(total).to_contain_text("of €2,400.00")
    expect(total).to_contain_text("€2,149.50")
    page.keyboard.press("z")
    expect(page.locator("#money-total")).to_contain_text("€2,400.00 still in dispute")
    with server.database.transaction(read_only=True) as session:
        assert session.get_one(Case, pair[0]).state == "in_progress"
        still = [one.still for one in money.tallies(session, case_id=pair[0]).values()]
        assert still == [Decimal(1200), Decimal(1200)]


def test_waiting_takes_two_keys_and_typing_in_the_dialog_does_nothing_else(
    server: Server, signed_in: Callable[..., Page], pair: tuple[int, int]
) -> None:
    page = signed_in()
    page.goto(server.address(f"/cases/{pair[0]}"))
    page.keyboard.press("p")
    expect(page.locator("#wait-dialog")).to_be_visible()
    page.keyboard.press("e")
    expect(page.locator("#close-menu")).not_to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator("#wait-dialog")).to_be_hidden()
    page.keyboard.press("p")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Case waits.")
    expect(page.locator("#case-facts")).to_contain_text("Waiting for a third party")
    page.keyboard.press("p")
    expect(page.get_by_role("status")).to_contain_text("The work goes on.")


def test_a_key_pressed_before_the_browser_takes_the_focus_from_a_closed_dialog_is_heard(
    server: Server, signed_in: Callable[..., Page], pair: tuple[int, int]
) -> None:
    page = signed_in()
    page.goto(server.address(f"/cases/{pair[0]}"))
    page.keyboard.press("p")
    dialog = page.locator("#wait-dialog")
    expect(dialog).to_be_visible()
    dialog.evaluate(
        """dialog => {
          const focused = document.activeElement;
          dialog.close();
          focused.dispatchEvent(new KeyboardEvent("keydown", { key: "p", bubbles: true }));
        }"""
    )
    expect(dialog).to_be_visible()


def test_cases_flow_together_and_apart_by_keys(
    server: Server, signed_in: Callable[..., Page], pair: tuple[int, int]
) -> None:
    page = signed_in()
    page.goto(server.address(f"/cases/{pair[1]}"))
    page.keyboard.press("d")
    expect(page).to_have_url(server.address(f"/cases/{pair[1]}/merger"))
    page.keyboard.press("1")
    expect(page).to_have_url(server.address(f"/cases/{pair[0]}"))
    expect(page.locator("#case-top")).to_contain_text(f"Case #{pair[1]} was merged into this one")
    expect(page.locator("#timeline")).to_contain_text("Still wrong.")
    page.keyboard.press("z")
    expect(page).to_have_url(server.address(f"/cases/{pair[1]}"))
    expect(page.locator("#timeline")).to_contain_text("Still wrong.")
    page.keyboard.press("f")
    expect(page.locator("#timeline")).not_to_contain_text("Another case")
    expect(page.locator("#timeline .happening")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_a_case_is_steered(
    server: Server, signed_in: Callable[..., Page], pair: tuple[int, int], scheme: Any
) -> None:
    page = signed_in(role="admin")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(server.address(f"/cases/{pair[0]}"))
    for key in ("p", "s"):
        page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()
        page.keyboard.press("ArrowDown")
        assert not findings(page), key
        page.keyboard.press("Escape")
    page.evaluate("document.querySelectorAll('.case details').forEach((fold) => (fold.open = !fold.matches('.menu')))")
    assert not findings(page)
    rating = rating_links(server.services).link(case_id=pair[0], now=server.now).partition("/rating")[2]
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (f"/cases/{pair[0]}/merger", "/webhooks", f"/rating{rating}"):
        page.goto(server.address(path))
        assert not findings(page), path
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_the_same_in_french(server: Server, signed_in: Callable[..., Page], pair: tuple[int, int]) -> None:
    page = signed_in(language="fr")
    page.goto(server.address(f"/cases/{pair[0]}"))
    page.keyboard.press("s")
    dialog = page.locator("#resolve-dialog")
    expect(dialog.get_by_role("heading")).to_have_text("Comment l'affaire se termine-t-elle ?")
    dialog.get_by_label("Acceptée en partie").check()
    dialog.get_by_label("Montant accepté de F2026-00417").fill("1 000,50")
    page.keyboard.press("Enter")
    expect(page.locator("#money-total")).to_contain_text("1 000,50 €")
    expect(page.locator("#money-total")).to_contain_text("encore contestés")
