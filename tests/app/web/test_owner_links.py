"""Links of digests: to look does nothing, the button does it once, without a password; forged and old ones say so."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.auth import User
from app.core.db import Base
from app.core.events import Event
from app.core.keys import key_for
from app.edge import COOKIE
from app.web.flash import COOKIE as FLASH
from disputes.digest_tokens import ACTIONS, LinkTokens
from disputes.models import ActionUse, Case, CaseInvoice, Note, Task
from tests.app.web.conftest import SAME_ORIGIN, Site
from tests.factories import a_task, a_user
from tests.fixtures_db import FixedClock


@pytest.fixture
def paul(site: Site) -> User:
    """The owner of the site's case, whose decision is asked."""
    with site.database.transaction() as session:
        paul = a_user(session, "Paul Roux", now=site.now, role="owner", language="fr", entities=("FR01",))
        case = session.get_one(Case, site.case_id)
        case.owner_id = paul.id
        a_task(session, now=site.now, case=case, kind="owner_answer", assignee_id=paul.id)
    return paul


def link(site: Site, user: User, action: str, *, case_id: int | None = None, period: str = "2026-03-02") -> str:
    """The address a digest's button leads to."""
    tokens = LinkTokens(key_for(site.services.settings, "digest action"))
    number = case_id if case_id is not None else site.case_id
    return f"/do/{tokens.token(user_id=user.id, case_id=number, action=action, period=period, now=site.now)}"


def rows(site: Site) -> Mapping[str, Any]:
    """Every row of every table, to see that nothing changed."""
    with site.database.transaction(read_only=True) as session:
        return {
            table.name: sorted(map(str, session.execute(select(table)).all())) for table in Base.metadata.sorted_tables
        }


def decision(site: Site) -> str | None:
    with site.database.transaction(read_only=True) as session:
        return session.scalars(select(Task.outcome).where(Task.kind == "owner_answer").order_by(Task.id)).all()[-1]


@pytest.mark.parametrize("action", ACTIONS)
def test_to_look_changes_no_row_whoever_looks_how_often(site: Site, paul: User, action: str) -> None:
    before = rows(site)
    address = link(site, paul, action)
    for scanner in ("curl/8", "Mozilla/5.0 SafeLinks", "facebookexternalhit"):
        page = site.get(address, **{"user-agent": scanner, "sec-purpose": "prefetch"})
        assert page.status_code == 200
        assert "Boulangerie Keller" in page.text
        assert "F2026-00417" in page.text
        assert "Paul Roux" in page.text
        assert page.headers["cache-control"] == "no-store"
    assert site.client.head(address).status_code == 200
    assert rows(site) == before


def test_the_button_does_it_once_and_says_so_the_second_time(site: Site, paul: User) -> None:
    address = link(site, paul, "accept")
    assert "Accepter" in site.get(address).text
    answer = site.post(address, text="Vu avec le client")
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert decision(site) == "accepted"
    after = rows(site)
    again = site.post(address)
    assert again.status_code == 303
    assert rows(site) == after, "the second click changes nothing"
    page = site.get(address).text
    assert "Vous avez accepté." in page
    assert "<form" not in page
    with site.database.transaction(read_only=True) as session:
        event = session.scalars(select(Event).where(Event.verb == "owner accepted")).one()
        assert (event.actor, event.cause) == (f"user:{paul.id}", "by digest link")
        assert session.scalars(select(Note.text)).all() == ["Vu avec le client"]
        assert session.scalar(select(func.count()).select_from(ActionUse)) == 1
    assert COOKIE not in site.client.cookies
    assert FLASH not in site.client.cookies, "no session came of it"


def test_the_customers_own_figure_stands_in_the_form(site: Site, paul: User) -> None:
    with site.database.transaction() as session:
        session.execute(update(CaseInvoice).values(claimed=Decimal("120.50")))
    assert 'value="120,50"' in site.get(link(site, paul, "credit")).text


def test_each_action(site: Site, paul: User) -> None:
    assert site.post(link(site, paul, "credit"), amount="1 000,50").status_code == 303
    assert site.post(link(site, paul, "need"), text="le bon de livraison").status_code == 303
    assert site.post(link(site, paul, "reject"), text="prix convenu").status_code == 303
    with site.database.transaction(read_only=True) as session:
        tasks = {task.kind: task for task in session.scalars(select(Task).order_by(Task.id))}
        assert tasks["approve_credit"].payload["amount"] == "1000.50"
        assert tasks["check_delivery"].state == "open"
        assert tasks["answer"].payload["why"] == "prix convenu"
    assert site.post(link(site, paul, "not-mine")).status_code == 303
    assert site.case().owner_id is None


