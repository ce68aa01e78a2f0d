"""A message put right: to another case, another account, or back into the queue."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.core.events import Actor, record
from disputes.actions import cases, planning
from disputes.actions.links import refresh_case_invoices
from disputes.actions.opening import end_into, hear, open_case, place_of
from disputes.actions.shared import case_for_change, change, change_case, correction, message_for_change, touch
from disputes.actions.tasks import finish_review
from disputes.casework import view_of
from disputes.lookups import said_by
from disputes.matter import bare_subject
from disputes.models import Case, Link, Message, Promise
from disputes.reasons import shipped_row
from invoices.models import Account, Invoice


class NoAccount(NotFound):
    """There is no such account."""


class NotQuarantined(Conflict):
    """Only a quarantined message can be worked again."""


class NotInACase(Conflict):
    """The message says nothing that could make a case."""


def move(session: Session, *, message_id: int, case_id: int | None, actor: Actor, now: datetime) -> Case:
    """A person says which case a message belongs to; None makes a new one of it. Raises NoMessage, NoCase, CaseMerged.

    The old case follows what is left in it; one left without messages lives on in the new one.
    """
    message = message_for_change(session, message_id)
    source = case_for_change(session, message.case_id) if message.case_id is not None else None
    if source is not None and source.id == case_id:
        finish_review(session, message=message, about="case", outcome="stays", actor=actor, now=now)
        return source
    target = _target(session, message, case_id, actor=actor, now=now)
    _put(session, message, target, actor=actor, now=now)
    if source is not None:
        _leave(session, source, message, target, actor=actor, now=now)
    _hear(session, target, actor=actor, now=now)
    planning.heard_mail(session, message=message, case=target, opened=case_id is None, actor=actor, now=now)
    before = source.id if source else None
    correction(
        session, field="case", before=before, after=target.id, actor=actor, now=now, message_id=message.id,
        case_id=target.id,
    )  # fmt: skip
    finish_review(session, message=message, about="case", outcome=f"moved to {target.id}", actor=actor, now=now)
    return target


def _target(session: Session, message: Message, case_id: int | None, *, actor: Actor, now: datetime) -> Case:
    if case_id is not None:
        return case_for_change(session, case_id)
    view = view_of(said_by(session, message_id=message.id))
    if view is None:
        raise NotInACase(f"Message {message.id} is {message.reason or 'not worked'}: correct its reason first")
    title = bare_subject(message.subject) or shipped_row(view.reason).label
    place = place_of(session, message.entity_id)
    return open_case(session, message=message, title=title, view=view, place=place, actor=actor, now=now)


def _put(session: Session, message: Message, target: Case, *, actor: Actor, now: datetime) -> None:
    before, after = change(message, case_id=target.id, thread_rule=f"by hand: {actor.name}")
    target.message_count += 1
    touch(target, now=now)
    promises = session.scalars(select(Promise).where(Promise.message_id == message.id))
    for promise in promises:
        promise.case_id = target.id
    session.flush()
    record(
        session,
        actor=actor,
        now=now,
        verb="message moved",
        subject="message",
        subject_id=message.id,
        case_id=target.id,
        before=before,
        after=after,
    )


def _leave(session: Session, source: Case, message: Message, target: Case, *, actor: Actor, now: datetime) -> None:
    source.message_count -= 1
    touch(source, now=now)
    record(
        session,
        actor=actor,
        now=now,
        verb="message moved away",
        subject="case",
        subject_id=source.id,
        case_id=source.id,
        before={"message_id": message.id},
        after={"case_id": target.id},
    )
    if source.message_count <= 0:
        refresh_case_invoices(session, case=source, actor=actor, now=now)
        end_into(session, case=source, target=target, moved=[message], actor=actor, now=now)
    else:
        _hear(session, source, actor=actor, now=now)


def _hear(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    hear(session, case=case, place=place_of(session, case.entity_id), actor=actor, now=now)
    refresh_case_invoices(session, case=case, actor=actor, now=now)


def set_account(session: Session, *, message_id: int, account_id: int, actor: Actor, now: datetime) -> Message:
    """A person says whose message it is. Links to other accounts' invoices fall; its case follows when it is its own.

    Raises NoMessage, NoAccount.
    """
    message = message_for_change(session, message_id)
    account = session.get(Account, account_id)
    if account is None:
        raise NoAccount(f"There is no account {account_id}")
    before, after = change(message, account_id=account.id, entity_id=account.entity_id)
    if not after:
        return message
    record(
        session,
        actor=actor,
        now=now,
        verb="account corrected",
        subject="message",
        subject_id=message.id,
        case_id=message.case_id,
        before=before,
        after=after,
    )
    correction(
        session, field="account", before=before.get("account_id"), after=account_id, actor=actor, now=now,
        message_id=message.id, case_id=message.case_id,
    )  # fmt: skip
    _drop_foreign_links(session, message, account)
    _account_of_case(session, message, account, actor=actor, now=now)
    return message


def set_case_account(session: Session, *, case_id: int, account_id: int, actor: Actor, now: datetime) -> Case:
    """A person says whose case it is: all its messages and promises go along, links to others' invoices fall.

    Whom the case waits for stays: nobody wrote. Raises NoCase, CaseMerged, NoAccount.
    """
    case = case_for_change(session, case_id)
    account = session.get(Account, account_id)
    if account is None:
        raise NoAccount(f"There is no account {account_id}")
    if case.account_id == account.id:
        return case
    for message in session.scalars(select(Message).where(Message.case_id == case.id).order_by(Message.id)).all():
        _give(session, message, account, actor=actor, now=now)
    # Still the old account's case: what it disputes is given back under that account's lock.
    refresh_case_invoices(session, case=case, actor=actor, now=now)
    _give_case(session, case, account, actor=actor, now=now)
    return case


def _give(session: Session, message: Message, account: Account, *, actor: Actor, now: datetime) -> None:
    """A message of a case that goes to another account; the case's own event tells readers of it."""
    message = message_for_change(session, message.id)
    before, after = change(message, account_id=account.id, entity_id=account.entity_id)
    if after:
        record(
            session,
            actor=actor,
            now=now,
            verb="account corrected",
            subject="message",
            subject_id=message.id,
            before=before,
            after=after,
        )
    if "account_id" in after:
        correction(
            session, field="account", before=before["account_id"], after=account.id, actor=actor, now=now,
            message_id=message.id, case_id=message.case_id,
        )  # fmt: skip
    _drop_foreign_links(session, message, account)


