"""Promises as rows: they move with what happens, in the entity's office time, with an event for each move."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import Event, system
from disputes.actions import cases, policies
from disputes.actions.alarms import alarms_due
from disputes.actions.clocks import happened, promise_anew, wake
from disputes.case_facts import fact_of_case
from disputes.clock_events import Happened
from disputes.clocks import default_levels
from disputes.models import Case, CaseClock, Task
from disputes.queries.clocks import chips, clocks_of_cases
from disputes.rules_in_force import ONLY, SERVICE_LEVELS
from disputes.workhours import add_business_time, calendar_of
from tests.databases import QueryRecorder
from tests.factories import a_case, a_team, a_user, an_account, an_entity

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
    for code, country in (("FR01", "FR"), ("JP01", "JP")):
        case = a_case(session, an_account(session, an_entity(session, code, country=country)), now=now)
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
    shown_cases = [a_case(session, account, now=now) for _ in range(5)]
    for case in shown_cases[:4]:
        hear(session, case, now, Happened.OPENED)
    hear(session, shown_cases[0], at(now, 1), Happened.WE_ANSWERED, Happened.WAITS_ON_CUSTOMER)
    session.flush()
    session.expunge_all()
    with queries:
        shown = chips(session, case_ids=[case.id for case in shown_cases], now=at(now, 9))
    assert queries.count == 1
    assert [shown[case.id].state for case in shown_cases[:4]] == ["paused", "late", "late", "late"]
    assert shown_cases[4].id not in shown
    assert clocks_of_cases(session, case_ids=[]) == {}


@dataclass(frozen=True)
class Desk:
    """A case of pricing, with its owner and the lead of the team."""

    case: Case
    owner: User
    lead: User


@pytest.fixture
def desk(session: Session, case: Case, now: datetime) -> Desk:
    pricing = a_team(session)
    owner = a_user(session, "Ola Owner", now=now, role="owner", team_id=pricing.id)
    lead = a_user(session, "Lea Lead", now=now, role="lead", team_id=pricing.id)
    pricing.lead_id, case.team_id, case.owner_id = lead.id, pricing.id, owner.id
    hear(session, case, now, Happened.OPENED)
    return Desk(case, owner, lead)


def told(session: Session, case: Case) -> list[tuple[str, str]]:
    """The alarms of a case as its timeline tells them: the verb and the clock."""
    alarms = select(Event).where(Event.case_id == case.id, Event.verb.startswith("deadline")).order_by(Event.id)
    return [(event.verb, (event.after or {})["clock"]) for event in session.scalars(alarms)]


def test_a_promise_in_danger_is_told_and_a_broken_one_goes_to_the_lead_each_once(
    session: Session, desk: Desk, now: datetime
) -> None:
    assert alarms_due(session, now=at(now, 5)) == 0
    assert [alarms_due(session, now=at(now, 6)) for _ in range(2)] == [1, 0]
    assert told(session, desk.case) == [("deadline near", "first_answer")]
    assert session.scalars(select(Task)).all() == []
    assert [alarms_due(session, now=at(now, 8)) for _ in range(2)] == [1, 0]
    assert told(session, desk.case)[1:] == [("deadline missed", "first_answer")]
    task = session.scalars(select(Task)).one()
    assert (task.kind, task.assignee_id, task.case_id) == ("escalation", desk.lead.id, desk.case.id)
    assert (task.title, task.payload["clock"]) == (
        f"First answer was promised by {at(now, 8):%Y-%m-%d %H:%M} UTC",
        "first_answer",
    )
    assert rows(session, desk.case)["first_answer"].breached_at == at(now, 8)
    events = session.scalars(select(Event).where(Event.verb.startswith("deadline"))).all()
    assert {event.actor for event in events} == {"system:clocks"}


def test_the_lead_keeps_the_escalation_when_the_case_goes_to_somebody_else(
    session: Session, desk: Desk, now: datetime
) -> None:
    alarms_due(session, now=at(now, 8))
    other = a_user(session, "Max Other", now=now, team_id=desk.case.team_id)
    cases.assign(session, case_id=desk.case.id, owner_id=other.id, team_id=None, actor=ACTOR, now=now)
    assert session.scalars(select(Task.assignee_id)).all() == [desk.lead.id]


def test_after_days_off_of_the_program_the_lead_is_told_in_one_task_without_warnings_that_are_too_late(
    session: Session, desk: Desk, now: datetime
) -> None:
    assert alarms_due(session, now=at(now, 200)) == 3
    assert sorted(told(session, desk.case)) == [
        ("deadline missed", "first_answer"),
        ("deadline missed", "next_update"),
        ("deadline missed", "resolution"),
    ]
    assert len(session.scalars(select(Task)).all()) == 1


def test_few_at_a_time_the_longest_due_first(session: Session, desk: Desk, now: datetime) -> None:
    assert [alarms_due(session, now=at(now, 200), limit=2) for _ in range(3)] == [2, 1, 0]
    assert told(session, desk.case)[0][1] == "first_answer"


def test_what_pauses_is_met_or_ended_otherwise_tells_nothing(session: Session, desk: Desk, now: datetime) -> None:
    hear(session, desk.case, at(now, 1), Happened.WE_ANSWERED, Happened.WAITS_ON_CUSTOMER)
    assert alarms_due(session, now=at(now, 500)) == 0
    hear(session, desk.case, at(now, 500), Happened.CUSTOMER_WROTE)
    desk.case.state = "merged"
    session.flush()
    assert [alarms_due(session, now=at(now, 900)) for _ in range(2)] == [2, 0]
    assert told(session, desk.case) == []
    desk.case.state = "in_progress"
    wake(session, case=desk.case)
    assert alarms_due(session, now=at(now, 900)) == 2
    assert {clock for _, clock in told(session, desk.case)} == {"next_update", "resolution"}


def test_a_case_nobody_leads_is_escalated_to_the_teams_queue(session: Session, case: Case, now: datetime) -> None:
    case.team_id = a_team(session).id
    hear(session, case, now, Happened.OPENED)
    alarms_due(session, now=at(now, 8))
    task = session.scalars(select(Task)).one()
    assert (task.assignee_id, task.team_id) == (None, case.team_id)


def test_many_alarms_cost_no_more_reading_than_one(session: Session, now: datetime, queries: QueryRecorder) -> None:
    account = an_account(session, an_entity(session))
    for _ in range(6):
        hear(session, a_case(session, account, now=now), now, Happened.OPENED)
    session.flush()
    session.expunge_all()
    with queries:
        alarms_due(session, now=at(now, 6))
    assert len([one for one in queries.statements if one.startswith("SELECT")]) == 8
    session.flush()
    with queries:
        alarms_due(session, now=at(now, 6))
    assert queries.count == 1
