"""What a person who answers a customer sees: their draft, whom to write to, files to send, who else is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import Event
from app.core.presence import everybody
from disputes.models import Attachment, Case, Draft, Message
from disputes.queries.visibility import visible_to
from disputes.replies import OURS_AND_THEIRS
from invoices.models import Contact

_MOST_ADDRESSES = 30


@dataclass(frozen=True, slots=True)
class Present:
    """A colleague at the case: looking, writing an answer, or with a draft saved at `since` and gone."""

    name: str
    doing: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file of one of the case's mails; `internal` where no customer has seen it."""

    file: Attachment
    sender: str
    internal: bool


def draft_for(session: Session, *, user: User, case_id: int) -> Draft | None:
    """The user's draft in a case, to be shown."""
    return session.scalar(select(Draft).where(Draft.case_id == case_id, Draft.user_id == user.id))


def drafts_of(session: Session, *, user: User) -> Sequence[tuple[Draft, Case]]:
    """The user's drafts with their cases, the one saved last first: what was begun is not forgotten."""
    query = select(Draft, Case).join(Case, Case.id == Draft.case_id).where(Draft.user_id == user.id, visible_to(user))
    return [(draft, case) for draft, case in session.execute(query.order_by(Draft.saved_at.desc(), Draft.id.desc()))]


def drafts_count(session: Session, *, user: User) -> int:
    """How many answers the user has begun and not sent."""
    query = select(func.count(Draft.id)).join(Case, Case.id == Draft.case_id)
    return session.scalar(query.where(Draft.user_id == user.id, visible_to(user))) or 0


def newest_event(session: Session, *, case_id: int) -> int:
    """The newest event of a case, 0 when there is none."""
    return session.scalar(select(func.max(Event.id)).where(Event.case_id == case_id)) or 0


def known_addresses(session: Session, *, case: Case) -> dict[str, str]:
    """Addresses of the customer's people with their names: contacts of the account, and who wrote in this case."""
    wrote = select(Message.from_email, Message.from_name).where(Message.case_id == case.id, Message.direction == "in")
    told = session.execute(wrote.order_by(Message.id.desc()).limit(_MOST_ADDRESSES)).all()
    contacts = select(Contact.email, Contact.name).where(Contact.account_id == case.account_id)
    known = session.execute(contacts.order_by(Contact.id).limit(_MOST_ADDRESSES)).all() if case.account_id else []
    return {email.lower(): name for email, name in (*reversed(told), *known) if email}


def case_files(session: Session, *, case_id: int) -> Sequence[CaseFile]:
    """Files of the case's mails that could go with an answer, the newest first."""
    query = select(Attachment, Message.from_name, Message.from_email, Message.direction)
    query = query.join(Message, Message.id == Attachment.message_id).where(Message.case_id == case_id)
    rows = session.execute(query.where(Attachment.inline.is_(False)).order_by(Attachment.id.desc()).limit(50))
    return [CaseFile(file, name or email, way not in OURS_AND_THEIRS) for file, name, email, way in rows]


def colleagues_at(session: Session, *, user: User, case_id: int, now: datetime) -> Sequence[Present]:
    """Who else is at the case, and who else has a draft in it (U17)."""
    here = {number: doing for _, number, doing in everybody(session, now=now, places=[place_of(case_id)])}
    rows = session.execute(select(Draft.user_id, Draft.saved_at).where(Draft.case_id == case_id))
    drafts = {number: saved_at for number, saved_at in rows}  # noqa: C416 - rows are no tuples to mypy
    people = session.execute(select(User.id, User.name).where(User.id.in_({*here, *drafts} - {user.id})))
    found = [Present(name, here.get(number, "away"), drafts.get(number)) for number, name in people]
    return sorted(found, key=lambda one: (one.doing != "replying", one.name))


def place_of(case_id: int) -> str:
    """What a case is called where presence is kept."""
    return f"case:{case_id}"
