"""Jobs of incoming mail: work the messages that were received, fetch new ones from the mailboxes.

The row is the queue: a message in state "received" will be worked, whichever job comes by. Each message is one
transaction, so a worker may be killed anywhere: what was committed stays, the rest is still "received".
"""

import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.connectors.contracts import Fetched, OpenMailbox
from app.core import db
from app.core.errors import DomainError
from app.core.log import logger
from app.core.settings import MailboxSettings
from app.workflows import runtime
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.actions import mailboxes, waiting
from disputes.actions.intake import receive

TRIES = 3
"""A message that fails is tried again at once, then put aside with the reason; it never stops the others."""
CALM_DISPATCHES = 3
"""From the next dispatch of the same job on, some message in it is suspected of killing its workers."""
MOST_SUSPECTED_TRIES = 5
PORTION_BYTES = 20_000_000


def ingest(context: Context, ids: Iterable[JobId], *, dispatches: int = 1) -> Counter[str]:
    """Work the given messages and then others that wait: all of them when none is given. Gives how it went."""
    tally: Counter[str] = Counter()
    given = [int(one) for one in ids]
    careful = dispatches > CALM_DISPATCHES
    try:
        for message_id in chain.from_iterable(_batches(context, given, careful=careful)):
            if context.stopping.is_set():
                break
            tally[work_one(context, message_id, careful=careful)] += 1
    except db.NoDatabase as error:
        logger().warning("mail waits for the database", reason=error.message)
    return tally


def _batches(context: Context, given: list[int], *, careful: bool) -> Iterator[list[int]]:
    if given:
        yield _calm_first(context, given) if careful else given
        # One more batch: single arrivals in quick succession are worked together, their own jobs find them done.
        yield _waiting(context)
        return
    seen: set[int] = set()
    while batch := [one for one in _waiting(context) if one not in seen]:
        seen.update(batch)
        yield batch


def _calm_first(context: Context, given: list[int]) -> list[int]:
    with db.transaction(context.sessions, read_only=True) as session:
        return waiting.waiting_ids(session, limit=len(given), among=given)


def _waiting(context: Context) -> list[int]:
    with db.transaction(context.sessions, read_only=True) as session:
        return waiting.waiting_ids(session, limit=context.settings.intake.batch)


def work_one(context: Context, message_id: int, *, careful: bool = False) -> str:
    """Work one message in its own transaction and give its state, or "skipped" when another worker did it.

    `careful` notes the attempt beforehand and puts the message aside after too many. A message that locks keep from
    us stays "received" for the next sweep. Raises NoDatabase.
    """
    if careful and _suspected(context, message_id):
        return "quarantined"
    trouble: Exception | None = None
    for _ in range(TRIES):
        try:
            return _attempt(context, message_id)
        except db.NoDatabase:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a mail can make go wrong must not stop the others
            trouble = error
    if isinstance(trouble, OperationalError):
        logger().warning("message waits for a lock", message_id=message_id, reason=type(trouble.orig).__name__)
        return "received"
    return _put_aside(context, message_id, trouble)


def _attempt(context: Context, message_id: int) -> str:
    with db.transaction(context.sessions) as session:
        if not waiting.take(session, message_id=message_id):
            return "skipped"
        context.pipeline(session, message_id=message_id)
        return waiting.state(session, message_id=message_id)


def _suspected(context: Context, message_id: int) -> bool:
    with db.transaction(context.sessions) as session:
        if not waiting.take(session, message_id=message_id):
            return False
        tries = waiting.suspect(session, message_id=message_id, now=context.clock())
        if tries <= MOST_SUSPECTED_TRIES:
            return False
        reason = f"The program stopped {tries - 1} times while working this message"
        waiting.quarantine(session, message_id=message_id, reason=reason, now=context.clock())
        return True


