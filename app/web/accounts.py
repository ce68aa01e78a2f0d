"""Accounts: the list, and everything about one of them before dialling."""

from fastapi import APIRouter, Response

from app.web.ageing_view import ageing_of
from app.web.desk import DeskDep
from disputes.queries import STATES_OPEN, account_page, list_accounts

router = APIRouter()


@router.get("/accounts")
def accounts(desk: DeskDep, q: str = "", after: str | None = None) -> Response:
    """Accounts by name, with what they owe."""
    rows, next_key = list_accounts(desk.session, user=desk.user, text=q, today=desk.today, after=after)
    return desk.page("account/list.html", rows=rows, next_key=next_key, q=q)


@router.get("/accounts/{account_id}")
def account(desk: DeskDep, account_id: int) -> Response:
    """One account: open items, ageing, payments, cases, promises, contacts."""
    page = account_page(desk.session, user=desk.user, account_id=account_id)
    return desk.page(
        "account/show.html",
        page=page,
        account=page.account,
        ageing=ageing_of(page.items, today=desk.today),
        open_cases=[case for case in page.cases if case.state in STATES_OPEN],
        done_cases=[case for case in page.cases if case.state not in STATES_OPEN],
    )
