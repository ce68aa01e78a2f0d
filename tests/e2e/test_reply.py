"""Answers in the browser: written, saved, taken back, sent, stopped by news; who else is at the case (U12-U18)."""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select

from app import auth
from app.connectors.mailer import FolderMailer
from app.core.events import user_actor
from app.edge import COOKIE
from app.workflows.outbox import send
from disputes.actions import notes, outbox
from disputes.actions.replies import File
from disputes.models import Case, Draft, Outgoing
from tests.disputes.test_mails_to_decide import a_mail
from tests.e2e.conftest import Server
from tests.e2e.test_accessibility import findings
from tests.factories import a_case, a_message, a_user, an_account, an_entity, an_invoice, in_case
from tests.fixtures_db import FixedClock
from tests.servers.waiting import wait_until
from tests.workflows.stand_ins import context as worker_of

pytestmark = pytest.mark.browser


@pytest.fixture
def case_id(server: Server) -> int:
    """A customer's mail about a price, and a case like it that was settled."""
    with server.database.transaction() as session:
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        case = a_case(session, account, now=server.now)
        text = "The price of the pallets is not the one agreed."
        a_message(session, case, now=server.now, rfc_id="<one@keller.example>", new_text=text)
        in_case(session, case, an_invoice(session, account), now=server.now)
        settled = a_case(
            session, account, now=server.now, title="Pallets of May", state="closed", resolution="credited"
        )
        a_message(session, settled, now=server.now, new_text="The price of the pallets in May is wrong.")
        return case.id


@pytest.fixture
def page(server: Server, signed_in: Callable[..., Page], case_id: int) -> Page:
    """The case's page."""
    page = signed_in()
    page.goto(server.address(f"/cases/{case_id}"))
    return page


def body(page: Page) -> Locator:
    return page.locator("#reply-body")


def saved(page: Page) -> None:
    expect(page.locator("#reply-state")).to_contain_text("Saved at")


def stopped(page: Page) -> None:
    """Sending does not work: the page comes back with the reason."""
    page.locator(".composer").evaluate("composer => composer.classList.add('is-before')")
    body(page).press("Control+Enter")
    expect(page.locator(".composer:not(.is-before)")).to_be_visible()


def row(server: Server, model: Any) -> Any:
    with server.database.transaction(read_only=True) as session:
        return session.scalars(select(model).order_by(model.id.desc())).first()


def leaves(server: Server, clock: FixedClock) -> list[EmailMessage]:
    """The undo window is over and the worker comes: the mails in the folder."""
    clock.advance(timedelta(seconds=11))
    mailer = FolderMailer(server.services.settings.outgoing_folder, clock=clock)
    worker = replace(worker_of(server.database, server.services.settings, clock), mailer=mailer)
    send(worker, [])
    files = sorted(server.services.settings.outgoing_folder.glob("*.eml"))
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


def test_an_answer_is_written_saved_taken_back_and_sent_by_keys(
    server: Server, page: Page, case_id: int, clock: FixedClock
) -> None:
    page.keyboard.press("r")
    expect(page).to_have_url(server.address(f"/cases/{case_id}/reply"))
    expect(body(page)).to_be_focused()
    expect(page.locator(".composer-similar")).to_contain_text("Pallets of May")
    page.keyboard.type("Hello Claire, we credit 120.00.")
    saved(page)
    assert row(server, Draft).body == "Hello Claire, we credit 120.00."
    page.reload()
    expect(body(page)).to_have_value("Hello Claire, we credit 120.00.")
    page.locator("input[type=file]").set_input_files({"name": "credit.txt", "mimeType": "text/plain", "buffer": b"120"})
    expect(page.locator(".composer-files")).to_contain_text("credit.txt")

    body(page).press("Control+Enter")
    expect(page).to_have_url(server.address(f"/cases/{case_id}"))
    expect(page.get_by_role("status")).to_contain_text("Answer leaves in ten seconds.")
    page.keyboard.press("g")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    page.keyboard.press("z")  # the toast came along
    expect(page).to_have_url(server.address(f"/cases/{case_id}/reply"))
    expect(body(page)).to_have_value("Hello Claire, we credit 120.00.")
    expect(page.locator(".composer-files")).to_contain_text("credit.txt")
    assert row(server, Outgoing).state == "cancelled"

    body(page).press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("Answer leaves in ten seconds.")
    (mail,) = leaves(server, clock)
    assert (mail["To"], mail["In-Reply-To"]) == ("claire@customer.example", "<one@keller.example>")
    said = mail.get_body(("plain",))
    assert said is not None
    assert "we credit 120.00.\n\nKind regards,\nAna Silva\nLumora FR01" in said.get_content().replace("\r\n", "\n")
    assert [part.get_filename() for part in mail.iter_attachments()] == ["credit.txt"]
    with server.database.transaction(read_only=True) as session:
        assert session.get_one(Case, case_id).waiting_on == "customer"


