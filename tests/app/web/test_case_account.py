"""A case on the wrong account is put on the right one from its page."""

import pytest
from sqlalchemy import select

from app.core.events import Event
from disputes.models import Case, CaseInvoice, Correction, Link, Message, Promise
from invoices.models import Account
from tests.app.web.conftest import Site
from tests.factories import a_case, a_message, a_user, an_account, an_entity


def an_other(site: Site, name: str = "Brook Foods GmbH", number: str = "41-7001", entity: str = "FR02") -> int:
    with site.database.transaction() as session:
        return an_account(session, an_entity(session, entity), name=name, number=number).id


@pytest.mark.parametrize("text", ["brook", "foods BROOK", " 41 70 01 ", "7001", "41-7001"])
def test_the_right_account_is_found_by_what_one_remembers_and_gets_the_case(site: Site, text: str) -> None:
    user, other = site.sign_in(), an_other(site, number="417001" if " " in text else "41-7001")
    with site.database.transaction() as session:
        ours = a_message(session, session.get_one(Case, site.case_id), now=site.now, direction="out").id
    asked = site.post(f"/cases/{site.case_id}/account", text=text)
    assert asked.status_code == 303
    page = site.get(asked.headers["location"]).text
    assert 'id="account-fix" open' in page
    assert f'name="account" value="{other}"' in page
    assert f'name="account" value="{site.account_id}"' not in page

    answer = site.post(f"/cases/{site.case_id}/account", account=str(other))
    assert answer.status_code == 303
    page = site.get(answer.headers["location"]).text
    assert "Account corrected" in page
    assert f'<input type="hidden" name="account" value="{site.account_id}">' in page
    with site.database.transaction(read_only=True) as session:
        assert session.get_one(Case, site.case_id).account_id == other
        messages = session.scalars(select(Message).where(Message.case_id == site.case_id)).all()
        assert {message.account_id for message in messages} == {other}
        assert ours in {message.id for message in messages}
        assert not session.scalars(select(Link)).all()
        assert not session.scalars(select(CaseInvoice)).all()
        kept = session.scalars(select(Correction).where(Correction.field == "account")).all()
        assert {(row.before, row.after, row.user_id) for row in kept} == {(str(site.account_id), str(other), user.id)}
        event = session.scalars(
            select(Event).where(Event.verb == "account corrected", Event.case_id == site.case_id)
        ).one()
        assert (event.actor, (event.before or {})["account_id"]) == (f"user:{user.id}", site.account_id)

    site.post(f"/cases/{site.case_id}/account", account=str(site.account_id))
    assert site.case().account_id == site.account_id
    assert site.message().account_id == site.account_id


def test_what_is_found_nowhere_comes_back_with_the_form(site: Site) -> None:
    site.sign_in()
    an_other(site)
    for text in ("Nobody & Sons", "keller", "%", "   "):
        answer = site.post(f"/cases/{site.case_id}/account", text=text)
        assert answer.status_code == 422, text
        assert "No other account has that number or name." in answer.text
        assert 'id="account-fix" open' in answer.text
    assert 'value="Nobody &amp; Sons"' in site.post(f"/cases/{site.case_id}/account", text="Nobody & Sons").text
    assert site.case().version == 1


def test_doing_it_twice_is_harmless_and_a_closed_case_stays_closed(site: Site) -> None:
    site.sign_in()
    other = an_other(site)
    site.post(f"/cases/{site.case_id}/closure", resolution="answered")
    for _ in range(2):
        assert site.post(f"/cases/{site.case_id}/account", account=str(other)).status_code == 303
    assert (site.case().account_id, site.case().state) == (other, "closed")
    with site.database.transaction(read_only=True) as session:
        assert len(session.scalars(select(Correction).where(Correction.field == "account")).all()) == 1


def test_accounts_of_entities_one_may_not_see_are_neither_found_nor_given(site: Site) -> None:
    foreign = an_other(site)
    site.sign_in("Paul Roy", entities=("FR01",))
    assert site.post(f"/cases/{site.case_id}/account", text="brook").status_code == 422
    assert "Brook" not in site.get(f"/cases/{site.case_id}?account=brook").text
    for account in (str(foreign), "999999", "none"):
        assert site.post(f"/cases/{site.case_id}/account", account=account).status_code == 404, account
    assert site.case().account_id == site.account_id


def test_a_finance_owner_is_not_offered_accounts(site: Site) -> None:
    other = an_other(site)
    owner = site.sign_in(role="owner")
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).owner_id = owner.id
    assert "account-fix" not in site.get(f"/cases/{site.case_id}").text
    assert site.post(f"/cases/{site.case_id}/account", account=str(other)).status_code == 404


def test_whose_entities_do_not_reach_the_other_account_loses_the_case(site: Site) -> None:
    other = an_other(site)
    with site.database.transaction() as session:
        limited = a_user(session, "Paul Roy", now=site.now, entities=("FR01",)).id
    site.sign_in()
    site.post(f"/cases/{site.case_id}/owner", owner=str(limited))
    assert site.case().owner_id == limited
    site.post(f"/cases/{site.case_id}/account", account=str(other))
    assert site.case().owner_id != limited
    with site.database.transaction(read_only=True) as session:
        assert site.case().entity_id == session.get_one(Account, other).entity_id


def test_a_case_without_an_account_gets_one_and_its_promise_follows(site: Site) -> None:
    site.sign_in("Béa Roux", language="fr")
    with site.database.transaction() as session:
        account = session.get_one(Account, site.account_id)
        lost = a_case(session, account, now=site.now)
        lost.account_id = None
        session.add(Promise(case_id=lost.id, account_id=None, date=site.now.date(), created_at=site.now))
        lost_id = lost.id
    assert "Nommer le compte" in site.get(f"/cases/{lost_id}").text
    assert "Mauvais compte" in site.get(f"/cases/{site.case_id}").text
    answer = site.post(f"/cases/{lost_id}/account", account=str(site.account_id))
    page = site.get(answer.headers["location"]).text
    assert "Compte corrigé" in page
    assert 'name="account"' not in page, "there is no account to go back to"
    with site.database.transaction(read_only=True) as session:
        assert session.get_one(Case, lost_id).account_id == site.account_id
        assert session.scalars(select(Promise.account_id)).one() == site.account_id
