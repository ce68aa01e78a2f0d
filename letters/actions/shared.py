"""What every action of letters needs: the row for a change, its states, its event."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.core.events import Actor, record
from disputes.actions.shared import change
from letters.models import Letter


class NoLetter(NotFound):
    """There is no such letter."""


class LetterMoved(Conflict):
    """The letter is in another state than that asks for: somebody or something was quicker."""


def letter_for_change(session: Session, letter_id: int, states: Collection[str]) -> Letter:
    """The letter in one of the states, locked where the database locks rows. Raises NoLetter, LetterMoved."""
    wanted = select(Letter).where(Letter.id == letter_id)
    letter = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if letter is None:
        raise NoLetter(f"There is no letter {letter_id}")
    if letter.state not in states:
        raise LetterMoved(f"Letter {letter_id} is {letter.state}, not {' or '.join(sorted(states))}: look at it again")
    return letter


def move(session: Session, letter: Letter, *, verb: str, actor: Actor, now: datetime, **values: Any) -> None:
    """Change a letter with its event, in its case's timeline where it has one. Nothing changed, nothing told."""
    before, after = change(letter, **values)
    if after:
        letter.version += 1
        told(session, letter, verb=verb, actor=actor, now=now, before=before, after=after)


def told(
    session: Session,
    letter: Letter,
    *,
    verb: str,
    actor: Actor,
    now: datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    """An event of a letter."""
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="letter",
        subject_id=letter.id,
        case_id=letter.case_id,
        before=before,
        after=after,
    )
