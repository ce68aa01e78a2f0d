"""The acknowledgement as a row of the outbox: sent later, once, by whoever empties it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.core.events import Actor, record
from disputes.acknowledgement import Acknowledged, AcknowledgeDecision, words
from disputes.casework import answer_days
from disputes.correspondence import own_wording, wording_of
from disputes.customer_mail import CustomerFacts, Wording, compose, signature
from disputes.models import Case, CaseStep, Message, Outgoing
from disputes.replies import ids_of, reply_subject, whole_body
from disputes.reply_tokens import ReplyTokens
from disputes.workdays import due
from invoices.models import Entity

AUTOMATIC_HEADERS = {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
"""What tells other machines not to answer (RFC 3834; M18)."""

STEP = "acknowledge"
"""The id of the step in the shipped playbooks."""


def automatic_to(session: Session, *, email: str, since: datetime) -> list[datetime]:
    """When automatic mails were written to an address."""
    return list(session.scalars(_AUTOMATIC, {"email": email, "since": since}))


_AUTOMATIC = select(Outgoing.created_at).where(
    Outgoing.to_email == bindparam("email"),
    Outgoing.automatic,
    Outgoing.created_at > bindparam("since"),
    Outgoing.state != "cancelled",
)


def acknowledge(
    session: Session,
    *,
    message: Message,
    case: Case,
    entity: Entity,
    invoices: Sequence[str],
    references: Sequence[str],
    tokens: ReplyTokens,
    actor: Actor,
    now: datetime,
) -> Outgoing:
    """Write the acknowledgement of a message; a second one of the same message cannot exist (dedupe key)."""
    key = f"ack:{message.identity}"
    standing = session.scalar(_BY_KEY, {"key": key})
    if standing is not None:
        return standing
    outgoing = _row(message, case, entity, now)
    outgoing.subject, outgoing.body = _words(session, message, case, entity, invoices=invoices, now=now)
    ids = ids_of(
        tokens,
        case_id=case.id,
        contact=outgoing.to_email,
        mailbox=outgoing.from_email,
        unique=f"ack{message.identity[:32]}",
        answers=message.rfc_id,
        references=references,
        now=now,
    )
    outgoing.rfc_id, outgoing.headers = ids.rfc_id, {**AUTOMATIC_HEADERS, **ids.headers}
    session.add(outgoing)
    session.flush()
    record(
        session,
        actor=actor,
        now=now,
        verb="acknowledgement written",
        subject="outgoing",
        subject_id=outgoing.id,
        case_id=case.id,
        after={"to": outgoing.to_email, "language": outgoing.language, "rfc_id": outgoing.rfc_id},
    )
    _step(session, case, "taken", "its first mail was acknowledged", actor=actor, now=now)
    return outgoing


_BY_KEY = select(Outgoing).where(Outgoing.dedupe_key == bindparam("key"))


def _step(session: Session, case: Case, state: str, why: str, *, actor: Actor, now: datetime) -> None:
    """The playbook's acknowledgement is done, or will not be: a later mail of the case changes nothing in that."""
    if session.get(CaseStep, (case.id, STEP, 0)) is None:
        step = CaseStep(case_id=case.id, step=STEP, cycle=0, state=state, why=why[:300], actor=actor.name, at=now)
        session.add(step)


def _words(
    session: Session, message: Message, case: Case, entity: Entity, *, invoices: Sequence[str], now: datetime
) -> tuple[str, str]:
    about = Acknowledged(
        case_id=case.id,
        reason=case.reason,
        subject=message.subject,
        name=message.from_name,
        invoices=invoices,
        due=due(now, days=answer_days(case.kind), country=entity.country).date(),
        seller=entity.name,
    )
    language = message.language or entity.language
    own = own_wording(session, kind="acknowledgement", language=language, entity_id=entity.id)
    return words(about, language) if own is None else _own_words(session, about, own, entity, language)


def _own_words(session: Session, about: Acknowledged, own: Wording, entity: Entity, language: str) -> tuple[str, str]:
    """The acknowledgement as this deployment words it."""
    facts = CustomerFacts(
        case_id=about.case_id,
        language=language,
        name=about.name,
        subject=about.subject,
        seller=about.seller,
        invoices=about.invoices,
        day=about.due,
    )
    told = compose(facts, own)
    closing = wording_of(session, kind="signature", language=language, entity_id=entity.id)
    body = whole_body(told.body, signature=signature(facts, closing), quote="")
    return told.subject or reply_subject(about.subject), body


def _row(message: Message, case: Case, entity: Entity, now: datetime) -> Outgoing:
    return Outgoing(
        dedupe_key=f"ack:{message.identity}",
        kind="acknowledgement",
        case_id=case.id,
        in_reply_to_id=message.id,
        entity_id=entity.id,
        from_email=entity.mailbox or "",
        from_name=entity.name,
        to_email=message.from_email,
        language=message.language or entity.language,
        automatic=True,
        not_before=now,
        created_at=now,
    )


def hold_back(
    session: Session, *, case: Case, message: Message, decision: AcknowledgeDecision, actor: Actor, now: datetime
) -> None:
    """No acknowledgement, and why: shown in the case's history. The playbook does not try again: it would be late."""
    _step(session, case, "skipped", decision.why, actor=actor, now=now)
    record(
        session,
        actor=actor,
        now=now,
        verb="acknowledgement held" if decision.held else "no acknowledgement",
        subject="message",
        subject_id=message.id,
        case_id=case.id,
        after={"why": decision.why},
    )


WINDOW = timedelta(days=3)
"""How far back automatic mails to an address are counted: longer than any quiet period in use."""
