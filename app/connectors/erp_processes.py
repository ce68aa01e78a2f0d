"""Checking and preparing documents in other processes, while this one writes to the database."""

import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context

from app.connectors.erp import Raw, prepare_raw
from invoices.actions import Row
from invoices.feed import Refused

WORTH_IT_BYTES = 16_000_000
"""Starting a process takes about as long as preparing the documents of a file of this size."""

_MOST = 3  # more than the writing process could keep up with
_AHEAD = 2  # batches waiting for each process: enough to keep it busy, few enough to keep memory flat


def processes_for(size: int) -> int:
    """How many helping processes a file of so many bytes is worth on this machine; 0 for none."""
    spare = len(os.sched_getaffinity(0)) - 1
    return min(spare, _MOST) if size >= WORTH_IT_BYTES else 0


def prepare_batches(batches: Iterable[list[Raw]], *, today: date, processes: int) -> Iterator[list[Row | Refused]]:
    """The batches prepared, in their order. They are read no further than a few batches ahead."""
    if processes < 1:
        yield from (prepare_raw(batch, today) for batch in batches)
        return
    waiting: deque[Future[list[Row | Refused]]] = deque()
    # "spawn": a forked process would share our database connection.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_leave_interrupts_to_us) as pool:
        for batch in batches:
            waiting.append(pool.submit(prepare_raw, batch, today))
            if len(waiting) > _AHEAD * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _leave_interrupts_to_us() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
