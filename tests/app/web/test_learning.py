"""What was learned from people: seen with its figures, learned again by a click, put back by an administrator."""

from datetime import timedelta
from typing import Any

import pytest

from app.core.events import system, user_actor
from disputes.actions import cases, model_training, policies
from disputes.features import FEATURE_VERSION
from disputes.model_file import Model, model_bytes
from disputes.model_versions import FAMILY, KEY, in_force, read_version
from tests.app.web.conftest import Site

HERE = system("training")
PAGE = "/rules/learning"
LIVE = 'learning" data-live'
NOT_BETTER = {
    "outcome": "not_better",
    "why": "it is wrong more often",
    "held_out_mails": 40,
    "errors_before": 10,
    "errors_after": 12,
    "kind_errors_before": 2,
    "kind_errors_after": 4,
}


def a_version(site: Site, model: Model, **values: Any) -> None:
    """A version that was put in force: a quarter wrong before, a tenth after."""
    figures = {"mails": 40, "errors": 4, "kind_errors": 1, "loss": 0.7}
    content = {
        "blob": site.services.blobs.put(model_bytes(model)),
        "features": FEATURE_VERSION,
        "mails": 210,
        "changed": 96,
        "learned_to": site.now.isoformat(),
        "before": {**figures, "errors": 10},
        "after": figures,
        **values,
    }
    with site.database.transaction() as session:
        policies.save(session, family=FAMILY, key=KEY, content=content, actor=HERE, now=site.now, read=read_version)


def version_in_force(site: Site) -> int:
    with site.database.transaction(read_only=True) as session:
        found = in_force(session)
        return found.version if found else 0


@pytest.fixture
def lead(site: Site) -> Site:
    site.sign_in("Lea Blanc", role="lead")
    return site


def said(site: Site, count: int) -> None:
    """Somebody said of the case what it is; with many more, the page counts cases, not words."""
    actor = user_actor(1)
    with site.database.transaction() as session:
        for number in range(count):
            reason = ("tax", "price")[number % 2]
            cases.correct(session, case_id=site.case_id, kind="dispute", reason=reason, actor=actor, now=site.now)


def test_who_begins_learns_what_there_is_and_what_is_missing(lead: Site) -> None:
    said(lead, 3)
    page = lead.get(PAGE).text
    assert "It knows what ships with Amiable and nothing of your mails yet." in page
    assert "Colleagues said of 1 case what it is." in page
    assert "50 are needed." in page
    assert 'aria-current="page">Learning' in page


def test_a_click_asks_a_worker_once_and_the_page_says_that_it_learns(lead: Site) -> None:
    assert lead.post(f"{PAGE}/training").headers["location"] == PAGE
    lead.post(f"{PAGE}/training")
    assert lead.enqueued == [("training", "asked")]
    page = lead.get(PAGE).text
    assert "Learning since" in page
    assert LIVE in page, "it looks again by itself while something is to come, for it reads all events"
    assert "Train again" not in page
    with lead.database.transaction() as session:
        model_training.end(session, told=NOT_BETTER, actor=HERE, now=lead.now + timedelta(minutes=1))
    page = lead.get(PAGE).text
    assert "The new model is not better: nothing changed" in page
    assert "it is wrong more often" in page
    assert "25 %" in page
    assert "30 %" in page
    assert "Train again" in page
    assert LIVE not in page
    lead.post(f"{PAGE}/training")
    assert len(lead.enqueued) == 2


@pytest.mark.parametrize("outcome", ["promoted", "too_few", "overtaken", "failed", "of a later program"])
def test_every_end_of_a_training_has_words(lead: Site, outcome: str) -> None:
    with lead.database.transaction() as session:
        model_training.end(session, told={"outcome": outcome, "why": "some why"}, actor=HERE, now=lead.now)
    page = lead.get(PAGE)
    assert page.status_code == 200
    assert ("some why" in page.text) == (outcome in {"promoted", "of a later program"})


def test_a_training_without_a_worker_may_be_asked_for_again(lead: Site) -> None:
    with lead.database.transaction() as session:
        model_training.ask(session, actor=HERE, now=lead.now - timedelta(hours=1))
    assert "Train again" in lead.get(PAGE).text
    lead.post(f"{PAGE}/training")
    assert lead.enqueued == [("training", "asked")]


def test_versions_are_seen_with_their_figures_and_put_back_by_an_administrator_alone(
    site: Site, small_model: Model
) -> None:
    a_version(site, small_model)
    a_version(site, small_model, mails=260)
    site.sign_in("Lea Blanc", role="lead")
    page = site.get(PAGE).text
    assert "Learned from what ships and from 260 mails of yours, 96 of them put right." in page
    assert "wrong reasons 25 % → 10 %" in page
    assert "Put back" not in page
    assert site.post(f"{PAGE}/activation", version="1").status_code == 403
    family, key = {"family": FAMILY}, {"key": KEY}
    assert site.post("/rules/versions/shipped/activation", **family, **key).status_code == 404, "no way round"
    assert version_in_force(site) == 2
    site.sign_in("Ada Roth", role="admin")
    assert "Put back" in site.get(PAGE).text
    assert site.post(f"{PAGE}/activation", version="1").headers["location"] == PAGE
    assert version_in_force(site) == 1
    site.post(f"{PAGE}/activation", version="0")
    assert version_in_force(site) == 0
    assert site.post(f"{PAGE}/activation", version="7").status_code == 404


def test_a_version_that_cannot_be_used_is_said_to_be_so_and_not_put_back(site: Site, small_model: Model) -> None:
    a_version(site, small_model)
    a_version(site, small_model, features=1)
    site.sign_in("Ada Roth", role="admin")
    page = site.get(PAGE).text
    assert "Version 2 was learned by another version of the program and cannot be used" in page
    site.post(f"{PAGE}/activation", version="1")
    assert "This version is too old to be used." in site.get(PAGE).text
    assert site.post(f"{PAGE}/activation", version="2").status_code == 409
    assert version_in_force(site) == 1
