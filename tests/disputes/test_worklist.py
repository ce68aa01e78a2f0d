"""The worklist: in which order, in how many statements, and for whom."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import user_actor
from disputes.actions import tasks
from disputes.models import Task
from disputes.queries.tasks import (
    NoSuchTask,
    TaskFilter,
    TaskList,
    calendar_tasks,
    list_tasks,
    next_task,
    own_counts,
    task_counts,
    visible_task,
)
from invoices.models import Account
from tests.databases import QueryRecorder
from tests.factories import a_case, a_message, a_task, a_team, a_user, an_account, an_entity

ALL = TaskFilter(whose="all")


@pytest.fixture
def account(session: Session) -> Account:
    return an_account(session, an_entity(session), name="Boulangerie Keller")


@pytest.fixture
def ana(session: Session, now: datetime) -> User:
    return a_user(session, "Ana Silva", now=now, team_id=a_team(session).id)


def ids(page: TaskList) -> list[int]:
    return [row.task.id for row in page.rows]


def test_pages_hold_every_task_once_the_most_overdue_first_and_those_without_a_time_last(
    session: Session, account: Account, ana: User, now: datetime
) -> None:
    case = a_case(session, account, now=now)
    made = [
        a_task(session, now=now, case=case, due_at=None if hours % 4 == 0 else now + timedelta(hours=hours // 2 - 5))
        for hours in range(17)
    ]
    a_task(session, now=now, case=case, state="done")
    whole = ids(list_tasks(session, user=ana, filters=ALL, now=now))
    assert set(whole) == {task.id for task in made}
    dues = [session.get_one(Task, number).due_at for number in whole]
    assert [due for due in dues if due] == sorted(due for due in dues if due)
    assert dues[-5:] == [None] * 5

    seen, after = [], None
    while True:
        page = list_tasks(session, user=ana, filters=ALL, now=now, after=after, limit=3)
        seen += ids(page)
        after = page.next_key
        if after is None:
            break
    assert seen == whole
    assert ids(list_tasks(session, user=ana, filters=ALL, now=now, after="~mangled")) == whole


def test_the_worklist_costs_one_statement_and_its_counts_another(
    session: Session, account: Account, ana: User, now: datetime, queries: QueryRecorder
) -> None:
    for number in range(8):
        case = a_case(session, account, now=now, owner_id=ana.id)
        a_task(session, now=now, case=case, kind="courtesy_call", assignee_id=ana.id if number % 2 else None,
               team_id=ana.team_id, due_at=now - timedelta(hours=4 - number))  # fmt: skip
    session.expunge_all()
    with queries:
        page = list_tasks(session, user=ana, filters=ALL, now=now)
        shown = [(row.account_name, row.assignee, row.case.title if row.case else "") for row in page.rows]
    assert queries.count == 1
    assert set(shown) == {
        ("Boulangerie Keller", "", "Price of the pallets"),
        ("Boulangerie Keller", "Ana Silva", "Price of the pallets"),
    }
    with queries:
        counts = task_counts(session, user=ana, now=now)
    assert (counts.mine, counts.team, counts.all, counts.overdue, counts.calls) == (4, 8, 8, 2, 4)
    own = own_counts(session, user=ana, now=now)
    assert (own.mine, own.overdue) == (4, 2)


def test_what_is_mine_my_teams_late_or_of_one_kind(
    session: Session, account: Account, ana: User, now: datetime
) -> None:
    case = a_case(session, account, now=now)
    late = a_task(session, now=now, case=case, assignee_id=ana.id, due_at=now - timedelta(hours=1))
    tonight = a_task(session, now=now, case=case, assignee_id=ana.id, due_at=now + timedelta(hours=6))
    queued = a_task(session, now=now, case=case, team_id=ana.team_id, kind="courtesy_call", due_at=None)
    elsewhere = a_task(session, now=now, case=a_case(session, account, now=now), due_at=now + timedelta(days=3))

    def found(**values: object) -> list[int]:
        return ids(list_tasks(session, user=ana, filters=TaskFilter(**values), now=now))  # type: ignore[arg-type] # each test gives its own

    assert found() == [late.id, tonight.id]
    assert found(due="overdue") == [late.id]
    assert found(due="today") == [late.id, tonight.id]
    assert found(whose="team") == [queued.id]
    assert found(whose="all") == [late.id, tonight.id, elsewhere.id, queued.id]
    assert found(whose="all", kind="courtesy_call") == [queued.id]
    assert found(whose="all", case=case.id) == [late.id, tonight.id, queued.id]
    assert next_task(session, user=ana, filters=TaskFilter(), now=now) == late.id
    assert next_task(session, user=ana, filters=TaskFilter(), now=now, after=late) == tonight.id
    assert next_task(session, user=ana, filters=TaskFilter(), now=now, after=tonight) == late.id
    assert next_task(session, user=ana, filters=TaskFilter(kind="letter"), now=now, after=late) is None
    assert [task.id for task in calendar_tasks(session, user=ana)] == [late.id, tonight.id]


def test_a_task_is_seen_by_who_sees_its_case_and_by_whoever_is_asked_for_it(
    session: Session, account: Account, ana: User, now: datetime
) -> None:
    logistics = a_team(session, "logistics")
    case = a_case(session, account, now=now, team_id=ana.team_id)
    asked = a_task(session, now=now, case=case, kind="check_delivery", team_id=logistics.id)
    about_mail = a_task(session, now=now, message=a_message(session, None, now=now, entity_id=account.entity_id))
    of_nothing = a_task(session, now=now, kind="check_sending")
    people = {
        "agent": ana,
        "french": a_user(session, "Flore Petit", now=now, entities=("FR01",)),
        "german": a_user(session, "Greta Weber", now=now, entities=("DE01",), team_id=logistics.id),
        "pricer": a_user(session, "Paula Lang", now=now, role="owner", team_id=ana.team_id),
        "store": a_user(session, "Nora Haskell", now=now, role="owner", team_id=logistics.id),
        "tax": a_user(session, "Otto Klein", now=now, role="owner"),
        "lead": a_user(session, "Lea Roth", now=now, role="lead"),
    }
    seen = {name: set(ids(list_tasks(session, user=user, filters=ALL, now=now))) for name, user in people.items()}
    assert seen == {
        "agent": {asked.id, about_mail.id},
        "french": {asked.id, about_mail.id},
        "german": set(),
        "pricer": {asked.id},
        "store": {asked.id},
        "tax": set(),
        "lead": {asked.id, about_mail.id, of_nothing.id},
    }
    assert visible_task(session, user=people["store"], task_id=asked.id, kind="check_delivery").case == case
    for user, number, kind in ((people["tax"], asked.id, None), (ana, asked.id, "courtesy_call")):
        with pytest.raises(NoSuchTask):
            visible_task(session, user=user, task_id=number, kind=kind)


def test_a_case_that_is_owed_several_answers_is_one_line_and_one_tick(
    session: Session, account: Account, ana: User, now: datetime
) -> None:
    case, other = a_case(session, account, now=now), a_case(session, account, now=now)
    first, second, third = (
        a_task(session, now=now, case=case, message=a_message(session, case, now=now), kind="answer",
               assignee_id=ana.id)
        for _ in range(3)
    )  # fmt: skip
    decided = a_task(session, now=now, case=case, kind="answer", assignee_id=ana.id, payload={"owner": "accepted"})
    elsewhere = a_task(session, now=now, case=other, kind="answer", assignee_id=ana.id)
    calls = [a_task(session, now=now, case=case, kind="courtesy_call", assignee_id=ana.id) for _ in range(2)]
    listed = ids(list_tasks(session, user=ana, filters=TaskFilter(), now=now))
    assert listed == [first.id, decided.id, elsewhere.id, *(call.id for call in calls)]
    assert task_counts(session, user=ana, now=now).mine == 5
    tasks.tick_off(session, task_id=first.id, actor=user_actor(ana.id), now=now)
    assert {task.state for task in (first, second, third, decided)} == {"done"}
    assert elsewhere.state == "open"
