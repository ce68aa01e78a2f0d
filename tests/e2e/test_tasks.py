"""U1-U4, U9, U11, U29: a morning of calls by keys alone, a credit approved, a proof handed in."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from disputes.models import Attachment, Case, Note, Promise, Task
from tests.e2e.conftest import Server
from tests.factories import a_case, a_message, a_task, an_account, an_entity, an_invoice, in_case

pytestmark = pytest.mark.browser


@pytest.fixture
def calls(server: Server) -> list[int]:
    """Three calls, the first one late; nobody has them yet."""
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        made = []
        for hours in (-3, 1, 2):
            case = a_case(session, account, now=server.now, title=f"Matter {hours}", language="fr")
            a_message(session, case, now=server.now, new_text="Le prix est faux.")
            in_case(session, case, an_invoice(session, account), now=server.now)
            due = server.now + timedelta(hours=hours)
            made.append(a_task(session, now=server.now, case=case, kind="courtesy_call", due_at=due).id)
        return made


def test_calls_are_worked_from_the_list_by_keys_to_the_outcome_and_the_next(
    server: Server, signed_in: Callable[..., Page], calls: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address("/tasks?whose=all&kind=courtesy_call"))
    for number in calls:
        page.keyboard.press("j")
        page.keyboard.press("a")
        expect(page.locator(f"#task-{number}")).to_contain_text("Ana Silva")
    expect(page.get_by_role("status")).to_contain_text("It is yours now.")
    page.keyboard.press("g")
    page.keyboard.press("t")
    expect(page).to_have_url(server.address("/tasks"))
    expect(page.locator(f"#task-{calls[2]}")).to_have_class("task-row is-selected")
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(server.address(f"/calls/{calls[0]}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Claire Martin")
    expect(page.locator('a[data-key="d"]')).to_have_attribute("href", "tel:+33-1-42-00-00-00")
    expect(page.get_by_text("Bonjour Claire Martin")).to_be_visible()

    page.keyboard.press("m")
    page.keyboard.type("She is in a meeting, 12 people")
    page.keyboard.press("Tab")
    page.keyboard.press("2")
    expect(page).to_have_url(server.address(f"/calls/{calls[1]}"))
    expect(page.get_by_role("status")).to_contain_text("Call noted; the next one is booked.")
    expect(page.get_by_text("She is in a meeting, 12 people")).to_be_visible()

    page.keyboard.press("8")
    expect(page.get_by_label("By when?")).to_be_focused()
    page.get_by_label("By when?").fill("2026-03-06")
    page.get_by_label("How much?").fill("1200")
    page.keyboard.press("Enter")
    expect(page).to_have_url(server.address(f"/calls/{calls[2]}"))
    expect(page.get_by_role("status")).to_contain_text("Promise noted")

    page.keyboard.press("z")
    expect(page).to_have_url(server.address(f"/calls/{calls[1]}"))
    expect(page.get_by_role("status")).to_contain_text("Call taken back")
    page.keyboard.press("6")
    page.keyboard.press("3")
    expect(page.get_by_role("status")).to_contain_text("whoever settles such disputes is asked")
    with server.database.transaction(read_only=True) as session:
        outcomes = [session.get_one(Task, number).outcome for number in calls]
        assert outcomes == ["voicemail", "disputes", None]
        assert session.scalars(select(Promise)).all() == []
        assert [note.text for note in session.scalars(select(Note))] == ["She is in a meeting, 12 people"]


def test_a_promise_without_a_day_comes_back_with_what_was_typed(
    server: Server, signed_in: Callable[..., Page], calls: list[int]
) -> None:
    page = signed_in()
    page.goto(server.address(f"/calls/{calls[0]}"))
    page.locator("#call-note").fill("By the end of the month")
    page.locator("#promise-menu summary").click()
    page.get_by_role("button", name="Note the promise").click()
    expect(page.get_by_role("alert")).to_contain_text("Say for which day")
    expect(page.locator("#call-note")).to_have_value("By the end of the month")
    expect(page.locator("#promise-day")).to_be_visible()


def test_c_on_a_case_calls_and_a_proof_is_asked_for_and_handed_in(
    server: Server, signed_in: Callable[..., Page], calls: list[int], tmp_path: Path
) -> None:
    with server.database.transaction(read_only=True) as session:
        case_id = session.get_one(Task, calls[0]).case_id
    page = signed_in()
    page.goto(server.address(f"/cases/{case_id}"))
    page.keyboard.press("c")
    expect(page).to_have_url(server.address(f"/calls/{calls[0]}"))
    page.keyboard.press("o")
    expect(page).to_have_url(server.address(f"/cases/{case_id}"))
    page.keyboard.press("q")
    page.keyboard.press("2")
    expect(page.get_by_role("status")).to_contain_text("Proof of delivery asked for.")

    with server.database.transaction(read_only=True) as session:
        number = session.scalars(select(Task.id).where(Task.kind == "check_delivery")).one()
    scan = tmp_path / "delivery note.pdf"
    scan.write_bytes(b"%PDF-1.4 signed")
    page.goto(server.address(f"/deliveries/{number}"))
    page.locator("#document").set_input_files(scan)
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_role("status")).to_contain_text("Document handed in.")
    with server.database.transaction(read_only=True) as session:
        assert session.scalars(select(Attachment.filename)).all() == ["delivery note.pdf"]


def test_a_credit_is_asked_for_and_granted_by_y(
    server: Server, signed_in: Callable[..., Page], calls: list[int]
) -> None:
    with server.database.transaction(read_only=True) as session:
        case_id = session.get_one(Task, calls[0]).case_id
    page = signed_in()
    page.goto(server.address(f"/cases/{case_id}"))
    page.keyboard.press("q")
    page.keyboard.press("1")
    expect(page.get_by_label("How much?")).to_be_focused()
    page.keyboard.type("250,00")
    page.get_by_label("Why?").fill("Agreed price")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_role("status")).to_contain_text("Approval asked for.")

    with server.database.transaction(read_only=True) as session:
        number = session.scalars(select(Task.id).where(Task.kind == "approve_credit")).one()
    lead = signed_in("Lea Roth", role="lead")
    lead.goto(server.address(f"/approvals/{number}"))
    lead.keyboard.press("y")
    expect(lead.get_by_role("status")).to_contain_text("Credit granted.")
    with server.database.transaction(read_only=True) as session:
        assert session.get_one(Task, number).outcome == "granted"
        assert session.get_one(Case, case_id).state == "in_progress"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_call_sheet_and_the_list_pass_axe(
    server: Server, signed_in: Callable[..., Page], calls: list[int], theme: str
) -> None:
    page = signed_in()
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type] # the two values are among those it names
    for path in (f"/calls/{calls[0]}", "/tasks?whose=all", "/calendar"):
        page.goto(server.address(path))
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
