"""Writers take turns: nobody waits for ever behind a busy one."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest

from app.core import turns as module
from app.core.events import Event as Change
from app.core.events import record, system
from app.core.turns import Turns
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.servers.waiting import wait_until


def waiting(turns: Turns) -> int:
    return len(turns._waiting)


def test_turns_come_in_the_order_of_asking() -> None:
    turns = Turns()
    order: list[int] = []

    def writer(number: int) -> None:
        assert turns.take()
        order.append(number)
        turns.give()

    assert turns.take()
    threads = []
    for number in range(5):
        threads.append(Thread(target=writer, args=(number,)))
        threads[-1].start()
        wait_until(lambda number=number: waiting(turns) == number + 1)  # type: ignore[misc]  # a bound default
    turns.give()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_patience_ends_and_the_queue_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.01)
    turns = Turns()
    assert turns.take()
    assert not turns.take()
    turns.give()
    assert turns.take()


def test_a_long_turn_leaves_a_breath_to_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.0, 0.0, 2.0, 2.0, 2.0])
    waits: list[float | None] = []

    class Watched(Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout)
            return True

    monkeypatch.setattr(module, "perf_counter", lambda: next(times))
    monkeypatch.setattr(module, "Event", Watched)
    turns = Turns()
    turns.take()
    turns.give()
    turns.take()
    assert waits == [module.LONGEST_BREATH_SECONDS]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_failed_and_finished_transactions_end_their_turn(database: Database, clock: FixedClock) -> None:
    def write(number: int) -> None:
        with database.transaction() as session:
            record(session, actor=system("test"), now=clock(), verb="tried", subject="case", subject_id=number)
            if number % 3 == 0:
                raise ZeroDivisionError

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(write, number) for number in range(60)]
    assert sum(future.exception() is not None for future in futures) == 20
    with database.transaction(read_only=True) as session:
        assert session.query(Change).count() == 40
