"""The sweep: cases whose time has come go on, a batch a transaction (architecture.md, Background work).

A worker that is killed loses the batch it had in hand, which the next sweep takes; two sweepers share the cases.
"""

from collections.abc import Iterable

from sqlalchemy.exc import OperationalError

from app.core import db
from app.core.keys import key_for
from app.core.log import logger
from app.workflows import runtime
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.actions import outbox, progress
from disputes.reply_tokens import ReplyTokens
from disputes.satisfaction import RatingLinks

TRIES = 3


def sweep(
    context: Context,
    ids: Iterable[JobId] = (),  # noqa: ARG001 - a sweep finds what is due by itself
    *,
    dispatches: int = 1,  # noqa: ARG001 - no step is taken twice, however often the job is given out
) -> int:
    """Take what is due until nothing is, or the process should end; gives how many cases were looked at."""
    tokens = ReplyTokens(key_for(context.settings, "reply token"))
    links = RatingLinks(key_for(context.settings, "rating link"), context.settings.public_url)
    total, failed = 0, 0
    while not context.stopping.is_set() and failed < TRIES:
        try:
            with db.transaction(context.sessions) as session:
                count = progress.take_due(session, now=context.clock(), tokens=tokens, links=links)
        except db.NoDatabase as error:
            logger().warning("cases wait for the database", reason=error.message)
            break
        except OperationalError as error:  # two transactions in each other's way: one of them is begun again
            failed += 1
            logger().warning("a batch of cases is begun again", reason=str(error.orig).partition("\n")[0])
            continue
        total += count
        if not count:
            break
    if total:
        _send(context)
    return total


def _send(context: Context) -> None:
    """Have the mails sent that steps wrote."""
    with db.transaction(context.sessions, read_only=True) as session:
        due = outbox.due_ids(session, now=context.clock())
    if due:
        runtime.nudge(context.database, "send")
