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
from disputes.codes import CodeMap, Codes, read_codes
from disputes.models import Policy
from disputes.own_reasons import OwnReason, Reasons, read_own
from disputes.reason_sheet import Cells, Table, layer, placed, read_table, refuse_unknown
from disputes.reasons import TEAMS
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import CODES, ONLY, OWN_REASONS, all_reasons, codes, own_reasons
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
) -> Policy:
    """A reason of one's own ("price.promotion") is added, changed, or in use again where it was retired.

    Raises BadPolicy with each place at fault ("name", "labels", "team"), PolicyMoved when somebody changed another
    at the same moment.
    """
    row = {"name": name, "labels": dict(labels), "team": team, "retired": False}
    standing = own_reasons(session)
    kept = standing.rules.reasons
    place = next((at for at, one in enumerate(kept) if one.name == name), len(kept))
    rows = [*_dumped(kept[:place]), row, *_dumped(kept[place + 1 :])]
    try:
        return save_all(session, rows=rows, actor=actor, now=now, note=note, based_on=standing.version)
    except BadPolicy as refused:
        raise BadPolicy(refused.message, fields=_of_row(refused.fields, f"reasons.{place}.")) from refused


def retire(session: Session, *, name: str, actor: Actor, now: datetime) -> Policy:
    """A reason is given to nothing any more; what has it keeps it. Raises NoReason."""
    standing = own_reasons(session)
    kept = standing.rules.reasons
    if all(one.name != name for one in kept):
        raise NoReason(f"There is no reason {name!r} of your own")
    rows = [{**row, "retired": row["retired"] or row["name"] == name} for row in _dumped(kept)]
    return save_all(session, rows=rows, actor=actor, now=now, based_on=standing.version)


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
    _checked(session, rows)
    content = {"reasons": [dict(row) for row in rows]}
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
    key = _key(session, entity)
    _check_codes(all_reasons(session), rows)
    content = {"codes": [dict(row) for row in rows]}
    return policies.save(
        session, family=CODES, key=key, content=content, actor=actor, now=now, note=note, based_on=based_on
    )


def take_table(
    session: Session, *, data: bytes, entity: str | None, actor: Actor, now: datetime, note: str = ""
) -> Table:
    """Reasons and codes from a CSV file (reason_sheet.py): all of it or, with every fault at its line, nothing.

    Its codes are those of an entity, or of all (None). Raises BadPolicy, NotFound.
    """
    key = _key(session, entity)
    table = read_table(data)
    rows = _with(own_reasons(session).rules.reasons, table.own)
    names = [str(row["name"]) for row in rows]
    try:
        known = Reasons.of(_checked(session, rows))
    except BadPolicy as refused:
        raise placed(table, refused, names) from refused
    refuse_unknown(table, known)
    standing = codes(session, key=key).rules
    said = layer(CodeMap(known, _beyond(session, key)), standing, table.cells)
    try:
        _check_codes(known, said)
    except BadPolicy as refused:
        raise placed(table, refused, [str(row["name"]) for row in said]) from refused
    save_all(session, rows=rows, actor=actor, now=now, note=note)
    save_codes(session, rows=said, entity=entity, actor=actor, now=now, note=note)
    return table


def put_cells(
    session: Session,
    *,
    cells: Cells,
    entity: str | None,
    actor: Actor,
    now: datetime,
    note: str = "",
    based_on: int | None = None,
) -> Policy | None:
    """Codes as a table shows them: what shall hold for an entity, or for all (None). None where nothing is said.

    Raises BadPolicy whose fields are "reason system" ("price sap"), NotFound, PolicyMoved.
    """
    key = _key(session, entity)
    standing = codes(session, key=key)
    said = layer(CodeMap(all_reasons(session), _beyond(session, key)), standing.rules, cells)
    if not said and not standing.version:
        return None
    try:
        return save_codes(session, rows=said, entity=entity, actor=actor, now=now, note=note, based_on=based_on)
    except BadPolicy as refused:
        names = [str(row["name"]) for row in said]
        raise BadPolicy(refused.message, fields=_of_cells(refused.fields, names)) from refused


def _with(kept: Sequence[OwnReason], rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The reasons there are, changed by rows of the same names, the new ones after them."""
    found: dict[str, Mapping[str, Any]] = {str(row["name"]): row for row in _dumped(kept)}
    for row in rows:
        old = found.get(str(row["name"]), {"labels": {}, "team": "", "retired": False})
        said = {field: value for field, value in row.items() if value not in ("", {}, None)}
        found[str(row["name"])] = {**old, **said}
    return list(found.values())


def _beyond(session: Session, key: str) -> tuple[Codes, ...]:
    """What holds where a key says nothing."""
    return () if key == ONLY else (codes(session).rules,)


def is_entity(session: Session, code: str) -> bool:
    """Whether there is an entity of that code."""
    return code.isprintable() and session.scalar(select(Entity.id).where(Entity.code == code)) is not None


def _key(session: Session, entity: str | None) -> str:
    if entity is not None and not is_entity(session, entity):
        raise NotFound(f"There is no entity {entity!r}")
    return entity or ONLY


def _check_codes(reasons: Reasons, rows: Sequence[Mapping[str, Any]]) -> None:
    unknown = {
        f"codes.{at}.name": f"there is no reason {one.name}"
        for at, one in enumerate(read_codes({"codes": [dict(row) for row in rows]}).codes)
        if not (reasons.usable(one.name) or one.name in reasons.own)
    }
    if unknown:
        raise BadPolicy(f"The codes cannot be used: {'; '.join(unknown.values())}", fields=unknown)


def _of_cells(fields: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    """Places of rows ("codes.0.sap", also "codes.0.sap.1") as cells ("price sap")."""
    found = {}
    for place, said in fields.items():
        parts = place.split(".")
        cell = len(parts) > 2 and parts[1].isdecimal()  # noqa: PLR2004 - list, row, column
        found[f"{names[int(parts[1])]} {parts[2]}" if cell else place] = said
    return found


def _checked(session: Session, rows: Sequence[Mapping[str, Any]]) -> Sequence[OwnReason]:
    """The reasons the rows make, nobody's team unknown. Raises BadPolicy."""
    reasons = read_own({"reasons": [dict(row) for row in rows]}).reasons
    _check_teams(session, reasons)
    return reasons


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
