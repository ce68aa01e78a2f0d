"""A customer's link: looking does nothing, one click answers, and nothing else opens."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core.events import Event
from app.web.ratings import rating_links
from tests.app.web.conftest import Site
from tests.fixtures_db import FixedClock


@pytest.fixture
def path(site: Site) -> str:
    """The link's path, as the mail of two days ago had it."""
    links = rating_links(site.services)
    return links.link(case_id=site.case_id, now=site.now - timedelta(days=2)).removeprefix(links.base)


def events(site: Site) -> list[str]:
    with site.database.transaction(read_only=True) as session:
        return [event.verb for event in session.scalars(select(Event).where(Event.case_id == site.case_id))]


def test_looking_does_nothing_and_a_click_answers_without_a_password(site: Site, path: str, clock: FixedClock) -> None:
    before = events(site)
    for _ in range(3):
        page = site.get(path)
        assert page.status_code == 200
        assert "How well did we look after you?" in page.text
        assert page.headers["referrer-policy"] == "no-referrer"
    assert (events(site), site.case().satisfaction) == (before, None)

    answer = site.post(path, rating="4", comment="Quick <b>answer</b>")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert site.case().satisfaction == 4
    thanks = site.get(path).text
    assert "Thank you for your answer" in thanks
    assert "You may change it until 9 Mar 2026." in thanks
    site.sign_in()
    desk = site.get(f"/cases/{site.case_id}").text
    assert "The customer rated us" in desk
    assert "Quick &lt;b&gt;answer&lt;/b&gt;" in desk
    site.post(path, rating="2")
    clock.advance(timedelta(days=8))
    assert 'name="rating"' not in site.get(path).text
    assert site.post(path, rating="5").status_code == 409
    assert site.case().satisfaction == 2
    clock.advance(timedelta(days=60))
    assert "time is over" in site.get(path).text
    assert site.post(path, rating="5").status_code == 409


@pytest.mark.parametrize("token", ["1", "1.99999.00000000000000000000000000000000", "x.y.z"])
def test_a_link_that_is_not_ours_opens_nothing(site: Site, path: str, token: str) -> None:
    assert site.get(f"/rating/{token}").status_code == 404
    assert site.post(f"/rating/{token}", rating="5").status_code == 404
    other = path.replace(f"/{site.case_id}.", f"/{site.case_id + 1}.", 1)
    assert site.get(other).status_code == 404
    assert site.post(path, rating="9").status_code == 422
    assert site.client.post(path, data={"rating": "5"}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert site.case().satisfaction is None


def test_the_customer_reads_their_language(site: Site, path: str) -> None:
    with site.database.transaction() as session:
        site_case = session.merge(site.case())
        site_case.language = "fr"
    assert '<html lang="fr"' in site.get(path).text
