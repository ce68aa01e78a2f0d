"""A sweeper to be killed: the program's own steps, a small batch a transaction, until nothing is due.

`careless` is the control, the same sweeper with the key of steps off: it takes a step in one transaction and writes
down in the next that it did.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from app.core import db
from disputes.actions import planning, progress
from disputes.models import Case, CaseStep
from disputes.reply_tokens import ReplyTokens
from tests.workflows.s1_worker import quick_engine

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BATCH = 8


def run(url: str, *, careless: bool) -> None:
    """Sweep until nothing is due, or killed."""
    engine = quick_engine(url)
    sessions = db.session_factory(engine)
    one_batch = careless_batch if careless else batch
    while one_batch(sessions):
        pass
    engine.dispose()


def batch(sessions: sessionmaker[Session]) -> int:
    """One transaction of the sweep; one that another process was in the way of is begun again."""
    try:
        with db.transaction(sessions) as session:
            return progress.take_due(session, now=NOW, tokens=ReplyTokens(b"s" * 32), limit=BATCH)
    except OperationalError:
        return 1


def careless_batch(sessions: sessionmaker[Session]) -> int:
    """The step now, its row afterwards."""
    taken: list[dict[str, Any]] = []
    kept, progress._write_step = progress._write_step, _noting(taken)
    try:
        with db.transaction(sessions) as session:
            count = progress.take_due(session, now=NOW, tokens=ReplyTokens(b"s" * 32), limit=BATCH)
    except OperationalError:
        return 1
    finally:
        progress._write_step = kept
    for row in taken:
        _write_down(sessions, row)
    return count


def _noting(taken: list[dict[str, Any]]) -> Callable[..., bool]:
    def note(taking: Any, *, state: str, why: str, guard: str = "", until: datetime | None = None) -> bool:
        key = {"case_id": taking.case.id, "step": taking.step.id, "cycle": taking.cycle}
        taken.append({**key, "state": state, "why": why, "guard": guard, "until": until, "actor": "x", "at": NOW})
        return True

    return note


def _write_down(sessions: sessionmaker[Session], row: dict[str, Any]) -> None:
    try:
        with db.transaction(sessions) as session:
            session.execute(insert(CaseStep), [row])
            planning.replan(session, case=session.get_one(Case, row["case_id"]), now=NOW)
    except (IntegrityError, OperationalError):  # the other sweeper was quicker, and nobody minds here
        return
