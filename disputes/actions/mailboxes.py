"""How far each mailbox has been read, and what stops it (M5)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import record, system
from disputes.actions.shared import change
from disputes.models import MailboxCursor


def advance(session: Session, *, mailbox: str, uidvalidity: int, last_uid: int, now: datetime) -> None:
    """Remember what has been read, in the transaction that stores it: neither can exist without the other."""
    _change(session, mailbox, now, uidvalidity=uidvalidity, last_uid=last_uid, error=None)


def record_trouble(session: Session, *, mailbox: str, error: str, now: datetime) -> None:
    """Show why a mailbox cannot be read; the next poll that succeeds clears it."""
    _change(session, mailbox, now, error=error)


def last_uid(session: Session, *, mailbox: str, uidvalidity: int) -> int:
    """The last UID stored of a folder numbered like this; 0 for a new numbering or a new mailbox."""
    cursor = session.get(MailboxCursor, mailbox)
    return cursor.last_uid if cursor and cursor.uidvalidity == uidvalidity else 0


def polled_at(session: Session) -> dict[str, datetime | None]:
    """When each mailbox was last read, or tried to."""
    return {cursor.mailbox: cursor.polled_at for cursor in session.scalars(select(MailboxCursor))}


def _change(session: Session, mailbox: str, now: datetime, **values: int | str | None) -> None:
    cursor = session.get(MailboxCursor, mailbox, with_for_update=True)
    if cursor is None:
        cursor = MailboxCursor(mailbox=mailbox, uidvalidity=0, last_uid=0)
        session.add(cursor)
    before, after = change(cursor, **values)
    # A poll that finds nothing new is no event: every minute of every mailbox would drown the others.
    cursor.polled_at = now
    if after:
        record(
            session,
            actor=system("mailbox", f"mailbox:{mailbox}"[:120]),
            now=now,
            verb="mailbox read" if "error" not in after or after["error"] is None else "mailbox trouble",
            subject="mailbox",
            subject_id=None,
            before={"mailbox": mailbox, **before},
            after={"mailbox": mailbox, **after},
        )
