"""Events wait and are written together: as recorded, for whoever reads, gone with what is rolled back."""

from contextlib import suppress
from datetime import datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from app.core.events import Change, Event, record, record_many, system
from tests.databases import Database, QueryRecorder

NOT_JSON = (TypeError, StatementError)
"""What writing a value as JSON raises, where the driver does it and where SQLAlchemy does."""


class Refused(Exception):
    """What undoes a transaction."""


def note(session: Session, now: datetime, *verbs: str) -> None:
    for verb in verbs:
        record(session, actor=system("test", "story:1"), now=now, verb=verb, subject="case", subject_id=7, case_id=7)


def verbs(session: Session) -> list[str]:
    return list(session.scalars(select(Event.verb).order_by(Event.id)))


def test_the_events_of_a_transaction_are_written_together_in_the_order_they_were_recorded(
    database: Database, queries: QueryRecorder, now: datetime
) -> None:
    with queries, database.transaction() as session:
        note(session, now, "opened", "routed")
        many = [Change(number, {"gross": "1"}, {"gross": "2"}) for number in (4, 5)]
        record_many(session, actor=system("erp"), now=now, verb="changed", subject="invoice", changes=many)
        note(session, now, "closed", "paid")
    assert queries.count == 2, "many are written at once, with what waited"
    with database.transaction() as session:
        assert verbs(session) == ["opened", "routed", "changed", "changed", "closed", "paid"]
        first, *_ = session.scalars(select(Event).order_by(Event.id))
        assert (first.at, first.actor, first.subject_id, first.case_id) == (now, "system:test", 7, 7)
        assert first.before is None, "nothing was there before, which is not JSON's null"
        assert session.scalar(text("SELECT count(*) FROM events WHERE before IS NULL")) == 4


@pytest.mark.parametrize("words", ["SELECT verb FROM events", "SELECT verb FROM cases RIGHT JOIN events ON false"])
def test_whoever_reads_in_the_same_transaction_finds_them(session: Session, now: datetime, words: str) -> None:
    note(session, now, "opened")
    assert session.scalars(text(words)).all() == ["opened"]
    note(session, now, "closed")
    assert verbs(session) == ["opened", "closed"]


def test_a_rollback_takes_them_and_leaves_none_to_the_next_transaction(database: Database, now: datetime) -> None:
    with suppress(Refused), database.transaction() as session:
        note(session, now, "opened")
        raise Refused
    unfinished = database.sessions()
    note(unfinished, now, "routed")
    unfinished.close()
    with database.transaction() as session:
        note(session, now, "closed")
    with database.transaction() as session:
        assert verbs(session) == ["closed"]


def test_a_savepoint_undone_takes_only_its_own(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        note(session, now, "before")
        with suppress(Refused), session.begin_nested():
            note(session, now, "undone")
            with session.begin_nested():
                note(session, now, "undone with it")
            raise Refused
        with session.begin_nested():
            note(session, now, "kept")
        note(session, now, "after")
    with database.transaction() as session:
        assert verbs(session) == ["before", "kept", "after"]


def test_what_the_database_refuses_is_refused_inside_the_savepoint_that_recorded_it(
    database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        with pytest.raises(NOT_JSON), session.begin_nested():
            record(session, actor=system("test"), now=now, verb="bad", subject="case", subject_id=1, after={"at": now})
        note(session, now, "good")
    with database.transaction() as session:
        assert verbs(session) == ["good"]


def test_a_transaction_that_cannot_write_its_events_is_undone_and_lets_the_next_one_begin(
    database: Database, now: datetime
) -> None:
    with pytest.raises(NOT_JSON), database.transaction() as session:
        record(session, actor=system("test"), now=now, verb="bad", subject="case", subject_id=1, after={"at": now})
    with database.transaction() as session:
        note(session, now, "good")
        assert verbs(session) == ["good"]
