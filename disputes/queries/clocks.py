"""What was promised for cases: the clocks of many at once, and the chip that shows the promise that presses most."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.clock_events import Chip, chip
from disputes.clocks import Clock
from disputes.models import CaseClock

CLOCK_FIELDS = tuple(field.name for field in fields(Clock))
"""What a clock and its row have in common."""


def clock_of(row: CaseClock) -> Clock:
    """A row as decisions read it."""
    return Clock(**{name: getattr(row, name) for name in CLOCK_FIELDS})


def clocks_of_cases(session: Session, *, case_ids: Collection[int]) -> dict[int, list[Clock]]:
    """The clocks of each case that has any. One query."""
    found: dict[int, list[Clock]] = defaultdict(list)
    for row in session.scalars(select(CaseClock).where(CaseClock.case_id.in_(case_ids))):
        found[row.case_id].append(clock_of(row))
    return dict(found)


def chips(session: Session, *, case_ids: Collection[int], now: datetime) -> dict[int, Chip]:
    """What to show beside each case of a page (U23); cases nothing was promised for are left out. One query."""
    clocks = clocks_of_cases(session, case_ids=case_ids)
    return {case_id: shown for case_id, of_case in clocks.items() if (shown := chip(of_case, now)) is not None}
