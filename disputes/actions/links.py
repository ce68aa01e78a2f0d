"""Links between messages and invoices: what matching decided, and what people confirm, reject or add."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.core.among import among
from app.core.db import locked
from app.core.errors import Conflict, NotFound
from app.core.events import Actor, record
from disputes.actions import money, writeback
from disputes.actions.shared import correction, link_for_change, message_for_change
from disputes.actions.tasks import finish_review
from disputes.casework import claimed_amount
from disputes.matter import amounts_of
from disputes.models import Case, CaseInvoice, Link, Message
from disputes.reasons import OTHER
from invoices.models import Invoice
from matching.facts import Evidence, LinkDecision, MatchDecision


class NoInvoice(NotFound):
    """There is no such invoice."""


class OtherAccount(Conflict):
    """The invoice belongs to another account than the message's case (mail.md M11)."""


def store(session: Session, *, message: Message, match: MatchDecision, now: datetime) -> list[Link]:
    """Write what matching decided: automatic links confirmed, the rest proposed. The message's event tells them.

    Nobody is asked about our own mails and those that are about nothing: only sure links are kept of them.
    """
    asked = message.direction != "out" and message.kind != OTHER
    links = [_link(message, decision, now) for decision in match.links if asked or decision.state == "auto"]
    session.add_all(links)
    session.flush()
    return links


def _link(message: Message, decision: LinkDecision, now: datetime) -> Link:
    return Link(
        message_id=message.id,
        invoice_id=decision.invoice_id,
        state="confirmed" if decision.state == "auto" else "proposed",
        probability=decision.probability,
        decided_by="auto",
        evidence=[evidence_row(one) for one in decision.evidence],
        runner_up={
            "probability": decision.runner_up,
            "margin": decision.margin,
            "best_guess": decision.best_guess,
        },
        decided_at=now,
    )


def evidence_row(evidence: Evidence) -> dict[str, Any]:
    """Evidence as a link keeps it."""
    return {
        "what": evidence.what,
        "source": evidence.source,
        "start": evidence.start,
        "end": evidence.end,
        "text": evidence.text,
        "bits": round(evidence.bits, 2),
        "detail": evidence.detail,
    }


def confirm(session: Session, *, link_id: int, actor: Actor, now: datetime) -> Link:
    """A person says the message means this invoice. Raises NoLink."""
    link = link_for_change(session, link_id)
    return _decide(session, link, state="confirmed", actor=actor, now=now)


def reject(session: Session, *, link_id: int, actor: Actor, now: datetime) -> Link:
    """A person says the message does not mean this invoice. Raises NoLink."""
    link = link_for_change(session, link_id)
    return _decide(session, link, state="rejected", actor=actor, now=now)


def add(session: Session, *, message_id: int, invoice_id: int, actor: Actor, now: datetime) -> Link:
    """A person names an invoice the program did not. Raises NoMessage, NoInvoice, OtherAccount."""
    message = message_for_change(session, message_id)
    invoice = session.get(Invoice, invoice_id)
    if invoice is None:
        raise NoInvoice(f"There is no invoice {invoice_id}")
    if message.account_id is not None and invoice.account_id != message.account_id:
        raise OtherAccount(f"Invoice {invoice.number} belongs to another account than the message")
    link = session.scalar(select(Link).where(Link.message_id == message_id, Link.invoice_id == invoice_id))
    if link is None:
        link = _added(session, message_id=message_id, invoice_id=invoice_id, now=now)
    return _decide(session, link, state="confirmed", actor=actor, now=now)


def _added(session: Session, *, message_id: int, invoice_id: int, now: datetime) -> Link:
    link = Link(
        message_id=message_id, invoice_id=invoice_id, state="proposed", probability=0.0, evidence=[], decided_at=now
    )
    session.add(link)
    session.flush()
    return link


