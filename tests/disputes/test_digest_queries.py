"""Digests cost a fixed number of queries, however many people and cases there are; a link acts once under a race."""

from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier, Thread

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.auth import User
from disputes.actions import owner_links
from disputes.digest_answers import Command
from disputes.digest_tokens import LinkedAction
from disputes.models import ActionUse, CaseClock, Task
from disputes.queries.digests import due, item_of, items_of, people
from disputes.queries.team_day import team_day
from invoices.models import Account
from tests.databases import Database, QueryRecorder
from tests.factories import a_case, a_message, a_task, a_team, a_user, an_account, an_entity, an_invoice, in_case

HOUR = timedelta(hours=1)


def a_case_of(session: Session, owner: User, account: Account, now: datetime) -> int:
    """A case with all that a digest tells; its id."""
    case = a_case(session, account, now=now, owner_id=owner.id, team_id=owner.team_id)
    for _ in range(2):
        in_case(session, case, an_invoice(session, account), now=now, claimed=Decimal(5))
        a_message(session, case, now=now)
    a_task(session, now=now, case=case, kind="owner_answer", assignee_id=owner.id)
    session.add(CaseClock(case_id=case.id, kind="owner_answer", started_at=now, due_at=now + HOUR, breached_at=now))
    session.flush()
    return case.id


def test_queries_do_not_grow(session: Session, now: datetime, queries: QueryRecorder) -> None:
    account = an_account(session, an_entity(session))
    team = a_team(session)
    lead = a_user(session, "Lea Brun", now=now, role="lead", team_id=team.id)
    counts: list[tuple[int, ...]] = []
    for name in ("Paul Roux", "Rosa Neri", "Tom Berg"):
        owner = a_user(session, name, now=now, role="owner", team_id=team.id)
        for _ in range(3):
            a_case_of(session, owner, account, now)
        reader = people(session, user_id=owner.id)[0].user
        told = []
        for read in (
            lambda: due(session, now=now),
            lambda reader=reader: items_of(session, user=reader, now=now),
            lambda: team_day(session, user=lead, now=now),
        ):
            with queries:
                read()
            told.append(queries.count)
        counts.append(tuple(told))
    assert counts == [(6, 6, 6)] * 3


def test_what_a_digest_tells_of_a_case(session: Session, now: datetime) -> None:
    account = an_account(session, an_entity(session), name="Boulangerie Keller")
    owner = a_user(session, "Paul Roux", now=now, role="owner")
    case_id = a_case_of(session, owner, account, now)
    reader = people(session, user_id=owner.id)[0].user
    (item,) = items_of(session, user=reader, now=now)
    assert (item.case_id, item.customer, item.asks) == (case_id, "Boulangerie Keller", ("owner_answer",))
    assert item.due_at == now + HOUR, "the promised time is earlier than the task's"
    assert item.amount == (Decimal(2400), "EUR")
    assert item.asked_amount == (Decimal(10), "EUR")
    assert item.said == "The price is not the one agreed."
    assert item.new
    stranger = a_user(session, "Eve Nix", now=now, role="owner")
    assert item_of(session, user=people(session, user_id=stranger.id)[0].user, case_id=case_id) is None


def test_two_clicks_at_the_same_moment_are_one(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        owner = a_user(session, "Paul Roux", now=now, role="owner")
        case_id = a_case_of(session, owner, an_account(session, an_entity(session)), now)
    linked = LinkedAction(owner.id, case_id, "accept", "2026-03-02", "valid")
    barrier, done = Barrier(2), []

    def click() -> None:
        barrier.wait(30)
        with database.transaction() as session:
            command = Command(case_id, "accept")
            done.append(owner_links.use(session, linked=linked, command=command, limit=Decimal(1000), now=now))

    threads = [Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == [False, True]
    with database.transaction(read_only=True) as session:
        assert session.scalar(select(func.count()).select_from(ActionUse)) == 1
        assert session.scalar(select(func.count()).where(Task.kind == "answer")) == 1
