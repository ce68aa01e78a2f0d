"""Mails to customers that a template writes: by a playbook alone, or as the beginning of an agent's draft."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput, Conflict
from app.core.events import Actor, record
from disputes.acknowledgement import Acknowledged, unsigned
from disputes.actions.acknowledging import AUTOMATIC_HEADERS
from disputes.actions.shared import case_for_change, touch
from disputes.correspondence import Partner, facts_of, own_wording, partner_of, wording_of
from disputes.customer_mail import KINDS, Composed, CustomerFacts, compose, signature
from disputes.models import Case, Outgoing
from disputes.replies import ids_of, reply_subject, whole_body
from disputes.reply_tokens import ReplyTokens
from invoices.models import Entity


class NobodyToWriteTo(Conflict):
    """The customer has no address, or the case no mailbox to send from."""


def composed(
    session: Session, *, case: Case, kind: str, now: datetime, agent: str = "", resolution: str = ""
) -> Composed:
    """What a template says for this case, for an agent to edit; `resolution` is how it is about to end.

    It writes nothing. Raises BadInput for another kind.
    """
    partner = partner_of(session, case=case)
    told = facts_of(session, case=case, partner=partner, agent=agent, now=now, resolution=resolution)
    if kind == "acknowledgement":
        return _acknowledged(session, case, told, now=now)
    return _written(session, case, kind, told)[0]


def _acknowledged(session: Session, case: Case, told: CustomerFacts, *, now: datetime) -> Composed:
    own = own_wording(session, kind="acknowledgement", language=case.language, entity_id=case.entity_id)
    if own is not None:
        return compose(told, own)
    about = Acknowledged(
        case_id=case.id,
        reason=case.reason,
        subject=told.subject,
        name=told.name,
        invoices=told.invoices,
        due=told.day or now.date(),
        seller=told.seller,
    )
    return Composed(*unsigned(about, case.language))


def write(
    session: Session,
    *,
    case_id: int,
    kind: str,
    dedupe_key: str,
    tokens: ReplyTokens,
    actor: Actor,
    now: datetime,
    question: str = "",
    why: str = "",
    link: str = "",
) -> Outgoing:
    """Put a template's mail into the outbox, once a key ("step:CASE:STEP:CYCLE"); a playbook's guards come before.

    `link` is where a customer asked for their satisfaction answers (disputes/satisfaction.py).

    The same key again gives the mail that stands. Raises NobodyToWriteTo, BadInput, NoCase, CaseMerged.
    """
    case = case_for_change(session, case_id)
    standing = session.scalar(select(Outgoing).where(Outgoing.dedupe_key == dedupe_key))
    if standing is not None:
        return standing
    partner = partner_of(session, case=case)
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    if partner is None or entity is None or not entity.mailbox:
        raise NobodyToWriteTo(f"Case {case_id}: {'no mailbox to send from' if partner else 'no address to write to'}")
    mail = _mail(case, kind, dedupe_key, partner, entity, tokens=tokens, now=now)
    facts = facts_of(session, case=case, partner=partner, agent="", now=now, question=question, why=why)
    facts = replace(facts, link=link)
    words, signed = _written(session, case, kind, facts)
    mail.subject, mail.body = _subject(words, partner, case), whole_body(words.body, signature=signed, quote="")
    session.add(mail)
    touch(case, now=now)
    session.flush()
    record(
        session,
        actor=actor,
        now=now,
        verb=f"{kind} written",
        subject="outgoing",
        subject_id=mail.id,
        case_id=case.id,
        after={"to": mail.to_email, "language": mail.language, "rfc_id": mail.rfc_id},
    )
    return mail


def _written(session: Session, case: Case, kind: str, facts: CustomerFacts) -> tuple[Composed, str]:
    if kind not in KINDS or kind == "signature":
        raise BadInput(f"{kind!r} is no kind of message; use one of {', '.join(KINDS[:-1])}")
    body = wording_of(session, kind=kind, language=case.language, entity_id=case.entity_id)
    closing = wording_of(session, kind="signature", language=case.language, entity_id=case.entity_id)
    return compose(facts, body), signature(facts, closing)


def _subject(words: Composed, partner: Partner, case: Case) -> str:
    return words.subject or reply_subject(partner.answers.subject if partner.answers else "", title=case.title)


def _mail(
    case: Case, kind: str, key: str, partner: Partner, entity: Entity, *, tokens: ReplyTokens, now: datetime
) -> Outgoing:
    answers = partner.answers
    ids = ids_of(
        tokens,
        case_id=case.id,
        contact=partner.email,
        mailbox=entity.mailbox or "",
        unique=key,
        answers=answers.rfc_id if answers else None,
        references=answers.references if answers else (),
        now=now,
    )
    return Outgoing(
        dedupe_key=key,
        kind=kind,
        case_id=case.id,
        entity_id=entity.id,
        rfc_id=ids.rfc_id,
        from_email=entity.mailbox or "",
        from_name=entity.name,
        to_email=partner.email,
        headers={**AUTOMATIC_HEADERS, **ids.headers},
        language=case.language,
        automatic=True,
        not_before=now,
        created_at=now,
    )
