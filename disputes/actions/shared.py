"""What every action of the package needs: rows by id, changes with their before and after, corrections."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.core.db import locked
from app.core.errors import Conflict, NotFound
from app.core.events import Actor, record
from disputes.models import Case, Correction, Link, Message

_DECIDES_STEPS = frozenset({"kind", "reason", "state", "waiting_on", "waiting_until", "hold_until"})


class NoCase(NotFound):
    """There is no such case."""


class NoMessage(NotFound):
    """There is no such message."""


class NoLink(NotFound):
    """There is no such link."""


class CaseMerged(Conflict):
    """The case flowed into another; the change belongs there."""


def case_for_change(session: Session, case_id: int) -> Case:
    """The case, locked where the database locks rows. Raises NoCase, or CaseMerged for one that lives on elsewhere."""
    case = locked(session, Case, case_id)
    if case is None:
        raise NoCase(f"There is no case {case_id}")
    if case.merged_into_id is not None:
        raise CaseMerged(f"Case {case_id} was merged into case {case.merged_into_id}; make the change there")
    return case


def message_for_change(session: Session, message_id: int) -> Message:
    """The message, locked where the database locks rows. Raises NoMessage."""
    message = locked(session, Message, message_id)
    if message is None:
        raise NoMessage(f"There is no message {message_id}")
    return message


def link_for_change(session: Session, link_id: int) -> Link:
    """The link, locked where the database locks rows. Raises NoLink."""
    link = locked(session, Link, link_id)
    if link is None:
        raise NoLink(f"There is no link {link_id}")
    return link


def change(row: object, **values: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set what differs and give (before, after) of that alone, ready for an event."""
    before, after = {}, {}
    for name, value in values.items():
        old = getattr(row, name)
        if old != value:
            setattr(row, name, value)
            before[name], after[name] = plain(old), plain(value)
    return before, after


def plain(value: Any) -> Any:
    """A value as JSON keeps it: amounts and times as text."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def change_case(
    session: Session, case: Case, *, verb: str, actor: Actor, now: datetime, **values: Any
) -> Mapping[str, Any]:
    """Change a case with its event and version; gives what changed, empty when nothing did.

    What comes next may be another step then: the sweep looks again, unless the caller plans anew at once.
    """
    before, after = change(case, **values)
    if after:
        touch(case, now=now)
        record_case(session, case, verb=verb, actor=actor, now=now, before=before, after=after)
    if case.playbook is not None and after.keys() & _DECIDES_STEPS:
        case.due_at = now
    return after


def record_case(
    session: Session,
    case: Case,
    *,
    verb: str,
    actor: Actor,
    now: datetime,
    after: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> None:
    """An event of a case, in the case's own timeline."""
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="case",
        subject_id=case.id,
        case_id=case.id,
        before=before,
        after=after,
    )


def touch(case: Case, *, now: datetime) -> None:
    """Something happened in the case: pages that show an older version are stale."""
    case.version += 1
    case.last_activity_at = max(case.last_activity_at, now)


def correction(
    session: Session,
    *,
    field: str,
    before: object,
    after: object,
    actor: Actor,
    now: datetime,
    message_id: int | None = None,
    case_id: int | None = None,
) -> None:
    """Keep what a person put right: training learns from it."""
    session.add(
        Correction(
            message_id=message_id,
            case_id=case_id,
            user_id=user_id(actor),
            at=now,
            field=field,
            before=None if before is None else str(before)[:200],
            after=None if after is None else str(after)[:200],
        )
    )


def user_id(actor: Actor) -> int | None:
    """The person behind an actor, None for the program and for tokens."""
    kind, _, number = actor.name.partition(":")
    return int(number) if kind == "user" and number.isdigit() else None