def _give_case(session: Session, case: Case, account: Account, *, actor: Actor, now: datetime) -> None:
    for promise in session.scalars(select(Promise).where(Promise.case_id == case.id)):
        promise.account_id = account.id
    values = {"account_id": account.id, "entity_id": account.entity_id}
    change_case(session, case, verb="account corrected", actor=actor, now=now, **values)
    session.flush()
    if case.playbook is not None:
        planning.changed(session, case=case, actor=actor, now=now)
    _leave_to_who_may_open(session, case, actor=actor, now=now)


def _drop_foreign_links(session: Session, message: Message, account: Account) -> None:
    """M11: an invoice number never links across accounts."""
    foreign = select(Invoice.id).where(Invoice.account_id != account.id)
    session.execute(delete(Link).where(Link.message_id == message.id, Link.invoice_id.in_(foreign)))


def _account_of_case(session: Session, message: Message, account: Account, *, actor: Actor, now: datetime) -> None:
    """The case follows when this is its only message; else the message gets a case of its own."""
    if message.case_id is None:
        return
    case = case_for_change(session, message.case_id)
    if case.account_id == account.id:
        return
    if case.message_count > 1:
        move(session, message_id=message.id, case_id=None, actor=actor, now=now)
        return
    case.account_id, case.entity_id = account.id, account.entity_id
    touch(case, now=now)
    _hear(session, case, actor=actor, now=now)
    _leave_to_who_may_open(session, case, actor=actor, now=now)


def _leave_to_who_may_open(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    """The case went to another entity, maybe: who may not open it there loses it."""
    if case.owner_id is not None and cases.may_have(session, user_id=case.owner_id, case=case) is None:
        cases.route_again(session, case, actor=actor, now=now)


def requeue(session: Session, *, message_id: int, actor: Actor, now: datetime) -> Message:
    """A quarantined message is worked again (the caller enqueues it). Raises NoMessage, NotQuarantined."""
    message = message_for_change(session, message_id)
    if message.state != "quarantined":
        raise NotQuarantined(f"Message {message_id} is {message.state}, not quarantined")
    before, after = change(message, state="received", quarantine_reason=None, attempts=0)
    record(
        session,
        actor=actor,
        now=now,
        verb="message requeued",
        subject="message",
        subject_id=message.id,
        before=before,
        after=after,
    )
    return message
