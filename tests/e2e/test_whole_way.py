"""The whole way of issue 2: sign in, mail comes, open the case, correct the reason, confirm a link, live elsewhere."""

from datetime import date, datetime
from decimal import Decimal
from email.message import EmailMessage

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.workflows.intake import Tools, build_tools, work_message
from disputes.actions.intake import receive
from disputes.model_file import Model
from disputes.models import Case, Link, Message
from tests.e2e.conftest import Server
from tests.factories import PASSWORD, a_team, a_user, an_account, an_entity, an_invoice

pytestmark = pytest.mark.browser


def mail(subject: str, text: str, number: int) -> bytes:
    """A customer's mail as it comes from the mailbox."""
    message = EmailMessage()
    message["From"] = "Claire Martin <claire@keller.example>"
    message["To"] = "ar@fr01.example"
    message["Subject"] = subject
    message["Date"] = "Mon, 02 Mar 2026 08:30:00 +0000"
    message["Message-ID"] = f"<mail-{number}@keller.example>"
    message.set_content(text)
    message.add_alternative(f"<p style='color:#333'>{text}</p><img src='https://track.example/x.png'>", subtype="html")
    return message.as_bytes()


def comes_in(server: Server, tools: Tools, raw: bytes, number: int) -> Message:
    """The mail goes through the mailroom, as the worker does it."""
    with server.database.transaction() as session:
        received = receive(
            session,
            raw=raw,
            source="file",
            source_ref=f"{number}.eml",
            mailbox="ar@fr01.example",
            blobs=tools.blobs,
            limits=tools.settings.limits,
            received_at=server.now,
            now=server.now,
        )
        work_message(session, message_id=received.message_id, tools=tools, now=server.now)
    with server.database.transaction(read_only=True) as session:
        return session.get_one(Message, received.message_id)


def sign_in(page: Page, server: Server) -> None:
    page.goto(server.address("/"))
    page.get_by_label("E-mail address").fill("ana@desk.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def a_desk(session: Session, now: datetime) -> None:
    """An agent, a team, and a customer with two invoices."""
    a_user(session, "Ana Silva", now=now)
    a_team(session, "pricing")
    account = an_account(session, an_entity(session), name="Boulangerie Keller")
    account.contacts[0].email, account.contacts[0].domain = "claire@keller.example", "keller.example"
    for number, gross in (("F2026-00417", "1834.20"), ("F2026-00418", "912.50")):
        an_invoice(
            session, account, number=number, gross=Decimal(gross), open_amount=Decimal(gross), due=date(2026, 3, 1)
        )


def test_from_a_mail_to_a_worked_case(server: Server, context: BrowserContext, small_model: Model) -> None:
    tools = build_tools(server.services.settings, blobs=server.services.blobs, model=small_model)
    with server.database.transaction() as session:
        a_desk(session, server.now)

    page = context.new_page()
    sign_in(page, server)
    expect(page.get_by_role("heading", name="No open cases")).to_be_visible()

    text = "Hello,\n\nthe unit price on invoice F2026-00417 is not what we agreed. Please send a credit note."
    comes_in(server, tools, mail("Price on F2026-00417", text, 1), 1)

    row = page.get_by_role("link", name="Boulangerie Keller")
    expect(row).to_be_visible()  # nobody reloaded the page: it came live
    row.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Price on F2026-00417")
    card = page.locator("article.invoice", has_text="F2026-00417")
    expect(card).to_be_visible()
    expect(page.locator("mark.is-evidence", has_text="00417").first).to_be_visible()

    card.hover()
    expect(page.locator("mark.is-evidence.is-lit").first).to_be_visible()

    other = context.new_page()
    other.goto(page.url)
    expect(other.locator("#case-facts")).to_be_visible()

    with server.database.transaction(read_only=True) as session:
        first = session.scalars(select(Case)).one()
    new = "quality" if first.reason != "quality" else "quantity"
    page.keyboard.press("t")
    page.locator(f"#reason-menu form:has(input[value='{new}']) button").click()
    expect(page.get_by_role("status")).to_contain_text("Reason corrected")
    expect(page.locator("#case-facts .verdict")).to_contain_text(new.title())
    expect(page.locator("#case-facts .verdict")).to_contain_text("Set by a person")
    expect(other.locator("#case-facts .verdict")).to_contain_text(new.title())  # live in the other tab

    page.locator("#add-number").fill("F2026 00418")
    page.locator("#add-number").press("Enter")
    added = page.locator("article.invoice", has_text="F2026-00418")
    expect(added).to_contain_text("Confirmed")
    expect(other.locator("article.invoice", has_text="F2026-00418")).to_be_visible()

    with server.database.transaction() as session:
        link = session.scalars(select(Link).where(Link.invoice_id != first.id).order_by(Link.id)).first()
        assert link is not None
        link.state, link.decided_by, link.probability = "proposed", "auto", 0.7
    page.goto(server.address("/review"))
    page.keyboard.press("1")
    expect(page.get_by_role("status")).to_contain_text("Invoice confirmed")
    with server.database.transaction(read_only=True) as session:
        assert session.get_one(Link, link.id).state == "confirmed"
        assert session.get_one(Case, first.id).reason == new
    context.close()
