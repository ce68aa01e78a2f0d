"""Whoever sweeps and whoever is killed when: no step of a case is taken twice, and none is lost."""

import multiprocessing
from collections import Counter
from multiprocessing.process import BaseProcess
from random import Random

import pytest
from sqlalchemy import func, select

from app.core.events import Event, system
from disputes.actions import planning, policies
from disputes.clock_events import Happened
from disputes.models import Case, CaseStep, Outgoing, Task
from disputes.rules_in_force import PLAYBOOK
from tests.databases import Database
from tests.factories import a_case, a_message, an_account, an_entity
from tests.servers.waiting import wait_until
from tests.workflows.sweep_worker import NOW, run

CASES, CONTROL, KILLS, SEED = 300, 60, 8, 20_260_302
STEPS = ("ask_owner", "tell_status")
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["tests.workflows.sweep_worker"])


def many_due_cases(database: Database, count: int) -> None:
    """Cases of a customer each, two steps of which are due at once."""
    with database.transaction() as session:
        steps = [{"id": step, "action": step} for step in STEPS]
        content = {"name": "At once", "steps": steps}
        policies.save(session, family=PLAYBOOK, key="dispute", content=content, actor=system("test"), now=NOW)
        entity = an_entity(session)
        for place in range(count):
            account = an_account(session, entity)
            case = a_case(session, account, now=NOW, opened_at=NOW, next_step=None, due_at=None)
            address = f"buyer@customer{place}.example"
            account.contacts[0].email = address
            a_message(session, case, now=NOW, from_email=address)
            case.playbook, case.due_at = "dispute", NOW
        first = session.scalars(select(Case)).first()
        assert first is not None
        planning.heard(session, case=first, what=Happened.OPENED, actor=system("test"), now=NOW)


def a_sweeper(database: Database, *, careless: bool) -> BaseProcess:
    process = FORKED.Process(target=run, args=(database.url,), kwargs={"careless": careless})
    process.start()
    return process


def left(database: Database) -> int:
    """Cases in which something is still due."""
    with database.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Case).where(Case.due_at <= NOW)) or 0


def told(database: Database) -> int:
    """Steps told in the timelines."""
    with database.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Event).where(Event.verb == "step taken")) or 0


def killed_again_and_again(database: Database, *, careless: bool) -> int:
    """Sweepers (two where the database lets them work side by side) are killed in the middle, one after the other.

    Gives how many kills came while there was work.
    """
    chance = Random(SEED)  # noqa: S311 - a seed makes the test the same each time
    side_by_side = 2 if database.kind == "postgres" else 1
    sweepers = [a_sweeper(database, careless=careless) for _ in range(side_by_side)]
    hits = 0
    for kill in range(KILLS):
        before = told(database)
        wait_until(lambda before=before: told(database) > before or not left(database), seconds=60)  # type: ignore[misc] # a default
        victim = sweepers[kill % side_by_side]
        victim.join(timeout=chance.uniform(0.0, 0.15))
        hits += left(database) > 0 and victim.is_alive()
        victim.kill()
        victim.join()
        sweepers[kill % side_by_side] = a_sweeper(database, careless=careless)
    for sweeper in sweepers:
        sweeper.join(timeout=120)
        assert sweeper.exitcode == 0
    return hits


def findings(database: Database, *, cases: int) -> list[str]:
    """What is lost or doubled, in words."""
    with database.transaction(read_only=True) as session:
        events = session.scalars(select(Event).where(Event.verb == "step taken")).all()
        rows = session.scalars(select(CaseStep)).all()
        mails, tasks = (session.scalar(select(func.count()).select_from(one)) or 0 for one in (Outgoing, Task))
    taken = Counter((event.case_id, (event.after or {})["step"], (event.after or {})["cycle"]) for event in events)
    return [
        *(f"{step} of case {case}, {cycle}, was taken {times} times" for (case, step, cycle), times in taken.items()
          if times > 1),
        *(f"{row.step} of case {row.case_id} is {row.state}: {row.why}" for row in rows if row.state != "taken"),
        *([f"rows: {len(rows)}"] if len(rows) != cases * len(STEPS) else []),
        *([f"mails: {mails}"] if mails != cases else []),
        *([f"tasks: {tasks}"] if tasks != cases else []),
        *([f"events: {len(events)}"] if len(events) != cases * len(STEPS) else []),
    ]  # fmt: skip


@pytest.mark.timeout(240)
def test_no_step_is_taken_twice_and_none_is_lost(database: Database) -> None:
    many_due_cases(database, CASES)
    hits = killed_again_and_again(database, careless=False)
    assert findings(database, cases=CASES) == []
    assert left(database) == 0
    assert hits >= KILLS // 2, "the kills must meet work in hand"


@pytest.mark.timeout(240)
def test_the_control_without_the_key_takes_some_twice(database: Database) -> None:
    many_due_cases(database, CONTROL)
    killed_again_and_again(database, careless=True)
    assert any("times" in finding for finding in findings(database, cases=CONTROL))
