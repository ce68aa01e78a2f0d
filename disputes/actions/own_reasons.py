"""What a deployment does with its reasons and the codes of other systems: add, change, retire, map. All in versions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team
from app.core.errors import NotFound
from app.core.events import Actor
from disputes.actions import policies
from disputes.codes import read_codes
from disputes.models import Policy
from disputes.own_reasons import OwnReason, read_own
from disputes.reasons import TEAMS
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import CODES, ONLY, OWN_REASONS, all_reasons, own_reasons
from invoices.models import Entity


class NoReason(NotFound):
    """The deployment has no reason of that name."""


def put(
    session: Session,
    *,
    name: str,
    labels: Mapping[str, str],
    team: str,
    actor: Actor,
    now: datetime,
    note: str = "",
    based_on: int | None = None,
) -> Policy:
    """A reason of one's own ("price.promotion") is added, changed, or in use again where it was retired.

    Raises BadPolicy with each place at fault ("name", "labels", "team"), PolicyMoved.
    """
    row = {"name": name, "labels": dict(labels), "team": team, "retired": False}
    kept = own_reasons(session).rules.reasons
    place = next((at for at, one in enumerate(kept) if one.name == name), len(kept))
    rows = [*_dumped(kept[:place]), row, *_dumped(kept[place + 1 :])]
    try:
        return save_all(session, rows=rows, actor=actor, now=now, note=note, based_on=based_on)
    except BadPolicy as refused:
        raise BadPolicy(refused.message, fields=_of_row(refused.fields, f"reasons.{place}.")) from refused


def retire(session: Session, *, name: str, actor: Actor, now: datetime) -> Policy:
    """A reason is given to nothing any more; what has it keeps it. Raises NoReason."""
    kept = own_reasons(session).rules.reasons
    if all(one.name != name for one in kept):
        raise NoReason(f"There is no reason {name!r} of your own")
    rows = [{**row, "retired": row["retired"] or row["name"] == name} for row in _dumped(kept)]
    return save_all(session, rows=rows, actor=actor, now=now)


def save_all(
    session: Session,
    *,
    rows: Sequence[Mapping[str, Any]],
    actor: Actor,
    now: datetime,
    note: str = "",
    based_on: int | None = None,
) -> Policy:
    """All reasons of one's own as they shall be. Raises BadPolicy with the places at fault, also for one left out."""
    content = {"reasons": [dict(row) for row in rows]}
    _check_teams(session, read_own(content).reasons)
    return policies.save(
        session, family=OWN_REASONS, key=ONLY, content=content, actor=actor, now=now, note=note, based_on=based_on
    )


def save_codes(
    session: Session,
    *,
    rows: Sequence[Mapping[str, Any]],
    entity: str | None,
    actor: Actor,
    now: datetime,
    note: str = "",
    based_on: int | None = None,
) -> Policy:
    """What is said of codes, for one entity (its code) or for all: rows of ReasonCodes, `name` with codes by system.

    Raises BadPolicy with the places at fault ("codes.0.sap"), NotFound for an unknown entity, PolicyMoved.
    """
    if entity is not None and session.scalar(select(Entity.id).where(Entity.code == entity)) is None:
        raise NotFound(f"There is no entity {entity!r}")
    content = {"codes": [dict(row) for row in rows]}
    reasons = all_reasons(session)
    unknown = {
        f"codes.{at}.name": f"there is no reason {one.name}"
        for at, one in enumerate(read_codes(content).codes)
        if not (reasons.usable(one.name) or one.name in reasons.own)
    }
    if unknown:
        raise BadPolicy(f"The codes cannot be used: {'; '.join(unknown.values())}", fields=unknown)
    return policies.save(
        session, family=CODES, key=entity or ONLY, content=content, actor=actor, now=now, note=note, based_on=based_on
    )


def _check_teams(session: Session, reasons: Iterable[OwnReason]) -> None:
    known = {*session.scalars(select(Team.key)), *TEAMS}
    unknown = {
        f"reasons.{at}.team": f"there is no team {one.team}"
        for at, one in enumerate(reasons)
        if one.team not in known and not one.retired
    }
    if unknown:
        raise BadPolicy(f"The reasons cannot be used: {'; '.join(unknown.values())}", fields=unknown)


def _dumped(reasons: Sequence[OwnReason]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in reasons]


def _of_row(fields: Mapping[str, str], place: str) -> dict[str, str]:
    return {at.removeprefix(place): words for at, words in fields.items()}
