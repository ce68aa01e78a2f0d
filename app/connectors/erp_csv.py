"""ERP documents from CSV: one file a document type, parts of documents (lines, contacts, allocations) in their own.

The columns are the field names of invoices.feed; docs/guide/erp.md lists them.
"""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pydantic import BaseModel

from app.core.errors import BadInput
from invoices.feed import (
    AccountDocument,
    AllocationPart,
    ContactPart,
    EntityDocument,
    InvoiceDocument,
    LinePart,
    PaymentDocument,
    Refused,
)

Row = Mapping[str, Any] | Refused
"""The cells of a row by column, or why it could not be read."""


class BadCsv(BadInput):
    """A CSV file whose type or columns are not known, or that is not text."""


class Sheet(NamedTuple):
    """A kind of CSV file: the type of its documents and the columns it may have."""

    type: str
    number: str
    columns: tuple[str, ...]


class PartSheet(NamedTuple):
    """A kind of CSV file with parts: of which documents, by which number, into which list."""

    of: str
    number: str
    list: str
    columns: tuple[str, ...]


def _columns(model: type[BaseModel], *without: str) -> tuple[str, ...]:
    return tuple(name for name in model.model_fields if name not in {"type", *without})


_INVOICE_COLUMNS = _columns(InvoiceDocument, "lines")

SHEETS = {
    "entities": Sheet("entity", "id", _columns(EntityDocument)),
    "accounts": Sheet("account", "account", _columns(AccountDocument, "contacts")),
    "customers": Sheet("account", "account", _columns(AccountDocument, "contacts")),
    "invoices": Sheet("invoice", "number", _INVOICE_COLUMNS),
    "credit_notes": Sheet("credit_note", "number", _INVOICE_COLUMNS),
    "payments": Sheet("payment", "reference", _columns(PaymentDocument, "allocations")),
}

PART_SHEETS = {
    "contacts": PartSheet("account", "account", "contacts", ("entity", "account", *_columns(ContactPart))),
    "lines": PartSheet("invoice", "number", "lines", ("entity", "number", *_columns(LinePart))),
    "allocations": PartSheet("payment", "reference", "allocations", ("entity", "reference", *_columns(AllocationPart))),
}

LIST_MARK = "|"
"""Between the invoice numbers in a payment's `invoices` column."""

_SAMPLE = 1 << 16
_DELIMITERS = ",;\t"

Opener = Callable[[Path], BinaryIO]
"""Opens a file for reading; the command line's counts bytes for its progress bar."""


def sheet_of(path: Path, type_: str | None) -> str:
    """What kind of CSV a file is: by `type_`, else by its name (invoices-2026.csv, lines.csv). Raises BadCsv."""
    by_type = {sheet.type: name for name, sheet in reversed(SHEETS.items())}
    wanted = by_type.get(type_, type_) if type_ else path.stem.lower()
    found = [name for name in (*SHEETS, *PART_SHEETS) if wanted.startswith(name)]
    if not found:
        known = ", ".join((*SHEETS, *PART_SHEETS))
        raise BadCsv(f"{path.name}: say what it holds with --type, or name it after one of {known}")
    return max(found, key=len)


def read_csv(files: Mapping[Path, str], open_file: Opener) -> Iterator[Row]:
    """
    Documents of CSV files that belong together; `files` gives each one's kind (`sheet_of`).

    Parts wait in a temporary database until their document comes: a million invoices need no memory. Parts of no
    document in the files are refused. Raises BadCsv for unknown columns, or parts without a file of documents.
    """
    _refuse_lonely_parts(files)
    with closing(_PartStore()) as parts:
        for path, name in files.items():
            if name in PART_SHEETS:
                yield from parts.add(name, _rows(path, PART_SHEETS[name].columns, open_file))
        for name, sheet in SHEETS.items():
            for path in (path for path, found in files.items() if found == name):
                rows = _rows(path, sheet.columns, open_file)
                yield from (row if isinstance(row, Refused) else _document(row, sheet, parts) for row in rows)
        yield from parts.left_over()


def _refuse_lonely_parts(files: Mapping[Path, str]) -> None:
    types = {SHEETS[name].type for name in files.values() if name in SHEETS}
    for path, name in files.items():
        wanted = PART_SHEETS[name].of if name in PART_SHEETS else None
        if wanted and not any(_takes(type_, wanted) for type_ in types):
            raise BadCsv(f"{path.name} holds parts of {wanted} documents: give the file of the {wanted}s with it")


