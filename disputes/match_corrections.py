"""What people's corrections say of matching: mails whose invoices or account a person put right or confirmed."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from disputes.models import Correction, Link, Message

_FIELDS = ("link", "account")


@dataclass(frozen=True, slots=True)
class CorrectedMail:
    """A mail with what it truly is about, by a person's word."""

    message_id: int
    account_id: int | None
    invoice_ids: frozenset[int]


def corrected_mails(session: Session) -> list[CorrectedMail]:
    """The mails people corrected and nothing is asked about any more, in order. An undecided proposal tells nothing."""
    touched = select(Correction.message_id).where(Correction.field.in_(_FIELDS), Correction.message_id.is_not(None))
    waiting = select(Link.message_id).where(Link.state == "proposed", Link.message_id.in_(touched))
    rows = session.execute(
        select(Message.id, Message.account_id)
        .where(Message.id.in_(touched), Message.id.not_in(waiting), Message.state == "worked")
        .order_by(Message.id)
    ).all()
    meant: dict[int, set[int]] = {row.id: set() for row in rows}
    confirmed = select(Link.message_id, Link.invoice_id).where(Link.state == "confirmed", Link.message_id.in_(touched))
    for message_id, invoice_id in session.execute(confirmed):
        if message_id in meant:
            meant[message_id].add(invoice_id)
    return [CorrectedMail(row.id, row.account_id, frozenset(meant[row.id])) for row in rows]
