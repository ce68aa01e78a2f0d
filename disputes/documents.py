"""Text of attached documents, for matching: bounded in time and memory, and never an error (M24, S10).

What cannot be read gives no text; the file itself is kept and shown all the same.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import IO

from lxml import etree
from pypdf import PdfReader

from disputes.charsets import decode_text
from matching.html_text import html_to_text

MAX_DOCUMENT_BYTES = 20_000_000
MAX_UNPACKED_BYTES = 30_000_000
MAX_PAGES = 60
MAX_STRINGS = 200_000
MAX_SHEETS = 20

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_TEXT_ENDINGS = (".txt", ".csv", ".tsv", ".md", ".json", ".log", ".ics", ".edi")


class UnreadableDocument(ValueError):
    """The document breaks a bound or its own format."""


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


def read_document(kind: str, payload: bytes, *, charset: str | None, limit: int) -> str:
    """At most `limit` characters of a document's text. Raises UnreadableDocument."""
    if len(payload) > MAX_DOCUMENT_BYTES:
        raise UnreadableDocument("too large to be read")
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(payload, limit)
    text = decode_text(payload[: limit * 6], charset)
    if kind == "html":
        text = html_to_text(text)
    elif kind == "xml":
        text = html_to_text(text.replace("<", " <"))
    return text[:limit]


def _pdf_text(payload: bytes, limit: int) -> str:
    try:
        pages = PdfReader(io.BytesIO(payload), strict=False).pages
        return _taken((page.extract_text() for _, page in zip(range(MAX_PAGES), pages, strict=False)), limit)
    except Exception as error:  # pypdf raises anything at all on broken files, RecursionError and KeyError included
        raise UnreadableDocument(f"PDF: {type(error).__name__}") from error


def _sheet_text(payload: bytes, limit: int) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            return _taken(_sheet_lines(archive), limit)
    except (zipfile.BadZipFile, etree.XMLSyntaxError, KeyError, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableDocument(f"XLSX: {type(error).__name__}") from error


def _sheet_lines(archive: zipfile.ZipFile) -> Iterator[str]:
    if sum(info.file_size for info in archive.infolist()) > MAX_UNPACKED_BYTES:
        raise UnreadableDocument("the workbook unpacks to too much")
    names = archive.namelist()
    shared = _shared_strings(archive) if "xl/sharedStrings.xml" in names else []
    sheets = sorted(name for name in names if name.startswith("xl/worksheets/sheet") and name.endswith(".xml"))
    for name in sheets[:MAX_SHEETS]:
        with archive.open(name) as file:
            yield from _rows(file, shared)


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    with archive.open("xl/sharedStrings.xml") as file:
        found: list[str] = []
        for item in _elements(file, "si"):
            found.append("".join(text for text in item.itertext() if text))
            if len(found) >= MAX_STRINGS:
                break
        return found


def _rows(file: IO[bytes], shared: list[str]) -> Iterator[str]:
    for row in _elements(file, "row"):
        cells = (_cell(cell, shared) for cell in row.iter(f"{_SHEET}c"))
        yield "\t".join(cell for cell in cells if cell)


def _elements(file: IO[bytes], name: str) -> Iterator[etree._Element]:
    """Elements of one name, each cleared after use. No entities, no network, no huge nodes (S9)."""
    events = etree.iterparse(
        _Bounded(file), events=("end",), tag=_SHEET + name, resolve_entities=False, no_network=True, load_dtd=False
    )
    for _, element in events:
        if events.root is not None and element.getroottree().docinfo.doctype:
            raise UnreadableDocument("a document type is refused")
        yield element
        element.clear()


class _Bounded(io.RawIOBase):
    """Bytes of a zip member, up to the bound whatever its header promised."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.left = MAX_UNPACKED_BYTES

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; raises UnreadableDocument beyond the bound."""
        data = self.file.read(min(size, 65_536) if size >= 0 else 65_536)
        self.left -= len(data)
        if self.left < 0:
            raise UnreadableDocument("the workbook unpacks to too much")
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
        return f"{float(value):.15g}" if "." in value and len(value) < 40 else value  # noqa: PLR2004 - no number is longer
    except ValueError:
        return value


def _taken(pieces: Iterator[str], limit: int) -> str:
    kept: list[str] = []
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece) + 1
        if size > limit:
            break
    return "\n".join(kept)[:limit]


_READERS: dict[str, Callable[[bytes, int], str]] = {"pdf": _pdf_text, "sheet": _sheet_text}
