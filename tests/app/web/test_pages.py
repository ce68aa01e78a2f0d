import re
from pathlib import Path

import pytest

from app.core.i18n import LANGUAGES
from app.web.rendering import FOLDER
from disputes.models import Attachment, Message
from tests.app.web.conftest import Site
from tests.factories import a_case, a_message, a_task

PAGES = (
    "/inbox",
    "/inbox?state=all&sort=due",
    "/cases/{case}",
    "/accounts",
    "/accounts/{account}",
    "/review",
    "/quarantine",
    "/search?q=keller",
    "/search",
)


def addresses(site: Site) -> list[str]:
    return [page.format(case=site.case_id, account=site.account_id) for page in PAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_answers_in_every_language(site: Site, language: str) -> None:
    site.sign_in(language=language, role="admin")
    for address in addresses(site):
        answer = site.get(address)
        assert answer.status_code == 200, address
        assert f'<html lang="{language}"' in answer.text
        assert answer.headers["content-type"].startswith("text/html")


def test_every_page_is_guarded_by_its_headers(site: Site) -> None:
    site.sign_in(role="admin")
    for address in addresses(site):
        headers = site.get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "'unsafe-inline'" not in policy
        assert "frame-ancestors 'self'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "private, no-cache"


def test_the_style_nonce_of_the_page_is_that_of_its_policy(site: Site) -> None:
    site.sign_in()
    answer = site.get("/inbox")
    nonce = re.search(r'name="csp-nonce" content="([^"]+)"', answer.text)
    assert nonce
    assert f"'nonce-{nonce[1]}'" in answer.headers["content-security-policy"]


def test_the_policy_allows_no_inline_style_or_script_and_no_template_has_one() -> None:
    for path in (FOLDER / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script(?![^>]*src=)", text), path


def test_every_icon_that_is_used_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="i-([a-z-]+)"', (FOLDER / "templates/layout/icons.html").read_text("utf-8")))
    sources = [*(FOLDER / "templates").rglob("*.html"), *FOLDER.glob("*.py")]
    used = {name for path in sources for name in icons_in(path)}
    assert "inbox" in used
    assert used <= drawn


def icons_in(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    calls = " ".join(re.findall(r"icon\(([^)]*)\)|ui\.empty\(([^,]*),", text)[0:0]) or " ".join(
        re.findall(r"icon\(([^()]*)\)", text)
        + re.findall(r"ui\.empty\(([^,]*),", text)
        + re.findall(r'\("([a-z-]+)", N_\(', text)
    )
    comparisons = re.sub(r'(==|in) "[a-z_]+"', "", calls)
    return re.findall(r'"([a-z-]+)"', comparisons) + re.findall(r"^([a-z-]+)$", calls)


def test_the_language_is_the_users_then_the_browsers(site: Site) -> None:
    assert "Se connecter" in site.get("/sign-in", **{"accept-language": "fr-CA,fr;q=0.9,en;q=0.5"}).text
    site.sign_in()
    assert "Boîte de réception" in site.get("/inbox", **{"accept-language": "fr"}).text
    assert site.post("/preferences", language="en", back="/accounts").headers["location"] == "/accounts"
    assert "Boîte de réception" not in site.get("/inbox", **{"accept-language": "fr"}).text


def test_a_case_page_shows_the_evidence_in_the_words_of_the_mail(site: Site) -> None:
    site.sign_in()
    page = site.get(f"/cases/{site.case_id}").text
    assert '<mark class="is-evidence" data-refs="invoice-' in page
    assert f">{site.number}</mark>" in page
    assert '<mark class="is-cue" data-refs="reason">price</mark>' in page
    assert "is &lt;wrong&gt;." in page
    assert "Next best: 12%" in page
    assert "margin 71 points" in page
    assert "€1,200.00" in page


def test_m27_a_file_of_a_mail_is_downloaded_never_shown_and_its_name_is_no_path(site: Site) -> None:
    site.sign_in()
    content = b"<script>alert(1)</script>"
    key = site.services.blobs.put(content)
    name = 'x"\r\nSet-Cookie: a=1/../é.html'
    with site.database.transaction() as session:
        file = Attachment(
            message_id=site.message_id, position=0, filename=name, content_type="text/html", size=25, content_hash=key
        )
        session.add(file)
        session.flush()
        number = file.id
    answer = site.get(f"/attachments/{number}")
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="x___Set-Cookie: a=1_..__.html"')
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"\x89PNG\r\n\x1a\n.", "image/png"), (b"%PDF-1.7 .", "application/pdf"), (b"<svg onload=x()>", None)],
)
def test_m27_pictures_and_pdfs_are_looked_at_by_what_their_bytes_say(
    site: Site, content: bytes, kind: str | None
) -> None:
    site.sign_in()
    key = site.services.blobs.put(content)
    with site.database.transaction() as session:
        about = {"filename": "proof.png", "content_type": "image/png", "size": 25, "content_hash": key}
        file = Attachment(message_id=site.message_id, position=0, **about)
        session.add(file)
        session.flush()
        number = file.id
    shown = site.get(f"/attachments/{number}/preview")
    assert shown.status_code == (200 if kind else 404)
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    if kind:
        assert shown.headers["content-type"] == kind
    assert "Look at proof.png" in site.get(f"/cases/{site.case_id}").text


