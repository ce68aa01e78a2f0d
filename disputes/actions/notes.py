"""Internal talk: notes on a case, with @mentions that tell colleagues. Nothing here is read when mail is written."""

from collections.abc import Sequence
from datetime import datetime

import re2
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from app.auth import User
from app.core.errors import BadInput
from app.core.events import Actor, record
from disputes.actions.shared import case_for_change, touch, user_id
from disputes.actions.tasks import open_task
from disputes.models import Case, Note
from disputes.queries.visibility import visible_to

LONGEST_NOTE = 20_000
MOST_MENTIONS = 20
_MENTION = re2.compile(r"(?:^|[\s(,;])@([\w.+-]+(?:@[\w-]+(?:\.[\w-]+)+)?)")


class EmptyNote(BadInput):
    """A note needs words, and not more than a page can show."""


def add_note(session: Session, *, case_id: int, text: str, actor: Actor, now: datetime, source: str = "desk") -> Note:
    """A colleague's words on a case, seen by colleagues only. Whoever is mentioned and may see the case gets a task.

    `source` is desk, or digest for an answer to one. A mention is an @ and an address, what stands before its @, or
    the name without blanks. Raises NoCase, CaseMerged, EmptyNote.
    """
    text = text.strip()
    if not text or len(text) > LONGEST_NOTE:
        raise EmptyNote("Write something" if not text else f"At most {LONGEST_NOTE:,} characters", fields={"text": "-"})
    case = case_for_change(session, case_id)
    told = mentioned(session, text=text, case=case)
    note = Note(
        case_id=case_id,
        author_id=user_id(actor),
        text=text,
        mentions=[user.id for user in told],
        source=source,
        at=now,
    )
    session.add(note)
    touch(case, now=now)
    session.flush()
    # The log says that there was a note, not what it said: it is shown more widely than the case's talk.
    record(
        session,
        actor=actor,
        now=now,
        verb="note written",
        subject="note",
        subject_id=note.id,
        case_id=case_id,
        after={"mentions": list(note.mentions), "source": source},
    )
    for user in told:
        _tell(session, note, case, user, actor=actor, now=now)
    return note


def take_back(session: Session, *, note: Note, actor: Actor, now: datetime) -> None:
    """A note that was a slip goes again; that it was written and taken back stays in the log."""
    record(
        session,
        actor=actor,
        now=now,
        verb="note taken back",
        subject="note",
        subject_id=note.id,
        case_id=note.case_id,
        after={"source": note.source},
    )
    session.delete(note)
    session.flush()


def mentioned(session: Session, *, text: str, case: Case) -> list[User]:
    """The active people a note mentions who may see the case; the writer learns of the others by their absence."""
    handles = list(dict.fromkeys(one.group(1).rstrip(".").lower() for one in _MENTION.finditer(text)))[:MOST_MENTIONS]
    if not handles:
        return []
    people = session.scalars(
        select(User).where(User.active).options(selectinload(User.entities)).order_by(User.id)
    ).all()
    found = dict.fromkeys(user for handle in handles for user in _named(people, handle))
    return [user for user in found if _sees(session, user, case)]


def _named(people: Sequence[User], handle: str) -> list[User]:
    """Whom a handle means; one that means two people means neither, unless it is an address."""
    exact = [user for user in people if user.email.lower() == handle]
    close = [user for user in people if handle in {user.email.lower().partition("@")[0], _plain(user.name)}]
    return exact or (close if len(close) == 1 else [])


def _plain(name: str) -> str:
    return "".join(name.lower().split())


def _sees(session: Session, user: User, case: Case) -> bool:
    return session.scalar(select(Case.id).where(Case.id == case.id, visible_to(user))) is not None


def _tell(session: Session, note: Note, case: Case, user: User, *, actor: Actor, now: datetime) -> None:
    """A task of their own: what tells them is on their worklist and in their digest until they say it is done."""
    if user.id == note.author_id:
        return
    task = open_task(
        session,
        kind="mention",
        title=f"You are mentioned in case {case.id}: {case.title}",
        dedupe_key=f"mention:{note.id}:{user.id}",
        actor=actor,
        now=now,
        due_at=None,
        case=case,
        payload={"note_id": note.id},
    )
    task.team_id, task.assignee_id = user.team_id, user.id
    session.flush()
