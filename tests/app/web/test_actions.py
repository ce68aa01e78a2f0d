from sqlalchemy import select

from app.core.events import Event
from disputes.models import CaseInvoice, Correction, Link
from tests.app.web.conftest import Site
from tests.factories import a_case, an_account, an_entity, an_invoice


def test_a_corrected_reason_is_told_kept_for_learning_and_undone(site: Site) -> None:
    user = site.sign_in()
    answer = site.post(f"/cases/{site.case_id}/reason", reason="quality")
    assert answer.status_code == 303
    assert (site.case().kind, site.case().reason) == ("dispute", "quality")

    page = site.get(answer.headers["location"]).text
    assert "Reason corrected" in page
    assert '<input type="hidden" name="reason" value="price">' in page
    with site.database.transaction(read_only=True) as session:
        event = session.scalars(select(Event).where(Event.verb == "reason corrected")).one()
        assert event.actor == f"user:{user.id}"
        kept = session.scalars(select(Correction).where(Correction.field == "reason")).one()
        assert (kept.before, kept.after) == ("price", "quality")

    assert "Undo" not in site.get(f"/cases/{site.case_id}").text
    site.post(f"/cases/{site.case_id}/reason", reason="price")
    assert site.case().reason == "price"


def test_a_reason_that_is_none_is_refused(site: Site) -> None:
    site.sign_in()
    assert site.post(f"/cases/{site.case_id}/reason", reason="weather").status_code == 422
    assert site.post(f"/cases/{site.case_id}/reason", reason="spam").status_code == 422
    assert site.post(f"/cases/{site.case_id}/reason").status_code == 422
    assert site.case().reason == "price"


def test_a_case_is_given_to_me_and_back_to_its_team(site: Site) -> None:
    user = site.sign_in()
    site.post(f"/cases/{site.case_id}/owner", owner="me")
    assert site.case().owner_id == user.id
    site.post(f"/cases/{site.case_id}/owner", owner="nobody")
    assert site.case().owner_id is None
    assert site.post(f"/cases/{site.case_id}/owner", owner="999999").status_code == 404


def test_closing_goes_on_to_the_next_case_of_the_list_one_came_from(site: Site) -> None:
    site.sign_in()
    with site.database.transaction() as session:
        account = an_account(session, an_entity(session, "FR02"))
        query = a_case(session, account, now=site.now, reason="copy_invoice", last_activity_at=site.now)
        dispute = a_case(session, account, now=site.now, last_activity_at=site.now.replace(hour=1))
    site.get("/inbox?kind=dispute")
    answer = site.post(f"/cases/{site.case_id}/closure", resolution="credited")
    assert answer.headers["location"] == f"/cases/{dispute.id}"
    assert site.case().state == "closed"

    last = site.post(f"/cases/{dispute.id}/closure", resolution="paid")
    assert last.headers["location"] == "/inbox"
    assert query.id

    again = site.post(f"/cases/{site.case_id}/closure", resolution="paid")
    assert again.status_code == 303
    assert site.case().resolution == "credited"

    assert site.post(f"/cases/{site.case_id}/reopening").status_code == 303
    assert site.case().state == "in_progress"


def test_a_case_is_held_with_a_reason_and_released(site: Site) -> None:
    site.sign_in()
    site.post(f"/cases/{site.case_id}/hold", days="3", why="Credit note awaits approval")
    assert "Credit note awaits approval" in site.get(f"/cases/{site.case_id}").text
    assert site.case().hold_until is not None
    site.post(f"/cases/{site.case_id}/release")
    assert site.case().hold_until is None


def test_a_proposed_invoice_is_confirmed_and_the_confirmation_undone(site: Site) -> None:
    user = site.sign_in()
    answer = site.post(f"/links/{site.link_id}/decision", decision="confirm", back="/review")
    assert answer.headers["location"] == "/review"
    with site.database.transaction(read_only=True) as session:
        link = session.get_one(Link, site.link_id)
        assert (link.state, link.decided_by) == ("confirmed", f"user:{user.id}")
    assert 'value="reject"' in site.get("/review").text
    site.post(f"/links/{site.link_id}/decision", decision="reject")
    with site.database.transaction(read_only=True) as session:
        assert session.get_one(Link, site.link_id).state == "rejected"


def test_none_of_the_proposed_invoices_is_meant(site: Site) -> None:
    site.sign_in()
    assert "F2026-00417" in site.get("/review").text
    site.post(f"/messages/{site.message_id}/rejection", back="/review")
    assert "F2026-00417" not in site.get("/review").text


def test_an_invoice_is_added_by_its_number_and_an_unknown_one_comes_back_with_the_form(site: Site) -> None:
    site.sign_in()
    with site.database.transaction() as session:
        foreign = an_invoice(session, an_account(session, an_entity(session, "FR02")), number="G-777123")
    path = f"/cases/{site.case_id}/invoices"
    for number in ("F9999-1", "nothing", foreign.number):
        refused = site.post(path, number=number, message=str(site.message_id))
        assert refused.status_code == 422
        assert "No invoice of this account has that number." in refused.text
        assert f'value="{number}"' in refused.text
    mistyped = site.post(path, number="F2026-00471", message=str(site.message_id)).text
    assert "Did you mean" in mistyped
    assert 'name="number" value="F2026-00417"' in mistyped
    assert site.post(path, number="f2026 00417", message=str(site.message_id)).status_code == 303
    with site.database.transaction(read_only=True) as session:
        rows = session.scalars(select(CaseInvoice).where(CaseInvoice.case_id == site.case_id)).all()
        assert len(rows) == 1


def test_a_message_is_moved_to_a_case_of_its_own_and_back(site: Site) -> None:
    site.sign_in()
    with site.database.transaction() as session:
        other = a_case(session, None, now=site.now, entity_id=site.case().entity_id, account_id=site.account_id)
    answer = site.post(f"/messages/{site.message_id}/case", case=f"#{other.id}")
    assert answer.headers["location"] == f"/cases/{other.id}"
    assert site.message().case_id == other.id
    assert site.post(f"/messages/{site.message_id}/case", case="not a number").status_code == 404


def test_a_forged_flash_says_nothing(site: Site) -> None:
    site.sign_in()
    for forged in ("x", "e30=", "eyJjb2RlIjoiY2xvc2VkIiwidW5kbyI6Imh0dHBzOi8vZXZpbCIsImZpZWxkcyI6e319"):
        site.client.cookies.set("amiable_flash", forged)
        answer = site.get("/inbox")
        assert answer.status_code == 200
        assert "evil" not in answer.text
        assert 'class="toast"' not in answer.text
