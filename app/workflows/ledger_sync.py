"""After an ERP push the cases of the accounts it touched are looked at again: jobs added in the push's transaction."""

from collections.abc import Callable, Collection, Iterable

from sqlalchemy.orm import Session

from app.core import db
from app.core.events import system
from app.core.log import logger
from app.workflows.context import Context
from app.workflows.runtime import JobId
from disputes.actions import ledger

JOB = "recheck"
MOST_AT_ONCE = 500
TRIES = 3
PAUSE_SECONDS = 2.0
Enqueue = Callable[..., None]


def ask_for_rechecks(session: Session, *, account_ids: Collection[int], enqueue: Enqueue) -> int:
    """Have those of the accounts that have cases looked at again once this transaction commits. Gives how many."""
    ids = sorted(account_ids)
    found: list[int] = []
    for start in range(0, len(ids), MOST_AT_ONCE):
        found += ledger.accounts_with_cases(session, account_ids=ids[start : start + MOST_AT_ONCE])
    if found:
        enqueue(session, JOB, *found)
    return len(found)


def recheck(context: Context, ids: Iterable[JobId], *, dispatches: int = 1) -> int:  # noqa: ARG001 - looking again is harmless, however often the job is given out
    """Look at accounts again, one transaction each. Without ids: those whose promises are due. Gives how many.

    A job has few ids and does them all, even when the process is to end: nothing else would come for the rest.
    """
    accounts = [int(one) for one in ids] or _promising(context)
    return sum(_looked_at(context, account_id) for account_id in accounts)


def _looked_at(context: Context, account_id: int) -> bool:
    """Look at one account; a database that is away is waited for, other trouble is told and stops no other account."""
    tries = 0
    while tries < TRIES:
        try:
            with db.transaction(context.sessions) as session:
                ledger.recheck(session, account_id=account_id, actor=system("ledger"), now=context.clock())
        except db.NoDatabase:
            if context.stopping.wait(PAUSE_SECONDS):
                return False
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one account must not stop the others
            tries += 1
            logger().error("account not looked at again", kind=type(error).__name__, account=account_id, attempt=tries)
        else:
            return True
    return False


def _promising(context: Context) -> list[int]:
    with db.transaction(context.sessions, read_only=True) as session:
        return ledger.accounts_promising(session, now=context.clock())
