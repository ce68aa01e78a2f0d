"""From a push to the case: the job is added in the push's transaction and done by a worker."""

from decimal import Decimal

from sqlalchemy import select

from app.core.settings import Settings
from app.worker import jobs_of
from app.workflows import runtime
from app.workflows.ledger_sync import ask_for_rechecks, recheck
from disputes.models import Case, CaseInvoice
from invoices.models import Account
from tests.databases import Database
from tests.factories import a_case, an_account, an_entity, an_invoice
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import context


def test_a_push_has_the_cases_of_its_accounts_looked_at(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    asked: list[tuple[object, ...]] = []
    with database.transaction() as session:
        entity = an_entity(session)
        account, quiet = an_account(session, entity), an_account(session, entity)
        invoice = an_invoice(session, account, open_amount=Decimal(0))
        case = a_case(session, account, now=clock())
        session.add(CaseInvoice(case_id=case.id, invoice_id=invoice.id, disputed=Decimal(300), added_at=clock()))
        session.flush()
        count = ask_for_rechecks(
            session, account_ids={account.id, quiet.id}, enqueue=lambda _, *job: asked.append(tuple(job))
        )
    assert (count, asked) == (1, [("recheck", account.id)])
    assert recheck(context(database, settings, clock), [account.id]) == 1
    with database.transaction(read_only=True) as session:
        found = session.get_one(Case, case.id)
        assert (found.state, found.resolution) == ("resolved", "paid")
        assert session.scalars(select(CaseInvoice.disputed)).one() == 0


def test_trouble_with_one_account_stops_no_other(database: Database, settings: Settings, clock: FixedClock) -> None:
    with database.transaction() as session:
        account = an_account(session, an_entity(session))
        session.add_all([a_case(session, account, now=clock())])
    with database.transaction(read_only=True) as session:
        known = session.scalars(select(Account.id)).one()
    assert recheck(context(database, settings, clock), [known, known + 99]) == 2


def test_the_engine_knows_a_queue_and_a_doer_for_each_job(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    assert {"recheck", "webhooks"} <= set(jobs_of(context(database, settings, clock))) <= set(runtime.QUEUES)
    with database.transaction() as session:
        account = an_account(session, an_entity(session))
        a_case(session, account, now=clock())
        ask_for_rechecks(session, account_ids={account.id}, enqueue=runtime.enqueue)
    assert runtime.unfinished(database.engine) == 1
