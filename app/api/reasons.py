"""/api/v1/reasons, /api/v1/codes: what cases can be about and the codes other systems know it by; a case's by code."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from app.auth import ApiToken
from app.core.errors import BadInput, Forbidden, NotFound
from app.core.events import Actor
from app.core.i18n import LANGUAGES, words
from app.edge import ServicesDep, SessionDep, token
from disputes.actions import cases
from disputes.actions import own_reasons as actions
from disputes.codes import SYSTEMS, CodeMap, ReasonCodes
from disputes.models import Case
from disputes.queries.case import NoSuchCase
from disputes.reasons import DISPUTE, QUERY, REASONS, is_reason, kind_of, shipped
from disputes.rules_in_force import ONLY, code_map, codes
from invoices.models import Entity

READ, WRITE, CASES = "cases:read", "reasons:write", "cases:write"
LONGEST = 80

router = APIRouter(prefix="/api/v1", tags=["reasons"])
Reading = Annotated[ApiToken, Depends(token(READ))]
Writing = Annotated[ApiToken, Depends(token(WRITE))]
Correcting = Annotated[ApiToken, Depends(token(CASES))]
EntityQuery = Annotated[str | None, Query(max_length=LONGEST, description="An entity's code; none for all of them")]
Name = Annotated[str, Path(max_length=60)]
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "No good API token"},
    403: {"description": "The token has not the scope, or is limited to an entity"},
    404: {"description": "There is no such reason, entity, code or case"},
    422: {"description": "What is wrong, and in which field"},
}


class NoCode(NotFound):
    """Nothing maps this code to a reason."""


class Given(BaseModel):
    """Unknown fields are refused (S19)."""

    model_config = ConfigDict(extra="forbid")


class ReasonOut(BaseModel):
    """A reason. `parent` is the shipped one that a form of one's own specialises; `codes` by system, main one first."""

    name: str
    kind: str
    parent: str | None
    own: bool
    retired: bool
    labels: dict[str, str]
    team: str
    codes: dict[str, list[str]]


class ReasonsOut(BaseModel):
    """Every reason, disputes first; forms after what they specialise, retired ones last."""

    reasons: list[ReasonOut]


class ReasonIn(Given):
    """A reason of one's own: labels by UI language (one at least), and the key of the team that settles it."""

    labels: dict[str, str]
    team: str
    note: str = Field(default="", max_length=300)


class CodesIn(Given):
    """All that is said of codes, for an entity or for all. What is not named is inherited; [] says there is none."""

    entity: str | None = Field(default=None, max_length=LONGEST)
    codes: list[ReasonCodes] = Field(max_length=1_000)
    note: str = Field(default="", max_length=300)
    based_on: int | None = Field(default=None, ge=0, lt=2**31)


class CodesOut(BaseModel):
    """What is said of codes for an entity (None: all), and in which version; 0: nothing but what ships."""

    entity: str | None
    version: int
    codes: list[ReasonCodes]


class MeantOut(BaseModel):
    """What a code stands for."""

    reason: str
    kind: str


class CaseReasonIn(Given):
    """What a case is about: a reason by name, or a code of a system."""

    reason: str | None = Field(default=None, max_length=60)
    system: str | None = Field(default=None, max_length=20)
    code: str | None = Field(default=None, max_length=20)


class CaseReasonOut(BaseModel):
    """What a case is about now."""

    case: int
    kind: str
    reason: str


@router.get("/reasons", responses=_REFUSED)
def read_reasons(session: SessionDep, caller: Reading, entity: EntityQuery = None) -> ReasonsOut:
    """Every reason with its codes, as they hold for an entity."""
    mapped = code_map(session, entity=_entity(session, caller, entity))
    retired = [one.name for one in mapped.reasons.own.values() if one.retired]
    names = [*mapped.reasons.of_kind(DISPUTE), *mapped.reasons.of_kind(QUERY), *retired]
    return ReasonsOut(reasons=[_shown(mapped, name) for name in names])


@router.put("/reasons/{name}", responses=_REFUSED)
def put_reason(session: SessionDep, services: ServicesDep, caller: Writing, name: Name, given: ReasonIn) -> ReasonOut:
    """A reason of one's own ("price.promotion") is added, changed, or used again where it was retired."""
    actions.put(
        session,
        name=name,
        labels=given.labels,
        team=given.team,
        note=given.note,
        actor=_for_all(caller),
        now=services.clock(),
    )
    return _shown(code_map(session), name)


@router.post("/reasons/{name}/retirement", responses=_REFUSED)
def retire_reason(session: SessionDep, services: ServicesDep, caller: Writing, name: Name) -> ReasonOut:
    """A reason of one's own is given to nothing any more; cases that have it keep it."""
    actions.retire(session, name=name, actor=_for_all(caller), now=services.clock())
    return _shown(code_map(session), name)


