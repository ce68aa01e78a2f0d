"""The classifier's life as a page shows it: what is in force, whether it learns right now, how the last time ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.events import Event
from disputes.features import FEATURE_VERSION
from disputes.model_versions import ASKED, ENDED, FAMILY, KEY, SUBJECT, ModelVersion, read_version
from disputes.models import Case
from disputes.queries.policies import Version, versions
from disputes.reason_corrections import SAID
from disputes.rulebook import BadPolicy


@dataclass(frozen=True, slots=True)
class Edition:
    """One version; `model` is None where today's program cannot use it."""

    version: Version
    model: ModelVersion | None


@dataclass(frozen=True, slots=True)
class Training:
    """When it was last asked for and ended, and what came of it ({}: nothing yet)."""

    asked_at: datetime | None
    ended_at: datetime | None
    told: Mapping[str, Any]

    @property
    def runs(self) -> bool:
        """Whether one is under way."""
        return self.asked_at is not None and (self.ended_at is None or self.ended_at < self.asked_at)


def editions(session: Session) -> Sequence[Edition]:
    """Every version, the newest first. Two queries."""
    return [Edition(one, _usable(one.content)) for one in versions(session, family=FAMILY, key=KEY)]


def last_training(session: Session) -> Training:
    """Two queries."""
    asked, ended = _last(session, ASKED), _last(session, ENDED)
    return Training(asked.at if asked else None, ended.at if ended else None, (ended.after if ended else None) or {})


def said_since(session: Session, *, moment: datetime | None) -> int:
    """Of how many cases people said what they are since that moment (None: ever). One query."""
    said = (
        select(func.count(func.distinct(Case.id)))
        .join(Event, Event.case_id == Case.id)
        .where(Event.verb.in_(SAID), Event.actor.startswith("user:"), Case.merged_into_id.is_(None))
    )
    return session.scalar(said if moment is None else said.where(Event.at > moment)) or 0


def _last(session: Session, verb: str) -> Event | None:
    rows = select(Event).where(Event.subject == SUBJECT, Event.verb == verb)
    return session.scalars(rows.order_by(Event.id.desc()).limit(1)).first()


def _usable(content: Mapping[str, Any]) -> ModelVersion | None:
    try:
        found = read_version(content)
    except BadPolicy:
        return None
    return found if found.features == FEATURE_VERSION else None
