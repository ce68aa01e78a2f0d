"""Writing what letters say: the real letter beside the text as it is typed, versions compared and brought back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from tests.e2e.conftest import Server
from tests.e2e.test_accessibility import findings
from tests.factories import a_case, a_message, an_account, an_entity, an_invoice, in_case

pytestmark = pytest.mark.browser
TEXT = "/letter-rules/texts/acknowledgement/fr"


@pytest.fixture
def case_id(server: Server) -> int:
    """A dispute of one invoice, of which nothing was printed yet."""
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        case = a_case(session, account, now=server.now, title="Price of the pallets")
        a_message(session, case, now=server.now)
        in_case(session, case, an_invoice(session, account, number="F2026-00417"), now=server.now)
        return case.id


def is_proof(response: Response) -> bool:
    return response.url.endswith("/preview")


def is_pdf(response: Response) -> bool:
    return is_proof(response) and response.headers.get("content-type") == "application/pdf"


def test_the_real_letter_follows_the_words_as_they_are_typed(
    server: Server, signed_in: Callable[..., Page], case_id: int
) -> None:
    page = signed_in("Lea Roth", role="lead")
    with page.expect_response(is_proof) as first:
        page.goto(server.address(TEXT))
    assert first.value.status == 422, "nothing to show it on yet"
    page.get_by_label("Show it on case").fill(str(case_id))
    with page.expect_response(is_pdf):
        page.get_by_role("button", name="Show").click()
    page.locator("textarea[name=body]").fill("Bonjour, votre message est bien arrivé. ")
    with page.expect_response(is_pdf):
        page.get_by_role("button", name="{{ matter }}").click()
    expect(page.locator("textarea[name=body]")).to_have_value("Bonjour, votre message est bien arrivé. {{ matter }}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 1")).to_be_visible()


def test_a_mistake_is_told_beside_the_text_and_an_old_version_comes_back(
    server: Server, signed_in: Callable[..., Page], case_id: int
) -> None:
    page = signed_in("Lea Roth", role="lead")
    page.goto(server.address(f"{TEXT}?case={case_id}"))
    body = page.locator("textarea[name=body]")
    body.fill("Bonjour {{ nobody }}.")
    expect(page.frame_locator("iframe[name=letter-proof]").get_by_role("alert")).to_contain_text("nobody")
    body.fill("Bonjour.\n\nNous revenons vers vous.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Version 1")).to_be_visible()
    page.get_by_text("Version 1").click()
    expect(page.locator(".line-changes ins").first).to_contain_text("+ Bonjour.")
    page.get_by_role("link", name="Look at it, bring it back").click()
    page.get_by_role("button", name="Bring it back as it is").click()
    expect(page.get_by_text("These are the shipped words.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_letters_are_written(
    server: Server, signed_in: Callable[..., Page], case_id: int, scheme: Any
) -> None:
    page = signed_in("Lea Roth", role="lead")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for path in ("/letter-rules", f"{TEXT}?case={case_id}", "/letter-rules/letterheads/1"):
        page.goto(server.address(path))
        assert not findings(page), path
