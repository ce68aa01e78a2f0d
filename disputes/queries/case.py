"""One case with all that its page shows."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload

from app.auth import Team, User
from app.core.errors import NotFound
from app.core.events import Event
from disputes.clocks import Clock
from disputes.models import (
    Attachment,
    Case,
    CaseInvoice,
    DisputeMovement,
    Link,
    Message,
    Note,
    Outgoing,
    Promise,
    Task,
)
from disputes.queries.clocks import clocks_of_cases
from disputes.queries.filters import STATES_OPEN
from disputes.queries.visibility import visible_messages, visible_to
from invoices.models import Contact

MAX_EVENTS = 500
_IN_TIMELINE = ("case", "message", "link", "task", "outgoing", "promise", "note")


class NoSuchCase(NotFound):
    """There is no such case among those the user may see."""


class NoSuchMessage(NotFound):
    """There is no such message among those the user may see."""


@dataclass(frozen=True, slots=True)
class CasePage:
    """A case and what belongs to it, oldest first. `names` and `teams` (keys) are those events speak of."""

    case: Case
    messages: tuple[Message, ...]
    outgoing: tuple[Outgoing, ...]
    notes: tuple[Note, ...]
    invoices: tuple[CaseInvoice, ...]
    movements: tuple[DisputeMovement, ...]
    tasks: tuple[Task, ...]
    promises: tuple[Promise, ...]
    events: tuple[Event, ...]
    contacts: tuple[Contact, ...]
    names: dict[int, str]
    teams: dict[int, str]
    other_open: int
    clocks: tuple[Clock, ...]


def visible_case(session: Session, *, user: User, case_id: int) -> Case:
    """The case with its account, entity, owner and team, if the user may see it; else NoSuchCase. One query."""
    whole = (joinedload(Case.account), joinedload(Case.entity), joinedload(Case.owner), joinedload(Case.team))
    case = session.scalar(select(Case).where(Case.id == case_id, visible_to(user)).options(*whole))
    if case is None:
        raise NoSuchCase(f"There is no case {case_id}, or you may not see it")
    return case


def case_page(session: Session, *, user: User, case_id: int) -> CasePage:
    """Everything a case page shows, in a fixed number of queries. Raises NoSuchCase."""
    case = visible_case(session, user=user, case_id=case_id)
    events = _events(session, case_id)
    names, teams = _names(session, events)
    return CasePage(
        case=case,
        messages=_messages(session, case_id),
        outgoing=_outgoing(session, case_id),
        notes=_notes(session, case_id),
        invoices=case_invoices(session, case_id=case_id),
        movements=_movements(session, case_id),
        tasks=tuple(session.scalars(select(Task).where(Task.case_id == case_id).order_by(Task.id))),
        promises=tuple(session.scalars(select(Promise).where(Promise.case_id == case_id).order_by(Promise.date))),
        events=events,
        contacts=_contacts(session, case.account_id),
        names=names,
        teams=teams,
        other_open=_other_open(session, case),
        clocks=tuple(clocks_of_cases(session, case_ids=[case_id]).get(case_id, ())),
    )


def _messages(session: Session, case_id: int) -> tuple[Message, ...]:
    query = (
        select(Message)
        .where(Message.case_id == case_id)
        .order_by(func.coalesce(Message.sent_at, Message.received_at), Message.id)
        .options(
            selectinload(Message.links).joinedload(Link.invoice),
            selectinload(Message.attachments).defer(Attachment.text),
        )
    )
    return tuple(session.scalars(query))


def _outgoing(session: Session, case_id: int) -> tuple[Outgoing, ...]:
    """Mail of ours in the outbox that did not come back as a message of the case."""
    known = select(Message.rfc_id).where(Message.case_id == case_id, Message.rfc_id.is_not(None))
    query = select(Outgoing).where(Outgoing.case_id == case_id, Outgoing.rfc_id.not_in(known))
    return tuple(session.scalars(query.order_by(Outgoing.id)))


def _notes(session: Session, case_id: int) -> tuple[Note, ...]:
    query = select(Note).where(Note.case_id == case_id).options(joinedload(Note.author))
    return tuple(session.scalars(query.order_by(Note.at, Note.id)))


def case_invoices(session: Session, *, case_id: int) -> tuple[CaseInvoice, ...]:
    """The invoices a case is about, in the order they came to it. One query."""
    query = select(CaseInvoice).where(CaseInvoice.case_id == case_id).options(joinedload(CaseInvoice.invoice))
    return tuple(session.scalars(query.order_by(CaseInvoice.added_at, CaseInvoice.invoice_id)))


def _movements(session: Session, case_id: int) -> tuple[DisputeMovement, ...]:
    query = select(DisputeMovement).where(DisputeMovement.case_id == case_id).order_by(DisputeMovement.id)
    return tuple(session.scalars(query))


def _events(session: Session, case_id: int) -> tuple[Event, ...]:
    query = select(Event).where(Event.case_id == case_id, Event.subject.in_(_IN_TIMELINE))
    newest = session.scalars(query.order_by(Event.id.desc()).limit(MAX_EVENTS))
    return tuple(reversed(newest.all()))


def _contacts(session: Session, account_id: int | None) -> tuple[Contact, ...]:
    if account_id is None:
        return ()
    return tuple(session.scalars(select(Contact).where(Contact.account_id == account_id).order_by(Contact.id)))


def _names(session: Session, events: Sequence[Event]) -> tuple[dict[int, str], dict[int, str]]:
    """Names of the people who acted and of the owners events tell of, and keys of the teams. One query."""
    people = {int(number) for event in events if (number := event.actor.removeprefix("user:")).isdecimal()}
    sides = [side for event in events for side in (event.before, event.after) if side]
    people |= {value for side in sides if (value := side.get("owner_id"))}
    teams = {value for side in sides if (value := side.get("team_id"))}
    found = session.execute(
        union_all(
            select(literal("user"), User.id, User.name).where(User.id.in_(people)),
            select(literal("team"), Team.id, Team.key).where(Team.id.in_(teams)),
        )
    ).all()
    return {number: name for what, number, name in found if what == "user"}, {
        number: key for what, number, key in found if what == "team"
    }


def _other_open(session: Session, case: Case) -> int:
    if case.account_id is None:
        return 0
    query = select(func.count()).where(
        Case.account_id == case.account_id, Case.id != case.id, Case.state.in_(STATES_OPEN)
    )
    return session.scalar(query) or 0


def message_of(session: Session, *, user: User, message_id: int, links: bool = False) -> Message:
    """A message with its attachments (and its links), if the user may see it; else NoSuchMessage."""
    query = select(Message).where(Message.id == message_id, visible_messages(user))
    query = query.options(selectinload(Message.attachments))
    message = session.scalar(query.options(selectinload(Message.links)) if links else query)
    if message is None:
        raise NoSuchMessage(f"There is no message {message_id}, or you may not see it")
    return message


def attachment_of(session: Session, *, user: User, attachment_id: int) -> Attachment:
    """An attachment of a message the user may see; else NoSuchMessage (M27)."""
    query = select(Attachment).join(Message, Message.id == Attachment.message_id)
    attachment = session.scalar(query.where(Attachment.id == attachment_id, visible_messages(user)))
    if attachment is None:
        raise NoSuchMessage(f"There is no attachment {attachment_id}, or you may not see it")
    return attachment


def link_of(session: Session, *, user: User, link_id: int) -> Link:
    """A link with its message, if the user may see that; else NoSuchMessage."""
    query = select(Link).join(Message, Message.id == Link.message_id).options(joinedload(Link.message))
    link = session.scalar(query.where(Link.id == link_id, visible_messages(user)))
    if link is None:
        raise NoSuchMessage(f"There is no link {link_id}, or you may not see it")
    return link
