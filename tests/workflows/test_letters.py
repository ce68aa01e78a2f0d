"""The job of letters: a run from its preview to mails with PDFs, a letter of a playbook, resumed after a kill."""

from datetime import date
from decimal import Decimal

from sqlalchemy import select

from app.core.events import user_actor
from app.core.settings import Settings
from app.workflows import letters as job
from app.workflows.outbox import send
from disputes.models import Case, Outgoing, Task
from invoices.models import Account
from letters.actions import runs
from letters.models import Letter, Run
from letters.rules import letter_rules
from tests.databases import Database
from tests.factories import a_case, a_payment, a_task, an_account, an_invoice, in_case
from tests.fixtures_db import FixedClock
from tests.letters.stories import ADDRESS, Arrears, in_arrears, march
from tests.workflows.stand_ins import Sink, context


def a_run(database: Database, *, accounts: int = 1) -> None:
    """A run over some accounts, begun and not yet looked through."""
    with database.transaction() as session:
        story: Arrears = in_arrears(session)
        for number in range(accounts - 1):
            other = an_account(session, story.entity, address=ADDRESS)
            an_invoice(session, other, number=f"G{number}", due=date(2026, 2, 1))
        actor = user_actor(story.ana.id)
        runs.begin(session, entity_id=story.entity.id, name="March", actor=actor, now=march(2))


def start(database: Database) -> None:
    with database.transaction() as session:
        run = session.scalars(select(Run)).one()
        runs.start(session, run_id=run.id, actor=user_actor(1), now=march(2))


def states(database: Database) -> list[str]:
    with database.transaction(read_only=True) as session:
        return list(session.scalars(select(Letter.state).order_by(Letter.id)))


def test_a_run_becomes_mails_with_pdfs(database: Database, settings: Settings, clock: FixedClock) -> None:
    a_run(database)
    sink = Sink()
    work = context(database, settings, clock, mailer=sink)
    while job.go_on_with_runs(work):
        pass
    start(database)
    while job.go_on_with_runs(work):
        pass
    assert states(database) == ["drafted"]
    assert job.print_waiting(work) == 1
    assert states(database) == ["approved"]
    with database.transaction(read_only=True) as session:
        letter = session.scalars(select(Letter)).one()
        assert work.blobs.get(letter.content_hash or "").startswith(b"%PDF-")
        assert letter.pages == 1
        assert "F1" in letter.facts
    assert job.send(work) == 1
    assert send(work, []) == {"sent": 1}
    assert len(sink.sent) == 1
    assert states(database) == ["sent"]


def test_a_payment_that_comes_while_the_mail_waits_keeps_it_here(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    a_run(database)
    sink = Sink()
    work = context(database, settings, clock, mailer=sink)
    while job.go_on_with_runs(work):
        pass
    start(database)
    while job.go_on_with_runs(work):
        pass
    job.print_waiting(work)
    job.send(work)
    with database.transaction() as session:
        letter = session.scalars(select(Letter)).one()
        account = session.get_one(Account, letter.account_id)
        a_payment(session, account, amount=Decimal(1200), received=date(2026, 3, 1))
    assert not send(work, [])
    assert sink.sent == []
    assert states(database) == ["cancelled"]


def test_a_worker_that_died_in_a_run_leaves_no_double(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    a_run(database, accounts=5)
    work = context(database, settings, clock)
    while job.go_on_with_runs(work):
        pass
    start(database)
    with database.transaction() as session:
        run = session.scalars(select(Run)).one()
        runs.write_next(session, run_id=run.id, rules=letter_rules(session), now=march(2), limit=2)
        session.rollback()
    with database.transaction() as session:
        run = session.scalars(select(Run)).one()
        runs.write_next(session, run_id=run.id, rules=letter_rules(session), now=march(2), limit=2)
    while job.go_on_with_runs(work):
        pass
    with database.transaction(read_only=True) as session:
        found = session.scalars(select(Letter.account_id)).all()
        assert len(found) == len(set(found)) == 5
        assert session.scalars(select(Run.state)).one() == "done"


def test_a_playbooks_letter_is_drafted_with_the_exact_balance_and_ends_its_task(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    with database.transaction() as session:
        story = in_arrears(session)
        case = a_case(session, story.account, now=march(2), waiting_on="customer")
        in_case(session, case, story.invoice, now=march(2), disputed=Decimal(200))
        payload = {"amount": "1000.00", "currency": "EUR", "template": ""}
        a_task(session, now=march(2), case=case, kind="letter", payload=payload)
    work = context(database, settings, clock)
    assert job.draft_requests(work) == 1
    assert job.draft_requests(work) == 0
    job.print_waiting(work)
    job.send(work)
    send(work, [])
    with database.transaction(read_only=True) as session:
        letter = session.scalars(select(Letter)).one()
        assert (letter.totals, letter.state) == ({"EUR": "1000.00"}, "sent")
        assert letter.case_id == session.scalars(select(Case.id)).one()
        task = session.scalars(select(Task)).one()
        assert (task.state, task.outcome) == ("done", "letter sent")
        assert session.scalars(select(Outgoing.case_id)).one() == letter.case_id
