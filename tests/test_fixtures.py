"""The fixtures themselves keep what they promise."""

import socket
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.events import Event, record, system
from app.core.settings import Settings
from tests.databases import Database, QueryRecorder
from tests.fixtures_db import FixedClock
from tests.sockets import OutsideConnectionError


def count_events(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Event)) or 0


def record_one(session: Session, now: datetime) -> None:
    record(session, actor=system("test"), now=now, verb="tried", subject="case", subject_id=1)


@pytest.mark.parametrize("round_", [1, 2])
def test_a_rolled_back_session_starts_empty_each_time(session: Session, now: datetime, round_: int) -> None:
    assert count_events(session) == 0, f"left over in round {round_}"
    record_one(session, now)
    session.flush()
    assert count_events(session) == 1


@pytest.mark.parametrize("round_", [1, 2])
def test_a_database_of_its_own_keeps_what_is_committed(database: Database, now: datetime, round_: int) -> None:
    with database.transaction() as session:
        assert count_events(session) == 0, f"left over in round {round_}"
        record_one(session, now)
    with database.transaction(read_only=True) as session:
        assert count_events(session) == 1


def test_settings_point_to_the_tests_database(database: Database, settings: Settings) -> None:
    assert settings.database_url == database.url


def test_queries_are_counted_without_those_of_the_transaction(
    session: Session, queries: QueryRecorder, now: datetime
) -> None:
    with queries, session.begin_nested():
        record_one(session, now)
        session.flush()
        count_events(session)
    assert queries.count == 2
    count_events(session)
    assert queries.count == 2


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_no_test_leaves_the_machine(host: str) -> None:
    with pytest.raises(OutsideConnectionError, match=host):
        socket.create_connection((host, 80), timeout=1)


def test_loopback_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_the_clock_moves_when_told(clock: FixedClock, now: datetime) -> None:
    clock.advance(timedelta(days=1))
    assert clock() - now == timedelta(days=1)
