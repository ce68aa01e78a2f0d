"""Digests as rows of the outbox: one a person and period, ever, however many schedulers there are and whoever dies."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import Actor, record
from disputes.digest_tokens import MailTokens
from disputes.digests import PREFERENCE, DigestMail, Rhythm
from disputes.models import DigestSent, Outgoing
from disputes.queries.digests import Due, Person
from matching.text import email_domain

HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
"""What tells other machines not to answer (RFC 3834; M18)."""


class Told(NamedTuple):
    """What a digest says: the cases, and the mail; None where there is nothing worth one."""

    cases: Sequence[int]
    mail: DigestMail | None


def make(
    session: Session,
    *,
    due: Due,
    tell: Callable[[], Told],
    tokens: MailTokens,
    actor: Actor,
    now: datetime,
) -> Outgoing | None:
    """Write a person's digest of a period into the outbox, unless it stands already or there is nothing to tell.

    The period's row comes first: a second scheduler waits for it and then finds it taken; a crash takes it back.
    """
    person = due.person
    if not _taken(session, user_id=person.user.id, period=due.period, now=now):
        return None
    told = tell()
    mail = _row(person, due.period, told.mail, tokens, now) if told.mail is not None else None
    if mail is not None:
        session.add(mail)
        session.flush()
    session.execute(
        update(DigestSent)
        .where(DigestSent.user_id == person.user.id, DigestSent.period == due.period)
        .values(outbox_id=mail.id if mail else None, cases=list(told.cases))
    )
    record(
        session,
        actor=actor,
        now=now,
        verb="digest written" if mail else "nothing for a digest",
        subject="digest",
        subject_id=person.user.id,
        after={"period": due.period, "cases": list(told.cases), "outbox_id": mail.id if mail else None},
    )
    return mail


def _taken(session: Session, *, user_id: int, period: str, now: datetime) -> bool:
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgres_insert
    row = insert(DigestSent).values(user_id=user_id, period=period, cases=[], at=now)
    return session.scalar(row.on_conflict_do_nothing().returning(DigestSent.user_id)) is not None


def _row(person: Person, period: str, mail: DigestMail, tokens: MailTokens, now: datetime) -> Outgoing:
    entity = person.entity
    mailbox = entity.mailbox if entity and entity.mailbox else ""
    user, domain = person.user, email_domain(mailbox) or "localhost"
    ids: Mapping[str, Any] = {
        "user_id": user.id, "address": user.email, "period": period, "domain": domain, "now": now,
    }  # fmt: skip
    return Outgoing(
        dedupe_key=f"digest:{user.id}:{period}",
        kind="digest",
        entity_id=entity.id if entity else None,
        rfc_id=tokens.message_id(**ids),
        from_email=mailbox,
        from_name=entity.name if entity else "",
        to_email=user.email,
        subject=mail.subject[:200],
        body=mail.text,
        html=mail.html,
        headers={**HEADERS, "References": tokens.thread_id(**ids)},
        language=user.language or (entity.language if entity else "en"),
        not_before=now,
        created_at=now,
    )


def choose_rhythm(session: Session, *, user: User, rhythm: Rhythm, actor: Actor, now: datetime) -> None:
    """When and how often a person gets their digest."""
    before = dict(user.preferences)
    user.preferences = {**before, PREFERENCE: rhythm.model_dump()}
    session.flush()
    record(
        session,
        actor=actor,
        now=now,
        verb="digest rhythm chosen",
        subject="user",
        subject_id=user.id,
        before={PREFERENCE: before.get(PREFERENCE)},
        after={PREFERENCE: user.preferences[PREFERENCE]},
    )
