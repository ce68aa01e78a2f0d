"""What waits for a person: links the program is not sure of, messages without a case, mail it could not read."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.auth import User
from disputes.models import Case, Link, Message, Task
from disputes.queries.visibility import visible_messages
from disputes.reasons import OTHER


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A message a person is asked about: its proposed links, and cases it may belong to instead of its own."""

    message: Message
    links: tuple[Link, ...]
    proposed_cases: tuple[tuple[Case, float], ...]


def _asked(user: User) -> ColumnElement[bool]:
    """Messages with a proposed link or an open review task; machines' mail and spam are nobody's work."""
    proposed = select(Link.message_id).where(Link.state == "proposed")
    tasks = select(Task.message_id).where(Task.kind == "review", Task.state == "open", Task.message_id.is_not(None))
    asked = or_(Message.id.in_(proposed), Message.id.in_(tasks))
    return and_(Message.state == "worked", Message.kind.is_distinct_from(OTHER), asked, visible_messages(user))


def review_count(session: Session, *, user: User) -> int:
    """How many messages a person is asked about."""
    return session.scalar(select(func.count()).select_from(Message).where(_asked(user))) or 0


def review_queue(
    session: Session, *, user: User, after: int | None = None, limit: int = 20
) -> tuple[tuple[ReviewItem, ...], int | None]:
    """The oldest questions first, and the place to go on from. A fixed number of queries."""
    query = select(Message).where(_asked(user)).order_by(Message.id).limit(limit + 1)
    if after is not None:
        query = query.where(Message.id > after)
    found = list(session.scalars(query.options(*_whole())))
    page = found[:limit]
    unplaced = _unplaced(session, page)
    cases = _cases(session, [message for message in page if message.id in unplaced])
    items = tuple(_item(message, cases if message.id in unplaced else {}) for message in page)
    return items, page[-1].id if len(found) > limit else None


def _whole() -> tuple[ExecutableOption, ...]:
    return (
        selectinload(Message.links).joinedload(Link.invoice),
        joinedload(Message.account),
        joinedload(Message.case),
    )


def proposals_of(message: Message) -> list[tuple[int, float]]:
    """The cases threading proposed for a message, with their probabilities."""
    offered = [entry for entry in message.thread_evidence if isinstance(entry, dict)]
    return [(entry["case_id"], float(entry.get("probability", 0))) for entry in offered if entry.get("case_id")]


def _unplaced(session: Session, messages: list[Message]) -> set[int | None]:
    """Those of the messages whose case is still asked about: their review task says so."""
    query = select(Task).where(Task.kind == "review", Task.state == "open")
    tasks = session.scalars(query.where(Task.message_id.in_([message.id for message in messages])))
    return {task.message_id for task in tasks if task.payload.get("cases")}


def _cases(session: Session, messages: list[Message]) -> dict[int, Case]:
    numbers = {number for message in messages for number, _ in proposals_of(message)}
    return {case.id: case for case in session.scalars(select(Case).where(Case.id.in_(numbers)))}


def _item(message: Message, cases: dict[int, Case]) -> ReviewItem:
    links = sorted((link for link in message.links if link.state == "proposed"), key=lambda link: -link.probability)
    offered = [(cases[number], share) for number, share in proposals_of(message) if number in cases]
    other = tuple((case, share) for case, share in offered if case.id != message.case_id)
    return ReviewItem(message, tuple(links), other)


def _broken(user: User) -> Select[Message]:
    return select(Message).where(Message.state == "quarantined", visible_messages(user))


def quarantined(session: Session, *, user: User, limit: int = 200) -> tuple[Message, ...]:
    """Mail that could not be read, newest first, with how it came."""
    query = _broken(user).order_by(Message.id.desc()).limit(limit).options(selectinload(Message.deliveries))
    return tuple(session.scalars(query))


def quarantine_count(session: Session, *, user: User) -> int:
    """How many messages could not be read."""
    return session.scalar(select(func.count()).select_from(_broken(user).subquery())) or 0
