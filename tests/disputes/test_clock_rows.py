"""Promises as rows: they move with what happens, in the entity's office time, with an event for each move."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Event, system
from disputes.actions import policies
from disputes.actions.clocks import happened, promise_anew
from disputes.case_facts import fact_of_case
from disputes.clock_events import Happened
from disputes.clocks import default_levels
from disputes.models import Case, CaseClock
from disputes.queries.clocks import chips, clocks_of_cases
from disputes.rules_in_force import ONLY, SERVICE_LEVELS
from disputes.workhours import add_business_time, calendar_of
from tests.databases import QueryRecorder
from tests.factories import a_case, an_account, an_entity

ACTOR = system("test")


@pytest.fixture
def case(session: Session, now: datetime) -> Case:
    return a_case(session, an_account(session, an_entity(session)), now=now)


def at(now: datetime, hours: float, country: str = "FR") -> datetime:
    return add_business_time(now, timedelta(hours=hours), calendar_of(country))


def hear(session: Session, case: Case, now: datetime, *story: Happened) -> None:
    for what in story:
        happened(session, case=case, facts=fact_of_case(session, case=case), what=what, actor=ACTOR, now=now)


def rows(session: Session, case: Case) -> dict[str, CaseClock]:
    session.flush()
    session.expire_all()
    return {row.kind: row for row in session.scalars(select(CaseClock).where(CaseClock.case_id == case.id))}


def test_an_opened_case_has_promises_in_the_office_time_of_its_entity(session: Session, now: datetime) -> None:
    cases = [
        a_case(session, an_account(session, an_entity(session, code, country=country)), now=now)
        for code, country in (("FR01", "FR"), ("JP01", "JP"))
    ]
    for case, country in zip(cases, ("FR", "JP"), strict=True):
        hear(session, case, now, Happened.OPENED)
        assert {kind: row.due_at for kind, row in rows(session, case).items()} == {
            "first_answer": at(now, 8, country),
            "next_update": at(now, 40, country),
            "resolution": at(now, 120, country),
        }


def test_clocks_pause_go_on_and_are_met_and_each_move_is_an_event(session: Session, case: Case, now: datetime) -> None:
    hear(session, case, now, Happened.OPENED)
    hear(session, case, at(now, 2), Happened.WE_ANSWERED, Happened.WAITS_ON_CUSTOMER)
    paused = rows(session, case)
    assert (paused["first_answer"].met_at, paused["first_answer"].alarm_at) == (at(now, 2), None)
    assert (paused["resolution"].due_at, paused["resolution"].left_seconds) == (None, 118 * 3600)
    assert paused["resolution"].alarm_at is None
    hear(session, case, at(now, 30), Happened.CUSTOMER_WROTE)
    going = rows(session, case)
    assert (going["resolution"].due_at, going["resolution"].paused_at) == (at(now, 148), None)
    assert going["resolution"].alarm_at == going["resolution"].warn_at == at(now, 118)
    hear(session, case, at(now, 31), Happened.RESOLVED)
    assert all(row.met_at for row in rows(session, case).values())
    events = session.scalars(select(Event).where(Event.case_id == case.id).order_by(Event.id)).all()
    assert [event.verb for event in events] == ["clocks moved"] * 5
    assert events[2].after is not None
    assert events[2].after["next_update"]["pause_reason"] == "waiting on the customer"
    hear(session, case, at(now, 32), Happened.RESOLVED, Happened.WAITS_ON_CUSTOMER)
    assert len(session.scalars(select(Event)).all()) == 5  # nothing changed any more


def test_an_angry_customer_or_other_levels_make_the_promise_another(
    session: Session, case: Case, now: datetime
) -> None:
    hear(session, case, now, Happened.OPENED)
    case.sentiment = "angry"
    session.flush()
    promise_anew(session, case=case, facts=fact_of_case(session, case=case), actor=ACTOR, now=at(now, 1))
    assert rows(session, case)["first_answer"].due_at == at(now, 2)
    content = default_levels().model_dump(mode="json")
    content["rules"] = [{"name": "slow", "hours": dict.fromkeys(content["rules"][-1]["hours"], 200)}]
    policies.save(session, family=SERVICE_LEVELS, key=ONLY, content=content, actor=ACTOR, now=now)
    promise_anew(session, case=case, facts=fact_of_case(session, case=case), actor=ACTOR, now=at(now, 1))
    assert {row.due_at for row in rows(session, case).values()} == {at(now, 200)}


def test_the_chips_of_a_page_cost_one_statement(session: Session, now: datetime, queries: QueryRecorder) -> None:
    account = an_account(session, an_entity(session))
    cases = [a_case(session, account, now=now) for _ in range(5)]
    for case in cases[:4]:
        hear(session, case, now, Happened.OPENED)
    hear(session, cases[0], at(now, 1), Happened.WE_ANSWERED, Happened.WAITS_ON_CUSTOMER)
    session.flush()
    session.expunge_all()
    with queries:
        shown = chips(session, case_ids=[case.id for case in cases], now=at(now, 9))
    assert queries.count == 1
    assert [shown[case.id].state for case in cases[:4]] == ["paused", "late", "late", "late"]
    assert cases[4].id not in shown
    assert clocks_of_cases(session, case_ids=[]) == {}
