"""A lead changes how cases are handled: sees the effect first, saves, and the case's next date has moved."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.auth import User
from disputes.models import Absence, Case, CaseStep
from disputes.routing_rules import AUTO
from tests.e2e.conftest import Server
from tests.e2e.test_accessibility import findings
from tests.factories import a_case, a_message, a_team, a_user, an_account, an_entity

pytestmark = pytest.mark.browser


@pytest.fixture
def case_id(server: Server) -> int:
    """A price dispute on its way with Pia: acknowledged, asked, next a status; Sam of sales has nothing to do."""
    now = server.now
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        pricing, sales = a_team(session), a_team(session, "sales")
        pricing.capacity = 20
        pia = a_user(session, "Pia Prix", now=now, role="owner", team_id=pricing.id)
        a_user(session, "Sam Vente", now=now, role="owner", team_id=sales.id)
        case = a_case(session, account, now=now, waiting_on="third_party", owner_id=pia.id, team_id=pricing.id)
        case.playbook, case.next_step, case.step_from, case.owner_by = "dispute", "tell_status", now, AUTO
        case.opened_at, case.due_at = now, now + timedelta(days=4)
        a_message(session, case, now=now)
        done: dict[str, Any] = {"cycle": 0, "state": "taken", "actor": "system:test", "at": now}
        session.add_all(CaseStep(case_id=case.id, step=step, **done) for step in ("acknowledge", "ask_owner"))
        days = {"first_day": now.date(), "last_day": now.date() + timedelta(days=3)}
        session.add(Absence(user_id=pia.id, note="Holiday", **days))
        return case.id


def test_a_delay_is_changed_its_effect_seen_saved_and_the_case_goes_on_earlier(
    server: Server, signed_in: Callable[..., Page], case_id: int
) -> None:
    page = signed_in("Lea Blanc", role="lead")
    page.goto(server.address("/inbox"))
    page.get_by_role("link", name="Rules").click()
    page.get_by_role("link", name="Edit Dispute").click()
    step = page.locator(".rule-card").nth(4)
    expect(step.locator("summary").first).to_contain_text("Tell the customer the status 4 working days")
    step.locator("summary").first.click()
    step.get_by_label("Working days", exact=True).first.fill("1")
    expect(step.get_by_text("edited")).to_be_visible()
    page.get_by_role("button", name="Show the effect").click()
    effect = page.locator(".effect")
    expect(effect.get_by_text("1 open case goes another way")).to_be_visible()
    expect(effect.get_by_text("Boulangerie Keller")).to_be_visible()
    expect(effect.locator("del").first).to_be_visible()
    with server.database.transaction(read_only=True) as session:
        assert session.get_one(Case, case_id).due_at == server.now + timedelta(days=4), "nothing is saved yet"
    page.get_by_label("Why this change").fill("Customers asked")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("1 running case was re-timed.")).to_be_visible()
    with server.database.transaction(read_only=True) as session:
        due = session.get_one(Case, case_id).due_at
        assert due is not None
        assert due <= server.now + timedelta(days=1, hours=8)
    expect(page.get_by_text("“Customers asked”")).to_be_visible()
    page.get_by_role("link", name="Look at it, bring it back").click()
    page.get_by_role("button", name="Bring it back as it is").click()
    expect(page.get_by_text("As shipped", exact=True)).to_be_visible()


def test_steps_are_added_moved_and_taken_away_without_typing_a_rule(
    server: Server, signed_in: Callable[..., Page], case_id: int
) -> None:
    assert case_id
    page = signed_in("Lea Blanc", role="lead")
    page.goto(server.address("/rules/playbooks/query"))
    cards = page.locator(".rule-card")
    expect(cards).to_have_count(7)
    cards.nth(6).get_by_role("button", name="Take away").click()
    expect(cards.nth(6).get_by_role("button", name="Keep it")).to_be_focused()
    page.get_by_role("button", name="Add a step").click()
    added = cards.nth(7)
    added.get_by_role("combobox", name="What").select_option("letter")
    added.get_by_role("combobox", name="counted from the moment").select_option("waiting")
    added.get_by_label("Working days", exact=True).first.fill("400")
    added.get_by_role("button", name="Move up").click()
    page.get_by_role("button", name="Show the effect").click()
    expect(page.get_by_text("This is too large.")).to_be_visible()
    page.get_by_label("Working days", exact=True).locator("visible=true").fill("10")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("In force now.")).to_be_visible()
    expect(page.locator(".rule-card")).to_have_count(7)
    expect(page.locator(".rule-card").nth(6)).to_contain_text("10 working days after the case begins to wait")


def test_a_dry_run_shows_who_would_get_which_case_and_then_they_move(
    server: Server, signed_in: Callable[..., Page], case_id: int
) -> None:
    page = signed_in("Lea Blanc", role="lead")
    page.goto(server.address("/rules/routing"))
    rule = page.locator(".rule-card").nth(2)
    rule.locator("summary").first.click()
    rule.get_by_label("Goes to").select_option("sales")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Show who would move").click()
    effect = page.locator(".effect")
    expect(effect.get_by_text("1 open case would change hands")).to_be_visible()
    expect(effect.locator("del").first).to_have_text("Pia Prix")
    expect(effect.locator("ins").first).to_have_text("Sam Vente")
    page.get_by_role("button", name="Save and move 1 case").click()
    expect(page.get_by_text("1 open case changed hands.")).to_be_visible()
    with server.database.transaction(read_only=True) as session:
        sam = session.scalars(select(User).where(User.name == "Sam Vente")).one()
        assert session.get_one(Case, case_id).owner_id == sam.id


def test_cases_are_handed_over_from_the_team_page_and_taken_back(
    server: Server, signed_in: Callable[..., Page], case_id: int
) -> None:
    page = signed_in("Lea Blanc", role="lead")
    page.goto(server.address("/team"))
    page.get_by_role("link", name="Pia Prix").click()
    act = page.get_by_role("button", name="Hand over")
    expect(act).to_be_disabled()
    page.get_by_label("All 1").check()
    page.get_by_label("Give the ticked cases to").select_option(label="Sam Vente (0 open)")
    act.click()
    expect(page.get_by_text("1 case changed hands.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".hand-over-cases")).to_contain_text("Boulangerie Keller")
    with server.database.transaction(read_only=True) as session:
        pia = session.scalars(select(User).where(User.name == "Pia Prix")).one()
        assert session.get_one(Case, case_id).owner_id == pia.id


def test_rules_read_in_french(server: Server, signed_in: Callable[..., Page], case_id: int) -> None:
    assert case_id
    page = signed_in("Lea Blanc", role="lead", language="fr")
    page.goto(server.address("/rules/playbooks"))
    expect(page.get_by_role("heading", name="Règles")).to_be_visible()
    told = "4 jours ouvrés après que nous écrivons au client, puis tous les 5 jours ouvrés, 20 fois en tout"
    expect(page.get_by_text(told)).to_be_visible()
    page.goto(server.address("/team"))
    expect(page.get_by_text("20 chacun au plus")).to_be_visible()
    for path in ("routing", "service-levels", "wordings/status/fr", "absences", "playbooks/dispute"):
        page.goto(server.address(f"/rules/{path}"))
        expect(page.locator("main")).to_be_visible()


PAGES = (
    "/rules/playbooks",
    "/rules/playbooks/query",
    "/rules/routing",
    "/rules/service-levels",
    "/rules/wordings",
    "/rules/wordings/status/fr",
    "/rules/absences",
    "/team?member={pia}",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_rules(
    server: Server, signed_in: Callable[..., Page], case_id: int, scheme: Any
) -> None:
    with server.database.transaction(read_only=True) as session:
        pia = session.get_one(Case, case_id).owner_id
    page = signed_in("Lea Blanc", role="lead")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found: dict[str, list[str]] = {}
    for path in PAGES:
        page.goto(server.address(path.format(pia=pia)))
        page.locator(".rule-card details").first.evaluate_all("all => all.forEach(one => (one.open = true))")
        found[path] = findings(page)
    assert {path: faults for path, faults in found.items() if faults} == {}
