"""The inbox: the list of cases with its filters in the address."""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError

from app.web.desk import Desk, DeskDep
from app.web.flash import is_background
from disputes.queries import CaseFilter, choices, list_cases

router = APIRouter()
LIST_COOKIE = "amiable_list"
"""The list last shown: closing a case goes on to the next one of it (U9)."""
PAGE = 50
N_ = str  # marks a msgid for extraction


class InboxQuery(BaseModel):
    """The filters, order and place of the list, as the address carries them."""

    state: Literal["open", "done", "all", "new", "in_progress", "waiting", "resolved", "closed"] = "open"
    kind: str = ""
    reason: str = ""
    team: str = ""
    owner: str = ""
    entity: str = ""
    account: int | None = None
    tone: str = ""
    urgent: bool = False
    overdue: bool = False
    standing: Literal["", "customer", "us", "third_party", "held", "late", "at_risk", "promised", "promise_broken"] = ""
    q: str = ""
    sort: Literal["activity", "due", "oldest", "newest"] = "activity"
    after: str | None = None

    @property
    def filters(self) -> CaseFilter:
        """The filters as the query takes them."""
        values = self.model_dump(exclude={"q", "sort", "after"})
        return CaseFilter(**values, text=self.q)

    @property
    def values(self) -> dict[str, Any]:
        """What belongs in the address of this list: defaults and the place are left out."""
        return {name: value for name, value in self.model_dump(exclude_defaults=True).items() if name != "after"}


@router.get("/")
def home() -> Response:
    """The desk begins at the inbox."""
    return RedirectResponse("/inbox", status_code=303)


@router.get("/inbox")
def inbox(request: Request, desk: DeskDep, asked: Annotated[InboxQuery, Query()]) -> Response:
    """A page of cases."""
    found = list_cases(
        desk.session,
        user=desk.user,
        filters=asked.filters,
        now=desk.now,
        sort=asked.sort,
        after=asked.after,
        limit=PAGE,
    )
    response = desk.page(
        "inbox/list.html",
        cases=found,
        asked=asked,
        choices=choices(desk.session),
        views=saved_views(),
        narrowed=bool(set(asked.values) - {"sort"}),
    )
    if not is_background(request):
        response.set_cookie(LIST_COOKIE, request.url.query, samesite="lax", httponly=True, path="/")
    return response


def saved_views() -> tuple[tuple[str, dict[str, Any], str], ...]:
    """The views every desk has: name, filters, and the field of ViewCounts with their count."""
    return (
        (N_("All open"), {}, "open"),
        (N_("Mine"), {"owner": "me"}, "mine"),
        (N_("Unassigned"), {"owner": "nobody"}, "unassigned"),
        (N_("Urgent"), {"urgent": True}, "urgent"),
        (N_("Late"), {"overdue": True, "sort": "due"}, "overdue"),
        (N_("Disputes"), {"kind": "dispute"}, "disputes"),
        (N_("Queries"), {"kind": "query"}, "queries"),
        (N_("Customer's turn"), {"standing": "customer"}, "customer"),
        (N_("Held"), {"standing": "held"}, "held"),
    )


def last_list(desk: Desk) -> InboxQuery:
    """The list the user came from, as their browser remembers it; all open cases when it does not."""
    try:
        return InboxQuery.model_validate(dict(parse_qsl(desk.request.cookies.get(LIST_COOKIE, ""))))
    except ValidationError:
        return InboxQuery()
