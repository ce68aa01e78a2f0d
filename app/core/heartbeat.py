"""Which worker processes are alive: each counts its beats in a row, the others watch whether the count moves."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core.db import Base, BigId


class WorkerHeartbeat(Base):
    """A worker process. `beats` counts up while it lives; `seen_at` is for people who look."""

    __tablename__ = "worker_heartbeats"

    executor_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    beats: Mapped[int] = mapped_column(BigId)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class Watch:
    """Decides which workers are dead from what one observer has seen, round after round.

    A worker whose count did not move for `rounds` of the observer's own rounds is dead. No wall clock is compared,
    so machines whose clocks differ agree, and rounds that failed (the database was away) count for nobody.
    """

    def __init__(self, *, own: str, rounds: int) -> None:
        self.own = own
        self.rounds = rounds
        self._seen: dict[str, tuple[int, int]] = {}

    def dead(self, beats: Mapping[str, int], holders: Iterable[str]) -> set[str]:
        """Workers now taken for dead. `holders` have work in hand, with a row in `beats` or without."""
        known = {name: beats.get(name, -1) for name in {*beats, *holders} - {self.own}}
        self._seen = {name: (count, self._unmoved(name, count)) for name, count in known.items()}
        return {name for name, (_, unmoved) in self._seen.items() if unmoved >= self.rounds}

    def _unmoved(self, name: str, count: int) -> int:
        before, unmoved = self._seen.get(name, (None, 0))
        return unmoved + 1 if before == count else 0


def beat(session: Session, *, executor_id: str, now: datetime) -> None:
    """Count one more beat of this worker."""
    row = session.get(WorkerHeartbeat, executor_id)
    if row is None:
        row = WorkerHeartbeat(executor_id=executor_id, beats=0, started_at=now)
        session.add(row)
    row.beats += 1
    row.seen_at = now


def beats(session: Session) -> dict[str, int]:
    """Every known worker's count."""
    return {row.executor_id: row.beats for row in session.scalars(select(WorkerHeartbeat))}


def forget(session: Session, *, executor_ids: Collection[str]) -> None:
    """Remove workers that stopped, or were found dead and whose work was taken over."""
    session.execute(delete(WorkerHeartbeat).where(WorkerHeartbeat.executor_id.in_(executor_ids)))
