"""One box for cases, accounts and invoices; the palette shows the same page's results."""

from fastapi import APIRouter, Response

from app.web.desk import DeskDep
from disputes.queries import search

router = APIRouter()


@router.get("/search")
def found(desk: DeskDep, q: str = "") -> Response:
    """What the text may mean."""
    return desk.page("search/results.html", q=q, hits=search(desk.session, user=desk.user, text=q, now=desk.now))
