"""Delivery reports about mail of ours: they mark that mail and its address, and tell the people of its case (M17)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor, record
from disputes.actions import writeback
from disputes.actions.shared import case_for_change, change, change_case
from disputes.actions.tasks import open_task
from disputes.models import Case, Message, Outgoing
from disputes.reports import DeliveryReport
from invoices.models import Contact

LOST = frozenset({"failed", "complaint"})
"""What a report may say that means: they do not have it, or do not want it. A delay is only noted."""
_GONE_OUT = frozenset({"sent", "uncertain"})


def note(session: Session, *, message: Message, report: DeliveryReport, actor: Actor, now: datetime) -> Outgoing | None:
    """Write a report into the mail of ours it is about, and give that mail; None when it is about none.

    Nobody can name one by guessing: our Message-IDs are signed.
    """
    if report.original_id is None:
        return None
    mail = session.scalar(select(Outgoing).where(Outgoing.rfc_id == report.original_id).with_for_update())
    if mail is None:
        return None
    lost = report.action in LOST
    if lost or report.action == "delayed":
        _mark(session, mail, report, message=message, actor=actor, now=now)
    if lost:
        _tell(session, mail, report, message=message, actor=actor, now=now)
    return mail


def _mark(
    session: Session, mail: Outgoing, report: DeliveryReport, *, message: Message, actor: Actor, now: datetime
) -> None:
    """A mail nobody was sure of did go out, or there would be no report."""
    failed = report.action in LOST and mail.state in _GONE_OUT
    before, after = change(mail, state="failed" if failed else mail.state, last_error=_words(report))
    record(
        session,
        actor=actor,
        now=now,
        verb=f"mail {'returned' if report.action in LOST else report.action}",
        subject="outgoing",
        subject_id=mail.id,
        case_id=mail.case_id,
        before=before,
        after={**after, "message_id": message.id},
    )


def _words(report: DeliveryReport) -> str:
    whom = ", ".join(report.recipients[:5])
    return " ".join(part for part in (f"{report.action}:", report.status, whom) if part)[:500]


def _tell(
    session: Session, mail: Outgoing, report: DeliveryReport, *, message: Message, actor: Actor, now: datetime
) -> None:
    """The customer does not have it: a person finds another way, and the case waits on us again."""
    case = case_of(session, mail)
    ours = [address for address in (mail.to_email, *mail.cc) if address in report.recipients]
    for address in ours or [mail.to_email]:
        _mark_address(session, address, mail=mail, actor=actor, now=now)
    open_task(
        session,
        kind="mail_returned",
        title=f"Did not arrive at {mail.to_email}: {mail.subject}",
        dedupe_key=f"returned:{mail.id}",
        actor=actor,
        now=now,
        due_at=None,
        case=case,
        message_id=message.id,
        payload={"outbox_id": mail.id, "status": report.status, "recipients": list(report.recipients[:20])},
    )
    if case is not None and case.state == "waiting" and case.waiting_on == "customer":
        values = {"state": "in_progress", "waiting_on": "us", "waiting_until": None}
        change_case(session, case, verb="answer did not arrive", actor=actor, now=now, **values)
        writeback.tell(session, case=case, now=now)


def case_of(session: Session, mail: Outgoing) -> Case | None:
    """The case a mail belongs to, or the one that case was merged into."""
    case = session.get(Case, mail.case_id) if mail.case_id else None
    if case is not None and case.merged_into_id is not None:
        case = session.get(Case, case.merged_into_id)
    return case_for_change(session, case.id) if case is not None and case.merged_into_id is None else case


def _mark_address(session: Session, address: str, *, mail: Outgoing, actor: Actor, now: datetime) -> None:
    """The address is marked by its event; it never changes because of a mail (S15)."""
    contact_id = session.scalar(select(Contact.id).where(Contact.email == address.lower()).limit(1))
    record(
        session,
        actor=actor,
        now=now,
        verb="address did not accept mail",
        subject="contact",
        subject_id=contact_id,
        case_id=mail.case_id,
        after={"address": address, "outbox_id": mail.id},
    )