def _decide(session: Session, link: Link, *, state: str, actor: Actor, now: datetime) -> Link:
    """The person's word, its event and correction; the case's invoices and the review follow."""
    message = message_for_change(session, link.message_id)
    before = {"state": link.state, "decided_by": link.decided_by, "probability": link.probability}
    if link.state == state and link.decided_by == actor.name:
        return link
    link.state, link.decided_by, link.decided_at = state, actor.name, now
    if state == "confirmed":
        link.probability = 1.0
    after = {"state": state, "decided_by": actor.name, "invoice_id": link.invoice_id, "message_id": link.message_id}
    record(
        session,
        actor=actor,
        now=now,
        verb=f"link {state}",
        subject="link",
        subject_id=link.id,
        case_id=message.case_id,
        before=before,
        after=after,
    )
    _learn(session, link, message, before=str(before["state"]), actor=actor, now=now)
    _follow(session, message, actor=actor, now=now)
    return link


def _learn(session: Session, link: Link, message: Message, *, before: str, actor: Actor, now: datetime) -> None:
    correction(
        session,
        field="link",
        before=f"{link.invoice_id}:{before}",
        after=f"{link.invoice_id}:{link.state}",
        actor=actor,
        now=now,
        message_id=message.id,
        case_id=message.case_id,
    )


def _follow(session: Session, message: Message, *, actor: Actor, now: datetime) -> None:
    session.flush()
    if message.case_id is not None:
        case = locked(session, Case, message.case_id)
        if case is not None:
            refresh_case_invoices(session, case=case, actor=actor, now=now)
            case.version += 1
    if not _still_proposed(session, message.id):
        finish_review(session, message=message, about="links", outcome="links decided", actor=actor, now=now)


def _still_proposed(session: Session, message_id: int) -> bool:
    open_links = select(Link.id).where(Link.message_id == message_id, Link.state == "proposed").limit(1)
    return session.scalar(open_links) is not None


def refresh_case_invoices(session: Session, *, case: Case, actor: Actor, now: datetime) -> None:
    """Bring the case's invoices in line with the confirmed links of its messages; amounts already set stand."""
    linked = _linked(session, case.id)
    standing = {row.invoice_id: row for row in session.scalars(_INVOICES, {"case_id": case.id})}
    new = [invoice_id for invoice_id in linked if invoice_id not in standing]
    invoices = session.scalars(_BY_ID, {"ids": new}).all() if new else ()
    added = [_case_invoice(case, one, session.get_one(Message, linked[one.id]), now) for one in invoices]
    dropped = [row for number, row in standing.items() if number not in linked]
    before = {str(row.invoice_id): str(row.disputed) for row in dropped}
    money.left(session, case=case, rows=dropped, actor=actor, now=now)
    session.add_all(added)
    for row in dropped:
        session.delete(row)
    session.flush()
    money.joined(session, case=case, rows=added, actor=actor, now=now)
    after = {str(row.invoice_id): str(row.disputed) for row in added}
    _record_invoices(session, case, before, after, actor=actor, now=now)
    writeback.tell(session, case=case, gone=[row.invoice_id for row in dropped], now=now)


_INVOICES = select(CaseInvoice).where(CaseInvoice.case_id == bindparam("case_id"))
_BY_ID = select(Invoice).where(among(Invoice.id, "ids")).order_by(Invoice.id)


def _linked(session: Session, case_id: int) -> dict[int, int]:
    """The invoices the case's messages are linked to for sure, each with the first message that names it."""
    return {row.invoice_id: row.first for row in session.execute(_LINKED, {"case_id": case_id})}


_LINKED = (
    select(Link.invoice_id, func.min(Message.id).label("first"))
    .join(Message, Message.id == Link.message_id)
    .where(Message.case_id == bindparam("case_id"), Link.state == "confirmed")
    .group_by(Link.invoice_id)
)


def _case_invoice(case: Case, invoice: Invoice, message: Message, now: datetime) -> CaseInvoice:
    named: Sequence[Any] = sorted(amounts_of(message.new_text)) if case.kind == "dispute" else ()
    return CaseInvoice(
        case_id=case.id,
        invoice_id=invoice.id,
        disputed=Decimal(0),
        claimed=claimed_amount(named, gross=invoice.gross, open_amount=invoice.open_amount),
        added_at=now,
    )


def _record_invoices(
    session: Session, case: Case, before: Mapping[str, str], after: Mapping[str, str], *, actor: Actor, now: datetime
) -> None:
    if before or after:
        record(
            session,
            actor=actor,
            now=now,
            verb="case invoices changed",
            subject="case",
            subject_id=case.id,
            case_id=case.id,
            before=before,
            after=after,
        )
