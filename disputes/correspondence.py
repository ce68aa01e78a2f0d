"""What is needed to write to a case's customer, gathered: the mail to answer, the facts, the wording. It reads only.

One rule holds everywhere here: nothing but mail the customer has seen is looked at. Notes and colleagues' mails are
not selected, so that they cannot reach an answer, a quotation or a template.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.among import among
from disputes.casework import ANSWER_DISPUTE_DAYS
from disputes.clocks import NEXT_UPDATE
from disputes.customer_mail import FAMILY, CustomerFacts, Wording, shipped, spoken, wording
from disputes.models import Case, CaseClock, CaseInvoice, DisputeMovement, Message, Policy, ThreadId
from disputes.reasons import OTHER
from disputes.replies import OURS_AND_THEIRS, Answered
from disputes.workdays import due
from invoices.models import Contact, Entity, Invoice

_GIVES_BACK = frozenset({"accepted", "partly_accepted", "credited"})
TO_CUSTOMERS = frozenset(
    {"reply", "reply_keep", "acknowledgement", "status", "question", "resolution", "apology", "satisfaction", "letter"}
)
"""Kinds of mail that customers get; the others go to our own people."""


@dataclass(frozen=True, slots=True)
class Partner:
    """Whom a case's mail goes to, and the mail it answers; None where the customer never wrote in this case."""

    email: str
    name: str
    answers: Answered | None


def partner_of(session: Session, *, case: Case) -> Partner | None:
    """The person of the customer's who wrote last; else a contact of the account; None where nobody is known.

    The address is the mail's own From: a Reply-To is shown and never followed (M14).
    """
    written = _newest(session, case)
    if written is not None:
        return Partner(written.from_email, written.from_name, answered(session, message=written))
    contact = session.scalar(
        select(Contact)
        .where(Contact.account_id == case.account_id, Contact.email.is_not(None))
        .order_by(Contact.id)
        .limit(1)
    )
    return Partner(contact.email, contact.name, None) if contact is not None and contact.email else None


def _newest(session: Session, case: Case) -> Message | None:
    """The customer's newest mail that a person wrote."""
    at = func.coalesce(Message.sent_at, Message.received_at)
    theirs = select(Message).where(Message.case_id == case.id, Message.direction == "in", Message.machine.is_(None))
    said = theirs.where(Message.kind != OTHER, Message.from_email != "")
    return session.scalar(said.order_by(at.desc(), Message.id.desc()).limit(1))


def answered(session: Session, *, message: Message) -> Answered | None:
    """A message as an answer refers to it; None for one the customer has not seen."""
    if message.direction not in OURS_AND_THEIRS:
        return None
    references = select(ThreadId.rfc_id).where(ThreadId.message_id == message.id, ThreadId.relation == "reference")
    return Answered(
        rfc_id=message.rfc_id,
        references=tuple(session.scalars(references.order_by(ThreadId.position.desc()))),
        subject=message.subject,
        text=message.new_text,
        who=message.from_name or message.from_email,
        at=message.sent_at or message.received_at,
        direction=message.direction,
    )


def facts_of(
    session: Session,
    *,
    case: Case,
    partner: Partner | None,
    agent: str,
    now: datetime,
    question: str = "",
    why: str = "",
    resolution: str = "",
) -> CustomerFacts:
    """The case's facts as a mail tells them. `why` is given, never taken from the case: its note is for colleagues.

    `resolution` is how the case is about to end, its own where it has ended.
    """
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    invoices = _invoices(session, case)
    currencies = {currency for _, _, currency in invoices}
    answers = partner.answers if partner else None
    country = entity.country if entity else None
    facts = CustomerFacts(
        case_id=case.id,
        language=case.language,
        name=partner.name if partner else "",
        subject=answers.subject if answers else case.title,
        seller=entity.name if entity else "",
        agent=agent,
        invoices=tuple(number for number, _, _ in invoices),
        day=(_promised(session, case, now=now) or due(now, days=ANSWER_DISPUTE_DAYS, country=country)).date(),
        question=question,
        with_us=case.waiting_on != "third_party",
        resolution=case.resolution or resolution,
        why=why,
    )
    if len(currencies) != 1:  # sums of two currencies say nothing
        return facts
    disputed = sum((amount for _, amount, _ in invoices), Decimal(0))
    credited = _credited(session, case, facts.resolution, still=disputed)
    return replace(facts, amount=disputed or None, credited=credited or None, currency=currencies.pop())


def _credited(session: Session, case: Case, resolution: str, *, still: Decimal) -> Decimal:
    """What the customer gets back: credited already, or accepted and in dispute until the credit note comes.

    How much of a case is accepted in part is known only once it has ended so.
    """
    if resolution not in _GIVES_BACK:
        return Decimal(0)
    moved = select(func.sum(DisputeMovement.amount)).where(
        DisputeMovement.case_id == case.id, DisputeMovement.kind == "credited"
    )
    known = resolution != "partly_accepted" or case.resolution == resolution
    return Decimal(session.scalar(moved) or 0) + (still if known else Decimal(0))


def _invoices(session: Session, case: Case) -> Sequence[tuple[str, Decimal, str]]:
    rows = session.execute(
        select(Invoice.number, CaseInvoice.disputed, Invoice.currency)
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id == case.id)
        .order_by(Invoice.number)
    )
    return [(number, disputed, currency) for number, disputed, currency in rows]


def _promised(session: Session, case: Case, *, now: datetime) -> datetime | None:
    """When we owe the customer the next word, where that is still to come."""
    clock = session.get(CaseClock, (case.id, NEXT_UPDATE))
    return clock.due_at if clock is not None and clock.due_at is not None and clock.due_at > now else None


def wording_of(session: Session, *, kind: str, language: str, entity_id: int | None) -> Wording:
    """The wording in force: the entity's own, else the deployment's, else the one that ships."""
    own = own_wording(session, kind=kind, language=language, entity_id=entity_id)
    return own or shipped(kind, language)


def own_wording(session: Session, *, kind: str, language: str, entity_id: int | None) -> Wording | None:
    """The entity's own wording, else the deployment's; None where nobody wrote one."""
    entity = session.get(Entity, entity_id) if entity_id is not None else None
    code = entity.code if entity else None
    language = spoken(language)
    keys = [f"{kind}/{language}/{code}", f"{kind}/{language}"]
    found = {policy.key: policy.content for policy in session.execute(_WORDINGS, {"keys": keys})}
    key = next((one for one in keys if one in found), None)
    return wording(found[key], what=key) if key is not None else None


_WORDINGS = select(Policy.key, Policy.content).where(Policy.family == FAMILY, Policy.active, among(Policy.key, "keys"))
