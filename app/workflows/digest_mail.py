"""Mail that answers a digest, told apart before anything else is made of it: it opens no case and is not classified."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor, system
from app.core.i18n import chosen_language
from app.core.settings import Settings
from app.reports import digest_reply
from disputes.actions import digest_mail
from disputes.actions.deliveries import came_by_mail
from disputes.actions.digest_mail import Heard
from disputes.digest_answers import numbered_subject
from disputes.digest_tokens import MailTokens, NamedDigest
from disputes.gathering import seller_of
from disputes.matter import bare_subject
from disputes.models import Case, DigestSent, Message
from disputes.parsing import ParsedMessage
from invoices.models import Entity

DAY = timedelta(days=1)


def taken(
    session: Session,
    *,
    message: Message,
    parsed: ParsedMessage,
    tokens: MailTokens,
    settings: Settings,
    now: datetime,
) -> bool:
    """Whether a parsed and stored mail was an answer to a digest, and is worked now.

    Machines' mail and reports go the usual way, where they open nothing.
    """
    ids = (*parsed.thread_ids.in_reply_to, *parsed.thread_ids.references)
    named = tokens.named(ids, sender=parsed.from_email, now=now)
    if parsed.machine is not None or parsed.is_bounce:
        return False
    if named is None:
        return _filed(session, message=message, parsed=parsed, now=now)
    owner = digest_mail.owner_of(session, named=named, sender=parsed.from_email)
    if owner is None or named.verdict == "forged" or parsed.dmarc == "fail":
        heard = _of_another(session, message=message, parsed=parsed, named=named, now=now)
    else:
        heard = digest_mail.take(
            session,
            message=message,
            text=parsed.new_text,
            named=named,
            owner=owner,
            limit=settings.casework.credit_limit,
            now=now,
        )
    if heard is not None and heard.problems and not parsed.null_return:
        _ask(session, message=message, heard=heard, named=named, tokens=tokens, settings=settings, now=now)
    return True


def _filed(session: Session, *, message: Message, parsed: ParsedMessage, now: datetime) -> bool:
    """A colleague forwards a document with the case's number before the subject. It is filed, and nothing else done:
    a sender alone proves too little for a decision.
    """
    case_id = numbered_subject(bare_subject(parsed.subject))
    if case_id is None or message.direction != "internal":
        return False
    by = digest_mail.colleague(session, address=parsed.from_email)
    return by is not None and digest_mail.file_in(session, message=message, case_id=case_id, by=by, now=now)


def brought(session: Session, *, message: Message, case: Case, actor: Actor, now: datetime) -> None:
    """A colleague's mail that found its case by itself, and has files: what was searched for there is here."""
    files = digest_mail.files_of(session, message=message) if message.direction == "internal" else ()
    if files:
        came_by_mail(session, case=case, message=message, files=files, actor=actor, now=now)


def _of_another(
    session: Session, *, message: Message, parsed: ParsedMessage, named: NamedDigest, now: datetime
) -> Heard | None:
    """Nobody answers another's digest: a colleague is told so, a stranger learns nothing and a lead hears of it."""
    ours = parsed.dmarc != "fail" and seller_of(session).owns(parsed.from_email)
    colleague = digest_mail.colleague(session, address=parsed.from_email) if parsed.dmarc != "fail" else None
    if colleague is None and not ours:
        digest_mail.refuse(session, message=message, named=named, actor=_actor(message), now=now)
        return None
    return digest_mail.set_aside(session, message=message, named=named, by=colleague, actor=_actor(message), now=now)


def _ask(
    session: Session,
    *,
    message: Message,
    heard: Heard,
    named: NamedDigest,
    tokens: MailTokens,
    settings: Settings,
    now: datetime,
) -> None:
    """What was understood and what not, to the owner; a few such mails a day and no more, whoever answers whom."""
    sent = digest_mail.replies_since(session, address=heard.user.email, since=now - DAY)
    entity = session.scalar(select(Entity).where(Entity.id == message.entity_id)) or _any_entity(session)
    if entity is None or not entity.mailbox or sent >= settings.limits.mails_per_address_per_day:
        return
    told = session.get(DigestSent, (heard.user.id, named.period))
    base = settings.public_url.rstrip("/")
    body = digest_reply.compose(
        heard,
        language=chosen_language(heard.user.language, entity.language, settings.default_language),
        cases=[int(one) for one in told.cases] if told is not None else [],
        url=lambda case_id: f"{base}/cases/{case_id}",
    )
    digest_mail.reply(
        session,
        message=message,
        heard=heard,
        body=body,
        named=named,
        tokens=tokens,
        mailbox=entity.mailbox,
        from_name=entity.name,
        actor=_actor(message),
        now=now,
    )


def _any_entity(session: Session) -> Entity | None:
    return session.scalar(select(Entity).where(Entity.mailbox.is_not(None)).order_by(Entity.id).limit(1))


def _actor(message: Message) -> Actor:
    return system("intake", f"message:{message.id}")
