"""From a digest's mail to a decision: the mail server has it, its link is opened, the button pressed, no password."""

from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from html.parser import HTMLParser

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from app.connectors.mailer import SmtpMailer
from app.core.settings import SmtpSettings
from app.workflows.digests import write_due
from app.workflows.outbox import send
from disputes.models import Case, Task
from tests.e2e.conftest import Server
from tests.factories import a_case, a_message, a_task, a_user, an_account, an_entity, an_invoice, in_case
from tests.fixtures_db import FixedClock
from tests.servers.smtp_sink import SmtpSink
from tests.workflows.stand_ins import context as worker_context

pytestmark = pytest.mark.browser


class Links(HTMLParser):
    """Each link's address by its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._at = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._at = dict(attrs).get("href") or "" if tag == "a" else ""

    def handle_data(self, data: str) -> None:
        if self._at:
            self.found.setdefault(data.strip(), self._at)


def an_owners_case(server: Server) -> int:
    """Paul is asked about a price; the case's id."""
    with server.database.transaction() as session:
        paul = a_user(session, "Paul Roux", now=server.now, role="owner")
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        case = a_case(session, account, now=server.now, owner_id=paul.id)
        in_case(session, case, an_invoice(session, account, number="F2026-00417"), now=server.now)
        a_message(session, case, now=server.now)
        a_task(session, now=server.now, case=case, kind="owner_answer", assignee_id=paul.id)
        return case.id


def digest_in(sink: SmtpSink, server: Server, clock: FixedClock) -> Links:
    """The digest goes out as the worker does it; the links of what the mail server got."""
    settings = server.services.settings.model_copy(update={"public_url": server.url})
    smtp = SmtpSettings(host="127.0.0.1", port=sink.port, security="plain", timeout_seconds=10)
    worker = replace(worker_context(server.database, settings, clock), mailer=SmtpMailer(smtp, clock=clock))
    assert write_due(worker) == {"written": 1}
    send(worker, [])
    content = sink.mails[0].content
    assert isinstance(content, bytes)
    html = message_from_bytes(content, policy=default).get_body(("html",))
    assert html is not None
    return Links(html.get_content())


def accessible(page: Page) -> None:
    """In light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_from_the_mail_to_the_decision(
    server: Server, context: BrowserContext, clock: FixedClock, smtp_sink: SmtpSink
) -> None:
    case_id = an_owners_case(server)
    links = digest_in(smtp_sink, server, clock).found
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"error in the page: {error}"))
    page.goto(links["Refuse"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Refuse this dispute?")
    expect(page.locator("main")).to_contain_text("F2026-00417")
    accessible(page)
    with server.database.transaction(read_only=True) as session:
        assert session.scalars(select(Task.state)).all() == ["open"], "it was only looked at"
    page.get_by_label("Why?").fill("The price was agreed")
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You refused.")
    accessible(page)
    with server.database.transaction(read_only=True) as session:
        asked = session.scalars(select(Task).where(Task.kind == "owner_answer")).one()
        assert (asked.state, asked.outcome) == ("done", "rejected")
        assert session.get_one(Case, case_id).version > 1
    page.goto(links["Refuse"])
    expect(page.get_by_role("button")).to_have_count(0)
    assert context.cookies() == [] or all(cookie["name"] != "amiable_session" for cookie in context.cookies())
    page.goto(links["Open the case"])
    expect(page).to_have_url(server.address(f"/sign-in?next=/cases/{case_id}"))


def test_the_rhythm_and_what_the_digest_would_say(server: Server, signed_in: Callable[..., Page]) -> None:
    an_owners_case(server)
    page = signed_in("Lea Brun", role="owner")
    page.goto(server.address("/digest"))
    expect(page.frame_locator("iframe").locator(".summary")).to_contain_text("Nothing waits for you yourself.")
    accessible(page)
    page.get_by_label("Once a week").check()
    page.get_by_label("Day of the weekly one").select_option(label="Thursday")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_label("Once a week")).to_be_checked()
