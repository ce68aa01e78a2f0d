"""Credits: four eyes, above a limit six; whatever is tried, no path leads past them with one person alone."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import Conflict, Forbidden
from app.core.events import Actor, Event, system, user_actor
from disputes.actions import approvals, life
from disputes.actions.approvals import BadCredit, NotYours, VotedAlready
from disputes.actions.tasks import TaskEnded
from disputes.approvals import Asked, Standing, needed, standing_of
from disputes.models import Approval, Case, Task
from disputes.queries.calls import granted_credit
from invoices.models import Account
from tests.factories import a_case, a_team, a_user, an_account, an_entity, an_invoice, in_case

LIMIT = Decimal(1000)


@dataclass
class Desk:
    """A case about 5,000.00 EUR, an agent who asks, a lead, two owners who may approve."""

    session: Session
    case: Case
    people: dict[str, User]
    now: datetime

    def ask(self, amount: str, *, by: str = "agent", currency: str = "EUR", why: str = "Agreed price") -> Task:
        return approvals.ask_credit(
            self.session, case_id=self.case.id, amount=Decimal(amount), currency=currency, why=why, limit=LIMIT,
            actor=self.actor(by), now=self.now,
        )  # fmt: skip

    def vote(self, task: Task, who: str, *, approved: bool = True) -> Standing:
        return approvals.vote(
            self.session, task_id=task.id, approved=approved, actor=self.actor(who), now=self.now
        )  # fmt: skip

    def actor(self, who: str) -> Actor:
        return user_actor(self.people[who].id)

    def verbs(self) -> list[str]:
        return list(self.session.scalars(select(Event.verb).where(Event.subject == "case").order_by(Event.id)))


@pytest.fixture
def desk(session: Session, now: datetime) -> Desk:
    account = an_account(session, an_entity(session))
    team = a_team(session)
    people = {
        "agent": a_user(session, "Ana Silva", now=now),
        "lead": a_user(session, "Lea Roth", now=now, role="lead"),
        "pricer": a_user(session, "Paula Lang", now=now, role="owner", team_id=team.id),
        "second": a_user(session, "Otto Klein", now=now, role="owner", team_id=team.id),
    }
    team.lead_id = people["lead"].id
    case = a_case(session, account, now=now, team_id=team.id, owner_id=people["pricer"].id)
    in_case(session, case, an_invoice(session, account, gross=Decimal(5000), open_amount=Decimal(5000)), now=now)
    return Desk(session, case, people, now)


def test_a_small_credit_is_approved_by_one_who_did_not_ask(desk: Desk, session: Session) -> None:
    task = desk.ask("1000.00")
    assert (task.assignee_id, task.payload["needed"]) == (desk.people["lead"].id, 1)
    assert desk.ask("1000.00") is task, "a key pressed twice asks once"
    assert granted_credit(session, case_id=desk.case.id) is None
    assert desk.vote(task, "pricer") == Standing("granted", 0)
    assert (task.state, task.outcome) == ("done", "granted")
    assert granted_credit(session, case_id=desk.case.id) == (Decimal(1000), "EUR")
    assert desk.verbs() == ["credit asked for", "credit approved", "credit granted", "case goes on"]
    assert desk.case.state == "in_progress", "how it ends stays a person's act"
    told = session.scalars(select(Task).where(Task.kind == "credit_decided")).one()
    assert told.assignee_id == desk.people["agent"].id


def test_a_large_credit_needs_two_different_people(desk: Desk) -> None:
    task = desk.ask("1000.01")
    assert desk.vote(task, "lead") == Standing("open", 1)
    assert (task.state, task.assignee_id) == ("open", None)
    with pytest.raises(VotedAlready):
        desk.vote(task, "lead")
    with pytest.raises(NotYours):
        desk.vote(task, "agent")
    assert desk.vote(task, "second") == Standing("granted", 0)
    with pytest.raises(TaskEnded):
        desk.vote(task, "pricer")


def test_the_next_who_may_approve_and_sees_the_case_is_asked(desk: Desk, session: Session, now: datetime) -> None:
    a_user(session, "Greta Weber", now=now, role="lead", entities=("DE01",))
    boss = a_user(session, "Ida Boss", now=now, role="admin")
    task = desk.ask("2000.00")
    assert task.assignee_id == desk.people["lead"].id
    desk.vote(task, "lead")
    assert task.assignee_id == boss.id
    own = desk.ask("1500.00", by="lead")
    assert own.assignee_id == boss.id, "nobody is asked to approve their own"


def test_one_no_ends_it(desk: Desk, session: Session) -> None:
    task = desk.ask("2000.00")
    desk.vote(task, "lead")
    assert desk.vote(task, "second", approved=False).state == "refused"
    assert (task.state, task.outcome) == ("done", "refused")
    assert granted_credit(session, case_id=desk.case.id) is None
    assert "credit granted" not in desk.verbs()
    assert session.scalars(select(Task.title).where(Task.kind == "credit_decided")).one().endswith("refused")


def test_a_large_credit_in_small_pieces_is_a_large_one(desk: Desk) -> None:
    first = desk.ask("600.00")
    assert desk.vote(first, "lead").state == "granted"
    second = desk.ask("600.00")
    assert second.payload["needed"] == 2
    assert desk.vote(second, "lead").state == "open"
    refused = desk.ask("300.00")
    assert refused.payload["needed"] == 2


def test_all_credits_of_a_case_together_are_no_more_than_its_invoices(desk: Desk) -> None:
    desk.ask("3000.00")
    refused = desk.ask("2000.00", by="pricer")
    with pytest.raises(BadCredit, match=r"5000\.00 is asked for") as told:
        desk.ask("0.01")
    assert told.value.fields == {"amount": "too much"}
    desk.vote(refused, "lead", approved=False)
    assert desk.ask("2000.00").state == "open"


def test_who_may_not_approve_has_no_vote_and_who_asks_is_a_person(desk: Desk, session: Session, now: datetime) -> None:
    task = desk.ask("10.00", by="pricer")
    assert task.payload["needed"] == 1
    for who in ("agent", "pricer"):
        with pytest.raises(Forbidden):
            desk.vote(task, who)
    desk.people["second"].active = False
    with pytest.raises(Forbidden):
        desk.vote(task, "second")
    with pytest.raises(NotYours):
        approvals.vote(session, task_id=task.id, approved=True, actor=system("digest"), now=now)
    with pytest.raises(BadCredit):
        approvals.ask_credit(session, case_id=desk.case.id, amount=Decimal(1), currency="EUR", why="x", limit=LIMIT,
                             actor=system("digest"), now=now)  # fmt: skip
    assert session.scalars(select(Approval)).all() == []


@pytest.mark.parametrize(
    ("amount", "currency", "why"),
    [("0", "EUR", "x"), ("-5", "EUR", "x"), ("1.001", "EUR", "x"), ("5000.01", "EUR", "x"), ("5", "USD", "x"),
     ("5", "EUR", "  "), ("5", "EUR", "x" * 301)],
)  # fmt: skip
def test_nonsense_is_not_asked_for(desk: Desk, session: Session, amount: str, currency: str, why: str) -> None:
    with pytest.raises(BadCredit):
        desk.ask(amount, currency=currency, why=why)
    assert session.scalars(select(Task)).all() == []


def test_an_ended_case_asks_for_nothing_and_its_open_request_falls(desk: Desk) -> None:
    task = desk.ask("2000.00")
    desk.vote(task, "lead")
    life.resolve(desk.session, case_id=desk.case.id, resolution="rejected", note="", actor=desk.actor("lead"),
                 now=desk.now)  # fmt: skip
    with pytest.raises(Conflict):
        desk.vote(task, "second")
    with pytest.raises(BadCredit):
        desk.ask("5.00")


def test_a_credit_asked_for_after_cases_came_apart_is_a_new_one(desk: Desk, session: Session, now: datetime) -> None:
    account = session.get_one(Account, desk.case.account_id)
    other = a_case(session, account, now=now, owner_id=desk.people["pricer"].id)
    in_case(session, other, an_invoice(session, account), now=now)
    approvals.ask_credit(
        session, case_id=other.id, amount=Decimal(7), currency="EUR", why="Agreed", limit=LIMIT,
        actor=desk.actor("agent"), now=now,
    )  # fmt: skip
    desk.ask("10.00")
    life.merge(session, case_id=other.id, target_id=desk.case.id, actor=desk.actor("agent"), now=now)
    together = desk.ask("20.00")
    desk.vote(together, "lead")
    life.unmerge(session, case_id=other.id, actor=desk.actor("agent"), now=now)
    apart = desk.ask("30.00")
    assert (apart.id == together.id, apart.state, apart.payload["amount"]) == (False, "open", "30.00")


def test_another_currency_than_the_entitys_needs_two_whatever_the_sum() -> None:
    assert needed(Decimal(1), "USD", earlier=(), limit=LIMIT, limit_currency="EUR") == 2


amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(3000), places=2)
requests = st.lists(st.tuples(amounts, st.sampled_from(("EUR", "USD"))), max_size=6)
votes = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=6)


@given(requests, st.lists(votes, min_size=6, max_size=6), st.integers(0, 3))
def test_no_path_leads_past_the_limit_with_one_person_alone(
    asked: list[tuple[Decimal, str]], told: list[list[tuple[int, bool]]], asker: int
) -> None:
    """Whatever one person asks and others vote: what single voters granted in a case never exceeds the limit."""
    history: list[Asked] = []
    alone = Decimal(0)
    for (amount, currency), ballots in zip(asked, told, strict=False):
        people = needed(amount, currency, earlier=history, limit=LIMIT, limit_currency="EUR")
        standing = standing_of(dict(ballots), asked_by=asker, needed=people)
        yes = {voter for voter, approved in dict(ballots).items() if approved and voter != asker}
        if standing.state == "granted":
            assert yes, "nobody approves alone what they asked for"
            assert all(approved for voter, approved in dict(ballots).items() if voter != asker)
            alone += amount if people == 1 else 0
        history.append(Asked(amount, currency, standing=standing.state != "refused"))
    assert alone <= LIMIT


def test_whoever_votes_in_whatever_order_the_asker_never_counts(desk: Desk, session: Session, now: datetime) -> None:
    account = session.get_one(Account, desk.case.account_id)
    in_case(session, desk.case, an_invoice(session, account, gross=Decimal(9000)), now=now)
    for number, order in enumerate(permutations(("agent", "lead", "pricer"), 3)):
        task = desk.ask(f"15{number}0.00")
        allowed = []
        for who in order:
            try:
                allowed.append((who, desk.vote(task, who).state))
            except (NotYours, TaskEnded):
                continue
        assert "agent" not in dict(allowed)
        assert [state for _, state in allowed] == ["open", "granted"]
