"""Prints letters in processes of their own: one that hangs, crashes or eats memory costs its letter and no other."""

import os
import queue
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

from app.core.errors import DomainError
from letters.page import Page

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "HOME", "FONTCONFIG_FILE", "FONTCONFIG_PATH", "XDG_CACHE_HOME", "PYTHONPATH")
"""What a worker knows of our environment: it needs its fonts, never the settings with their secrets."""
_DONE, _SPENT, _MEMORY_UNIT = b"+", b"!", 1024 * 1024


class NotPrinted(DomainError):
    """A letter that could not be printed; the message says why."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one letter may use: CPU seconds, seconds on the clock, and megabytes of address space of its worker."""

    cpu: int = 60
    seconds: float = 120.0
    megabytes: int = 1000


@dataclass(frozen=True, slots=True)
class Printed:
    """What became of one letter: its PDF, or why there is none."""

    pdf: bytes
    fault: str = ""


class LetterPrinter:
    """A pool of printing processes. Any thread may use it; close it, or use it as a context.

    Processes are started when first needed and replaced when they die.
    """

    def __init__(self, *, workers: int = 2, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._count = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="printer")
        self._idle: queue.SimpleQueue[_Worker | None] = queue.SimpleQueue()
        for _ in range(workers):
            self._idle.put(None)

    def print_letter(self, page: Page) -> bytes:
        """The PDF of one letter. Raises NotPrinted."""
        found = self._threads.submit(self._printed, page).result()
        if found.fault:
            raise NotPrinted(found.fault)
        return found.pdf

    def print_letters(self, pages: Iterable[Page]) -> Iterator[Printed]:
        """Letters in the order of the pages, a few at work at a time: memory does not grow with their number."""
        waiting: deque[Future[Printed]] = deque()
        for page in pages:
            waiting.append(self._threads.submit(self._printed, page))
            if len(waiting) > 2 * self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def close(self) -> None:
        """End the processes. Letters at work are finished first."""
        self._threads.shutdown(wait=True)
        for _ in range(self._count):
            worker = self._idle.get()
            if worker is not None:
                worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _printed(self, page: Page) -> Printed:
        worker = self._idle.get()
        try:
            worker = worker or _Worker(self._limits)
            found = worker.printed(page)
            if not worker.alive:
                worker = None
            return found
        finally:
            self._idle.put(worker)


class _Worker:
    """One process and the line to it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.alive = True
        ours, theirs = socket.socketpair()
        memory = limits.megabytes * _MEMORY_UNIT
        self._process = subprocess.Popen(  # noqa: S603 - our own module, with numbers as arguments
            [sys.executable, "-P", "-m", "letters.pdf", str(theirs.fileno()), str(limits.cpu), str(memory)],
            pass_fds=[theirs.fileno()],
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(sys.prefix),
        )
        theirs.close()
        self._line = Connection(ours.detach())

    def printed(self, page: Page) -> Printed:
        """What became of the page. A worker that does not answer properly is ended."""
        try:
            self._line.send(page)
            if not self._line.poll(self._limits.seconds):
                self.end()
                return Printed(b"", f"printing took longer than {self._limits.seconds:g} seconds")
            answer = self._line.recv_bytes()
        except (EOFError, OSError):
            return Printed(b"", self._died())
        if answer.startswith(_SPENT):
            self.end()
        return Printed(answer[1:]) if answer.startswith(_DONE) else Printed(b"", answer[1:].decode())

    def end(self) -> None:
        """End the process; whatever it was doing is lost."""
        self.alive = False
        self._line.close()
        self._process.kill()
        self._process.wait()

    def _died(self) -> str:
        """Why the process went away, in words."""
        self.alive = False
        self._line.close()
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.end()
            return "the printing process closed its line"
        if -code == signal.SIGXCPU:
            return f"printing took more computing than {self._limits.cpu} s"
        if code < 0:
            return f"the printing process was ended by {signal.Signals(-code).name}"
        return f"the printing process ended with status {code}"
