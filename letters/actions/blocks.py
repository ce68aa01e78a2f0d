"""Accounts that get no reminders: said by a person, with a reason and, where known, an end."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from app.core.errors import BadInput
from app.core.events import Actor, record
from letters.models import LetterBlock


def block(
    session: Session, *, account_id: int, reason: str, until: date | None, actor: Actor, now: datetime
) -> LetterBlock:
    """No reminders to the account; a second time changes reason and end. Raises BadInput without a reason."""
    if not reason.strip():
        raise BadInput("Say why the account gets no letters", fields={"reason": "needed"})
    found = session.get(LetterBlock, account_id)
    before = {"reason": found.reason, "until": _day(found.until)} if found is not None else None
    if found is None:
        found = LetterBlock(account_id=account_id)
        session.add(found)
    found.reason, found.until, found.by, found.at = reason.strip()[:300], until, actor.name, now
    after = {"reason": found.reason, "until": _day(until)}
    verb = "letters to an account stopped"
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="account",
        subject_id=account_id,
        before=before,
        after=after,
    )
    return found


def lift(session: Session, *, account_id: int, actor: Actor, now: datetime) -> None:
    """The account gets reminders again; one that is not blocked is left as it is."""
    found = session.get(LetterBlock, account_id)
    if found is None:
        return
    session.delete(found)
    record(
        session,
        actor=actor,
        now=now,
        verb="letters to an account allowed",
        subject="account",
        subject_id=account_id,
        before={"reason": found.reason, "until": _day(found.until)},
    )


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
