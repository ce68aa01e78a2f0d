"""Two people, or a person and the program, at one thing at once: who waited sees what the other did (PostgreSQL locks
rows; SQLite has one writer, so that nobody reads before their turn).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from app.core.events import user_actor
from disputes.actions import approvals, bank_checks, calls, cases, outbox, replies, tasks
from disputes.actions.bank_checks import NotNow
from disputes.actions.calls import CallResult
from disputes.bank_check import BankCheckPolicy, CallBack
from disputes.models import BankCheck, Case, Message, Outgoing, Task
from tests.databases import Database
from tests.factories import a_bank_check, a_case, a_message, a_task, a_user, an_account, an_entity, an_invoice, in_case

pytestmark = pytest.mark.parametrize("database_kind", [pytest.param("postgres", marks=pytest.mark.postgres)])
ANA, BEN = user_actor(1), user_actor(2)


@pytest.fixture
def case_id(database: Database, now: datetime) -> int:
    with database.transaction() as session:
        a_user(session, "Ana Silva", now=now, role="lead")
        a_user(session, "Ben Roth", now=now, role="lead")
        a_user(session, "Cem Kaya", now=now)
        account = an_account(session, an_entity(session))
        case = a_case(session, account, now=now)
        in_case(session, case, an_invoice(session, account), now=now)
        return case.id


@pytest.fixture
def late(database: Database) -> Iterator[Session]:
    """The session of who came second: it has read the page already when the first one acts."""
    with database.transaction() as session:
        yield session


def test_a_task_done_meanwhile_is_not_done_again(
    database: Database, case_id: int, late: Session, now: datetime
) -> None:
    with database.transaction() as session:
        task_id = a_task(session, now=now, case=session.get_one(Case, case_id), kind="answer").id
    read = late.get_one(Task, task_id)
    with database.transaction() as session:
        tasks.finish(session, task_id=task_id, outcome="told", actor=ANA, now=now)
    with pytest.raises(tasks.TaskEnded):
        tasks.finish(late, task_id=task_id, outcome="done by hand", actor=BEN, now=now)
    assert read.outcome == "told"


def test_a_call_recorded_meanwhile_is_not_recorded_again(
    database: Database, case_id: int, late: Session, now: datetime
) -> None:
    with database.transaction() as session:
        task_id = a_task(session, now=now, case=session.get_one(Case, case_id), kind="courtesy_call").id
    read = late.get_one(Task, task_id)
    with database.transaction() as session:
        calls.record_outcome(session, task_id=task_id, result=CallResult(outcome="reached"), actor=ANA, now=now)
    with pytest.raises(tasks.TaskEnded):
        calls.record_outcome(late, task_id=task_id, result=CallResult(outcome="unreachable"), actor=BEN, now=now)
    assert read.outcome == "reached"


def test_a_credit_refused_meanwhile_is_granted_by_nobody(
    database: Database, case_id: int, late: Session, now: datetime
) -> None:
    with database.transaction() as session:
        task_id = approvals.ask_credit(
            session, case_id=case_id, amount=Decimal(50), currency="EUR", why="Agreed", limit=Decimal(500),
            actor=user_actor(3), now=now,
        ).id  # fmt: skip
    read = late.get_one(Task, task_id)
    with database.transaction() as session:
        approvals.vote(session, task_id=task_id, approved=False, actor=ANA, now=now)
    with pytest.raises(tasks.TaskEnded):
        approvals.vote(late, task_id=task_id, approved=True, actor=BEN, now=now)
    assert read.outcome == "refused"


def test_two_changes_of_a_case_are_two_versions(database: Database, case_id: int, late: Session, now: datetime) -> None:
    read = late.get_one(Case, case_id)
    with database.transaction() as session:
        cases.close(session, case_id=case_id, resolution="paid", actor=ANA, now=now)
        version = session.get_one(Case, case_id).version
    with pytest.raises(cases.CaseEnded):
        cases.close(late, case_id=case_id, resolution="no_action", actor=BEN, now=now)
    cases.hold(late, case_id=case_id, until=now + timedelta(days=1), why="x", actor=BEN, now=now)
    assert (read.resolution, read.version) == ("paid", version + 1)


def test_a_mail_that_is_leaving_is_not_taken_back(
    database: Database, case_id: int, late: Session, now: datetime
) -> None:
    with database.transaction() as session:
        mail = Outgoing(
            dedupe_key="reply:1", kind="reply", case_id=case_id, rfc_id="<a@b.example>", to_email="c@d.example",
            from_email="ar@fr01.example", subject="Re", body="Hello", author_id=1, not_before=now, created_at=now,
        )  # fmt: skip
        session.add(mail)
        session.flush()
        number = mail.id
    read = late.get_one(Outgoing, number)
    with database.transaction() as session:
        assert outbox.claim(session, worker="w", now=now, outbox_id=number) is not None
    with pytest.raises(replies.TooLate):
        replies.undo_reply(late, outbox_id=number, actor=ANA, now=now)
    assert read.state == "sending"


def test_what_was_changed_before_the_lock_is_kept(late: Session, case_id: int, now: datetime) -> None:
    read = late.get_one(Case, case_id)
    read.title = "Changed in this transaction"
    cases.release(late, case_id=case_id, actor=ANA, now=now)
    assert read.title == "Changed in this transaction"


CEM = user_actor(3)
GENUINE = CallBack(outcome="genuine", number="+33 1 42 00 00 00", note="She confirms it")


@pytest.fixture
def check_id(database: Database, case_id: int, now: datetime) -> int:
    """A check of bank details that cooled off; Ana said that the mail is genuine."""
    with database.transaction() as session:
        case = session.get_one(Case, case_id)
        message = a_message(session, case, now=now, flags=["payment_diversion"])
        check = a_bank_check(session, case, message, now=now)
        bank_checks.say(session, check_id=check.id, call=GENUINE, actor=ANA, now=now)
        return check.id


def test_two_releases_at_once_are_one(database: Database, check_id: int, late: Session, now: datetime) -> None:
    read = late.get_one(BankCheck, check_id)
    assert read.state == "asked"
    with database.transaction() as session:
        bank_checks.confirm(session, check_id=check_id, actor=BEN, now=now)
    with pytest.raises(NotNow):
        bank_checks.confirm(late, check_id=check_id, actor=CEM, now=now)
    assert (read.state, read.second_id) == ("released", 2)


def test_what_was_taken_back_meanwhile_is_confirmed_by_nobody(
    database: Database, check_id: int, late: Session, now: datetime
) -> None:
    read = late.get_one(BankCheck, check_id)
    assert read.first_id == 1
    with database.transaction() as session:
        bank_checks.send_back(session, check_id=check_id, note="It was another Claire", actor=ANA, now=now)
    with pytest.raises(NotNow):
        bank_checks.confirm(late, check_id=check_id, actor=BEN, now=now)
    with pytest.raises(NotNow):
        bank_checks.confirm(late, check_id=check_id, actor=ANA, now=now)
    assert read.state == "open"


def test_what_another_said_meanwhile_cannot_be_confirmed_by_them(
    database: Database, check_id: int, late: Session, now: datetime
) -> None:
    with database.transaction() as session:
        bank_checks.send_back(session, check_id=check_id, note="Again", actor=BEN, now=now)
    read = late.get_one(BankCheck, check_id)
    with database.transaction() as session:
        bank_checks.say(session, check_id=check_id, call=GENUINE, actor=BEN, now=now)
    with pytest.raises(bank_checks.NotYours):
        bank_checks.confirm(late, check_id=check_id, actor=BEN, now=now)
    assert (read.state, read.first_id) == ("asked", 2)


def test_a_mail_that_comes_while_two_release_the_last_one_is_checked_anew(
    database: Database, check_id: int, case_id: int, late: Session, now: datetime
) -> None:
    with database.transaction() as session:
        message_id = a_message(session, session.get_one(Case, case_id), now=now, flags=["payment_diversion"]).id
    assert late.get_one(BankCheck, check_id).state == "asked"
    with database.transaction() as session:
        bank_checks.confirm(session, check_id=check_id, actor=BEN, now=now)
    found = bank_checks.hear(
        late, message=late.get_one(Message, message_id), case=late.get_one(Case, case_id), authentic=True,
        machine=False, policy=BankCheckPolicy(), actor=CEM, now=now,
    )  # fmt: skip
    assert found is not None
    assert (found.id != check_id, found.state) == (True, "open")
