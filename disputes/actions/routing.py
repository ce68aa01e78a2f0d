"""Move the open cases that changed routing rules give to somebody else."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor
from disputes.actions import tasks
from disputes.actions.opening import owner_of
from disputes.actions.shared import change_case
from disputes.lookups import OPEN_STATES
from disputes.models import Case
from disputes.routing_rules import AUTO
from disputes.routing_trial import Move

BATCH = 1000


def apply(session: Session, *, moves: Sequence[Move], actor: Actor, now: datetime) -> tuple[int, ...]:
    """Do what a dry run showed, each case with its event and its tasks; gives the cases that moved.

    Those that ended or got another owner since the dry run are left alone.
    """
    moved: list[int] = []
    for start in range(0, len(moves), BATCH):
        moved += _apply(session, moves[start : start + BATCH], actor=actor, now=now)
    return tuple(moved)


def _apply(session: Session, moves: Sequence[Move], *, actor: Actor, now: datetime) -> list[int]:
    wanted = {move.case_id: move for move in moves}
    of_moves = select(Case).where(Case.id.in_(wanted)).order_by(Case.id).with_for_update()
    cases = session.scalars(of_moves.execution_options(populate_existing=True)).all()
    moving = [case for case in cases if _stands(case, wanted[case.id])]
    for case in moving:
        values = owner_of(wanted[case.id].after)
        change_case(session, case, verb="case assigned", actor=actor, now=now, **values)
    tasks.reassign_many(session, cases=moving)
    return [case.id for case in moving]


def _stands(case: Case, move: Move) -> bool:
    return case.state in OPEN_STATES and case.owner_by == AUTO and case.owner_id == move.owner_id
