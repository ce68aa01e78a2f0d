"""GET /api/v1/changes: what the ERP is told back, as a feed to be read from a cursor on."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.core import db
from app.edge import ServicesDep, token
from disputes.queries import feed

SCOPE = "cases:read"
MOST = 1_000

router = APIRouter(prefix="/api/v1", tags=["changes"])


class ChangeOut(BaseModel):
    """One invoice's dispute status after a change. `cursor` grows with every change.

    `status` is disputed, query, none, or how the case was resolved; `disputed_amount` a decimal as text. `sap`, `x12`,
    `peppol` and `cdar` are the reason's codes as the deployment maps them, the main one first.
    """

    cursor: int
    at: datetime
    entity: str
    account: str
    invoice: str
    currency: str
    status: str
    disputed_amount: str
    dunning_block: bool
    kind: str | None
    reason: str | None
    peppol: str | None
    cdar: list[str]
    sap: list[str] = []
    x12: list[str] = []
    case: int | None


class Feed(BaseModel):
    """Changes in their order. Read on from `next` (the `after` of the next request); `more` says whether to at once."""

    changes: list[ChangeOut]
    next: int
    more: bool


@router.get(
    "/changes",
    responses={401: {"description": "No good API token"}, 403: {"description": f"The token may not {SCOPE}"}},
)
def read_changes(
    request: Request,
    services: ServicesDep,
    after: Annotated[int, Query(ge=0, lt=2**63, description="The last cursor seen; 0 from the start")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Feed:
    """The changes after a cursor, oldest first, of the token's entity where it is limited to one. None is left out."""
    with db.transaction(services.sessions) as session:
        caller = token(SCOPE)(request, session)
        found = feed.changes_after(session, after=after, limit=limit + 1, entity=caller.entity_code)
    changes = [_shown(one.id, one.at, one.payload) for one in found[:limit]]
    return Feed(changes=changes, next=changes[-1].cursor if changes else after, more=len(found) > limit)


def _shown(cursor: int, at: datetime, payload: dict[str, Any]) -> ChangeOut:
    return ChangeOut(cursor=cursor, at=at, **payload)
