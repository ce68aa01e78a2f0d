"""What we promised is seen where the case is (U23), and why its owner has it, in the reader's language."""

from datetime import timedelta
from html import unescape

import pytest

from app.core.events import system
from disputes.actions.alarms import alarms_due
from disputes.actions.clocks import happened
from disputes.case_facts import fact_of_case
from disputes.clock_events import Happened
from disputes.models import Case
from disputes.told import kept, told
from tests.app.web.conftest import Site
from tests.factories import a_clock, a_team

ACTOR = system("test")
HOUR = timedelta(hours=1)


def words(site: Site, path: str) -> str:
    """The page's text, its tags taken for spaces."""
    answer = site.get(path)
    assert answer.status_code == 200, path
    return " ".join(unescape(answer.text).replace(">", "> ").split())


def promise(site: Site, *, hours: float, **values: object) -> None:
    with site.database.transaction() as session:
        a_clock(session, session.get_one(Case, site.case_id), now=site.now, due=hours * HOUR, **values)  # type: ignore[arg-type] # values of the row


@pytest.mark.parametrize(
    ("language", "row", "line", "page", "moment"),
    [
        ("en", "3h late", "1st answer 3h late", "First answer 3h late", "late since Mon 2 Mar 2026, 06:00"),
        (
            "fr",
            "3h de retard",
            "1re réponse : 3h de retard",
            "Première réponse : 3h de retard",
            "en retard depuis : lun. 2 mars 2026",
        ),
    ],
)
def test_a_missed_promise_is_told_in_the_lists_and_on_the_page(
    site: Site, language: str, row: str, line: str, page: str, moment: str
) -> None:
    site.sign_in(language=language)
    promise(site, hours=-3)
    assert row in plain(words(site, "/inbox"))
    case = words(site, f"/cases/{site.case_id}")
    assert page in plain(case)
    assert moment in case
    assert line in plain(words(site, f"/accounts/{site.account_id}"))


def plain(text: str) -> str:
    """Without the spaces Babel puts between a figure and its unit, which differ between its versions."""
    return text.replace("\xa0", "").replace("\u202f", "")


def test_a_promise_to_come_says_when(site: Site) -> None:
    site.sign_in()
    promise(site, hours=30, kind="next_update")
    assert "in 1 day" in words(site, "/inbox")
    case = words(site, f"/cases/{site.case_id}")
    assert "Next update in 1 day" in case
    assert "by Tue 3 Mar 2026, 15:00" in case


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("paused: waiting on the customer", "office hours left")),
        ("fr", ("en pause : en attente du client", "h ouvrées")),
    ],
)
def test_a_paused_promise_says_why_and_what_is_left(site: Site, language: str, said: tuple[str, str]) -> None:
    site.sign_in(language=language)
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        for what in (Happened.OPENED, Happened.WE_ANSWERED, Happened.WAITS_ON_CUSTOMER):
            facts = fact_of_case(session, case=case)
            happened(session, case=case, facts=facts, what=what, actor=ACTOR, now=site.now)
    page = words(site, f"/cases/{site.case_id}")
    assert [one for one in said if one not in page] == []


def test_the_timeline_tells_which_promise_was_missed(site: Site) -> None:
    site.sign_in(language="fr")
    promise(site, hours=-1)
    with site.database.transaction() as session:
        assert alarms_due(session, now=site.now) == 1
    page = words(site, f"/cases/{site.case_id}")
    assert "Délai promis dépassé" in page
    assert page.count("Première réponse") >= 2


def test_the_inbox_narrows_to_promises_missed_or_at_risk(site: Site) -> None:
    site.sign_in()
    row = f'id="row-{site.case_id}"'
    promise(site, hours=-1)
    assert row in site.get("/inbox?standing=late").text
    assert row in site.get("/inbox?overdue=1&sort=due").text
    assert row not in site.get("/inbox?standing=at_risk").text
    promise(site, hours=0.5, kind="resolution")
    assert row in site.get("/inbox?standing=at_risk").text


def test_why_an_owner_has_the_case_is_said_in_french_to_who_reads_french(site: Site) -> None:
    site.sign_in(language="fr")
    reasons = [
        told("%(reason)s goes to %(team)s (rule: %(rule)s)", reason="Price", team="Pricing", rule="disputes"),
        told("%(name)s is away until %(until)s and nobody stands in", name="Pia", until="2026-03-06"),
        told("a reason of an older program: 100 %"),
    ]
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        case.owner_why, case.team_id = kept(reasons), a_team(session).id
    page = words(site, f"/cases/{site.case_id}")
    assert "Prix : équipe Tarification (règle : litiges)" in page
    assert "Pia : absence jusqu’au 6 mars 2026, sans remplacement" in page
    assert "a reason of an older program: 100 %" in page
    assert "Tarification · niveau 2" in page
