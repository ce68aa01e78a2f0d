"""A case's progress over days, as rows: what was stepped, what is promised by when, what the rules were."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId


class Policy(Base):
    """Rules as data, versioned: a playbook, routing rules, service levels, a message template.

    `family` says which; `key` which one of the family ("dispute", "acknowledgement/fr"). At most one version of a
    key is active; versions are never changed, so that a case can say by which rules it was handled.
    """

    __tablename__ = "policies"
    __table_args__ = (UniqueConstraint("family", "key", "version"), Index(None, "family", "active"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    family: Mapped[str] = mapped_column(String(30))
    key: Mapped[str] = mapped_column(String(80))
    version: Mapped[int]
    active: Mapped[bool] = mapped_column(default=False)
    content: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(String(300), default="")
    created_by: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime]


class CaseStep(Base):
    """One step of a playbook for one case. The key makes it impossible to take a step twice in a cycle.

    `state`: taken, refused (`guard` said no, `why` in words; tried again at `until`), skipped (a person did, or there
    was nothing to do).
    """

    __tablename__ = "case_steps"

    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(60), primary_key=True)
    cycle: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    guard: Mapped[str] = mapped_column(String(20), default="")
    why: Mapped[str] = mapped_column(String(300), default="")
    until: Mapped[datetime | None]
    actor: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


_RUNNING = "met_at IS NULL AND paused_at IS NULL"


class CaseClock(Base):
    """What we promised for a case and by when, in business hours of the entity's calendar.

    `kind`: first_answer, next_update, owner_answer, resolution. `left_seconds` is what remained when it was paused,
    `promised_seconds` and `warn_left_seconds` the promise it runs by. `alarm_at` is when somebody must be told next.
    """

    __tablename__ = "case_clocks"
    __table_args__ = (
        Index(None, "alarm_at"),
        Index(None, "due_at", sqlite_where=text(_RUNNING), postgresql_where=text(_RUNNING)),
    )

    case_id: Mapped[int] = mapped_column(BigId, ForeignKey("cases.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    started_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    warn_at: Mapped[datetime | None]
    alarm_at: Mapped[datetime | None]
    promised_seconds: Mapped[int] = mapped_column(default=0)
    warn_left_seconds: Mapped[int] = mapped_column(default=0)
    paused_at: Mapped[datetime | None]
    pause_reason: Mapped[str | None] = mapped_column(String(200))
    left_seconds: Mapped[int | None]
    met_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]


class Absence(Base):
    """Days a person is away (both inclusive), and who stands in."""

    __tablename__ = "absences"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    stand_in_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    note: Mapped[str] = mapped_column(Text, default="")