@router.get("/codes", responses=_REFUSED)
def read_codes(session: SessionDep, caller: Reading, entity: EntityQuery = None) -> CodesOut:
    """What is said of codes beside what ships; GET /reasons tells what holds."""
    return _said(session, _entity(session, caller, entity))


@router.put("/codes", responses={**_REFUSED, 409: {"description": "Another version came in since `based_on`"}})
def put_codes(session: SessionDep, services: ServicesDep, caller: Writing, given: CodesIn) -> CodesOut:
    """All that is said of codes, replaced. A token of one entity says them for that one."""
    entity = _entity(session, caller, given.entity)
    actions.save_codes(
        session,
        rows=[row.model_dump(mode="json") for row in given.codes],
        entity=entity,
        note=given.note,
        based_on=given.based_on,
        actor=_actor(caller),
        now=services.clock(),
    )
    return _said(session, entity)


@router.get("/codes/{system}/{code}", responses=_REFUSED)
def read_code(
    session: SessionDep,
    caller: Reading,
    system: Annotated[str, Path(max_length=20)],
    code: Annotated[str, Path(max_length=20)],
    entity: EntityQuery = None,
) -> MeantOut:
    """The reason that a code of SAP, X12, Peppol or CDAR stands for."""
    reason = _meant(code_map(session, entity=_entity(session, caller, entity)), system, code)
    return MeantOut(reason=reason, kind=kind_of(reason))


@router.post("/cases/{case_id}/reason", responses=_REFUSED)
def correct_case(
    session: SessionDep,
    services: ServicesDep,
    caller: Correcting,
    case_id: Annotated[int, Path(ge=1, lt=2**63)],
    given: CaseReasonIn,
) -> CaseReasonOut:
    """The ERP says what a case is about, by our name or by its own code. The same again changes nothing."""
    case = session.get(Case, case_id)
    entity = session.get(Entity, case.entity_id) if case is not None and case.entity_id is not None else None
    code = entity.code if entity else None
    if case is None or caller.entity_code not in {None, code}:
        raise NoSuchCase(f"There is no case {case_id}, or the token may not see it")
    reason = _asked(code_map(session, entity=code), given)
    if reason != case.reason:
        kind = kind_of(reason) if is_reason(reason) else ""
        now = services.clock()
        case = cases.correct(session, case_id=case_id, kind=kind, reason=reason, actor=_actor(caller), now=now)
    return CaseReasonOut(case=case.id, kind=case.kind, reason=case.reason)


def _asked(mapped: CodeMap, given: CaseReasonIn) -> str:
    by_code = given.system is not None and given.code is not None
    if (given.reason is None) != by_code or (given.system is None) != (given.code is None):
        raise BadInput("Say either `reason`, or `system` and `code`", fields={"reason": "one of both ways"})
    return given.reason if given.reason is not None else _meant(mapped, given.system or "", given.code or "")


def _meant(mapped: CodeMap, system: str, code: str) -> str:
    if system not in SYSTEMS:
        raise NotFound(f"There is no system {system!r}; there are {', '.join(SYSTEMS)}", fields={"system": "unknown"})
    reason = mapped.reason_for(system, code)
    if reason is None:
        raise NoCode(f"Nothing maps the code {code!r} of {SYSTEMS[system]} to a reason", fields={"code": "unknown"})
    return reason


def _shown(mapped: CodeMap, name: str) -> ReasonOut:
    own = mapped.reasons.own.get(name)
    shipped_label = REASONS[shipped(name)].label
    return ReasonOut(
        name=name,
        kind=kind_of(name),
        parent=own.parent if own else None,
        own=own is not None,
        retired=own is not None and own.retired,
        labels=own.labels if own else {one: words(one).gettext(shipped_label) for one in LANGUAGES},
        team=mapped.reasons.team_of(name),
        codes={system: list(mapped.codes(name, system)) for system in SYSTEMS},
    )


def _said(session: SessionDep, entity: str | None) -> CodesOut:
    found = codes(session, key=entity or ONLY)
    return CodesOut(entity=entity, version=found.version, codes=list(found.rules.codes))


def _entity(session: SessionDep, caller: ApiToken, asked: str | None) -> str | None:
    """The entity meant: a token limited to one means that one, and no other exists for it."""
    entity = asked or caller.entity_code
    if entity is not None and (caller.entity_code not in {None, entity} or not actions.is_entity(session, entity)):
        raise NotFound(f"There is no entity {entity!r}", fields={"entity": "unknown"})
    return entity


def _for_all(caller: ApiToken) -> Actor:
    """Reasons are those of all entities. Raises Forbidden for a token limited to one."""
    if caller.entity_code is not None:
        raise Forbidden("Reasons are those of all entities; this API token is limited to one")
    return _actor(caller)


def _actor(caller: ApiToken) -> Actor:
    return Actor(f"token:{caller.id}")
