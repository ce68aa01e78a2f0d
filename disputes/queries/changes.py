"""What changed lately, by the event log: the source of live updates."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.events import Event

LOOK_BACK = 200
"""PostgreSQL gives ids before the commit: an event may appear below the newest one seen. So many ids are re-read."""


class Changes(NamedTuple):
    """The newest event id, the events that are new, and the cases they touch."""

    last: int
    events: frozenset[int]
    cases: tuple[int, ...]


def newest_change(session: Session) -> int:
    """The newest event's id, 0 when there is none."""
    return session.scalar(select(func.max(Event.id))) or 0


def changes_after(session: Session, *, last: int, seen: Collection[int] = (), limit: int = 2000) -> Changes:
    """The events after `last`, and those just below it that were not seen before."""
    floor = last - LOOK_BACK if seen else last
    query = select(Event.id, Event.case_id).where(Event.id > floor).order_by(Event.id).limit(limit)
    fresh = [(number, case) for number, case in session.execute(query) if number > last or number not in seen]
    cases = sorted({case for _, case in fresh if case is not None})
    newest = max([last, *(number for number, _ in fresh)])
    return Changes(newest, frozenset(number for number, _ in fresh), tuple(cases))
