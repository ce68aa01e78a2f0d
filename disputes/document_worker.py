"""Reads PDF, XLSX and DOCX in a process of its own, started by `disputes.documents`, with little memory and no files.

Parsers of these formats are large, and files are hostile: one that loops or eats memory takes this process
down and nothing else (S10). It is spoken to over pipes: a line `KIND SIZE` and the bytes go in; out come frames of
text, then an empty frame, or one that begins with an exclamation mark and says why reading ended.
"""

import contextlib
import io
import logging
import resource
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

from lxml import etree
from pypdf import PdfReader

from disputes.guarded import write_frame

MEMORY_BYTES = 512_000_000
"""Address space, of which interpreter and parsers take about a third before they read anything."""
MAX_UNPACKED_BYTES = 30_000_000
MAX_PAGES = 200
MAX_STRINGS = 200_000
MAX_SHEETS = 20
ROWS_A_FRAME = 200
LONGEST_NUMBER = 40

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_WORD_PARTS = ("word/header", "word/footer")


class TooMuchError(ValueError):
    """The document breaks a bound."""


def main() -> None:
    """Answer requests until the pipe closes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    logging.disable(logging.CRITICAL)
    write_frame(sys.stdout.buffer, "ready")
    while line := sys.stdin.buffer.readline():
        kind, size = line.decode("ascii").split()
        answer(kind, sys.stdin.buffer.read(int(size)), sys.stdout.buffer)


def answer(kind: str, payload: bytes, out: IO[bytes]) -> None:
    """Write the document's text, piece by piece, and how it ended."""
    ending = ""
    try:
        for piece in _READERS[kind](payload):
            if piece.strip():
                write_frame(out, piece)
    except Exception as error:  # noqa: BLE001 - parsers raise anything on broken files, RecursionError and MemoryError too
        ending = f"!{type(error).__name__}"
    write_frame(out, ending)


def pdf_pieces(payload: bytes) -> Iterator[str]:
    """The text of the pages, one at a time; a page that cannot be read is skipped."""
    for _, page in zip(range(MAX_PAGES), PdfReader(io.BytesIO(payload), strict=False).pages, strict=False):
        with contextlib.suppress(ValueError, KeyError, TypeError, IndexError, AttributeError):
            yield page.extract_text()


def sheet_pieces(payload: bytes) -> Iterator[str]:
    """The rows of the sheets, cells parted by tabs."""
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        lines: list[str] = []
        for line in _sheet_lines(archive):
            lines.append(line)
            if len(lines) == ROWS_A_FRAME:
                yield "\n".join(lines)
                lines = []
        yield "\n".join(lines)


def _sheet_lines(archive: zipfile.ZipFile) -> Iterator[str]:
    if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
        raise TooMuchError("the workbook unpacks to too much")
    names = archive.namelist()
    shared = _shared_strings(archive) if "xl/sharedStrings.xml" in names else []
    sheets = sorted(name for name in names if name.startswith("xl/worksheets/sheet") and name.endswith(".xml"))
    for name in sheets[:MAX_SHEETS]:
        with archive.open(name) as file:
            yield from _rows(file, shared)


def word_pieces(payload: bytes) -> Iterator[str]:
    """The paragraphs of a text document, headers and footers first; cells of a table come one after the other."""
    with zipfile.ZipFile(io.BytesIO(payload)) as archive:
        if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
            raise TooMuchError("the document unpacks to too much")
        names = sorted(name for name in archive.namelist() if name.startswith(_WORD_PARTS) and name.endswith(".xml"))
        for name in [*names[:MAX_SHEETS], "word/document.xml"]:
            with archive.open(name) as file:
                paragraphs = ("".join(one.itertext()) for one in _elements(file, "p", _WORD))
                yield from (text for text in paragraphs if text.strip())


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    with archive.open("xl/sharedStrings.xml") as file:
        items = zip(range(MAX_STRINGS), _elements(file, "si"), strict=False)
        return ["".join(text for text in item.itertext() if text) for _, item in items]


def _rows(file: IO[bytes], shared: list[str]) -> Iterator[str]:
    for row in _elements(file, "row"):
        cells = (_cell(cell, shared) for cell in row.iter(f"{_SHEET}c"))
        yield "\t".join(cell for cell in cells if cell)


def _elements(file: IO[bytes], name: str, space: str = _SHEET) -> Iterator[etree._Element]:
    """Elements of one name, each cleared after use. A document type is refused; no entities, no network (S9)."""
    events = etree.iterparse(
        _Bounded(file), events=("end",), tag=space + name, resolve_entities=False, no_network=True, load_dtd=False
    )
    for _, element in events:
        if element.getroottree().docinfo.doctype:
            raise TooMuchError("a document type is refused")
        yield element
        element.clear()


class _Bounded(io.RawIOBase):
    """Bytes of a zip member, up to the bound whatever its header promised."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; raises TooMuchError beyond the bound."""
        data = self.file.read(min(size, 65_536) if size >= 0 else 65_536)
        self.left -= len(data)
        if self.left < 0:
            raise TooMuchError("the workbook unpacks to too much")
        return data


def _cell(cell: etree._Element, shared: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(text for text in cell.itertext() if text)
    value = cell.findtext(f"{_SHEET}v") or ""
    if cell.get("t") == "s":
        return shared[int(value)] if value.isdigit() and int(value) < len(shared) else ""
    return _number(value) if cell.get("t") in {None, "n"} else value


def _number(value: str) -> str:
    """`1297.4400000000001` as a person sees it: spreadsheets keep binary fractions."""
    try:
        return f"{float(value):.15g}" if "." in value and len(value) < LONGEST_NUMBER else value
    except ValueError:
        return value


_READERS: dict[str, Callable[[bytes], Iterator[str]]] = {"pdf": pdf_pieces, "sheet": sheet_pieces, "word": word_pieces}

if __name__ == "__main__":
    main()
