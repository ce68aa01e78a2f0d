"""What parsing found, written into the message: text, people, files and the ids that make threads."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.core.blobs import BlobStore
from disputes.models import Attachment, Message, ThreadId
from disputes.parsing import Address, ParsedMessage

_MOST_IDS = 200
_SHORT = {"from_email": 320, "from_name": 300, "subject": 998}


def store(
    session: Session,
    *,
    message: Message,
    parsed: ParsedMessage,
    direction: str,
    entity_id: int | None,
    blobs: BlobStore,
) -> None:
    """Write a parsed mail beside its raw bytes. The message's event comes with what was decided about it."""
    for name, longest in _SHORT.items():
        setattr(message, name, getattr(parsed, name)[:longest])
    message.from_email = message.from_email.lower()
    message.direction, message.entity_id = direction, entity_id
    message.sent_at = parsed.date
    message.reply_to = parsed.reply_to.email[:320] if parsed.reply_to else None
    message.to, message.cc = _rows(parsed.to), _rows(parsed.cc)
    message.new_text, message.quoted_text, message.signature = parsed.new_text, parsed.quoted_text, parsed.signature
    message.has_html = parsed.html is not None
    message.machine = parsed.machine
    message.forwarded = asdict(parsed.forwarded) if parsed.forwarded else None
    message.defects = list(parsed.defects)
    session.flush()
    for statement, rows in ((_FILES, _attachments(message, parsed, blobs)), (_IDS, _thread_ids(message, parsed))):
        if rows:
            session.execute(statement, rows)


_FILES = insert(Attachment.__table__)  # type: ignore[arg-type] # a declared table is a Table
_IDS = insert(ThreadId.__table__)  # type: ignore[arg-type] # likewise


def _rows(addresses: Iterable[Address]) -> list[dict[str, str]]:
    return [{"name": one.name, "email": one.email.lower()} for one in addresses]


def _attachments(message: Message, parsed: ParsedMessage, blobs: BlobStore) -> list[dict[str, Any]]:
    return [
        {
            "message_id": message.id,
            "position": position,
            "filename": one.filename[:300],
            "content_type": one.content_type[:120],
            "size": one.size,
            "content_hash": blobs.put(one.payload),
            "content_id": one.content_id,
            "inline": one.inline,
            "text": one.text,
        }
        for position, one in enumerate(parsed.attachments)
    ]


def _thread_ids(message: Message, parsed: ParsedMessage) -> list[dict[str, Any]]:
    """The mail's own id and those it names, newest first (M6)."""
    ids = parsed.thread_ids
    told = [("self", 0, ids.own)] if ids.own else []
    told += [("in_reply_to", place, one) for place, one in enumerate(dict.fromkeys(ids.in_reply_to))]
    told += [("reference", place, one) for place, one in enumerate(dict.fromkeys(ids.references))]
    return [
        {"message_id": message.id, "relation": relation, "position": place, "rfc_id": rfc_id[:998]}
        for relation, place, rfc_id in told[:_MOST_IDS]
    ]
