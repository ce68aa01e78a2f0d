"""Documents out of what an ERP hands over: NDJSON, JSON or CSV, as a file or a request's body, in flat memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import re2
from sqlalchemy.orm import Session

from app.connectors.erp_json import read_json
from app.core.events import Actor
from invoices.actions import LedgerKeys, Outcome, Row, apply, prepare
from invoices.feed import Document, Refused, read
from matching.references import digits_key, number_keys
from matching.text import email_domain, name_tokens

Raw = bytes | Mapping[str, Any] | Refused
"""A document not yet looked at: a line of NDJSON, or values out of JSON or CSV, or what could not be read at all."""

MOST_ENTITIES = 10_000
"""Entities held in memory at once; no seller has so many."""

_CHUNK = 1 << 20
_ACCOUNT = b'"account"'
_ENTITY = re2.compile(rb'"type"\s*:\s*"entity"')


def ledger_keys() -> LedgerKeys:
    """How the matcher makes look-up keys: the ledger stores what the matcher will search by."""
    return LedgerKeys(number_keys, digits_key, name_tokens, email_domain)


def parsed(raw: Raw) -> Document | Refused:
    """The document, or why it is none."""
    return raw if isinstance(raw, Refused) else read(raw)


def read_documents(stream: BinaryIO, *, ndjson: bool, limit: int) -> Iterator[Raw]:
    """Documents from the start of a stream, read as they are asked for; one over `limit` bytes is refused.

    Raises NotJson when a JSON body is broken: without lines there is no going on after the fault.
    """
    stream.seek(0)
    return read_lines(stream, limit=limit) if ndjson else read_json(stream, limit=limit)


def read_lines(stream: BinaryIO, *, limit: int) -> Iterator[bytes | Refused]:
    """The lines of an NDJSON stream, blank ones left out; a line over `limit` bytes is refused alone."""
    first = True
    while line := stream.readline(limit + 1):
        if len(line) > limit and not line.endswith(b"\n"):
            _skip_line(stream)
            yield Refused("", f"is longer than {limit} bytes", shape=True)
            continue
        stripped = line.strip()
        if first:
            stripped, first = stripped.removeprefix(b"\xef\xbb\xbf"), False
        if stripped:
            yield stripped


def _skip_line(stream: BinaryIO) -> None:
    while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
        pass


def prepare_raw(raws: Sequence[Raw], today: date, only_entity: str | None = None) -> list[Row | Refused]:
    """A batch of documents as rows, checked: everything that needs no database."""
    return prepare(map(parsed, raws), keys=ledger_keys(), today=today, only_entity=only_entity)


def push_rows(
    prepared: Iterable[Sequence[Row | Refused]],
    write: Callable[[Sequence[Row | Refused]], list[Outcome]],
    *,
    early: Mapping[int, Row | Refused],
) -> Iterator[Outcome]:
    """
    Write prepared batches; one outcome a document, in their order.

    `early` are the entities among them, by their place in the push: they are written first, because documents of an
    unknown entity are refused, and nothing says that an ERP sends its entities before the rest.
    """
    first = dict(zip(early, write(list(early.values())), strict=True)) if early else {}
    outcomes = (outcome for rows in prepared for outcome in write(rows))
    for place, outcome in enumerate(outcomes):
        yield first.get(place, outcome)


def entities_in(documents: Iterable[Raw], today: date, only_entity: str | None = None) -> dict[int, Row | Refused]:
    """The entities among documents, prepared, by their place. Those beyond MOST_ENTITIES must come in order."""
    found = dict(islice(((place, raw) for place, raw in enumerate(documents) if is_entity(raw)), MOST_ENTITIES))
    return dict(zip(found, prepare_raw(list(found.values()), today, only_entity), strict=True))


def is_entity(raw: Raw) -> bool:
    """Whether a document not yet looked at is an entity."""
    if isinstance(raw, bytes):
        # Every other document names an account: looking for that first makes the pass over a million lines short.
        return _ACCOUNT not in raw and _ENTITY.search(raw) is not None
    return isinstance(raw, Mapping) and raw.get("type") == "entity"


def import_ledger(session: Session, *, path: Path, actor: Actor, now: datetime) -> list[Outcome]:
    """Bring a whole .json or .ndjson file into the ledger as one push, in the caller's transaction.

    For the evaluation, the demo and tests; `amiable erp import` commits in batches instead.
    """
    with path.open("rb") as stream:
        raws = read_documents(stream, ndjson=path.suffix != ".json", limit=_CHUNK)
        return apply(session, documents=map(parsed, raws), keys=ledger_keys(), actor=actor, now=now)
