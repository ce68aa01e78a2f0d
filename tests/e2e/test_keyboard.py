"""U1-U8, U15: what the keys do, and what live updates never touch."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from app.core.events import record, system
from disputes.models import Case
from tests.e2e.conftest import Server
from tests.factories import a_case, a_message, an_account, an_entity

pytestmark = pytest.mark.browser


@pytest.fixture
def cases(server: Server) -> list[int]:
    """Thirty cases, the newest first."""
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        rows = [
            a_case(
                session,
                account,
                now=server.now,
                last_activity_at=server.now - timedelta(hours=hours),
                title=f"Matter {hours}",
            )
            for hours in range(30)
        ]
        for row in rows:
            a_message(session, row, now=server.now)
        return [row.id for row in rows]


def changed(server: Server, case_id: int, title: str) -> None:
    """Somebody else changes a case."""
    with server.database.transaction() as session:
        session.get_one(Case, case_id).title = title
        record(
            session,
            actor=system("test"),
            now=server.now,
            verb="case heard",
            subject="case",
            subject_id=case_id,
            case_id=case_id,
        )


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def test_j_and_k_move_o_opens_u_goes_back_and_the_place_is_kept(
    server: Server, signed_in: Callable[..., Page], cases: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    for _ in range(20):
        page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == f"case-{cases[18]}"
    expect(page.locator(f"#case-{cases[18]}")).to_be_in_viewport()

    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text("Matter 18")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Matter 19")
    expect(page).to_have_url(server.address(f"/cases/{cases[19]}"))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Matter 19")
    page.keyboard.press("u")
    expect(page).to_have_url(server.address("/inbox"))
    expect(page.locator(f"#case-{cases[18]}")).to_have_class("case-row is-new is-selected")


def test_letters_typed_into_a_field_do_nothing_else(
    server: Server, signed_in: Callable[..., Page], cases: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    page.keyboard.press("/")
    page.keyboard.type("jke?g")
    expect(page.get_by_label("Search in cases")).to_have_value("jke?g")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert cases


def test_each_shortcut_shows_its_key_and_the_list_of_them_is_true(
    server: Server, signed_in: Callable[..., Page], cases: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address(f"/cases/{cases[0]}"))
    page.keyboard.press("?")
    dialog = page.locator("#shortcuts")
    expect(dialog).to_be_visible()
    for name in ("Close", "Assign to me", "Correct the reason", "Back to the list", "Inbox"):
        expect(dialog.get_by_text(name, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_url(server.address("/accounts"))


def test_closing_takes_two_keys_goes_on_and_can_be_undone(
    server: Server, signed_in: Callable[..., Page], cases: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Matter 0")
    page.keyboard.press("e")
    page.keyboard.press("1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Matter 1")
    expect(page.get_by_role("status")).to_contain_text("Case closed.")
    page.keyboard.press("z")
    expect(page).to_have_url(server.address(f"/cases/{cases[0]}"))
    with server.database.transaction(read_only=True) as session:
        assert session.get_one(Case, cases[0]).state == "in_progress"


def test_the_list_itself_gives_and_closes_the_selected_case(
    server: Server, signed_in: Callable[..., Page], cases: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Owner changed.")
    expect(page.locator(f"#case-{cases[1]}")).to_contain_text("Ana Silva")
    page.keyboard.press("e")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("Case closed.")
    expect(page.locator(f"#case-{cases[1]}")).to_have_count(0)
    # Given to somebody, the case had moved to the top; closed, it leaves its place there to the next one.
    expect(page.locator(f"#case-{cases[0]}")).to_have_class("case-row is-new is-selected")
    expect(page).to_have_url(server.address("/inbox"))
    page.keyboard.press("z")
    expect(page.locator(f"#case-{cases[1]}")).to_be_visible()


def test_single_key_shortcuts_can_be_switched_off(
    server: Server, signed_in: Callable[..., Page], cases: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    page.locator("#user-menu summary").click()
    page.get_by_role("button", name="Single-key shortcuts off").click()
    page.goto(server.address(f"/cases/{cases[0]}"))
    page.keyboard.press("u")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page).to_have_url(server.address(f"/cases/{cases[0]}"))
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()


def test_the_palette_finds_and_goes(server: Server, signed_in: Callable[..., Page], cases: list[int]) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    page.keyboard.press("Control+k")
    page.keyboard.type("Matter 7")
    hit = page.locator("#palette a.hit.is-picked", has_text="Matter 7")
    expect(hit).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(server.address(f"/cases/{cases[7]}"))


def test_live_updates_leave_focus_scroll_and_typed_text_alone(
    server: Server, signed_in: Callable[..., Page], cases: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address("/inbox"))
    for _ in range(22):
        page.keyboard.press("j")
    top = page.locator(f"#case-{cases[21]}").bounding_box()
    changed(server, cases[20], "Another title")
    expect(page.locator(f"#case-{cases[20]}")).to_contain_text("Another title")
    assert focused(page) == f"case-{cases[21]}"
    assert page.locator(f"#case-{cases[21]}").bounding_box() == top

    page.goto(server.address(f"/cases/{cases[3]}"))
    page.locator("#add-number").fill("F2026-half typ")
    page.keyboard.press("ArrowLeft")
    changed(server, cases[3], "Title of somebody else")
    expect(page.get_by_role("heading", level=1)).to_have_text("Title of somebody else")
    expect(page.locator("#add-number")).to_have_value("F2026-half typ")
    assert page.evaluate("document.activeElement.selectionStart") == len("F2026-half ty")
