"""Jobs of outgoing mail: claim (a transaction), send, record (another). See disputes/actions/outbox.py."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import repeat

from sqlalchemy.orm import Session

from app.connectors.contracts import AttachedFile, Refused, Sendable, Unknown, packed
from app.core import db
from app.core.blobs import BlobStore, NoBlob
from app.core.errors import Unavailable
from app.core.log import logger
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.actions import outbox
from disputes.models import Outgoing
from letters.actions import life

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0


def send(context: Context, ids: Iterable[JobId], *, dispatches: int = 1) -> Counter[str]:  # noqa: ARG001 - a claimed mail is never sent twice, however often the job is given out
    """Send the given mails, or all that are due when none is given. Gives how many ended in which state.

    A mail server that is away ends the job: its mails wait for the sweep.
    """
    tally: Counter[str] = Counter()
    try:
        for mail in _claimed(context, [int(one) for one in ids]):
            tally[_send_one(context, mail)] += 1
    except Unavailable as error:
        logger().warning("mail waits to be sent", kind=type(error).__name__, reason=error.message)
    return tally


def _claimed(context: Context, ids: list[int]) -> Iterator[Outgoing]:
    wanted: Iterable[int | None] = ids or repeat(None)
    for outbox_id in wanted:
        if context.stopping.is_set():
            return
        with db.transaction(context.sessions) as session:
            mail = outbox.claim(session, worker=context.worker, now=context.clock(), outbox_id=outbox_id)
            stopped = mail is not None and _is_stopped(session, mail, now=context.clock())
        if stopped:
            continue
        if mail is not None:
            yield mail
        elif outbox_id is None:
            return


def _is_stopped(session: Session, mail: Outgoing, *, now: datetime) -> bool:
    """Whether a letter must not leave after all: a payment, credit, promise or dispute came in between."""
    return mail.kind == life.KIND and life.stop_if_covered(session, outbox_id=mail.id, now=now)


def _send_one(context: Context, mail: Outgoing) -> str:
    """One mail from claimed to recorded. Raises Unavailable, the mail's delay recorded, when the server is away."""
    try:
        context.mailer.send(_packed(context.blobs, mail))
    except (Refused, NoBlob) as error:
        return _record(context, mail, "failed", outbox.record_failure, error=error.message)
    except Unknown as error:
        return _record(context, mail, "uncertain", outbox.record_uncertain, error=error.message)
    except Unavailable as error:
        _record(context, mail, "queued", outbox.record_delay, error=error.message)
        raise
    return _record(context, mail, "sent", outbox.record_sent)


def _packed(blobs: BlobStore, mail: Outgoing) -> Sendable:
    """The mail with its copies and files. Raises NoBlob where a file is gone."""
    files = tuple(
        AttachedFile(str(one["filename"]), str(one["content_type"]), blobs.get(str(one["content_hash"])))
        for one in mail.attachments
    )
    copies = tuple(str(one) for one in mail.cc)
    return packed(mail, cc=copies, files=files, html=mail.html or "") if copies or files or mail.html else mail


def _record(context: Context, mail: Outgoing, state: str, write: Callable[..., None], **words: str) -> str:
    """Write down what happened, however long the database is away: we alone know it.

    A process that has to end meanwhile leaves the mail in "sending", which its successor turns into uncertain.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            with db.transaction(context.sessions) as session:
                write(session, outbox_id=mail.id, now=context.clock(), **words)
                if mail.kind == life.KIND:
                    life.follow(session, outbox_id=mail.id, now=context.clock())
        except db.NoDatabase as error:
            logger().warning("a sent mail waits for the database", outbox_id=mail.id, reason=error.message)
            if context.stopping.wait(pause):
                raise
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
        else:
            return state
