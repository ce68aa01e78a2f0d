"""Writers of a SQLite file take turns: in their order within a process, and with room for other processes.

SQLite itself is not fair. A waiting writer looks again every now and then, up to 100 ms apart, so a thread that works
through a thousand mails in short transactions, one close after the other, kept agents waiting for half a minute
(seen in the S1 test). Hence a queue for this process's writers, and a breath after each long transaction in which
another process, or the job engine's own connections, can come in.
"""

from collections import deque
from threading import Event, Lock
from time import perf_counter

SHORT_SECONDS = 0.01
"""Transactions as short as this keep nobody waiting."""
BREATH = 0.1
"""The part of a transaction's time that is left free after it."""
LONGEST_BREATH_SECONDS = 0.1
PATIENCE_SECONDS = 30.0


class Turns:
    """A fair lock that is not bound to a thread: a request may begin in one and end in another."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._busy = False
        self._waiting: deque[Event] = deque()
        self._began = self._ended = perf_counter()

    def take(self) -> bool:
        """Wait for our turn. False after 30 seconds without one: SQLite's own lock gives the answer then."""
        ticket = self._ticket()
        if ticket is not None and not ticket.wait(PATIENCE_SECONDS) and self._gave_up(ticket):
            return False
        breath = min(self._lasted() * BREATH, LONGEST_BREATH_SECONDS) - (perf_counter() - self._ended)
        if breath > 0:
            Event().wait(breath)
        self._began = perf_counter()
        return True

    def give(self) -> None:
        """End our turn; the one who waited longest is next."""
        with self._lock:
            self._ended = perf_counter()
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False

    def _ticket(self) -> Event | None:
        with self._lock:
            if not self._busy:
                self._busy = True
                return None
            ticket = Event()
            self._waiting.append(ticket)
            return ticket

    def _gave_up(self, ticket: Event) -> bool:
        """Leave the queue; False when the turn came at this very moment."""
        with self._lock:
            if ticket.is_set():
                return False
            self._waiting.remove(ticket)
            return True

    def _lasted(self) -> float:
        lasted = self._ended - self._began
        return lasted if lasted > SHORT_SECONDS else 0.0
