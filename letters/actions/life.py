"""From a checked letter to a sent one and what becomes of it: approved, queued, sent, stopped, come back, answered."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.auth import User, may
from app.core.errors import BadInput, Forbidden
from app.core.events import Actor, system
from disputes.actions import tasks
from disputes.actions.outbox import mail_of
from disputes.actions.shared import change, user_id
from disputes.models import Message, Outgoing, Task, ThreadId
from disputes.replies import ids_of
from disputes.reply_tokens import ReplyTokens
from letters.actions.shared import letter_for_change, move
from letters.approvals import needed
from letters.cover_mail import cover, file_name
from letters.dunning_facts import owing
from letters.guards import Refusal
from letters.letter_facts import LetterFacts
from letters.models import Letter
from letters.planning import still_right
from letters.rules import letter_rules
from letters.writing_facts import overtaken
from matching.text import email_domain

APPROVE, APPROVE_FORMAL = "approve letters", "approve formal letters"
KIND = "letter"
"""Of tasks that ask for a letter, and of mails that carry one."""
FOLLOWED = {"sent": "sent", "uncertain": "uncertain", "failed": "bounced", "cancelled": "cancelled"}
"""State of the mail -> state of its letter."""


class MayNotApprove(Forbidden):
    """Such a letter is for somebody else to approve."""


def approve(session: Session, *, letter_id: int, user: User, limit: Decimal, actor: Actor, now: datetime) -> Letter:
    """A person looked at it: it may go. Raises MayNotApprove, LetterMoved."""
    letter = letter_for_change(session, letter_id, {"checked"})
    wanted = APPROVE_FORMAL if needed(letter, limit=limit) == "lead" else APPROVE
    if not may(user, wanted):
        raise MayNotApprove(f"Letter {letter_id} is for a team lead to approve")
    who = {"approved_by": actor.name, "approved_at": now}
    move(session, letter, verb="letter approved", actor=actor, now=now, state="approved", **who)
    return letter


def take_back(session: Session, *, letter_id: int, actor: Actor, now: datetime) -> Letter:
    """An approval that was not meant: the letter waits for another look. Raises LetterMoved for one that left."""
    letter = letter_for_change(session, letter_id, {"approved"})
    nobody = {"approved_by": None, "approved_at": None}
    move(session, letter, verb="letter approval taken back", actor=actor, now=now, state="checked", **nobody)
    return letter


def reject(session: Session, *, letter_id: int, why: str, actor: Actor, now: datetime) -> Letter:
    """It does not go. Raises BadInput without a reason, LetterMoved for one that left."""
    if not why.strip():
        raise BadInput("Say in a few words why the letter does not go", fields={"why": "needed"})
    letter = letter_for_change(session, letter_id, {"drafted", "checked", "approved"})
    _cancel(session, letter, why=why.strip(), verb="letter rejected", actor=actor, now=now)
    return letter


def _cancel(session: Session, letter: Letter, *, why: str, verb: str, actor: Actor, now: datetime) -> None:
    ended = {"state": "cancelled", "why": why[:2000], "ended_at": now}
    move(session, letter, verb=verb, actor=actor, now=now, **ended)
    task = _task_of(session, letter)
    if task is not None:
        tasks.cancel(session, task=task, outcome="letter not sent", actor=actor, now=now)


def _task_of(session: Session, letter: Letter) -> Task | None:
    """The task that asked for the letter, where a playbook did."""
    place, _, number = letter.step.partition(":")
    return session.get(Task, int(number)) if place == "task" and number.isdigit() else None


# --- going out


def to_send(session: Session, *, limit: int) -> Sequence[int]:
    """Approved letters that go by mail, oldest first."""
    wanted = select(Letter.id).where(Letter.state == "approved", Letter.channel == "email")
    return session.scalars(wanted.order_by(Letter.id).limit(limit)).all()


def queue(session: Session, *, letter_id: int, tokens: ReplyTokens, now: datetime) -> Outgoing | None:
    """Put an approved letter into the outbox, once. None where it is not to go any more, which its state says."""
    wanted = select(Letter).where(Letter.id == letter_id, Letter.state == "approved", Letter.channel == "email")
    letter = session.scalar(wanted.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    if letter is None or letter.content_hash is None:
        return None
    actor = system("letters", f"letter:{letter.id}")
    if _stopped(session, letter, actor=actor, now=now):
        return None
    mail = _mail(letter, letter.content_hash, tokens, now=now)
    if not mail.to_email or not mail.from_email:
        why = "no address to write to" if mail.from_email else "no mailbox to send from"
        _cancel(session, letter, why=why, verb="letter stopped", actor=actor, now=now)
        return None
    mail.entity_id, mail.author_id = letter.entity_id, user_id(Actor(letter.approved_by or ""))
    session.add(mail)
    session.flush()
    move(session, letter, verb="letter queued", actor=actor, now=now, state="queued", outbox_id=mail.id)
    return mail


def _mail(letter: Letter, content_hash: str, tokens: ReplyTokens, *, now: datetime) -> Outgoing:
    facts = LetterFacts.from_json(letter.facts)
    mailbox, key = facts.seller.email or facts.signature.email, f"letter:{letter.id}"
    headers: dict[str, Any] = {}
    rfc_id = f"<lt.{hashlib.sha256(f'{key}:{content_hash}'.encode()).hexdigest()[:40]}@{email_domain(mailbox)}>"
    if letter.case_id is not None:
        ids = ids_of(
            tokens,
            case_id=letter.case_id,
            contact=letter.email,
            mailbox=mailbox,
            unique=key,
            answers=None,
            references=(),
            now=now,
        )
        rfc_id, headers = ids.rfc_id, dict(ids.headers)
    file = {"filename": file_name(facts), "content_type": "application/pdf", "content_hash": content_hash}
    return Outgoing(
        dedupe_key=key,
        kind=KIND,
        case_id=letter.case_id,
        rfc_id=rfc_id,
        from_email=mailbox,
        from_name=facts.seller.name,
        to_email=letter.email,
        subject=letter.title or facts.reference,
        body=cover(facts),
        headers=headers,
        language=letter.language,
        attachments=[file],
        automatic=False,
        not_before=now,
        created_at=now,
    )


def stop_if_covered(session: Session, *, outbox_id: int, now: datetime) -> bool:
    """Asked in the transaction that takes a letter's mail for sending: whether it must not leave after all.

    Then mail and letter are cancelled, with the reason.
    """
    letter = session.scalar(select(Letter).where(Letter.outbox_id == outbox_id).with_for_update())
    if letter is None:
        return False
    actor = system("letters", f"letter:{letter.id}")
    if not _stopped(session, letter, actor=actor, now=now):
        return False
    change(mail_of(session, outbox_id=outbox_id), state="cancelled", claimed_by=None, last_error=letter.why)
    return True


def stopped_now(session: Session, letter: Letter, *, now: datetime) -> bool:
    """Whether a letter may not go any more; it is cancelled then, with the reason."""
    return _stopped(session, letter, actor=system("letters", f"letter:{letter.id}"), now=now)


def _stopped(session: Session, letter: Letter, *, actor: Actor, now: datetime) -> bool:
    why = against(session, letter, now=now)
    if why is not None:
        _cancel(session, letter, why=why.why, verb="letter stopped", actor=actor, now=now)
    return why is not None


def against(session: Session, letter: Letter, *, now: datetime) -> Refusal | None:
    """Why the letter may not go now; one that asks for nothing always may."""
    if not letter.asked:
        return overtaken(session, letter, now=now)
    found = owing(session, account_ids=[letter.account_id], now=now)[letter.account_id]
    return still_right(letter.asked, found, letter_rules(session))


# --- what became of it


def follow(session: Session, *, now: datetime, outbox_id: int | None = None, limit: int = 500) -> int:
    """Letters go the way of their mails: sent, uncertain, come back, let be. Gives how many moved."""
    wanted = (
        select(Letter, Outgoing)
        .join(Outgoing, Outgoing.id == Letter.outbox_id)
        .where(Letter.state.in_(("queued", "uncertain", "sent", "delivered")), Outgoing.kind == KIND)
        .where(Outgoing.state.in_(FOLLOWED), Outgoing.state != Letter.state)
        .where((Letter.state.in_(("queued", "uncertain"))) | (Outgoing.state == "failed"))
    )
    if outbox_id is not None:
        wanted = wanted.where(Outgoing.id == outbox_id)
    rows = session.execute(wanted.order_by(Letter.id).limit(limit).with_for_update(of=Letter, skip_locked=True)).all()
    for letter, mail in rows:
        _follow(session, letter, mail, actor=system("letters", f"outbox:{mail.id}"), now=now)
    return len(rows)


def _follow(session: Session, letter: Letter, mail: Outgoing, *, actor: Actor, now: datetime) -> None:
    state = FOLLOWED[mail.state]
    if state == "cancelled":
        _cancel(session, letter, why="somebody let the mail be", verb="letter stopped", actor=actor, now=now)
    elif state == "sent":
        gone(session, letter, actor=actor, now=now, at=mail.sent_at or now)
    elif state == "bounced":
        came = {"state": "bounced", "why": (mail.last_error or "")[:2000], "ended_at": now}
        move(session, letter, verb="letter came back", actor=actor, now=now, **came)
    else:
        move(session, letter, verb="letter uncertain", actor=actor, now=now, state="uncertain")


def gone(session: Session, letter: Letter, *, actor: Actor, now: datetime, at: datetime) -> None:
    """It left: the task that asked for it is done."""
    move(session, letter, verb="letter sent", actor=actor, now=now, state="sent", sent_at=at)
    task = _task_of(session, letter)
    if task is not None and task.state == "open":
        tasks.finish(session, task_id=task.id, outcome="letter sent", actor=actor, now=now)


def answered(session: Session, *, now: datetime, limit: int = 500) -> int:
    """Letters somebody wrote back to. Gives how many."""
    theirs = (
        exists()
        .where(ThreadId.rfc_id == Outgoing.rfc_id, Message.id == ThreadId.message_id)
        .where(Message.direction == "in", Message.machine.is_(None))
    )
    wanted = (
        select(Letter)
        .join(Outgoing, Outgoing.id == Letter.outbox_id)
        .where(Letter.state.in_(("sent", "delivered")), theirs)
    )
    rows = session.scalars(wanted.order_by(Letter.id).limit(limit).with_for_update(of=Letter, skip_locked=True)).all()
    for letter in rows:
        told_by = system("letters", f"letter:{letter.id}")
        move(session, letter, verb="letter answered", actor=told_by, now=now, state="answered", ended_at=now)
    return len(rows)


_BY_HAND = {
    "delivered": ({"sent"}, "letter delivered"),
    "bounced": ({"sent", "delivered"}, "letter came back"),
    "answered": ({"sent", "delivered"}, "letter answered"),
}


def note(session: Session, *, letter_id: int, state: str, why: str, actor: Actor, now: datetime) -> Letter:
    """A person says what became of a letter, with the proof in words (a registered letter's number).

    Raises BadInput for another state, LetterMoved for a letter that has not left.
    """
    if state not in _BY_HAND:
        raise BadInput(f"A letter is {', '.join(_BY_HAND)}, not {state!r}")
    before, verb = _BY_HAND[state]
    letter = letter_for_change(session, letter_id, before)
    values: dict[str, Any] = {"state": state, "why": why.strip()[:2000], "ended_at": now}
    move(session, letter, verb=verb, actor=actor, now=now, **values)
    return letter
