"""A process of its own for work that hostile input could make endless or huge (S10): ended when it is late.

It is a module run with `python -m`, spoken to over its pipes: requests as it likes them, answers as frames, a length in
four bytes and then UTF-8. Its first frame says "ready".
"""

import os
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import IO

STARTING_SECONDS = 30.0
PIPE_BYTES = 65_536
MAX_FRAME_BYTES = 50_000_000


@dataclass(slots=True)
class Guarded:
    """One such process for `module`, started when it is needed and again after it was ended."""

    module: str
    worker: subprocess.Popen[bytes] | None = None
    owner: int = 0

    def running(self) -> subprocess.Popen[bytes]:
        """The worker of this very process: one started before a fork belongs to the parent. Raises OSError."""
        if self.worker is not None and self.owner == os.getpid() and self.worker.poll() is None:
            return self.worker
        self.worker = subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parents[1],
        )
        self.owner = os.getpid()
        if Frames(self.worker, perf_counter() + STARTING_SECONDS).next() != "ready":
            self.stop()
            raise OSError(f"{self.module} does not start")
        return self.worker

    def stop(self) -> None:
        """End the worker, if it is ours."""
        worker, self.worker = self.worker, None
        if worker is None or self.owner != os.getpid():
            return
        worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                pipe.close()


class Frames:
    """Bytes to and from a worker until a moment of perf_counter; None when it is silent, gone or late."""

    def __init__(self, worker: subprocess.Popen[bytes], until: float) -> None:
        self.into = worker.stdin.fileno() if worker.stdin else -1
        self.out = worker.stdout.fileno() if worker.stdout else -1
        self.until = until
        self.received = bytearray()

    def send(self, content: bytes) -> bool:
        """Write everything; False when that fails or takes too long."""
        os.set_blocking(self.into, False)
        view = memoryview(content)
        while view:
            if not self._ready(self.into, select.POLLOUT):
                return False
            try:
                view = view[os.write(self.into, view[:PIPE_BYTES]) :]
            except OSError:
                return False
        return True

    def next(self) -> str | None:
        """The next frame's text; None when there is none in time."""
        length = self._exactly(4)
        content = self._exactly(int.from_bytes(length, "big")) if length else None
        return content.decode("utf-8", "replace") if content is not None else None

    def _exactly(self, count: int) -> bytearray | None:
        while len(self.received) < count <= MAX_FRAME_BYTES:
            more = os.read(self.out, PIPE_BYTES) if self._ready(self.out, select.POLLIN) else b""
            if not more:
                return None
            self.received += more
        taken, self.received = self.received[:count], self.received[count:]
        return taken if count <= MAX_FRAME_BYTES else None

    def _ready(self, pipe: int, event: int) -> bool:
        """Whether the pipe can be used in time; poll() knows no limit on the number of open files, select() does."""
        waiting = select.poll()
        waiting.register(pipe, event)
        return bool(waiting.poll(max(0.0, self.until - perf_counter()) * 1000))


def write_frame(out: IO[bytes], text: str) -> None:
    """One frame, from the worker's side."""
    content = text.encode("utf-8", "replace")
    out.write(len(content).to_bytes(4, "big") + content)
    out.flush()
