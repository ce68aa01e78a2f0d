"""Text of attached documents, for matching: bounded in time and memory, and never an error (M24, S10).

What cannot be read gives no text; the file itself is kept and shown all the same. PDF, XLSX and DOCX are read by a
process of their own (`disputes.document_worker`), one a process of ours, started when the first such file comes.
"""

import atexit
import subprocess
from dataclasses import dataclass, field
from threading import Lock
from time import perf_counter

from disputes.charsets import decode_text, storable
from disputes.guarded import Frames, Guarded
from matching.html_text import html_to_text

MAX_DOCUMENT_BYTES = 20_000_000
SECONDS_A_MAIL = 1.2
"""For all PDF, XLSX and DOCX files of one mail together; what was read by then is kept."""

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
    """How a document is to be read: pdf, sheet, word, html, xml, text, or empty for not at all.

    Its first bytes and its name count as well as its type, which many programs give as octet-stream.
    """
    name = filename.lower()
    if payload[:1024].find(b"%PDF-") >= 0:
        return "pdf"
    if payload[:2] == b"PK":
        return _office_kind(content_type, name)
    if content_type == "text/html" or name.endswith((".html", ".htm")):
        return "html"
    if content_type.endswith(("/xml", "+xml")) or name.endswith(".xml"):
        return "xml"
    is_text = content_type.startswith("text/") or content_type == "application/json" or name.endswith(_TEXT_ENDINGS)
    return "text" if is_text else ""


def _office_kind(content_type: str, name: str) -> str:
    if name.endswith((".xlsx", ".xlsm")) or "spreadsheetml" in content_type:
        return "sheet"
    return "word" if name.endswith((".docx", ".docm")) or "wordprocessingml" in content_type else ""


def read_document(kind: str, payload: bytes, *, charset: str | None, limit: int, patience: Patience) -> DocumentText:
    """At most `limit` characters of a document; PDF, XLSX and DOCX use up `patience`."""
    if len(payload) > MAX_DOCUMENT_BYTES:
        return DocumentText("", "too large to be read")
    if kind in {"pdf", "sheet", "word"}:
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

    guarded: Guarded = field(default_factory=lambda: Guarded("disputes.document_worker"))
    lock: Lock = field(default_factory=Lock)

    def read(self, kind: str, payload: bytes, *, limit: int, patience: Patience) -> DocumentText:
        """The text, as far as it comes in time."""
        if patience.seconds <= 0:
            return DocumentText("", "not read: the files before it took too long")
        with self.lock:
            try:
                worker = self.guarded.running()
            except OSError as error:
                return DocumentText("", f"not read: {type(error).__name__}")
            started = perf_counter()
            try:
                return self._converse(worker, kind, payload, limit=limit, until=started + patience.seconds)
            finally:
                patience.seconds -= perf_counter() - started

    def _converse(
        self, worker: subprocess.Popen[bytes], kind: str, payload: bytes, *, limit: int, until: float
    ) -> DocumentText:
        frames = Frames(worker, until)
        pieces: list[str] = []
        frame = None
        if frames.send(f"{kind} {len(payload)}\n".encode() + payload):
            while (frame := frames.next()) and not frame.startswith("!") and sum(map(len, pieces)) <= limit:
                pieces.append(frame)
        if frame is None or (frame and not frame.startswith("!")):
            self.guarded.stop()  # it hangs, it died, or it would go on talking
        trouble = "" if frame == "" else "read in part: too slow or broken" if frame is None else frame[1:]
        text = storable("\n".join(pieces))
        return DocumentText(text[:limit], "" if len(text) > limit else trouble)


_READER = _Reader()
atexit.register(_READER.guarded.stop)


def start_reading() -> None:
    """Have the worker process ready before the first document, so that its start is not charged to a mail."""
    with _READER.lock:
        _READER.guarded.running()
