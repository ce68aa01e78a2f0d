"""Sending is claim (a transaction), send, record (another): these two transactions, and what can go wrong (S2)."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import locked
from app.core.errors import Conflict, NotFound
from app.core.events import Actor, record, system
from disputes.actions.sent import never_went, went_out
from disputes.actions.shared import change
from disputes.actions.tasks import mail_decided, open_task
from disputes.bank_holds import is_held
from disputes.models import Case, Message, Outgoing
from disputes.models.outbox import TO_DECIDE
from disputes.reasons import OTHER

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_ATTEMPTS = 80
"""With an hour between the later ones this is three days, as long as mail servers themselves go on trying."""

REPEATED_WHEN_UNCERTAIN = frozenset({"digest", "owner_notice"})
"""Kinds that go to our own people: twice is a nuisance, never is worse. For any other kind a person decides, an
acknowledgement too: the customer may have it, and what it promises is kept either way."""

OF_STEPS = frozenset({"status", "question", "resolution", "apology", "satisfaction"})
"""Kinds of mail that steps of a playbook write (letters have guards of their own)."""
BY_ITSELF = OF_STEPS | {"acknowledgement"}
"""What goes to customers without a person: it stops while two people check bank details of theirs (S15)."""
HELD = "held before it could be sent: changed bank details, two people check first"
OVERTAKEN = "the customer wrote, or the case ended, before it could be sent"


class NoOutgoing(NotFound):
    """There is no such mail in the outbox."""


class Decided(Conflict):
    """The mail waits for nobody: it left, will leave, or somebody decided already."""


def claim(session: Session, *, worker: str, now: datetime, outbox_id: int | None = None) -> Outgoing | None:
    """Take a due mail for sending: the given one, or the oldest; None when there is none to take.

    Once this is committed only its claimer may send it. What a playbook wrote and events overtook meanwhile (the mail
    server was away) is let be: its guards would refuse it now. So is all the program wrote to a customer whose bank
    details are being checked.
    """
    due = select(Outgoing).where(Outgoing.state == "queued", Outgoing.not_before <= now)
    if outbox_id is not None:
        due = due.where(Outgoing.id == outbox_id)
    oldest = due.order_by(Outgoing.not_before, Outgoing.id).limit(1).with_for_update(skip_locked=True)
    while (mail := session.scalar(oldest)) is not None and (why := _let_be(session, mail)):
        _move(session, mail, "cancelled", now=now, last_error=why)
        session.flush()
    if mail is not None:
        _move(session, mail, "sending", now=now, claimed_by=worker, attempts=mail.attempts + 1)
    return mail


def _let_be(session: Session, mail: Outgoing) -> str:
    """Why a mail the program wrote does not go any more; "" where it does."""
    if not mail.automatic or mail.case_id is None or mail.kind not in BY_ITSELF:
        return ""
    account_id = session.get_one(Case, mail.case_id).account_id
    if is_held(session, case_id=mail.case_id, account_id=account_id):
        return HELD
    return OVERTAKEN if _overtaken(session, mail) else ""


def _overtaken(session: Session, mail: Outgoing) -> bool:
    """Whether the customer wrote, or the case ended, after a playbook wrote its mail. What acknowledges a mail is true
    whatever comes after it.
    """
    if mail.kind not in OF_STEPS:
        return False
    wrote = select(Message.id).where(Message.case_id == mail.case_id, Message.direction == "in", Message.kind != OTHER)
    if session.scalar(wrote.where(Message.machine.is_(None), Message.received_at > mail.created_at).limit(1)):
        return True
    return mail.kind != "satisfaction" and session.get_one(Case, mail.case_id).state == "closed"


def record_sent(session: Session, *, outbox_id: int, now: datetime) -> None:
    """The mail server took it."""
    mail = _mail(session, outbox_id)
    _move(session, mail, "sent", now=now, sent_at=now, last_error=None, claimed_by=None)
    went_out(session, mail=mail, actor=system("outbox", f"outbox:{mail.id}"), now=now)


def record_delay(session: Session, *, outbox_id: int, error: str, now: datetime) -> None:
    """It certainly did not go out and may later: wait, twice as long each time; fail after three days."""
    mail = _mail(session, outbox_id)
    if mail.attempts >= MOST_ATTEMPTS:
        record_failure(session, outbox_id=outbox_id, error=error, now=now)
        return
    _move(session, mail, "queued", now=now, last_error=error, claimed_by=None, not_before=now + pause(mail.attempts))


def record_failure(session: Session, *, outbox_id: int, error: str, now: datetime) -> None:
    """It was refused for good."""
    mail = _mail(session, outbox_id)
    _move(session, mail, "failed", now=now, last_error=error, claimed_by=None)
    never_went(session, mail=mail, actor=system("outbox", f"outbox:{mail.id}"), now=now)


def record_uncertain(session: Session, *, outbox_id: int, error: str, now: datetime) -> None:
    """It may or may not have gone out: repeated or given to a person, by its kind."""
    _unsure(session, _mail(session, outbox_id), error=error, now=now)


def abandon(session: Session, *, workers: Collection[str], now: datetime) -> int:
    """Mails that dead workers were sending: nobody knows whether they went out. Gives how many."""
    left = session.scalars(
        select(Outgoing)
        .where(Outgoing.state == "sending", Outgoing.claimed_by.in_(workers))
        .with_for_update(skip_locked=True)
    ).all()
    for mail in left:
        _unsure(session, mail, error="the worker stopped while sending it", now=now)
    return len(left)


def settle(session: Session, *, outbox_id: int, sent: bool, actor: Actor, now: datetime) -> Outgoing:
    """A person says whether an uncertain mail went out; if not, it is sent again. Raises Decided in other states."""
    mail = _undecided(session, outbox_id, {"uncertain"})
    if not sent:
        return send_again(session, outbox_id=outbox_id, actor=actor, now=now)
    _move(session, mail, "sent", now=now, actor=actor, sent_at=now)
    went_out(session, mail=mail, actor=actor, now=now)
    mail_decided(session, outbox_id=mail.id, case_id=mail.case_id, outcome="it went out", actor=actor, now=now)
    return mail


def send_again(session: Session, *, outbox_id: int, actor: Actor, now: datetime) -> Outgoing:
    """A person has an uncertain or failed mail sent once more. Raises Decided in other states."""
    mail = _undecided(session, outbox_id, TO_DECIDE)
    _move(session, mail, "queued", now=now, actor=actor, not_before=now)
    mail_decided(session, outbox_id=mail.id, case_id=mail.case_id, outcome="sent again", actor=actor, now=now)
    return mail


def drop(session: Session, *, outbox_id: int, actor: Actor, now: datetime) -> Outgoing:
    """A person lets an uncertain or failed mail be. Raises Decided in other states."""
    mail = _undecided(session, outbox_id, TO_DECIDE)
    _move(session, mail, "cancelled", now=now, actor=actor)
    mail_decided(session, outbox_id=mail.id, case_id=mail.case_id, outcome="let be", actor=actor, now=now)
    return mail


def _undecided(session: Session, outbox_id: int, states: Collection[str]) -> Outgoing:
    mail = _mail(session, outbox_id)
    if mail.state not in states:
        raise Decided(f"Mail {outbox_id} is {mail.state}, not {' or '.join(sorted(states))}")
    return mail


def senders(session: Session) -> set[str]:
    """Workers that are sending a mail, dead or alive."""
    claimed = select(Outgoing.claimed_by).where(Outgoing.state == "sending").distinct()
    return {worker for worker in session.scalars(claimed) if worker}


def due_ids(session: Session, *, now: datetime, limit: int = 1) -> Sequence[int]:
    """Mails that could be sent now."""
    due = select(Outgoing.id).where(Outgoing.state == "queued", Outgoing.not_before <= now)
    return session.scalars(due.order_by(Outgoing.not_before).limit(limit)).all()


def mail_of(session: Session, *, outbox_id: int) -> Outgoing:
    """A mail of the outbox. Raises NoOutgoing."""
    mail = session.get(Outgoing, outbox_id)
    if mail is None:
        raise NoOutgoing(f"There is no mail {outbox_id} in the outbox")
    return mail


def pause(attempts: int) -> timedelta:
    """How long to wait after that many attempts: 30 s, doubled each time, an hour at most."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * (1 << min(attempts - 1, 10)))


