"""Who gets a case, told over rows: absences and stand-ins, full teams, rights, people's choices, changed rules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.auth import Team, User, UserEntity
from app.core.events import Event, system, user_actor
from disputes.actions import absences, cases, policies, routing
from disputes.actions.absences import BadAbsence, NoAbsence, NobodyStandsIn
from disputes.actions.opening import Place, open_case
from disputes.casework import CaseView
from disputes.desks import desks_of
from disputes.models import Absence, Case, Task
from disputes.queries.routing import dry_run_of
from disputes.routing_rules import RoutingRules, default_routing, read_routing
from disputes.rules_in_force import ONLY, ROUTING
from invoices.models import Account, Entity
from tests.databases import QueryRecorder
from tests.factories import (
    a_case,
    a_link,
    a_message,
    a_task,
    a_team,
    a_user,
    an_account,
    an_entity,
    an_invoice,
    in_case,
)

ACTOR = system("test")
Opens = Callable[..., Case]


@dataclass(frozen=True)
class World:
    """Pricing (Pia and Paul, led by Lea) and collections (Cleo, who leads them too), one entity, one account."""

    pricing: Team
    collections: Team
    pia: User
    paul: User
    lea: User
    cleo: User
    entity: Entity
    account: Account


@pytest.fixture
def world(session: Session, now: datetime) -> World:
    pricing, collections = a_team(session), a_team(session, "collections")
    pia, paul = (a_user(session, name, now=now, role="owner", team_id=pricing.id) for name in ("Pia", "Paul"))
    lea = a_user(session, "Lea", now=now, role="lead")
    cleo = a_user(session, "Cleo", now=now, role="lead", team_id=collections.id)
    pricing.lead_id, collections.lead_id = lea.id, cleo.id
    entity = an_entity(session)
    account = an_account(session, entity)
    session.flush()
    return World(pricing, collections, pia, paul, lea, cleo, entity, account)


@pytest.fixture
def opens(session: Session, world: World, now: datetime) -> Opens:
    """A mail comes and opens a case; `amount` is what its invoice has open."""

    def opened(reason: str = "price", *, kind: str = "dispute", amount: int = 0, **values: Any) -> Case:
        message = a_message(session, None, now=now, account_id=world.account.id, **values)
        if amount:
            invoice = an_invoice(session, world.account, open_amount=Decimal(amount))
            a_link(session, message, invoice, now=now, state="confirmed")
        view = CaseView(kind, reason, 0.9, "calm", urgent=False, flags=(), language="en")
        place = Place(world.entity.id, world.entity.code, world.entity.country)
        return open_case(session, message=message, title="A", view=view, place=place, actor=ACTOR, now=now)

    return opened


def away(session: Session, person: User, now: datetime, stand_in: User | None = None, *, days: int = 5) -> Absence:
    return absences.plan(
        session,
        user_id=person.id,
        first_day=now.date(),
        last_day=now.date() + timedelta(days=days),
        stand_in_id=stand_in.id if stand_in else None,
        note="",
        actor=ACTOR,
        now=now,
    )


def busy(session: Session, world: World, person: User, count: int, now: datetime) -> list[Case]:
    return [
        a_case(session, world.account, now=now, owner_id=person.id, team_id=world.pricing.id, state="in_progress")
        for _ in range(count)
    ]


def why(case: Case) -> list[str]:
    return [reason["say"] for reason in case.owner_why]


def test_the_least_loaded_gets_it_and_the_case_keeps_why(
    session: Session, world: World, opens: Opens, now: datetime
) -> None:
    busy(session, world, world.pia, 2, now)
    case = opens()
    assert (case.owner_id, case.team_id, case.owner_by) == (world.paul.id, world.pricing.id, "auto")
    assert case.owner_why[1] == {
        "say": "%(name)s (open cases: %(cases)d, the fewest of %(among)d people)",
        "name": "Paul",
        "cases": 0,
        "among": 2,
    }
    opened = session.scalars(select(Event).where(Event.verb == "case opened")).one()
    assert (opened.after or {})["owner_why"] == case.owner_why


def test_a_query_is_an_agents_and_a_dispute_an_owners(world: World, opens: Opens) -> None:
    assert opens("statement", kind="query").owner_id == world.cleo.id
    assert opens("price").owner_id in {world.pia.id, world.paul.id}


def test_an_absent_owner_is_stood_in_for_along_the_chain(
    session: Session, world: World, opens: Opens, now: datetime
) -> None:
    busy(session, world, world.pia, 1, now)
    away(session, world.paul, now, world.pia)
    away(session, world.pia, now, world.cleo)
    case = opens()
    assert case.owner_id == world.cleo.id
    assert why(case).count("%(name)s is away until %(until)s and %(stand_in)s stands in") == 2


def test_nobody_there_is_the_leads_and_nobody_at_all_the_teams_queue(
    session: Session, world: World, opens: Opens, now: datetime
) -> None:
    for person in (world.pia, world.paul):
        away(session, person, now)
    assert opens().owner_id == world.lea.id
    world.pricing.lead_id = world.collections.lead_id = None
    session.flush()
    case = opens()
    assert (case.owner_id, case.team_id) == (None, world.pricing.id)
    assert why(case)[-1] == "nobody leads a team: waiting in the queue"


def test_absences_are_looked_at_on_the_day_it_is_at_the_entity(session: Session, world: World, now: datetime) -> None:
    world.entity.country = "AU"
    away(session, world.pia, now + timedelta(days=1))
    away(session, world.paul, now + timedelta(days=1))
    session.flush()
    place = Place(world.entity.id, world.entity.code, "AU")
    view = CaseView("dispute", "price", 0.9, "calm", urgent=False, flags=(), language="en")
    late = datetime(2026, 3, 2, 22, tzinfo=now.tzinfo)  # nine in the morning of the 3rd in Sydney
    message = a_message(session, None, now=now)
    case = open_case(session, message=message, title="A", view=view, place=place, actor=ACTOR, now=late)
    assert case.owner_id == world.lea.id


def test_a_full_team_passes_on_to_the_next(session: Session, world: World, opens: Opens, now: datetime) -> None:
    world.pricing.capacity, world.pricing.overflow_team_id = 1, world.collections.id
    for person in (world.pia, world.paul):
        busy(session, world, person, 1, now)
    case = opens()
    assert (case.owner_id, case.team_id) == (world.cleo.id, world.collections.id)
    assert why(case)[1:3] == ["%(team)s is full (%(capacity)d cases each)", "passed on to %(team)s"]


def test_nobody_gets_a_case_of_an_entity_they_may_not_open(
    session: Session, world: World, opens: Opens, now: datetime
) -> None:
    session.add(UserEntity(user_id=world.paul.id, entity_code="GB01"))
    busy(session, world, world.pia, 3, now)
    assert opens().owner_id == world.pia.id
    away(session, world.pia, now, world.paul)
    assert opens().owner_id == world.lea.id


def test_skills_that_cannot_be_read_keep_no_mail_waiting(session: Session, world: World, opens: Opens) -> None:
    world.paul.skills = {"max_amount": "plenty"}
    world.pia.skills = {"reasons": ["tax"]}
    session.flush()
    assert opens().owner_id == world.paul.id


def test_rules_by_amount_see_what_the_mail_is_about(
    session: Session, world: World, opens: Opens, now: datetime
) -> None:
    save(session, large_to_collections(), now)
    assert opens(amount=6000).team_id == world.collections.id
    assert opens(amount=4999).team_id == world.pricing.id


def large_to_collections() -> dict[str, Any]:
    large = {"name": "large", "when": {"amount_from": "5000", "currency": "EUR"}, "team": "collections"}
    return {"rules": [large, {"name": "the rest", "team": "reason"}]}


def save(session: Session, content: dict[str, Any], now: datetime) -> None:
    policies.save(session, family=ROUTING, key=ONLY, content=content, actor=ACTOR, now=now)


def test_the_owner_stays_when_the_reason_does_not_change_the_team_and_tasks_follow_when_it_does(
    session: Session, world: World, opens: Opens, now: datetime
) -> None:
    case = opens()
    case.reason_by, owner = "auto", case.owner_id
    task = a_task(session, now=now, case=case, kind="answer", assignee_id=owner)
    cases.correct(session, case_id=case.id, kind="dispute", reason="price", actor=ACTOR, now=now)
    assert case.owner_id == owner
    cases.correct(session, case_id=case.id, kind="dispute", reason="charges", actor=ACTOR, now=now)
    assert (case.owner_id, task.assignee_id) == (world.cleo.id, world.cleo.id)


def test_whom_a_person_chose_no_rule_takes_away(session: Session, world: World, opens: Opens, now: datetime) -> None:
    case = opens()
    cases.assign(
        session, case_id=case.id, owner_id=world.lea.id, team_id=None, actor=user_actor(world.cleo.id), now=now
    )
    cases.correct(session, case_id=case.id, kind="dispute", reason="charges", actor=ACTOR, now=now)
    assert (case.owner_id, case.owner_why) == (world.lea.id, [{"say": "chosen by %(name)s", "name": "Cleo"}])
    everything = read_routing({"rules": [{"name": "all", "team": "collections"}]})
    assert dry_run_of(session, rules=everything, today=now.date()) == ()


def test_desks_are_read_in_three_statements(
    session: Session, world: World, now: datetime, queries: QueryRecorder
) -> None:
    session.add_all(UserEntity(user_id=world.pia.id, entity_code=code) for code in ("FR01", "GB01"))
    away(session, world.pia, now, world.paul)
    busy(session, world, world.pia, 2, now)
    session.flush()
    with queries:
        desks = desks_of(session, today=now.date())
    assert queries.count == 3
    pia = desks.person(world.pia.id)
    assert pia is not None
    assert (pia.open_cases, pia.entities, pia.team) == (2, frozenset({"FR01", "GB01"}), "pricing")
    assert [(one.user_id, one.stand_in) for one in desks.away] == [(world.pia.id, world.paul.id)]


RULES_FOR_ALL = read_routing({"rules": [{"name": "all to collections", "team": "collections", "level": 1}]})


def test_a_dry_run_and_what_it_shows_is_what_moves(
    session: Session, world: World, now: datetime, queries: QueryRecorder
) -> None:
    max_ = a_user(session, "Max", now=now, team_id=world.collections.id)
    mine = busy(session, world, world.pia, 6, now)
    for case in busy(session, world, max_, 2, now):
        case.team_id = world.collections.id
    for case in mine[:3]:
        in_case(session, case, an_invoice(session, world.account), now=now)
    tasks = [a_task(session, now=now, case=case, kind="answer", assignee_id=world.pia.id) for case in mine]
    ended = a_case(session, world.account, now=now, owner_id=world.pia.id, state="closed")
    session.flush()
    with queries:
        moves = dry_run_of(session, rules=RULES_FOR_ALL, today=now.date())
    assert queries.count == 7
    assert [move.case_id for move in moves] == [case.id for case in mine]
    mine[0].state = "closed"  # settled meanwhile
    cases.assign(session, case_id=mine[1].id, owner_id=world.lea.id, team_id=None, actor=ACTOR, now=now)
    moved = routing.apply(session, moves=moves, actor=ACTOR, now=now)
    assert moved == tuple(case.id for case in mine[2:])
    assert [case.owner_id for case in mine[2:]] == [world.cleo.id, max_.id] * 2  # each move counts for the next
    assert {case.team_id for case in mine[2:]} == {world.collections.id}
    assert [task.assignee_id for task in tasks[2:]] == [case.owner_id for case in mine[2:]]
    assert (ended.owner_id, mine[0].owner_id) == (world.pia.id, world.pia.id)
    told = session.scalars(select(Event).where(Event.verb == "case assigned", Event.case_id.in_(moved))).all()
    assert {(event.before or {})["owner_id"] for event in told} == {world.pia.id}
    assert routing.apply(session, moves=moves, actor=ACTOR, now=now) == ()


def test_the_same_rules_move_nothing_whatever_the_loads(session: Session, world: World, now: datetime) -> None:
    busy(session, world, world.pia, 5, now)
    assert dry_run_of(session, rules=default_routing(), today=now.date()) == ()
    assert isinstance(RULES_FOR_ALL, RoutingRules)


def test_a_lead_hands_over_all_an_absent_person_has_in_one_go_and_it_stays_there(
    session: Session, world: World, now: datetime
) -> None:
    given = busy(session, world, world.pia, 3, now)
    ended = a_case(session, world.account, now=now, owner_id=world.pia.id, state="resolved")
    absence = away(session, world.pia, now, world.paul)
    away(session, world.paul, now, world.cleo)
    actor = user_actor(world.lea.id)
    lea = session.scalars(select(User).where(User.id == world.lea.id).options(selectinload(User.entities))).one()
    handed = absences.hand_over(
        session, user=lea, absent_id=world.pia.id, today=now.date(), actor=actor, now=now
    )  # fmt: skip
    assert handed.done == tuple(case.id for case in given)
    assert {case.owner_id for case in given} == {world.cleo.id}
    assert {case.owner_by for case in given} == {actor.name}
    assert ended.owner_id == world.pia.id
    absences.end(session, absence_id=absence.id, today=now.date() + timedelta(days=1), actor=actor, now=now)
    assert {case.owner_id for case in given} == {world.cleo.id}
    assert absence.last_day == now.date()
    with pytest.raises(NobodyStandsIn):
        absences.hand_over(session, user=lea, absent_id=world.lea.id, today=now.date(), actor=actor, now=now)


def test_absences_are_planned_changed_and_ended_with_events(session: Session, world: World, now: datetime) -> None:
    planned = away(session, world.pia, now, world.paul)
    assert away(session, world.pia, now, world.paul) is planned
    absences.change_days(
        session,
        absence_id=planned.id,
        first_day=planned.first_day,
        last_day=planned.last_day,
        stand_in_id=world.cleo.id,
        note="phone only",
        actor=ACTOR,
        now=now,
    )
    absences.end(session, absence_id=planned.id, today=now.date(), actor=ACTOR, now=now)
    assert session.scalars(select(Absence)).all() == []
    events = session.scalars(select(Event).where(Event.subject == "absence").order_by(Event.id)).all()
    assert [event.verb for event in events] == ["absence planned", "absence changed", "absence ended"]
    assert events[1].before == {"stand_in_id": world.paul.id, "note": ""}
    assert events[2].after is None
    with pytest.raises(NoAbsence):
        absences.end(session, absence_id=planned.id, today=now.date(), actor=ACTOR, now=now)


@pytest.mark.parametrize(
    ("first", "last", "stand_in", "field"),
    [
        (date(2026, 3, 9), date(2026, 3, 8), None, "last_day"),
        (date(2026, 3, 9), date(2027, 3, 11), None, "last_day"),
        (date(2026, 3, 5), date(2026, 3, 20), None, "first_day"),
        (date(2026, 3, 9), date(2026, 3, 9), "pia", "stand_in"),
        (date(2026, 3, 9), date(2026, 3, 9), 99, "stand_in"),
    ],
)
def test_absences_that_make_no_sense_are_refused_with_the_field(
    session: Session, world: World, now: datetime, first: date, last: date, stand_in: str | int | None, field: str
) -> None:
    away(session, world.pia, now)  # 2 to 7 March
    number = world.pia.id if stand_in == "pia" else stand_in
    with pytest.raises(BadAbsence) as refused:
        absences.plan(
            session,
            user_id=world.pia.id,
            first_day=first,
            last_day=last,
            stand_in_id=number,  # type: ignore[arg-type] # a number by now
            note="",
            actor=ACTOR,
            now=now,
        )
    assert list(refused.value.fields) == [field]
    assert len(session.scalars(select(Absence)).all()) == 1
    assert session.scalars(select(Task)).all() == []
