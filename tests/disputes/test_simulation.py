"""The effect of a changed playbook on the cases on their way, from their rows."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.auth import User
from disputes.conditions import Condition
from disputes.models import CaseStep
from disputes.playbook import Delay, Playbook, default_playbooks
from disputes.queries import simulation
from disputes.queries.simulation import Found, simulation_of, with_playbook
from tests.databases import QueryRecorder
from tests.factories import a_case, a_user, an_account, an_entity

DISPUTE = default_playbooks()["dispute"]
SOONER = DISPUTE.model_copy(
    update={
        "steps": tuple(
            step.model_copy(update={"after": Delay(days=1)}) if step.id == "tell_status" else step
            for step in DISPUTE.steps
        )
    }
)


@pytest.fixture
def lead(session: Session, now: datetime) -> User:
    return a_user(session, "Lea Blanc", now=now, role="lead", entities=("FR01",))


def on_their_way(session: Session, now: datetime, count: int, code: str = "FR01") -> list[int]:
    """Disputes that were acknowledged and whose owner was asked, one a day; the newest first."""
    account = an_account(session, an_entity(session, code), name=f"Keller {code}")
    ids = []
    for number in range(count):
        at = now - timedelta(hours=number)
        case = a_case(session, account, now=now, waiting_on="third_party", opened_at=at, last_activity_at=at)
        case.playbook = "dispute"
        done = {"cycle": 0, "state": "taken", "actor": "system:test", "at": at}
        session.add_all(CaseStep(case_id=case.id, step=step, **done) for step in ("acknowledge", "ask_owner"))
        ids.append(case.id)
    session.flush()
    return ids


def simulated(session: Session, lead: User, now: datetime, playbook: Playbook = SOONER, key: str = "dispute") -> Found:
    return simulation_of(session, user=lead, key=key, playbook=playbook, now=now)


def test_each_case_that_goes_another_way_is_told_with_its_words(session: Session, lead: User, now: datetime) -> None:
    ids = on_their_way(session, now, 3)
    a_case(session, None, now=now, playbook="dispute", state="closed")
    a_case(session, None, now=now)
    found = simulated(session, lead, now)
    assert (found.running, found.simulation.cases, found.partly, found.more) == (3, 3, False, 0)
    assert [row.effect.case_id for row in found.rows] == ids
    first = found.rows[0]
    assert (first.title, first.account, first.effect.change) == ("Price of the pallets", "Keller FR01", "earlier")
    assert first.before is not None
    assert first.after is not None
    assert (first.before.after.days, first.after.after.days) == (4, 1)
    assert simulated(session, lead, now, DISPUTE).simulation.effects == ()


def test_cases_of_other_entities_count_but_their_words_are_not_shown(
    session: Session, lead: User, now: datetime
) -> None:
    on_their_way(session, now, 1)
    on_their_way(session, now, 2, code="DE01")
    found = simulated(session, lead, now)
    assert len(found.simulation.effects) == 3
    assert [row.account for row in found.rows] == ["Keller FR01"]


def test_a_playbook_of_its_own_takes_the_cases_it_speaks_of(session: Session, lead: User, now: datetime) -> None:
    on_their_way(session, now, 2)
    other = SOONER.model_copy(update={"when": Condition(reasons=("quality",))})
    assert simulated(session, lead, now, other, key="quality").simulation.effects == ()
    mine = SOONER.model_copy(update={"when": Condition(reasons=("price",))})
    assert len(simulated(session, lead, now, mine, key="price").simulation.effects) == 2
    gone = DISPUTE.model_copy(update={"when": Condition(reasons=("quality",))})
    assert simulated(session, lead, now, gone).simulation.counts["nothing_left"] == 2


def test_a_new_playbook_is_asked_before_those_that_ship() -> None:
    shipped = default_playbooks()
    assert list(with_playbook(shipped, "big", SOONER)) == ["big", *shipped]
    own = with_playbook(shipped, "big", SOONER)
    assert list(with_playbook(own, "angry", SOONER)) == ["angry", "big", *shipped]
    assert list(with_playbook(own, "dispute", SOONER)) == ["big", *shipped]


@pytest.mark.parametrize("count", [1, 30])
def test_it_asks_as_often_however_many_cases_there_are(
    session: Session, lead: User, now: datetime, queries: QueryRecorder, count: int
) -> None:
    on_their_way(session, now, count)
    session.refresh(lead, ["entities"])
    with queries:
        assert len(simulated(session, lead, now).simulation.effects) == count
    assert queries.count == 13


def test_of_very_many_the_last_active_are_looked_at_and_it_says_so(
    session: Session, lead: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = on_their_way(session, now, 5)
    monkeypatch.setattr(simulation, "MOST", 3)
    monkeypatch.setattr(simulation, "SHOWN", 2)
    found = simulated(session, lead, now)
    assert (found.running, found.simulation.cases, found.partly, found.more) == (5, 3, True, 1)
    assert [row.effect.case_id for row in found.rows] == ids[:2]
