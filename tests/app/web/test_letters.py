"""The pages of letters: approve, reject, change, a run from its preview, the print shop, an account that gets none."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import user_actor
from disputes.models import Case
from invoices.models import Account, Entity, Invoice
from letters.actions import drafting, runs
from letters.models import Letter, PrintRun, Run, RunItem
from letters.rules import letter_rules
from tests.app.web.conftest import Site
from tests.letters.stories import ACTOR, ADDRESS, LIMIT

PDF = b"%PDF-1.7 a letter"


def owing(site: Site) -> None:
    """The site's account is late, and can be written to by post as well."""
    with site.database.transaction() as session:
        account = session.get_one(Account, site.account_id)
        account.address, account.name = ADDRESS, "Boulangerie Keller"
        session.get_one(Case, site.case_id).waiting_on = "customer"
        for invoice in session.scalars(select(Invoice)):
            invoice.due, invoice.gross, invoice.open_amount = date(2026, 1, 5), Decimal(12_000), Decimal(12_000)


def work(site: Site) -> None:
    """What the job does, with a PDF in small."""
    with site.database.transaction() as session:
        for run_id, state in runs.to_work(session):
            rules = letter_rules(session)
            if state == "looking":
                while runs.look(session, run_id=run_id, rules=rules, actor=ACTOR, now=site.now):
                    pass
            else:
                while runs.write_next(session, run_id=run_id, rules=rules, now=site.now):
                    pass
        _print(site, session)


def _print(site: Site, session: Session) -> None:
    for one in drafting.to_print(session, limit=50):
        key = site.services.blobs.put(PDF + str(one.version).encode())
        drafting.printed(
            session, to_print=one, title="Rappel", content_hash=key, pages=1, limit=LIMIT, actor=ACTOR, now=site.now
        )


@pytest.fixture
def letter_id(site: Site) -> int:
    """A letter that waits for a lead: it asks for much."""
    owing(site)
    with site.database.transaction() as session:
        account = session.get_one(Account, site.account_id)
        run = runs.begin(session, entity_id=account.entity_id, name="", actor=user_actor(1), now=site.now)
        run.state = "running"
        session.add(RunItem(run_id=run.id, account_id=account.id, state="included"))
    work(site)
    with site.database.transaction(read_only=True) as session:
        return session.scalars(select(Letter.id)).one()


def letter(site: Site) -> Letter:
    with site.database.transaction(read_only=True) as session:
        return session.scalars(select(Letter)).one()


def test_a_letter_is_shown_beside_its_pdf_and_approved_by_a_lead(site: Site, letter_id: int) -> None:
    site.sign_in()
    page = site.get(f"/letters/{letter_id}")
    assert page.status_code == 200
    assert "A team lead approves this one" in page.text
    assert f'src="/letters/{letter_id}/pdf#' in page.text
    shown = site.get(f"/letters/{letter_id}/pdf")
    assert shown.content.startswith(b"%PDF")
    assert shown.headers["content-disposition"].startswith("inline")
    assert "frame-ancestors 'self'" in shown.headers["content-security-policy"]
    assert site.post(f"/letters/{letter_id}/approval").status_code == 403
    site.sign_in("Lea Roth", role="lead")
    assert site.post(f"/letters/{letter_id}/approval").status_code == 303
    assert letter(site).state == "approved"
    assert site.enqueued == [("letters", "approved")]
    assert site.post(f"/letters/{letter_id}/approval").status_code == 303, "twice is harmless"
    assert site.post(f"/letters/{letter_id}/approval-return").status_code == 303
    assert letter(site).state == "checked"


def test_rejecting_asks_why(site: Site, letter_id: int) -> None:
    site.sign_in()
    assert "Say in a few words" in site.post(f"/letters/{letter_id}/rejection", why=" ").text
    assert site.post(f"/letters/{letter_id}/rejection", why="I call them").status_code == 303
    assert (letter(site).state, letter(site).why) == ("cancelled", "I call them")
    assert "I call them" in site.get("/letters?view=stopped").text


def test_words_are_changed_and_bad_ones_come_back(site: Site, letter_id: int) -> None:
    site.sign_in()
    kept = letter(site)
    form = {"subject": kept.text["subject"], "body": "{{ secret }}", "note": "", "channel": "post"}
    refused = site.post(f"/letters/{letter_id}/words", **form, version=str(kept.version))
    assert refused.status_code == 422
    assert "is not known" in refused.text
    form["body"] = kept.text["body"]
    assert site.post(f"/letters/{letter_id}/words", **form, version=str(kept.version)).status_code == 303
    assert (letter(site).state, letter(site).channel) == ("drafted", "post")
    assert "The PDF is being made" in site.get(f"/letters/{letter_id}").text