def test_empty_pages_say_why_and_what_next(site: Site) -> None:
    site.sign_in()
    assert "No case fits these filters" in site.get("/inbox?kind=query").text
    assert "Show all open cases" in site.get("/inbox?kind=query").text
    assert "No account found" in site.get("/accounts?q=nowhere").text
    assert "Quarantine is empty" in site.get("/quarantine").text
    assert "Nothing fits" in site.get("/search?q=zzzz").text


def test_a_mail_that_could_not_be_read_is_shown_with_its_reason_and_read_again(site: Site) -> None:
    site.sign_in()
    with site.database.transaction() as session:
        broken = a_message(
            session, None, now=site.now, state="quarantined", quarantine_reason="412 parts, 300 are the limit"
        )
        number = broken.id
    assert "412 parts" in site.get("/quarantine").text
    answer = site.post(f"/messages/{number}/reading")
    assert answer.headers["location"] == "/quarantine"
    assert site.enqueued == [("ingest", number)]
    assert "412 parts" not in site.get("/quarantine").text


def test_addresses_that_cannot_be_are_answered_in_words(site: Site) -> None:
    site.sign_in()
    assert site.get("/cases/999999").status_code == 404
    assert "Not found" in site.get("/cases/999999").text
    assert site.get("/cases/abc").status_code == 422
    assert site.get("/inbox?sort=rainbow").status_code == 422
    assert site.get("/nowhere").status_code == 404


def test_a_finance_owner_sees_neither_quarantine_nor_the_cases_of_others(site: Site) -> None:
    owner = site.sign_in("Otto Klein", role="owner")
    assert site.get("/quarantine").status_code == 403
    assert site.get(f"/cases/{site.case_id}").status_code == 404
    with site.database.transaction() as session:
        mine = a_case(session, None, now=site.now, owner_id=owner.id, title="Given to Otto")
        a_task(session, now=site.now, case=mine)
    assert "Given to Otto" in site.get("/inbox").text
    assert "Price of the pallets" not in site.get("/inbox").text


def test_a_mail_is_shown_as_laid_out_with_its_own_pictures_and_nothing_from_elsewhere(site: Site) -> None:
    site.sign_in()
    raw = (
        b"From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=X\r\n\r\n"
        b"--X\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p><script>alert(1)</script>"
        b'<img src="cid:logo"><img src="https://track.example/x.png">\r\n'
        b"--X\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        b"iVBORw0KGgo=\r\n--X--\r\n"
    )
    with site.database.transaction() as session:
        session.get_one(Message, site.message_id).content_hash = site.services.blobs.put(raw)
    answer = site.get(f"/messages/{site.message_id}/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "Hello" in answer.text
    assert "alert(1)" not in answer.text
    assert 'src="data:image/png;base64,iVBORw0KGgo="' in answer.text
    assert "track.example" not in answer.text
    assert "1 picture from elsewhere is not loaded" in answer.text
    assert "amiable" not in answer.headers.get("set-cookie", "")


def test_changes_are_told_by_ids_alone(site: Site) -> None:
    site.sign_in()
    start = site.get("/live/changes").json()["last"]
    site.post(f"/cases/{site.case_id}/owner", owner="me")
    told = site.get(f"/live/changes?after={start}").json()
    assert told["cases"] == [site.case_id]
    assert told["last"] > start
    assert site.get(f"/live/changes?after={told['last']}").json()["cases"] == []
