"""What people say of reasons: mails whose reason a person put right, confirmed, or let stand and settled.

Corrections alone would teach that the program is always wrong; what stood is as true, and mostly easier.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.events import Event
from disputes.casework import deciding
from disputes.examples import Example, account_key
from disputes.lookups import is_known_address
from disputes.models import Attachment, Case, Message
from disputes.reading import LANGUAGES
from disputes.reasons import OTHER, is_reason

SAID = ("reason corrected", "case resolved")
"""Events by which a person says what a case is: also a correction to what it was already, and settling it as it is."""
MOST = 5_000
"""Cases that are learned from, the newest: beside 7,000 shipped examples more would only cost time."""
_LONGEST_QUOTE = 3_000
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Taught:
    """A mail with what it is by a person's word, given at `at`; `changed` where the program had said otherwise."""

    message_id: int
    at: datetime
    changed: bool
    example: Example


class _Word(NamedTuple):
    """What a person said of a case last, and when."""

    case_id: int
    reason: str
    account_id: int | None
    at: datetime


def taught_mails(session: Session) -> list[Taught]:
    """The mail that made each judged case what it is, with the case's reason; in order of the mails."""
    words = _words(session)
    found: list[Taught] = []
    for start in range(0, len(words), _AT_ONCE):
        found += _taught(session, words[start : start + _AT_ONCE])
    return sorted(found, key=lambda one: one.message_id)


def _words(session: Session) -> list[_Word]:
    """Newest first."""
    at = func.max(Event.at)
    rows = (
        select(Case.id, Case.reason, Case.account_id, at)
        .join(Event, Event.case_id == Case.id)
        .where(Event.verb.in_(SAID), Event.actor.startswith("user:"), Case.merged_into_id.is_(None))
        .group_by(Case.id, Case.reason, Case.account_id)
        .order_by(at.desc(), Case.id.desc())
        .limit(MOST)
    )
    return [_Word(*row) for row in session.execute(rows) if is_reason(row.reason)]


def _taught(session: Session, words: Sequence[_Word]) -> list[Taught]:
    mails: dict[int, list[Message]] = defaultdict(list)
    rows = select(Message).where(
        Message.case_id.in_([word.case_id for word in words]), Message.direction == "in", Message.kind.is_not(None)
    )
    for message in session.scalars(rows.order_by(func.coalesce(Message.sent_at, Message.received_at), Message.id)):
        mails[message.case_id or 0].append(message)
    meant = [(word, chosen) for word in words if (chosen := _meant(word, mails[word.case_id])) is not None]
    names = _file_names(session, [mail.id for _, (mail, _) in meant])
    known = {email: is_known_address(session, email=email) for email in {mail.from_email for _, (mail, _) in meant}}
    return [
        Taught(
            mail.id,
            word.at,
            changed=mail.reason != word.reason,
            example=_example(mail, word, earlier, files=names.get(mail.id, ()), known=known[mail.from_email]),
        )
        for word, (mail, earlier) in meant
    ]


def _meant(word: _Word, mails: Iterable[Message]) -> tuple[Message, list[Message]] | None:
    """The mail a person's word is about, and those before it: what came after the word it cannot be about."""
    told = [one for one in mails if one.received_at <= word.at and one.kind != OTHER]
    if not told:
        return None
    at = told.index(deciding(told))
    return told[at], told[:at]


def _file_names(session: Session, message_ids: Sequence[int]) -> Mapping[int, tuple[str, ...]]:
    rows = select(Attachment.message_id, Attachment.filename).where(Attachment.message_id.in_(message_ids))
    found: dict[int, tuple[str, ...]] = {}
    for message_id, name in session.execute(rows.order_by(Attachment.message_id, Attachment.position)):
        found[message_id] = (*found.get(message_id, ()), name)
    return found


def _example(mail: Message, word: _Word, earlier: Sequence[Message], *, files: tuple[str, ...], known: bool) -> Example:
    return Example(
        language=mail.language if mail.language in LANGUAGES else "en",
        reason=word.reason,
        text=mail.new_text,
        subject=mail.subject,
        quote=mail.quoted_text[:_LONGEST_QUOTE],
        attachments=files,
        direction=mail.direction,
        earlier=tuple(one.reason or "" for one in earlier),
        account=account_key(str(word.account_id) if word.account_id else None, mail.from_email),
        sender_known=known,
        sent_at=mail.sent_at or mail.received_at,
    )