def test_a_run_is_looked_at_trimmed_and_started(site: Site) -> None:
    owing(site)
    site.sign_in()
    with site.database.transaction(read_only=True) as session:
        entity = session.get_one(Account, site.account_id).entity_id
    begun = site.post("/letter-runs", entity=str(entity), name="March")
    address = begun.headers["location"]
    work(site)
    assert "Write 1 letter" in site.get(address).text
    site.post(f"{address}/exclusion", account=str(site.account_id), out="yes")
    assert "Take in" in site.get(address).text
    site.post(f"{address}/exclusion", account=str(site.account_id), out="no")
    assert site.post(f"{address}/start").status_code == 303
    work(site)
    work(site)
    page = site.get(address)
    assert "Boulangerie Keller" in page.text
    assert f"/letters/{letter(site).id}" in page.text
    assert site.get("/letter-runs").status_code == 200
    again = site.post("/letter-runs", entity=str(entity), name="").headers["location"]
    site.post(f"{again}/cancellation")
    with site.database.transaction(read_only=True) as session:
        assert session.scalars(select(Run.state).order_by(Run.id)).all() == ["done", "cancelled"]


def test_letters_for_the_post_become_one_file(site: Site, letter_id: int) -> None:
    site.sign_in("Lea Roth", role="lead")
    kept = letter(site)
    with site.database.transaction() as session:
        row = session.get_one(Letter, letter_id)
        row.channel, row.state = "post", "approved"
    page = site.get("/letters?view=post")
    assert "waits for the post" in page.text
    with site.database.transaction() as session:
        made = PrintRun(
            entity_id=kept.entity_id, letters=1, pages=1, content_hash=kept.content_hash,
            manifest_hash=site.services.blobs.put(b"letter,first_page\r\n"), created_by="user:1", created_at=site.now,
        )  # fmt: skip
        session.add(made)
        session.flush()
        row = session.get_one(Letter, letter_id)
        row.state, row.print_id = "queued", made.id
    assert site.get("/letter-prints/1/file").content.startswith(b"%PDF")
    assert site.get("/letter-prints/1/list").content.startswith(b"letter,")
    assert site.post("/letter-prints/1/handover").status_code == 303
    assert letter(site).state == "sent"
    assert site.post(f"/letters/{letter_id}/outcome", became="delivered", why="RK123").status_code == 303
    assert (letter(site).state, letter(site).why) == ("delivered", "RK123")
    assert "RK123" in site.get(f"/letters/{letter_id}").text


def test_an_account_gets_no_letters_until_it_does(site: Site) -> None:
    site.sign_in()
    address = f"/accounts/{site.account_id}/letters"
    assert site.get(address).status_code == 200
    site.post(f"/accounts/{site.account_id}/letter-block", reason="The director calls", until="")
    assert "The director calls" in site.get(address).text
    site.post(f"/accounts/{site.account_id}/letter-block/end")
    assert "The director calls" not in site.get(address).text


def test_a_letterhead_and_a_text_are_kept_as_versions(site: Site) -> None:
    site.sign_in("Lea Roth", role="lead")
    with site.database.transaction(read_only=True) as session:
        entity = session.get_one(Account, site.account_id).entity_id
    address = f"/letter-rules/letterheads/{entity}"
    assert site.get("/letter-rules").status_code == 200
    assert "Lumora" in site.get(address).text
    bank = {"iban": "FR76 3000 6000 0112 3456 7890 189", "holder": "Lumora SAS"}
    kept = site.post(address, name="Lumora SAS", address="1 quai\n75001 Paris", accent="#234f68", **bank)
    assert kept.status_code == 303
    with site.database.transaction(read_only=True) as session:
        head = letter_rules(session).letterhead(session.get_one(Entity, entity))
        assert (head.name, head.address) == ("Lumora SAS", ("1 quai", "75001 Paris"))
        assert head.bank is not None
    assert site.post(address, name="", accent="#234f68").status_code == 422
    text = "/letter-rules/texts/reminder_1/fr"
    assert site.get(text).status_code == 200
    assert site.get("/letter-rules/texts/nothing/fr").status_code == 404
    bad = site.post(text, subject="Rappel", body="{{ cycler() }}", based_on="0")
    assert bad.status_code == 422
    assert site.post(text, subject="Rappel", body="Bonjour.\n\n[[ items ]]", based_on="0").status_code == 303
    assert site.post(text, subject="Autre", body="Bonjour.", based_on="0").status_code == 422, "somebody was quicker"
    assert "Version 1" in site.get(text).text


def test_a_text_is_shown_on_the_newest_letter_before_it_is_saved(site: Site, letter_id: int) -> None:
    site.sign_in("Lea Roth", role="lead")
    address = "/letter-rules/texts/reminder_1/fr/preview"
    shown = site.post(address, subject="Rappel {{ numbers }}", body="Bonjour.\n\n[[ items ]]")
    assert shown.status_code == 200
    assert shown.content.startswith(b"%PDF")
    assert site.post(address, subject="Rappel", body="{{ secret }}").status_code == 422
    none = site.post("/letter-rules/texts/apology/fr/preview", subject="Pardon", body="Bonjour.")
    assert "no letter of this kind" in none.text
    assert "Rappel {{ numbers }}" not in site.get("/letter-rules/texts/reminder_1/fr").text
    assert letter(site).id == letter_id
