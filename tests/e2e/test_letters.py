"""Letters in the browser: a run looked at and started, a letter read beside its facts, approved by keys."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.workflows import letters as job
from letters.models import Letter
from tests.e2e.conftest import Server
from tests.factories import an_account, an_entity, an_invoice
from tests.fixtures_db import FixedClock
from tests.letters.stories import ADDRESS
from tests.workflows.stand_ins import context

pytestmark = pytest.mark.browser


@pytest.fixture
def late(server: Server) -> None:
    """Three customers in arrears, two of them with much."""
    with server.database.transaction() as session:
        entity = an_entity(session)
        for name, amount in (
            ("Boulangerie Keller", "18250.40"),
            ("Café Bleu", "12990.00"),
            ("Marbrerie Roux", "85.20"),
        ):
            account = an_account(session, entity, name=name, address=ADDRESS)
            owed = Decimal(amount)
            an_invoice(session, account, due=date(2026, 1, 20), gross=owed, open_amount=owed)


def work(server: Server, clock: FixedClock) -> None:
    """The worker does all that is due."""
    jobs = context(server.database, server.services.settings, clock)
    while job.go_on_with_runs(jobs) + job.print_waiting(jobs):
        pass


@pytest.mark.usefixtures("late")
def test_a_run_is_trimmed_started_and_its_letters_approved_by_keys(
    server: Server, signed_in: Callable[..., Page], clock: FixedClock
) -> None:
    page = signed_in("Lea Roth", role="lead")
    page.goto(server.address("/letter-runs"))
    page.get_by_label("Name").fill("March")
    page.get_by_role("button", name="Look at the accounts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("March")
    work(server, clock)
    page.reload()
    page.locator("li", has_text="Marbrerie Roux").get_by_role("button", name="Leave out").click()
    expect(page.locator("li", has_text="Marbrerie Roux").get_by_role("button", name="Take in")).to_be_visible()
    expect(page.get_by_role("button", name="Write 2 letters")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_role("status").first).to_contain_text("The letters are being written.")
    work(server, clock)

    page.goto(server.address("/letters"))
    expect(page.locator(".letter-row")).to_have_count(2)
    page.keyboard.press("j")
    expect(page.locator("#letter-1")).to_have_class("letter-row is-selected")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Boulangerie Keller")
    expect(page.locator("iframe.letter-frame")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Café Bleu")
    page.keyboard.press("k")
    expect(page.get_by_role("heading", level=1)).to_have_text("Boulangerie Keller")
    page.keyboard.press("y")
    expect(page.get_by_role("heading", level=1)).to_have_text("Café Bleu")
    page.keyboard.press("n")
    page.keyboard.type("I call them tomorrow")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing to approve")).to_be_visible()
    with server.database.transaction(read_only=True) as session:
        found = session.execute(select(Letter.state, Letter.why).order_by(Letter.id)).all()
        assert [tuple(row) for row in found] == [("approved", ""), ("cancelled", "I call them tomorrow")]


@pytest.mark.usefixtures("late")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_pages_of_letters_pass_axe(
    server: Server, signed_in: Callable[..., Page], clock: FixedClock, theme: str
) -> None:
    page = signed_in("Lea Roth", role="lead")
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type] # the two values are among those it names
    page.goto(server.address("/letter-runs"))
    page.get_by_role("button", name="Look at the accounts").click()
    expect(page.get_by_text("Looking at accounts").first).to_be_visible()
    work(server, clock)
    page.reload()
    page.get_by_role("button", name="Write 3 letters").click()
    expect(page.get_by_role("status").first).to_contain_text("The letters are being written.")
    work(server, clock)
    page.reload()
    run = page.url
    with server.database.transaction(read_only=True) as session:
        number = session.scalars(select(Letter.id).where(Letter.state == "checked").limit(1)).one()
    for path in (run, server.address("/letters"), server.address(f"/letters/{number}/words")):
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
