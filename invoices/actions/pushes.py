"""One push: its documents in batches, its idempotency key, its answer kept to be given again."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput
from app.core.events import Actor, record
from invoices.actions import bulk
from invoices.actions.ledger import Key, Placed, Writing, account_ids, write
from invoices.actions.outcomes import Outcome, refusal
from invoices.actions.rows import FAMILIES, Family, LedgerKeys, Row, prepare
from invoices.actions.verdicts import Status
from invoices.feed import Document, Refused
from invoices.models import Entity, Push

BATCH = 1_000
STATUSES: tuple[Status, ...] = ("created", "updated", "unchanged", "stale", "refused")
KEY_LENGTH = 200

Item = TypeVar("Item")


class KeyReused(BadInput):
    """An Idempotency-Key came again with another body."""


@dataclass(frozen=True)
class Answer:
    """A push's answer as it was sent: HTTP status, media type, body."""

    status: int
    media_type: str
    compressed: bytes

    def body(self) -> bytes:
        """The body as it was."""
        return zlib.decompress(self.compressed)


def begin(session: Session, *, actor: Actor, now: datetime, key: str | None = None, body_hash: str = "") -> Push:
    """Open a push and take the ledger's writer lock. Ask `earlier_answer` first where there is a key."""
    bulk.lock_ledger(session)
    push = Push(actor=actor.name, idempotency_key=key, body_hash=body_hash, at=now, counts={})
    session.add(push)
    session.flush()
    return push


def earlier_answer(session: Session, *, actor: Actor, key: str, body_hash: str) -> Answer | None:
    """
    The answer given to the same push before, or None where this is the first.

    Takes the ledger's lock, so that of two at the same time one waits and gets the other's answer.
    Raises KeyReused when the key came with another body (draft-ietf-httpapi-idempotency-key-header, 2.7: 422).
    """
    bulk.lock_ledger(session)
    push = session.scalar(select(Push).where(Push.actor == actor.name, Push.idempotency_key == key))
    if push is None or push.answer is None:
        return None
    if push.body_hash != body_hash:
        raise KeyReused(
            "This Idempotency-Key was used for another body: use a new key for new content",
            fields={"Idempotency-Key": "was used before with other content"},
        )
    return Answer(push.status, push.media_type, push.answer)


def finish(
    session: Session,
    *,
    push_id: int,
    counts: Mapping[str, int],
    actor: Actor,
    now: datetime,
    answer: Answer | None = None,
) -> None:
    """Close a push: its counts, its event, and its answer where it may be asked for again."""
    push = session.get_one(Push, push_id)
    push.counts = dict(counts)
    if answer is not None:
        push.status, push.media_type, push.answer = answer.status, answer.media_type, answer.compressed
    record(session, actor=actor, now=now, verb="ledger.pushed", subject="push", subject_id=push_id, after=push.counts)


def apply(
    session: Session,
    *,
    documents: Iterable[Document | Refused],
    keys: LedgerKeys,
    actor: Actor,
    now: datetime,
    only_entity: str | None = None,
) -> list[Outcome]:
    """Bring documents into the ledger as one push; one outcome a document, in their order."""
    push = begin(session, actor=actor, now=now)
    outcomes: list[Outcome] = []
    for batch in batches(documents, BATCH):
        rows = prepare(batch, keys=keys, today=now.date(), only_entity=only_entity)
        outcomes += write_batch(session, rows=rows, push_id=push.id, actor=actor, now=now)
    finish(session, push_id=push.id, counts=counted(outcomes), actor=actor, now=now)
    return outcomes


def counted(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many documents came to each outcome."""
    found = Counter(outcome.status for outcome in outcomes)
    return {status: found[status] for status in STATUSES}


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of up to `size` items, made as they are asked for."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def write_batch(
    session: Session, *, rows: Sequence[Row | Refused], push_id: int, actor: Actor, now: datetime
) -> list[Outcome]:
    """
    Write a batch of prepared documents of an open push, with some ten statements however many they are.

    Entities are written first, then accounts, invoices, payments, whatever the order they came in.
    """
    bulk.lock_ledger(session)
    outcomes: dict[int, Outcome] = {}
    sorted_rows: dict[str, list[tuple[int, Row]]] = {family.name: [] for family in FAMILIES.values()}
    for place, row in enumerate(rows):
        if isinstance(row, Refused):
            outcomes[place] = refusal(row)
        else:
            sorted_rows[FAMILIES[row.type].name].append((place, row))
    writing = Writing(push_id, Actor(actor.name, f"push:{push_id}"), now)
    for family in dict.fromkeys(FAMILIES.values()):
        outcomes |= _write_family(session, family, sorted_rows[family.name], writing)
    return [outcomes[place] for place in range(len(rows))]


def _write_family(
    session: Session, family: Family, rows: Sequence[tuple[int, Row]], writing: Writing
) -> dict[int, Outcome]:
    if not rows:
        return {}
    if family.name == "entity":
        placed = [Placed(place, row, (0, row.number), None) for place, row in rows]
        return write(session, family, placed, writing=writing)
    scopes = _entity_ids(session)
    outcomes = {place: _unknown_entity(row) for place, row in rows if row.entity not in scopes}
    good = [(place, row, scopes[row.entity]) for place, row in rows if row.entity in scopes]
    accounts: dict[Key, int] = {}
    if family.owned:
        accounts = account_ids(session, {(scope, row.account) for _, row, scope in good}, writing=writing)
    placed = [Placed(place, row, (scope, row.number), accounts.get((scope, row.account))) for place, row, scope in good]
    return outcomes | write(session, family, placed, writing=writing)


def _entity_ids(session: Session) -> dict[str, int]:
    return dict(session.execute(select(Entity.code, Entity.id)).all())


def _unknown_entity(row: Row) -> Outcome:
    reason = f"{row.entity} is not a known entity: send the entity first"
    return Outcome("refused", row.type, row.entity, row.number, field="entity", reason=reason)