def _takes(type_: str, wanted: str) -> bool:
    return ("invoice" if type_ == "credit_note" else type_) == wanted


def _rows(path: Path, columns: Sequence[str], open_file: Opener) -> Iterator[Row]:
    """The rows of a CSV file without their empty cells; a row that cannot be read is refused alone."""
    with open_file(path) as binary, io.TextIOWrapper(binary, "utf-8-sig", errors="strict", newline="") as text:
        try:
            reader = csv.DictReader(text, delimiter=_delimiter(text), strict=True)
            _check_columns(path, reader.fieldnames or (), columns)
            yield from _readable(reader)
        except UnicodeDecodeError as error:
            raise BadCsv(f"{path.name} is not UTF-8: save it as CSV UTF-8") from error


def _delimiter(text: io.TextIOWrapper) -> str:
    """Comma, semicolon or tab: whichever the header holds most of."""
    header = text.readline(_SAMPLE)
    text.seek(0)
    return max(_DELIMITERS, key=header.count)


def _check_columns(path: Path, found: Sequence[str], columns: Sequence[str]) -> None:
    unknown = [name for name in found if name not in columns]
    if unknown or not found:
        raise BadCsv(f"{path.name}: unknown columns {', '.join(unknown) or '(none)'}; known are {', '.join(columns)}")


def _readable(reader: "csv.DictReader[str]") -> Iterator[Row]:
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Refused("", f"line {reader.line_num} cannot be read: {error}", shape=True)
            continue
        if None in row:
            yield Refused("", f"line {reader.line_num} has more cells than the header", shape=True)
        else:
            yield {name: cell.strip() for name, cell in row.items() if cell and cell.strip()}


def _document(row: Mapping[str, Any], sheet: Sheet, parts: "_PartStore") -> Mapping[str, Any]:
    document = {"type": sheet.type, **row}
    if sheet.type == "payment" and "invoices" in row:
        document["invoices"] = [number.strip() for number in row["invoices"].split(LIST_MARK) if number.strip()]
    for name, part in PART_SHEETS.items():
        if _takes(sheet.type, part.of):
            found = parts.take(name, row.get("entity", ""), row.get(part.number, ""))
            if found:
                document[part.list] = found
    return document


class _PartStore:
    """Rows of parts by the document they belong to, in a temporary file of SQLite's that ends with the store."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("CREATE TABLE parts (sheet TEXT, entity TEXT, number TEXT, cells TEXT)")
        self._database.execute("CREATE INDEX by_document ON parts (sheet, entity, number)")
        self._database.execute("BEGIN")

    def add(self, name: str, rows: Iterable[Row]) -> Iterator[Refused]:
        """Keep the rows of one file; gives those that could not be read."""
        number = PART_SHEETS[name].number
        for row in rows:
            if isinstance(row, Refused):
                yield row
                continue
            cells = json.dumps({key: cell for key, cell in row.items() if key not in {"entity", number}})
            values = (name, row.get("entity", ""), row.get(number, ""), cells)
            self._database.execute("INSERT INTO parts VALUES (?, ?, ?, ?)", values)

    def take(self, name: str, entity: str, number: str) -> list[Any]:
        """The parts of one document, in the order of the file; they are gone from the store."""
        where = "WHERE sheet = ? AND entity = ? AND number = ?"
        found = self._database.execute(f"SELECT cells FROM parts {where} ORDER BY rowid", (name, entity, number))
        parts = [json.loads(cells) for (cells,) in found]
        if parts:
            self._database.execute(f"DELETE FROM parts {where}", (name, entity, number))
        return parts

    def left_over(self) -> Iterator[Refused]:
        """The documents whose parts came without them."""
        query = "SELECT sheet, entity, number, count(*) FROM parts GROUP BY sheet, entity, number"
        for name, entity, number, count in self._database.execute(query):
            reason = f"{count} rows belong to no document in these files"
            yield Refused(PART_SHEETS[name].list, reason, PART_SHEETS[name].of, entity, number, shape=True)

    def close(self) -> None:
        """Remove the store."""
        self._database.close()
