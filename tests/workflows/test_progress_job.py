"""The sweep as a job: nudged when something is due, done in batches, its mails sent on."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app.core.events import system
from app.core.settings import Settings
from app.workflows import runtime
from app.workflows.progress import sweep
from app.workflows.schedule import nudge_waiting
from disputes.actions import planning, progress
from disputes.clock_events import Happened
from disputes.models import Case, CaseStep
from tests.databases import Database
from tests.factories import a_case, a_message, an_account, an_entity
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import context


def a_case_begun(database: Database, clock: FixedClock) -> int:
    with database.transaction() as session:
        account = an_account(session, an_entity(session))
        case = a_case(session, account, now=clock(), opened_at=clock(), next_step=None, due_at=None)
        a_message(session, case, now=clock(), from_email=account.contacts[0].email)
        planning.heard(session, case=case, what=Happened.OPENED, actor=system("test"), now=clock())
        return case.id


def test_a_due_case_is_nudged_and_swept_and_its_mails_are_sent_on(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    case_id = a_case_begun(database, clock)
    here = context(database, settings, clock)
    nudge_waiting(here)
    assert runtime.unfinished(database.engine) == 1
    assert sweep(here) > 0
    with database.transaction(read_only=True) as session:
        steps = session.scalars(select(CaseStep.step).where(CaseStep.case_id == case_id)).all()
        due_at = session.get_one(Case, case_id).due_at
    assert sorted(steps) == ["acknowledge", "ask_owner"]
    assert due_at is not None
    assert due_at > clock()
    assert runtime.unfinished(database.engine) == 2, "the acknowledgement is to be sent"
    assert sweep(here) == 0


def test_nothing_due_nudges_nothing(database: Database, settings: Settings, clock: FixedClock) -> None:
    a_case_begun(database, clock)
    here = context(database, settings, clock)
    sweep(here)
    before = runtime.unfinished(database.engine)
    with database.transaction() as session:
        for case in session.scalars(select(Case)):
            case.due_at = clock() + timedelta(days=1)
    nudge_waiting(here)
    assert runtime.unfinished(database.engine) == before


def test_a_batch_in_the_way_of_another_is_begun_again(
    database: Database, settings: Settings, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_case_begun(database, clock)
    here, real = context(database, settings, clock), progress.take_due
    failed: list[int] = []

    def sometimes(*args: object, **words: object) -> int:
        if not failed:
            failed.append(1)
            raise OperationalError("select", {}, Exception("deadlock detected"))
        return real(*args, **words)  # type: ignore[arg-type] # as given

    monkeypatch.setattr(progress, "take_due", sometimes)
    assert sweep(here) > 0
    assert failed
