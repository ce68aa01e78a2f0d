"""The pages of letters: approve, reject, change, a run from its preview, the print shop, an account that gets none."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import user_actor
from disputes.actions import policies
from disputes.models import Case, Policy
from invoices.models import Account, Entity, Invoice
from letters.actions import drafting, runs
from letters.models import Letter, PrintRun, Run, RunItem
from letters.printer import LetterPrinter
from letters.rules import PROCEDURE, TEXT, letter_rules, reader_of
from tests.app.web.conftest import SAME_ORIGIN, Site
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


def test_interest_is_shown_day_by_day_and_a_rate_nobody_checked_is_told(site: Site) -> None:
    claims = {"interest": True, "compensation": True, "days_late": 10, "kind": "reminder_1", "id": "rappel"}
    with site.database.transaction() as session:
        content = {"name": "France", "currency": "EUR", "levels": [claims]}
        read = reader_of(PROCEDURE, "fr")
        policies.save(session, family=PROCEDURE, key="fr", content=content, actor=ACTOR, now=site.now, read=read)
    owing(site)
    with site.database.transaction() as session:
        account = session.get_one(Account, site.account_id)
        run = runs.begin(session, entity_id=account.entity_id, name="", actor=user_actor(1), now=site.now)
        run.state = "running"
        session.add(RunItem(run_id=run.id, account_id=account.id, state="included"))
    work(site)
    site.sign_in("Lea Roth", role="lead")
    number = letter(site).id
    shown = site.get(f"/letters/{number}").text
    assert "How the interest comes about" in shown
    assert "L441-10" in shown
    assert "not checked against its source" not in shown
    with site.database.transaction() as session:
        kept = session.get_one(Letter, number)
        kept.facts = kept.facts.replace('"checked":true', '"checked":false')
    assert "not checked against its source: 2.15 %" in site.get(f"/letters/{number}").text


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


def test_a_text_is_shown_on_a_real_letter_before_it_is_saved(site: Site, letter_id: int) -> None:
    site.sign_in("Lea Roth", role="lead")
    address = "/letter-rules/texts/reminder_1/fr/preview"
    shown = site.post(address, subject="Rappel {{ numbers }}", body="Bonjour.\n\n[[ items ]]")
    assert shown.status_code == 200
    assert shown.content.startswith(b"%PDF")
    assert site.post(address, subject="Rappel", body="{{ secret }}").status_code == 422
    none = site.post("/letter-rules/texts/apology/fr/preview", subject="Pardon", body="Bonjour.")
    assert "no letter of this kind" in none.text
    on_case = site.post(
        "/letter-rules/texts/apology/fr/preview", subject="Pardon", body="Bonjour.", case=f"#{site.case_id}"
    )
    assert on_case.content.startswith(b"%PDF")
    assert "There is no case" in site.post(address, subject="Rappel", body="Bonjour.", case="999").text
    assert "Rappel {{ numbers }}" not in site.get("/letter-rules/texts/reminder_1/fr").text
    assert letter(site).id == letter_id


@pytest.mark.parametrize("kind", ["statement", "payment_plan", "acknowledgement"])
def test_a_text_is_shown_on_a_case_that_has_no_such_letter_yet(site: Site, kind: str) -> None:
    owing(site)
    site.sign_in("Lea Roth", role="lead")
    address = f"/letter-rules/texts/{kind}/fr/preview"
    shown = site.post(address, subject="Bonjour", body="Bonjour {{ name }}.", case=str(site.case_id))
    assert shown.content.startswith(b"%PDF"), shown.text


def test_an_entity_has_a_text_of_its_own_and_others_the_one_for_everybody(site: Site) -> None:
    site.sign_in("Lea Roth", role="lead")
    for_all, own = "/letter-rules/texts/reminder_1/fr", {"entity": "FR01"}
    assert site.post(for_all, subject="Pour tous", body="Bonjour.").status_code == 303
    assert "Pour tous" in site.get(f"{for_all}?entity=FR01").text, "until it has its own"
    assert site.post(for_all, subject="Pour FR01", body="Bonjour.", **own).status_code == 303
    with site.database.transaction(read_only=True) as session:
        rules = letter_rules(session)
        assert rules.text("reminder_1", "fr", "FR01").rules.subject == "Pour FR01"
        assert rules.text("reminder_1", "fr", "DE01").rules.subject == "Pour tous"
    assert site.get(f"{for_all}?entity=NONE").status_code == 404


def test_an_older_text_is_compared_and_brought_back(site: Site) -> None:
    site.sign_in("Lea Roth", role="lead")
    page = "/letter-rules/texts/reminder_1/fr"
    site.post(page, subject="Rappel", body="Bonjour.\n\nPayez vite.", note="too harsh")
    site.post(page, subject="Rappel", body="Bonjour.\n\nUn mot suffit.", based_on="1")
    shown = site.get(page).text
    assert "− Payez vite." in shown
    assert "+ Un mot suffit." in shown
    with site.database.transaction(read_only=True) as session:
        first = session.scalars(select(Policy.id).where(Policy.family == TEXT, Policy.version == 1)).one()
    assert "Payez vite." in site.get(f"{page}?version={first}").text
    back = site.post(f"/rules/versions/{first}/activation", family=TEXT, key="reminder_1/fr")
    assert back.headers["location"].startswith(page)
    with site.database.transaction(read_only=True) as session:
        assert "Payez vite." in letter_rules(session).text("reminder_1", "fr").rules.body
    assert site.post("/rules/versions/shipped/activation", family=TEXT, key="reminder_1/fr").status_code == 303
    with site.database.transaction(read_only=True) as session:
        assert letter_rules(session).text("reminder_1", "fr").version == 0


def test_a_logo_is_a_picture_and_stays_until_it_is_taken_off(site: Site, letter_id: int) -> None:
    site.sign_in("Lea Roth", role="lead")
    with site.database.transaction(read_only=True) as session:
        entity = session.get_one(Account, site.account_id).entity_id
    address = f"/letter-rules/letterheads/{entity}"
    assert site.get(f"{address}/logo").status_code == 404
    picture = BytesIO()
    Image.new("RGB", (60, 20), (200, 30, 30)).save(picture, "PNG")

    def send(content: bytes, path: str = address) -> Any:
        kept, files = {"name": "Lumora SAS", "window": "right"}, {"logo": ("logo.png", content, "image/png")}
        return site.client.post(path, data=kept, files=files, headers=SAME_ORIGIN)

    assert "no PNG or JPEG" in send(b"<svg onload=alert(1)/>").text
    assert "too large" in send(b"x" * 1_400_001).text
    shown = send(picture.getvalue(), f"{address}/preview")
    assert shown.content.startswith(b"%PDF")
    assert send(picture.getvalue()).status_code == 303
    logo = site.get(f"{address}/logo")
    assert (logo.content, logo.headers["content-type"]) == (picture.getvalue(), "image/png")
    assert site.post(address, name="Lumora SA", window="right", based_on="1").status_code == 303
    assert site.get(f"{address}/logo").status_code == 200, "no new one: the old one stays"
    assert "a picture" not in site.get(address).text
    assert site.post(address, name="Lumora SA", window="right", based_on="2", without_logo="true").status_code == 303
    assert site.get(f"{address}/logo").status_code == 404
    assert "a picture" in site.get(address).text, "the history tells what went"
    assert site.post(address, name="Lumora SA", based_on="1").status_code == 422, "somebody was quicker"
    assert letter(site).id == letter_id


def test_a_letter_is_made_again_from_the_text_and_head_it_was_made_from(site: Site, letter_id: int) -> None:
    before = letter(site)
    page = drafting.ToPrint(before.id, before.version, before.facts, before.text).page()
    site.sign_in("Lea Roth", role="lead")
    with site.database.transaction(read_only=True) as session:
        entity = session.get_one(Account, site.account_id).entity_id
    site.post(f"/letter-rules/texts/{before.kind}/{before.language}", subject="Tout autre", body="Autre chose.")
    site.post(f"/letter-rules/letterheads/{entity}", name="Un autre nom")
    after = letter(site)
    again = drafting.ToPrint(after.id, after.version, after.facts, after.text).page()
    assert again == page
    with LetterPrinter(workers=1) as printer:
        assert printer.print_letter(again) == printer.print_letter(page)
    assert letter_id == after.id
