"""U33: load per person, what is late, reassigning and overflow from one screen; how a team works is set there too."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team, User
from app.core.events import Event
from disputes.models import Absence, Case, CaseClock
from disputes.queries.teams import Load, team_loads
from tests.app.web.conftest import Site
from tests.databases import QueryRecorder
from tests.factories import a_case, a_task, a_team, a_user, an_account, an_entity
from tests.fixtures_db import FixedClock

TODAY = date(2026, 3, 2)


def a_clock(session: Session, case: Case, *, clock: FixedClock, warn: int, due: int) -> None:
    """A running promise with so many hours to its warning and its end."""
    now = clock()
    row = CaseClock(case_id=case.id, kind="resolution", started_at=now)
    row.warn_at, row.due_at = now + timedelta(hours=warn), now + timedelta(hours=due)
    session.add(row)
    session.flush()


def test_load_is_counted_per_person_and_queue(session: Session, clock: FixedClock) -> None:
    now = clock()
    account = an_account(session, an_entity(session))
    team = a_team(session)
    team.capacity = 3
    lead = a_user(session, "Lea Blanc", now=now, role="lead")
    ana = a_user(session, "Ana Silva", now=now, team_id=team.id)
    away = a_user(session, "Bo Lind", now=now, team_id=team.id)
    days = {"first_day": TODAY - timedelta(days=2), "last_day": TODAY + timedelta(days=5)}
    session.add(Absence(user_id=away.id, stand_in_id=ana.id, **days))
    cases = [a_case(session, account, now=now, owner_id=ana.id, team_id=team.id) for _ in range(2)]
    a_case(session, account, now=now, owner_id=ana.id, team_id=team.id, state="closed")
    a_task(session, now=now, case=cases[0], assignee_id=ana.id, due_at=now - timedelta(hours=1))
    a_task(session, now=now, case=cases[1], assignee_id=ana.id)
    a_task(session, now=now, case=cases[1], assignee_id=ana.id, state="done")
    a_task(session, now=now, case=cases[1], team_id=team.id)
    a_clock(session, cases[0], clock=clock, warn=-2, due=2)
    a_clock(session, cases[1], clock=clock, warn=-2, due=-1)
    a_case(session, account, now=now, team_id=team.id)

    found = team_loads(session, user=lead, now=now, today=TODAY)
    pricing, none = found
    assert [(one.name, one.load, one.away_until, one.stand_in) for one in pricing.members] == [
        ("Ana Silva", Load(open=2, late=1, at_risk=1, tasks=2, tasks_late=1), None, ""),
        ("Bo Lind", Load(), TODAY + timedelta(days=5), "Ana Silva"),
    ]
    assert pricing.queue == Load(open=1, tasks=1)
    assert pricing.load == Load(open=3, late=1, at_risk=1, tasks=3, tasks_late=1)
    assert pricing.room == 1, "who is away has no room"
    assert [one.name for one in none.members] == ["Lea Blanc"]


def test_a_lead_of_one_entity_counts_its_cases_only(session: Session, clock: FixedClock) -> None:
    lead = a_user(session, "Lea Blanc", now=clock(), role="lead", entities=("DE01",))
    ana = a_user(session, "Ana Silva", now=clock())
    for code in ("FR01", "DE01", "DE02"):
        a_case(session, an_account(session, an_entity(session, code)), now=clock(), owner_id=ana.id)
    (none,) = team_loads(session, user=lead, now=clock(), today=TODAY)
    assert {one.name: one.load.open for one in none.members} == {"Ana Silva": 1, "Lea Blanc": 0}


@pytest.mark.parametrize("people", [1, 12])
def test_the_page_asks_as_often_however_many_there_are(
    session: Session, clock: FixedClock, queries: QueryRecorder, people: int
) -> None:
    account = an_account(session, an_entity(session))
    lead = a_user(session, "Lea Blanc", now=clock(), role="lead")
    for number in range(people):
        team = a_team(session, f"team_{number}")
        user = a_user(session, f"P{number} X", now=clock(), team_id=team.id)
        a_case(session, account, now=clock(), owner_id=user.id, team_id=team.id)
    session.refresh(lead, ["entities"])
    with queries:
        assert sum(team.load.open for team in team_loads(session, user=lead, now=clock(), today=TODAY)) == people
    assert queries.count == 5


def two_people(site: Site) -> tuple[User, User]:
    with site.database.transaction() as session:
        team = a_team(session)
        ana = a_user(session, "Ana Silva", now=site.now, team_id=team.id)
        session.get_one(Case, site.case_id).owner_id = ana.id
        return ana, a_user(session, "Bo Lind", now=site.now, team_id=team.id)


def test_cases_are_handed_over_from_the_screen_that_shows_the_load_and_back(site: Site) -> None:
    ana, bo = two_people(site)
    site.sign_in("Lea Blanc", role="lead")
    shown = site.get(f"/team?member={ana.id}").text
    assert f'value="{site.case_id}"' in shown
    assert "Boulangerie Keller" in shown
    back = f"/team?member={ana.id}"
    answer = site.post("/team/handover", case=str(site.case_id), to=str(bo.id), giver=str(ana.id), back=back)
    assert answer.headers["location"] == f"{back}&moved=1&stayed=0"
    assert site.case().owner_id == bo.id
    told = site.get(answer.headers["location"]).text
    assert "1 case changed hands." in told
    assert 'action="/team/handover"' in told.split('class="toasts"')[1], "it can be undone"
    undone = site.post("/team/handover", cases=str(site.case_id), to=str(ana.id), giver=str(bo.id), back=back)
    assert undone.status_code == 303
    assert site.case().owner_id == ana.id
    with site.database.transaction(read_only=True) as session:
        verbs = session.scalars(select(Event.verb).where(Event.case_id == site.case_id)).all()
    assert verbs.count("case assigned") == 2


def test_what_cannot_change_hands_stays_and_is_told(site: Site) -> None:
    ana, _ = two_people(site)
    with site.database.transaction() as session:
        an_entity(session, "DE01")
        german = a_user(session, "Greta Weber", now=site.now, entities=("DE01",))
        closed = a_case(session, None, now=site.now, state="closed")
    site.sign_in("Lea Blanc", role="lead")
    answer = site.post("/team/handover", cases=f"{site.case_id},{closed.id},999", to=str(german.id))
    assert answer.headers["location"] == "/team?moved=0&stayed=3"
    assert site.case().owner_id == ana.id
    assert "3 cases stayed" in site.get(answer.headers["location"]).text
    assert site.post("/team/handover", case=str(site.case_id), to="999999").status_code == 404
    assert site.post("/team/handover", to=str(ana.id)).headers["location"] == "/team"
    assert site.post("/team/handover", case="x", to=str(ana.id)).status_code == 422


def test_how_a_team_works_is_set_and_what_cannot_be_comes_back(site: Site) -> None:
    ana, _ = two_people(site)
    with site.database.transaction() as session:
        other = a_team(session, "sales")
        pricing = session.scalars(select(Team).where(Team.key == "pricing")).one()
    site.sign_in("Lea Blanc", role="lead")
    path = f"/team/{pricing.id}/settings"
    good = {"lead": str(ana.id), "capacity": "20", "overflow": str(other.id)}
    for _ in range(2):
        assert site.post(path, **good).headers["location"] == "/team"
    with site.database.transaction(read_only=True) as session:
        team = session.get_one(Team, pricing.id)
        assert (team.lead_id, team.capacity, team.overflow_team_id) == (ana.id, 20, other.id)
        (event,) = session.scalars(select(Event).where(Event.verb == "team changed"))
        assert event.before == {"lead": None, "capacity": None, "overflow": None}
    assert "at most 20 each" in site.get("/team").text
    for wrong in ({"capacity": "many"}, {"capacity": "0"}, {"overflow": str(pricing.id)}, {"lead": "999999"}):
        refused = site.post(path, **{**good, **wrong})
        assert refused.status_code == 422, wrong
    assert "Please give a number from 1 to 10,000" in site.post(path, **{**good, "capacity": "many"}).text
    assert site.post("/team/999/settings", **good).status_code == 404