def test_a_case_that_changes_is_told_at_once_and_stops_the_answer_until_it_was_seen(
    server: Server, page: Page, case_id: int
) -> None:
    page.keyboard.press("r")
    body(page).fill("We look into it.")
    saved(page)
    with server.database.transaction() as session:
        bea = a_user(session, "Bea Rossi", now=server.now)
        notes.add_note(session, case_id=case_id, text="Not yet!", actor=user_actor(bea.id), now=server.now)
    expect(page.locator("#reply-changes")).to_contain_text("Note written")  # nobody reloaded: it came live
    stopped(page)
    expect(page.locator("#reply-changes")).to_contain_text("Look at what is new before you send.")
    assert row(server, Outgoing) is None
    expect(body(page)).to_have_value("We look into it.")
    body(page).press("Control+Shift+Enter")
    expect(page.get_by_role("status")).to_contain_text("Case closed. The answer leaves in ten seconds.")
    with server.database.transaction(read_only=True) as session:
        assert session.get_one(Case, case_id).state == "closed"


def test_harsh_words_are_marked_as_they_are_typed_and_sent_only_knowingly(server: Server, page: Page) -> None:
    page.keyboard.press("r")
    body(page).press_sequentially("You failed to pay.")
    expect(page.locator(".grow-mirror mark")).to_have_text("You failed to")
    expect(page.locator("#reply-tone")).to_contain_text("This blames the customer.")
    stopped(page)
    assert row(server, Outgoing) is None
    page.get_by_label("I stand by these words: send them all the same").check()
    body(page).press("Control+Enter")
    expect(page.get_by_role("status")).to_contain_text("Answer leaves in ten seconds.")
    assert row(server, Outgoing).body.startswith("You failed to pay.")


def test_two_tabs_do_not_overwrite_each_other_and_two_people_see_each_other(
    server: Server, page: Page, chromium: Browser, case_id: int, clock: FixedClock
) -> None:
    page.keyboard.press("r")
    body(page).fill("First")
    saved(page)
    other = page.context.new_page()
    other.goto(server.address(f"/cases/{case_id}/reply"))
    expect(body(other)).to_have_value("First")
    clock.advance(timedelta(seconds=2))
    body(other).fill("Second")
    wait_until(lambda: row(server, Draft).body == "Second")
    body(page).press_sequentially(" and third")
    expect(page.locator("#reply-state")).to_contain_text("in another tab")
    assert row(server, Draft).body == "Second"
    page.get_by_role("button", name="Keep what is here").click()
    wait_until(lambda: row(server, Draft).body == "First and third")

    with server.database.transaction() as session:
        bea = a_user(session, "Bea Rossi", now=server.now)
        secret = auth.open_session(session, user=bea, now=server.now, hours=8)
    context = chromium.new_context(locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": secret, "url": server.url}])
    colleague = context.new_page()
    colleague.goto(server.address(f"/cases/{case_id}"))
    expect(colleague.locator("#presence-lines")).to_contain_text("Ana Silva is writing an answer")
    expect(page.locator(".presence")).to_contain_text("Bea Rossi is here")
    context.close()
    expect(page.locator(".presence")).not_to_contain_text("Bea Rossi")


def test_the_same_in_french_to_a_german_customer(
    server: Server, signed_in: Callable[..., Page], case_id: int, clock: FixedClock
) -> None:
    with server.database.transaction() as session:
        session.get_one(Case, case_id).language = "de"
    page = signed_in(language="fr")
    page.goto(server.address(f"/cases/{case_id}/reply"))
    page.get_by_role("button", name="Point d’étape").click()
    expect(body(page)).to_have_value(re.compile("^Guten Tag Claire Martin,"))
    page.get_by_role("button", name="Envoyer", exact=False).first.click()
    expect(page.get_by_role("status")).to_contain_text("La réponse part dans dix secondes.")
    (mail,) = leaves(server, clock)
    said = mail.get_body(("plain",))
    assert said is not None
    assert "Freundliche Grüße" in said.get_content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_composer_and_nothing_is_too_wide(
    server: Server, page: Page, case_id: int, scheme: Any
) -> None:
    with server.database.transaction() as session:
        ana = session.scalars(select(auth.User)).one()
        content = server.services.blobs.put(b"x")
        left = a_mail(session, session.get_one(Case, case_id), now=server.now, subject="Re: Wrong price " * 9)
        outbox.record_uncertain(session, outbox_id=left.id, error="the line broke", now=server.now)
        session.add(
            Draft(
                case_id=case_id,
                user_id=ana.id,
                to="stranger@elsewhere.example",
                cc=[],
                subject="Re: Wrong price",
                body="You failed to pay.",
                attachments=[asdict(File("proof of delivery.pdf", "application/pdf", content, 1))],
                case_version=1,
                saved_at=server.now,
            )
        )
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(server.address(f"/cases/{case_id}/reply"))
    expect(page.locator("#reply-tone")).to_be_visible()
    page.locator(".composer-ends summary").click()
    assert not findings(page)
    page.goto(server.address("/mails"))
    assert not findings(page)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (f"/cases/{case_id}/reply", "/mails"):
        page.goto(server.address(path))
        assert page.evaluate("document.querySelector('.main').scrollWidth") <= 390, path
