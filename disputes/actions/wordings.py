"""A deployment's own wordings of mails to customers: versions, of which one at most is in force."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput, NotFound
from app.core.events import Actor, record
from disputes.customer_mail import FAMILY, OWN_KINDS, wording
from disputes.models import Policy
from disputes.reading import LANGUAGES
from invoices.models import Entity


class NoWording(NotFound):
    """Nobody wrote such a wording: the shipped one is in force."""


def save_wording(
    session: Session,
    *,
    kind: str,
    language: str,
    entity_code: str | None,
    content: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    note: str = "",
) -> Policy:
    """A new version of a wording ({subject, body}), in force at once. Raises BadInput, BadPolicy with what is wrong."""
    key = _key(session, kind, language, entity_code)
    checked = wording(content, what=key)
    standing = _of_key(session, key)
    for policy in standing:
        policy.active = False
    made = Policy(
        family=FAMILY,
        key=key,
        version=1 + max((policy.version for policy in standing), default=0),
        active=True,
        content=checked.model_dump(),
        note=note[:300],
        created_by=actor.name,
        created_at=now,
    )
    session.add(made)
    session.flush()
    _record(session, made, verb="wording changed", actor=actor, now=now)
    return made


def drop_wording(
    session: Session, *, kind: str, language: str, entity_code: str | None, actor: Actor, now: datetime
) -> None:
    """Go back to the shipped wording; the versions stay. Raises BadInput, NoWording."""
    key = _key(session, kind, language, entity_code)
    active = next((policy for policy in _of_key(session, key) if policy.active), None)
    if active is None:
        raise NoWording(f"There is no wording of your own for {key}")
    active.active = False
    session.flush()
    _record(session, active, verb="wording dropped", actor=actor, now=now)


def _key(session: Session, kind: str, language: str, entity_code: str | None) -> str:
    if kind not in OWN_KINDS or language not in LANGUAGES:
        raise BadInput(f"There is no wording {kind!r} in {language!r}; kinds are {', '.join(OWN_KINDS)}")
    if entity_code is None:
        return f"{kind}/{language}"
    if session.scalar(select(Entity.id).where(Entity.code == entity_code)) is None:
        raise BadInput(f"There is no entity {entity_code!r}", fields={"entity": "unknown"})
    return f"{kind}/{language}/{entity_code}"


def _of_key(session: Session, key: str) -> list[Policy]:
    rows = select(Policy).where(Policy.family == FAMILY, Policy.key == key)
    return list(session.scalars(rows.order_by(Policy.version).with_for_update()))


def _record(session: Session, policy: Policy, *, verb: str, actor: Actor, now: datetime) -> None:
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="policy",
        subject_id=policy.id,
        after={"key": policy.key, "version": policy.version},
    )