def test_what_cannot_be_done_comes_back_with_its_words_and_the_link_still_works(site: Site, paul: User) -> None:
    address = link(site, paul, "credit")
    before = rows(site)
    for amount in ("", "douze", "999999"):
        refused = site.post(address, amount=amount, text="remise oubliée")
        assert refused.status_code == 422
        assert "remise oubliée" in refused.text
    empty = site.post(link(site, paul, "need"))
    assert empty.status_code == 422
    assert rows(site) == before
    assert site.post(address, amount="12,00").status_code == 303


def test_forged_expired_and_cut_links_say_so_and_do_nothing(site: Site, paul: User, clock: FixedClock) -> None:
    good = link(site, paul, "accept")
    before = rows(site)
    other = link(site, paul, "accept", case_id=site.case_id + 1)
    forged = f"{other.rpartition('.')[0]}.{good.rpartition('.')[2]}"
    for address in (forged, good.replace("accept", "reject"), good[:-1] + ("0" if good[-1] != "0" else "1")):
        assert site.get(address).status_code == 404
        assert site.post(address).status_code == 404
        assert "Boulangerie Keller" not in site.get(address).text
    assert site.get(good[:-5]).status_code == 404
    assert site.get("/do/x").status_code == 404
    clock.advance(timedelta(days=15))
    assert site.get(good).status_code == 410
    assert site.post(good).status_code == 410
    assert rows(site) == before


def test_the_case_must_still_be_theirs_and_open(site: Site, paul: User) -> None:
    address = link(site, paul, "accept")
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).state = "closed"
    settled = site.get(address)
    assert settled.status_code == 409
    assert site.post(address).status_code == 409
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).owner_id = None
    assert site.post(address).status_code == 404
    assert "Boulangerie Keller" not in site.get(address).text
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).owner_id = paul.id
        session.get_one(User, paul.id).active = False
    assert site.post(address).status_code == 404
    assert decision(site) is None


def test_another_site_cannot_press_the_button(site: Site, paul: User) -> None:
    address = link(site, paul, "accept")
    crossed = site.client.post(address, data={}, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 403
    assert decision(site) is None
    assert site.client.post(address, data={"x": "1"}, headers=SAME_ORIGIN).status_code == 422, "S19"


def test_who_is_signed_in_does_not_matter_to_a_link(site: Site, paul: User) -> None:
    site.sign_in("Ana Silva")
    site.post(link(site, paul, "reject"))
    with site.database.transaction(read_only=True) as session:
        actors = session.scalars(select(Event.actor).where(Event.verb == "owner rejected")).all()
    assert actors == [f"user:{paul.id}"]


def test_the_same_form_on_the_cases_page(site: Site) -> None:
    user = site.sign_in(role="owner")
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).owner_id = user.id
    assert "The owner's decision" in site.get(f"/cases/{site.case_id}").text
    refused = site.post(f"/cases/{site.case_id}/owner-answer", action="credit", amount="much", text="as agreed")
    assert refused.status_code == 422
    assert "as agreed" in refused.text
    done = site.post(f"/cases/{site.case_id}/owner-answer", action="reject", text="as agreed")
    assert (done.status_code, done.headers["location"]) == (303, f"/cases/{site.case_id}")
    assert decision(site) == "rejected"
    assert "The owner refuses" in site.get(f"/cases/{site.case_id}").text


def test_the_rhythm_is_chosen_with_the_browsers_zone_and_the_preview_can_do_nothing(site: Site) -> None:
    user = site.sign_in(role="owner")
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).owner_id = user.id
    page = site.get("/digest").text
    assert "1 case waits for you: 1 new" in page
    preview = site.get("/digest/preview")
    assert "Boulangerie Keller" in preview.text
    assert "/do/" not in preview.text
    assert "sandbox" in preview.headers["content-security-policy"]
    site.client.cookies.set("zone", "America/New_York")
    assert site.post("/digest", rhythm="weekly", hour="7", weekday="3").status_code == 303
    with site.database.transaction(read_only=True) as session:
        chosen = session.get_one(User, user.id).preferences["digest"]
    assert chosen == {"rhythm": "weekly", "hour": 7, "weekday": 3, "at_once": False, "zone": "America/New_York"}
    assert site.post("/digest", rhythm="hourly", hour="7").status_code == 422
