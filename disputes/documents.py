"""Text of attached documents, for matching: bounded in time and memory, and never an error (M24, S10).

What cannot be read gives no text; the file itself is kept and shown all the same. PDF and XLSX are read by a
process of their own (`disputes.document_worker`), one a process of ours, started when the first such file comes.
"""

import atexit
import os
import select
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from time import perf_counter

from disputes.charsets import decode_text, storable
from matching.html_text import html_to_text

MAX_DOCUMENT_BYTES = 20_000_000
SECONDS_A_MAIL = 1.2
"""For all PDF and XLSX files of one mail together; what was read by then is kept."""
STARTING_SECONDS = 30.0
PIPE_BYTES = 65_536
MAX_FRAME_BYTES = 50_000_000

_TEXT_ENDINGS = (".txt", ".csv", ".tsv", ".md", ".json", ".log", ".ics", ".edi")


@dataclass(frozen=True, slots=True)
class DocumentText:
    """Text of a document, and what kept it from being read whole, if anything."""

    text: str
    trouble: str = ""


@dataclass(slots=True)
class Patience:
    """Seconds left for the documents of one mail."""

    seconds: float = SECONDS_A_MAIL


def kind_of(content_type: str, filename: str, payload: bytes) -> str:
    """How a document is to be read: pdf, sheet, html, xml, text, or empty for not at all.

    Its first bytes and its name count as well as its type, which many programs give as octet-stream.
    """
    name = filename.lower()
    if payload[:1024].find(b"%PDF-") >= 0:
        return "pdf"
    if payload[:2] == b"PK":
        return "sheet" if name.endswith((".xlsx", ".xlsm")) or "spreadsheetml" in content_type else ""
    if content_type == "text/html" or name.endswith((".html", ".htm")):
        return "html"
    if content_type.endswith(("/xml", "+xml")) or name.endswith(".xml"):
        return "xml"
    is_text = content_type.startswith("text/") or content_type == "application/json" or name.endswith(_TEXT_ENDINGS)
    return "text" if is_text else ""


def read_document(kind: str, payload: bytes, *, charset: str | None, limit: int, patience: Patience) -> DocumentText:
    """At most `limit` characters of a document; PDF and XLSX use up `patience`."""
    if len(payload) > MAX_DOCUMENT_BYTES:
        return DocumentText("", "too large to be read")
    if kind in {"pdf", "sheet"}:
        return _READER.read(kind, payload, limit=limit, patience=patience)
    text = decode_text(payload[: limit * 6], charset)
    if kind == "html":
        text = html_to_text(text)
    elif kind == "xml":
        text = html_to_text(text.replace("<", " <"))
    return DocumentText(text[:limit])


@dataclass(slots=True)
class _Reader:
    """Talks to the worker process, one document at a time; a worker that does not answer is ended and replaced."""

    lock: Lock = field(default_factory=Lock)
    worker: subprocess.Popen[bytes] | None = None
    owner: int = 0

    def read(self, kind: str, payload: bytes, *, limit: int, patience: Patience) -> DocumentText:
        """The text, as far as it comes in time."""
        if patience.seconds <= 0:
            return DocumentText("", "not read: the files before it took too long")
        with self.lock:
            try:
                worker = self._running()
            except OSError as error:
                return DocumentText("", f"not read: {type(error).__name__}")
            started = perf_counter()
            try:
                return self._converse(worker, kind, payload, limit=limit, until=started + patience.seconds)
            finally:
                patience.seconds -= perf_counter() - started

    def _running(self) -> subprocess.Popen[bytes]:
        """The worker of this very process: one started before a fork belongs to the parent."""
        if self.worker is not None and self.owner == os.getpid() and self.worker.poll() is None:
            return self.worker
        root = Path(__file__).resolve().parents[1]
        self.worker = subprocess.Popen(
            [sys.executable, "-m", "disputes.document_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
        )
        self.owner = os.getpid()
        frames = _Frames(self.worker, perf_counter() + STARTING_SECONDS)
        if frames.next() != "ready":
            self.stop()
            raise OSError("the document reader does not start")
        return self.worker

    def _converse(
        self, worker: subprocess.Popen[bytes], kind: str, payload: bytes, *, limit: int, until: float
    ) -> DocumentText:
        frames = _Frames(worker, until)
        pieces: list[str] = []
        frame = None
        if frames.send(f"{kind} {len(payload)}\n".encode() + payload):
            while (frame := frames.next()) and not frame.startswith("!") and sum(map(len, pieces)) <= limit:
                pieces.append(frame)
        if frame is None or (frame and not frame.startswith("!")):
            self.stop()  # it hangs, it died, or it would go on talking
        trouble = "" if frame == "" else "read in part: too slow or broken" if frame is None else frame[1:]
        text = storable("\n".join(pieces))
        return DocumentText(text[:limit], "" if len(text) > limit else trouble)

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


class _Frames:
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


_READER = _Reader()
atexit.register(_READER.stop)
