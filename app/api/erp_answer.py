"""The answer to an ERP push: written while the push is worked, sent after its commit, given again for its key."""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from invoices.actions import STATUSES, Answer, Outcome

JSON = "application/json"
NDJSON = "application/x-ndjson"

_IN_MEMORY = 1 << 20
_CHUNK = 1 << 14


def spool() -> BinaryIO:
    """A temporary file that stays in memory while it is small."""
    return cast("BinaryIO", SpooledTemporaryFile(_IN_MEMORY))


class AnswerFile:
    """
    The outcomes of a push as they come.

    JSON: {"push": 7, "outcomes": [...], "counts": {...}}; NDJSON: a line an outcome, then {"push": 7, "counts": {...}}.
    With `keep` the answer can be stored for its idempotency key.
    """

    def __init__(self, push_id: int, *, ndjson: bool, keep: bool) -> None:
        self.file = spool()
        self.media_type = NDJSON if ndjson else JSON
        self._push_id, self._ndjson = push_id, ndjson
        self._packer, self._packed = zlib.compressobj() if keep else None, bytearray()
        self._shapeless = 0
        self._counts: Counter[str] = Counter()

    def write(self, outcomes: Iterable[Outcome]) -> dict[str, int]:
        """Write the outcomes down; gives how many there were of each."""
        self._put("" if self._ndjson else f'{{"push": {self._push_id}, "outcomes": [\n')
        for place, outcome in enumerate(outcomes):
            self._count(outcome)
            line = json.dumps({"index": place, **outcome.as_answer()}, ensure_ascii=False)
            self._put(f"{line}\n" if self._ndjson else f"{',' if place else ''}{line}\n")
        counts: dict[str, int] = {status: self._counts[status] for status in STATUSES}
        ending = {"push": self._push_id, "counts": counts}
        self._put(json.dumps(ending) + "\n" if self._ndjson else f'], "counts": {json.dumps(counts)}}}\n')
        return counts

    def _count(self, outcome: Outcome) -> None:
        self._counts[outcome.status] += 1
        self._shapeless += outcome.shape

    def _put(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        self.file.write(data)
        if self._packer:
            self._packed += self._packer.compress(data)

    @property
    def status(self) -> int:
        """200, or 422 when nothing in the push had the shape of a document."""
        total = self._counts.total()
        return HTTPStatus.UNPROCESSABLE_ENTITY if total and self._shapeless == total else HTTPStatus.OK

    def kept(self) -> Answer | None:
        """The answer to be stored, where it is wanted again. Ends the writing."""
        if self._packer is None:
            return None
        self._packed += self._packer.flush()
        return Answer(self.status, self.media_type, bytes(self._packed))

    def response(self) -> StreamingResponse:
        """The answer on its way; the file is gone when it is sent."""
        self.file.seek(0)
        chunks = iter(lambda: self.file.read(_CHUNK), b"")
        return StreamingResponse(chunks, self.status, media_type=self.media_type, background=BackgroundTask(self.close))

    def close(self) -> None:
        """Let the file go."""
        self.file.close()


def replay(answer: Answer) -> StreamingResponse:
    """An answer given before, byte for byte."""
    headers = {"Idempotent-Replayed": "true"}
    return StreamingResponse(_unpacked(answer.compressed), answer.status, headers, answer.media_type)


def _unpacked(compressed: bytes) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    for start in range(0, len(compressed), _CHUNK):
        yield unpacker.decompress(compressed[start : start + _CHUNK])
    yield unpacker.flush()
