"""The job that writes digests: whose are due is a query, each one is a transaction with its row in the outbox.

Two schedulers that see the same digest due write one; a worker killed in the middle has written none, and the next
round finds it due again.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from app.core import db
from app.core.events import system
from app.core.keys import key_for
from app.core.log import logger
from app.core.settings import Settings
from app.reports.owner_day import day_of, mail_of, working_links
from app.workflows import runtime
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.actions import digests
from disputes.actions.digests import Told
from disputes.digest_tokens import MailTokens
from disputes.models import Outgoing
from disputes.queries.digests import Due, due

JOB = "digests"


def write_due(
    context: Context,
    ids: Iterable[JobId] = (),  # noqa: ARG001 - a job looks for what is due by itself
    *,
    dispatches: int = 1,  # noqa: ARG001 - a digest that stands is never written again
) -> Counter[str]:
    """Write every digest that is due; trouble with one person's stops no other's. Gives how many were written."""
    with db.transaction(context.sessions, read_only=True) as session:
        waiting = due(session, now=context.clock())
    tally: Counter[str] = Counter()
    for one in waiting:
        if context.stopping.is_set():
            break
        tally[_one(context, one)] += 1
    return tally


def _one(context: Context, one: Due) -> str:
    try:
        with db.transaction(context.sessions) as session:
            mail = write_one(session, due=one, settings=context.settings, now=context.clock())
            if mail is not None:
                runtime.enqueue(session, "send", mail.id)
    except db.NoDatabase as error:
        logger().warning("digests wait for the database", reason=error.message)
        return "left"
    except Exception as error:  # noqa: BLE001 - one person's cases must not keep the others' digests back
        logger().error("digest not written", kind=type(error).__name__, user_id=one.person.user.id)
        return "failed"
    return "written" if mail is not None else "nothing"


def write_one(session: Session, *, due: Due, settings: Settings, now: datetime) -> Outgoing | None:
    """Write one person's digest in the caller's transaction; None where it stands or says nothing."""

    def tell() -> Told:
        digest = day_of(session, person=due.person, now=now, case_id=due.case_id)
        links = working_links(settings, person=due.person, period=due.period, now=now)
        mail = mail_of(digest, person=due.person, links=links, settings=settings, now=now)
        cases = [item.case_id for item in digest.cases.every]
        return Told(cases, mail if digest.worth_a_mail else None)

    tokens = MailTokens(key_for(settings, "digest mail"))
    return digests.make(session, due=due, tell=tell, tokens=tokens, actor=system("digests"), now=now)


def nudge(context: Context) -> None:
    """Have the job run where somebody's digest is due."""
    with db.transaction(context.sessions, read_only=True) as session:
        waiting = due(session, now=context.clock())
    if waiting:
        runtime.nudge(context.database, JOB)
