"""A run of letters under kill -9: the whole worker dies again and again, and each customer gets one letter (S1, S2)."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from app.core.clock import system_clock
from app.core.events import system, user_actor
from app.core.settings import Settings
from disputes.models import Outgoing
from letters.actions import runs
from letters.models import Letter, Run, RunItem
from tests.databases import Database
from tests.factories import a_user, an_account, an_entity, an_invoice
from tests.letters.stories import ADDRESS
from tests.servers.waiting import wait_until
from tests.workflows.s1_worker import MailServer
from tests.workflows.test_s1 import a_worker, starts

LETTERS, KILLS, SEED = 60, 3, 20_260_302
_ACTOR = system("test")


def a_run(database: Database) -> int:
    """A run over customers of two weeks in arrears, begun; the worker looks it through."""
    now = system_clock()
    with database.transaction() as session:
        entity = an_entity(session, mailbox="ar@seller.example")
        ana = a_user(session, now=now)
        due = now.date() - timedelta(days=14)
        for place in range(LETTERS):
            account = an_account(session, entity, address=ADDRESS)
            account.contacts[0].email = f"buyer@customer{place}.example"
            an_invoice(session, account, number=f"G{place:04d}", issued=due - timedelta(days=30), due=due)
        return runs.begin(session, entity_id=entity.id, name="All", actor=user_actor(ana.id), now=now).id


def state_of(database: Database, run_id: int) -> str:
    with database.transaction(read_only=True) as session:
        return session.get_one(Run, run_id).state


def count(database: Database, *states: str) -> int:
    """Letters in these states."""
    with database.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Letter).where(Letter.state.in_(states))) or 0


def ended(database: Database) -> int:
    return count(database, "sent", "uncertain")


def killed_again_and_again(database: Database, settings: Settings, run_id: int) -> int:
    """The worker dies as it looks the run through, then as it writes; gives how many of the kills met work."""
    chance = Random(SEED)  # noqa: S311 - a seed makes the test the same each time
    killed(database, settings, lambda: looked_at(database, run_id) > 0, after=chance.uniform(0.0, 1.0))
    with a_worker(database, settings, careless=False):
        wait_until(lambda: state_of(database, run_id) == "ready", seconds=120)
    start(database, run_id)
    hits = sum(killed_writing(database, settings, after=chance.uniform(0.0, 1.0)) for _ in range(KILLS))
    with a_worker(database, settings, careless=False):
        wait_until(lambda: ended(database) == LETTERS, seconds=300)
    return hits


def killed_writing(database: Database, settings: Settings, *, after: float) -> bool:
    """A worker that dies when it has sent a letter or more; whether letters were left to it."""
    done = ended(database)
    killed(database, settings, lambda: ended(database) > done or done == LETTERS, after=after)
    return ended(database) < LETTERS


def killed(database: Database, settings: Settings, met: Callable[[], object], *, after: float) -> None:
    """A worker that dies `after` seconds from when it was `met` at work."""
    before = starts(settings)
    with a_worker(database, settings, careless=False) as process:
        wait_until(lambda: starts(settings) > before, seconds=120)
        wait_until(met, seconds=120)
        process.join(timeout=after)
        assert process.is_alive(), (settings.data_folder / "worker.log").read_text()


def start(database: Database, run_id: int) -> None:
    with database.transaction() as session:
        runs.start(session, run_id=run_id, actor=_ACTOR, now=system_clock())


def looked_at(database: Database, run_id: int) -> int:
    """Accounts of the run that were looked at."""
    with database.transaction(read_only=True) as session:
        return session.get_one(Run, run_id).looked_at


@pytest.mark.timeout(1200)
def test_each_customer_of_a_run_gets_one_letter_whoever_is_killed_when(database: Database, settings: Settings) -> None:
    settings.data_folder.mkdir()
    server = MailServer(settings.data_folder / "taken")
    run_id = a_run(database)
    hits = killed_again_and_again(database, settings, run_id)
    with database.transaction(read_only=True) as session:
        letters = list(session.scalars(select(Letter)))
        mails = list(session.scalars(select(Outgoing).where(Outgoing.kind == "letter")))
        items = Counter(session.scalars(select(RunItem.state).where(RunItem.run_id == run_id)))
        assert session.get_one(Run, run_id).state == "done"
    assert items == {"written": LETTERS}
    assert len({letter.account_id for letter in letters}) == len(letters) == LETTERS
    assert len({mail.to_email for mail in mails}) == len(mails) == LETTERS
    taken = Counter(server.taken())
    assert [name for name, times in taken.items() if times > 1] == []
    assert {mail.rfc_id for mail in mails if mail.state == "sent"} <= taken.keys()
    assert {mail.state for mail in mails} <= {"sent", "uncertain"}
    assert hits >= KILLS - 1, "the kills must meet work in hand"
