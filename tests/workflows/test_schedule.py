"""The rounds of a worker: beat, take over from the dead, nudge what waits."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from sqlalchemy import select

from app.core.db import NoDatabase
from app.core.heartbeat import Watch, beat, beats
from app.core.settings import Background, Settings
from app.workflows import runtime
from app.workflows.context import Context
from app.workflows.schedule import Rounds
from disputes.models import Outgoing
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import context, mailbox_settings, queued, received


@dataclass
class Engine:
    """The job engine as the rounds see it."""

    holding: set[str] = field(default_factory=set)
    recovered: list[set[str]] = field(default_factory=list)
    tidied: int = 0
    trouble: str = ""

    def holders(self) -> set[str]:
        """Who has jobs in hand."""
        if self.trouble:
            raise NoDatabase(self.trouble)
        return self.holding

    def recover(self, executor_ids: Collection[str]) -> int:
        """Take over."""
        self.recovered.append(set(executor_ids))
        self.holding -= set(executor_ids)
        return 1

    def tidy(self, *, before: datetime) -> int:  # noqa: ARG002 - the engine's signature
        """Forget what ended."""
        self.tidied += 1
        return 0


def rounds(context: Context, engine: Engine) -> Rounds:
    return Rounds(context, engine, Watch(own=context.worker, rounds=2))


def test_a_worker_is_dead_when_its_count_stands_still_for_the_rounds_it_was_given() -> None:
    watch = Watch(own="me", rounds=2)
    assert watch.dead({"me": 1, "a": 1, "b": 1}, []) == set()
    assert watch.dead({"me": 1, "a": 2, "b": 1}, []) == set()
    assert watch.dead({"me": 1, "a": 3, "b": 1}, []) == {"b"}, "our own count is no matter"


def test_a_worker_that_beats_again_in_time_lives() -> None:
    watch = Watch(own="me", rounds=2)
    for count in (1, 1, 2, 2, 3):
        assert watch.dead({"a": count}, []) == set()


def test_one_that_holds_work_without_ever_beating_is_dead_too() -> None:
    watch = Watch(own="me", rounds=2)
    found = [watch.dead({}, {"ghost", "me"}) for _ in range(3)]
    assert found == [set(), set(), {"ghost"}]


def test_the_work_of_the_dead_is_taken_over(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    queued(database, now)
    with database.transaction() as session:
        beat(session, executor_id="dead", now=now)
        mail = session.scalars(select(Outgoing)).one()
        mail.state, mail.claimed_by = "sending", "dead"
    engine = Engine(holding={"dead"})
    going = rounds(context(database, settings, clock), engine)
    for _ in range(3):
        going.once()
    assert engine.recovered == [{"dead"}]
    with database.transaction(read_only=True) as session:
        assert session.scalars(select(Outgoing.state)).one() == "uncertain"
        assert beats(session) == {"worker-1": 3}


def test_what_no_job_comes_for_is_nudged(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    received(database, settings, now, count=2)
    queued(database, now, count=2)
    with_mailbox = settings.model_copy(update={"mailboxes": (mailbox_settings(),)})
    going = rounds(context(database, with_mailbox, clock), Engine())
    going.once()
    assert runtime.unfinished(database.engine) == 3, "ingest, send, poll"
    going.once()
    assert runtime.unfinished(database.engine) == 3, "none of them twice"


def test_an_idle_desk_is_left_in_peace(database: Database, settings: Settings, clock: FixedClock) -> None:
    rounds(context(database, settings, clock), Engine()).once()
    assert runtime.unfinished(database.engine) == 0


def test_sweeps_are_rarer_than_beats(database: Database, settings: Settings, clock: FixedClock, now: datetime) -> None:
    slow = settings.model_copy(update={"background": Background(heartbeat_seconds=5, sweep_seconds=15)})
    going = rounds(context(database, slow, clock), Engine())
    going.once()
    received(database, settings, now, count=1)
    waiting = []
    for _ in range(3):
        going.once()
        waiting.append(runtime.unfinished(database.engine))
    assert waiting == [0, 0, 1]


def test_an_outage_is_told_once_and_so_is_its_end(
    database: Database, settings: Settings, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = Engine()
    going = rounds(context(database, settings, clock), engine)
    engine.trouble = "connection refused"
    going.once()
    going.once()
    engine.trouble = ""
    going.once()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "connection refused" in lines[0]
    assert "back" in lines[1]