def _mail(session: Session, outbox_id: int) -> Outgoing:
    mail = locked(session, Outgoing, outbox_id)
    if mail is None:
        raise NoOutgoing(f"There is no mail {outbox_id} in the outbox")
    return mail


def _unsure(session: Session, mail: Outgoing, *, error: str, now: datetime) -> None:
    if mail.kind in REPEATED_WHEN_UNCERTAIN:
        _move(session, mail, "queued", now=now, last_error=error, claimed_by=None, not_before=now)
        return
    _move(session, mail, "uncertain", now=now, last_error=error, claimed_by=None)
    open_task(
        session,
        kind="check_sending",
        title=f"Did this mail go out? {mail.subject}",
        dedupe_key=f"uncertain:{mail.id}:{mail.attempts}",
        actor=system("outbox"),
        now=now,
        due_at=None,
        case=session.get(Case, mail.case_id) if mail.case_id else None,
        payload={"outbox_id": mail.id},
    )


def _move(
    session: Session, mail: Outgoing, state: str, *, now: datetime, actor: Actor | None = None, **values: Any
) -> None:
    before, after = change(mail, state=state, **values)
    record(
        session,
        actor=actor or system("outbox"),
        now=now,
        verb=f"mail {state}",
        subject="outbox",
        subject_id=mail.id,
        case_id=mail.case_id,
        before=before,
        after=after,
    )
