"""JSON too large to be held: a list of documents, a whole ledger file or a single document, read value by value.

ijson gives events, which cost ten times the standard library's decoder on ledger documents; so the decoder is given
a window on the stream that grows until a value is whole.
"""

import codecs
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, BinaryIO, NoReturn

import re2

from app.core.errors import BadInput
from invoices.feed import COLLECTIONS, Refused

_CHUNK = 1 << 18
_FIRST_KEY = re2.compile(r'\s*\{\s*"([a-z_]+)"\s*:')
_FIRST_KEY_WITHIN = 1_000
_MIXED = "documents"
_IGNORED = frozenset({"today"})
"""Fields of a whole ledger file that say nothing about the ledger itself."""


class NotJson(BadInput):
    """The body or file is not JSON, or not a list of documents or a ledger."""


def read_json(stream: BinaryIO, *, limit: int) -> Iterator[Mapping[str, Any] | Refused]:
    """
    Documents of a JSON stream: [documents], {"documents": [...]}, {"entities": [...], "customers": [...],
    "invoices": [...], "payments": [...]} or one document alone.

    A value that is not an object is refused; raises NotJson where the JSON itself is broken.
    """
    window = _Window(stream, limit)
    start = window.peek()
    if start == "[":
        yield from _list(window, None)
    elif start == "{" and window.first_key() in {*COLLECTIONS, *_IGNORED, _MIXED}:
        yield from _ledger(window)
    elif start == "{":
        yield _document(window.value(), None)
    else:
        raise NotJson("The body is not JSON: a list of documents, or an object with lists of them, is expected")
    if window.peek():
        window.fail("there is something after the end")


def _ledger(window: "_Window") -> Iterator[Mapping[str, Any] | Refused]:
    window.take("{")
    while True:
        key = window.value()
        window.take(":")
        if key in COLLECTIONS or key == _MIXED:
            yield from _list(window, COLLECTIONS.get(key))
        elif key in _IGNORED:
            window.value()
        else:
            words = f"{str(key)[:60]!r} is not a known field"
            raise NotJson(f"The ledger cannot be read: {words}", fields={str(key)[:60]: "is not a known field"})
        if window.take_one_of(",}") == "}":
            return


def _list(window: "_Window", type_: str | None) -> Iterator[Mapping[str, Any] | Refused]:
    window.take("[")
    if window.peek() == "]":
        window.take("]")
        return
    while True:
        yield _document(window.value(), type_)
        if window.take_one_of(",]") == "]":
            return


def _document(value: Any, type_: str | None) -> Mapping[str, Any] | Refused:
    if not isinstance(value, dict):
        return Refused("", "is not a JSON object", shape=True)
    if type_ is not None:
        value.setdefault("type", type_)
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


class _Window:
    """The part of a stream being decoded. A value may be `limit` characters long."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)
        self._text = codecs.getincrementaldecoder("utf-8-sig")()
        self._buffer, self._place, self._gone, self._ended = "", 0, 0, False
        self._more()

    def first_key(self) -> str | None:
        """The first key of an object that begins here."""
        while not (found := _FIRST_KEY.match(self._buffer[self._place :][:_FIRST_KEY_WITHIN])):
            if self._ended or len(self._buffer) - self._place >= _FIRST_KEY_WITHIN:
                return None
            self._more()
        return str(found.group(1))

    def peek(self) -> str:
        """The next character that is no blank, '' at the end."""
        while True:
            while self._place < len(self._buffer):
                char = self._buffer[self._place]
                if char not in " \t\r\n":
                    return char
                self._place += 1
            if self._ended:
                return ""
            self._more()

    def take(self, char: str) -> None:
        """Step over a character that must come now."""
        self.take_one_of(char)

    def take_one_of(self, chars: str) -> str:
        """Step over one of these characters and give it."""
        char = self.peek()
        if not char or char not in chars:
            self.fail(f"one of {' '.join(chars)} is expected")
        self._place += 1
        return char

    def value(self) -> Any:
        """The value that begins here, whole."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._place)
            except RecursionError:
                self.fail("it is nested too deeply")
            except ValueError as error:
                if self._ended or len(self._buffer) - self._place > self._limit:
                    self.fail(str(error).partition(":")[0])
            else:
                if end < len(self._buffer) or self._ended:
                    self._place = end
                    return value
            self._more()

    def fail(self, words: str) -> NoReturn:
        """Give up at this place."""
        raise NotJson(f"The JSON is broken near character {self._gone + self._place}: {words}")

    def _more(self) -> None:
        chunk = self._stream.read(_CHUNK)
        try:
            text = self._text.decode(chunk, final=not chunk)
        except UnicodeDecodeError:
            self.fail("it is not UTF-8")
        self._ended = not chunk
        self._buffer, self._gone, self._place = self._buffer[self._place :] + text, self._gone + self._place, 0
