"""Working received mail: one transaction a message, and no message stops the others (M1, M22)."""

from datetime import datetime

import pytest
from sqlalchemy import select

from app.core.db import NoDatabase
from app.core.events import Event
from app.core.settings import Settings
from app.workflows.mail_jobs import CALM_DISPATCHES, MOST_SUSPECTED_TRIES, TRIES, ingest
from disputes.models import Message
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import Failing, context, received


def states(database: Database) -> dict[int, str]:
    with database.transaction(read_only=True) as session:
        return {message.id: message.state for message in session.scalars(select(Message))}


def test_given_messages_are_worked_and_then_what_else_waits(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    ids = received(database, settings, now, count=3)
    tally = ingest(context(database, settings, clock), ids[2:])
    assert tally == {"worked": 3}
    assert set(states(database).values()) == {"worked"}


def test_worked_messages_are_left_alone(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    ids = received(database, settings, now, count=2)
    work = context(database, settings, clock)
    ingest(work, ids)
    assert ingest(work, ids) == {"skipped": 2}


def test_a_poison_message_is_put_aside_with_its_reason_and_the_others_are_worked(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    first, poison, last = received(database, settings, now, count=3)
    pipeline = Failing({poison})
    tally = ingest(context(database, settings, clock, pipeline=pipeline), [])
    assert tally == {"worked": 2, "quarantined": 1}
    assert pipeline.calls == [first, *[poison] * TRIES, last]
    with database.transaction(read_only=True) as session:
        message = session.get_one(Message, poison)
        assert (message.state, message.quarantine_reason) == ("quarantined", "ValueError: this mail is poison")
        event = session.scalars(select(Event).where(Event.verb == "message quarantined")).one()
        assert (event.subject, event.subject_id) == ("message", poison)


def test_what_a_mail_says_stays_out_of_the_log(
    database: Database, settings: Settings, clock: FixedClock, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = received(database, settings, now, count=1)
    ingest(context(database, settings, clock, pipeline=Failing(set(ids))), ids)
    logged = capsys.readouterr().out
    assert "put aside" in logged
    assert "poison" not in logged


def test_a_mail_that_kills_its_worker_is_put_aside_in_the_end(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    innocent, killer = received(database, settings, now, count=2)

    class Killed(BaseException):
        """What SIGKILL does: no handler runs."""

    pipeline = Failing({killer})
    pipeline.error = Killed()  # type: ignore[assignment] # a kill is no Exception, which is the point
    work = context(database, settings, clock, pipeline=pipeline)
    for dispatch in range(1, CALM_DISPATCHES + MOST_SUSPECTED_TRIES + 1):
        with pytest.raises(Killed):
            ingest(work, [killer, innocent], dispatches=dispatch)
    assert states(database) == {innocent: "worked", killer: "received"}, "the others do not wait for it"
    ingest(work, [killer, innocent], dispatches=CALM_DISPATCHES + MOST_SUSPECTED_TRIES + 1)
    assert states(database) == {innocent: "worked", killer: "quarantined"}


def test_mail_waits_when_the_database_goes_away(
    database: Database, settings: Settings, clock: FixedClock, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = received(database, settings, now, count=2)
    pipeline = Failing({ids[1]}, error=NoDatabase("The database cannot be reached: gone"))
    assert ingest(context(database, settings, clock, pipeline=pipeline), ids) == {"worked": 1}
    assert "mail waits for the database" in capsys.readouterr().out
    assert states(database) == {ids[0]: "worked", ids[1]: "received"}


def test_a_worker_that_should_end_leaves_the_rest(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    received(database, settings, now, count=2)
    work = context(database, settings, clock)
    work.stopping.set()
    assert not ingest(work, [])
    assert set(states(database).values()) == {"received"}
