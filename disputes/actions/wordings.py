"""A deployment's own wordings of mails to customers: versions, of which one at most is in force."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput
from app.core.events import Actor
from disputes.actions import policies
from disputes.customer_mail import FAMILY, OWN_KINDS
from disputes.models import Policy
from disputes.reading import LANGUAGES
from invoices.models import Entity


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
    based_on: int | None = None,
) -> Policy:
    """A new version of a wording ({subject, body}), in force at once; policies.drop goes back to the shipped one.

    Raises BadInput, BadPolicy with what is wrong, PolicyMoved when another version came in since `based_on`.
    """
    return policies.save(
        session,
        family=FAMILY,
        key=_key(session, kind, language, entity_code),
        content=content,
        note=note,
        based_on=based_on,
        actor=actor,
        now=now,
    )


def _key(session: Session, kind: str, language: str, entity_code: str | None) -> str:
    if kind not in OWN_KINDS or language not in LANGUAGES:
        raise BadInput(f"There is no wording {kind!r} in {language!r}; kinds are {', '.join(OWN_KINDS)}")
    if entity_code is None:
        return f"{kind}/{language}"
    if session.scalar(select(Entity.id).where(Entity.code == entity_code)) is None:
        raise BadInput(f"There is no entity {entity_code!r}", fields={"entity": "unknown"})
    return f"{kind}/{language}/{entity_code}"
