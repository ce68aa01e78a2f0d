"""The versions of rules: who wrote them, when, and which is in force."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import User
from disputes.models import Policy


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a key's rules; `by` is a person's name, or the part of the program that wrote it."""

    policy_id: int
    key: str
    version: int
    active: bool
    content: dict[str, Any]
    note: str
    by: str
    at: datetime


def versions(session: Session, *, family: str, key: str) -> tuple[Version, ...]:
    """Every version of a key, the newest first. Two queries."""
    rows = select(Policy).where(Policy.family == family, Policy.key == key).order_by(Policy.version.desc())
    return _with_names(session, session.scalars(rows).all())


def in_force(session: Session, *, family: str) -> tuple[Version, ...]:
    """The versions in force of a family's keys, by key. Two queries."""
    rows = select(Policy).where(Policy.family == family, Policy.active).order_by(Policy.key)
    return _with_names(session, session.scalars(rows).all())


def _with_names(session: Session, policies: Sequence[Policy]) -> tuple[Version, ...]:
    ids = {int(one.created_by.removeprefix("user:")) for one in policies if one.created_by.startswith("user:")}
    found = session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    names = {f"user:{user_id}": name for user_id, name in found}
    return tuple(
        Version(
            policy_id=one.id,
            key=one.key,
            version=one.version,
            active=one.active,
            content=one.content,
            note=one.note,
            by=names.get(one.created_by, one.created_by.partition(":")[2] or one.created_by),
            at=one.created_at,
        )
        for one in policies
    )