def _put_aside(context: Context, message_id: int, trouble: Exception | None) -> str:
    with db.transaction(context.sessions) as session:
        reason = f"{type(trouble).__name__}: {trouble}"[:2_000]
        waiting.quarantine(session, message_id=message_id, reason=reason, now=context.clock())
    # Where, not what: the words of an error may quote the mail, which has no place in a log (S18).
    logger().error("message put aside", message_id=message_id, kind=type(trouble).__name__, path=_place(trouble))
    return "quarantined"


def _place(trouble: Exception | None) -> str:
    frames = traceback.extract_tb(trouble.__traceback__) if trouble else []
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"


def poll(context: Context, ids: Iterable[JobId], *, dispatches: int = 1) -> int:  # noqa: ARG001 - storing a mail again is harmless, however often the job is given out
    """Fetch what is new in the named mailboxes. A server that is away is shown and tried again. Gives how many."""
    named = [mailbox for mailbox in context.settings.mailboxes if mailbox.name in set(ids)]
    return sum(_poll_one(context, mailbox) for mailbox in named)


def _poll_one(context: Context, mailbox: MailboxSettings) -> int:
    try:
        with context.open_mailbox(mailbox).open() as folder:
            return _fetch(context, mailbox, folder)
    except db.NoDatabase as error:
        logger().warning("mail waits for the database", mailbox=mailbox.name, reason=error.message)
    except DomainError as error:
        logger().warning("mailbox cannot be read; trying again", mailbox=mailbox.name, reason=error.message)
        with db.transaction(context.sessions) as session:
            mailboxes.record_trouble(session, mailbox=mailbox.name, error=error.message, now=context.clock())
    return 0


def _fetch(context: Context, mailbox: MailboxSettings, folder: OpenMailbox) -> int:
    last_uid = _read_so_far(context, mailbox, folder.uidvalidity)
    count = 0
    for batch in _portions(folder.after(last_uid), most=min(mailbox.batch, context.settings.intake.batch)):
        last_uid = _store(context, mailbox, folder.uidvalidity, batch)
        count += len(batch)
        if context.stopping.is_set():
            return count
    if not count:
        with db.transaction(context.sessions) as session:
            _advance(context, session, mailbox, folder.uidvalidity, last_uid)
    return count


def _read_so_far(context: Context, mailbox: MailboxSettings, uidvalidity: int) -> int:
    """The last UID stored; 0 when the server numbered the folder anew: a rescan finds every mail known (M5)."""
    with db.transaction(context.sessions, read_only=True) as session:
        return mailboxes.last_uid(session, mailbox=mailbox.name, uidvalidity=uidvalidity)


def _store(context: Context, mailbox: MailboxSettings, uidvalidity: int, batch: list[Fetched]) -> int:
    """Store mails, how far we are, and the jobs to work them: all in one transaction. Gives the last UID."""
    now = context.clock()
    with db.transaction(context.sessions) as session:
        received = [
            receive(
                session,
                raw=mail.raw,
                source="imap",
                source_ref=f"{mailbox.name}/{mailbox.folder}/{uidvalidity}/{mail.uid}",
                mailbox=mailbox.name,
                blobs=context.blobs,
                limits=context.settings.limits,
                received_at=mail.received_at or now,
                now=now,
            )
            for mail in batch
        ]
        _advance(context, session, mailbox, uidvalidity, batch[-1].uid)
        runtime.enqueue(session, "ingest", *(one.message_id for one in received if one.created))
    return batch[-1].uid


def _advance(context: Context, session: Session, mailbox: MailboxSettings, uidvalidity: int, last_uid: int) -> None:
    mailboxes.advance(session, mailbox=mailbox.name, uidvalidity=uidvalidity, last_uid=last_uid, now=context.clock())


def _portions(mails: Iterable[Fetched], *, most: int) -> Iterator[list[Fetched]]:
    """Portions of few mails and few bytes: a transaction stays short and a portion fits into memory."""
    portion: list[Fetched] = []
    size = 0
    for mail in mails:
        portion.append(mail)
        size += len(mail.raw)
        if len(portion) >= most or size >= PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
