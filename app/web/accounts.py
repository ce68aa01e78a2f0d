"""Accounts: the list, and everything about one of them before dialling."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from app.web.ageing_view import ageing_of
from app.web.desk import Desk, DeskDep
from app.web.task_view import ICONS, name_of
from disputes.bank_holds import is_held
from disputes.call_outcomes import OUTCOMES
from disputes.call_sheet import tel_link
from disputes.call_times import BestTime
from disputes.queries import STATES_OPEN, AccountPage, account_page, list_accounts
from disputes.queries.calls import best_to_call
from invoices.models import Contact
from letters.queries.letters import letters_of_account

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Ringing:
    """A contact and the link that dials their number, "" where it cannot be dialled."""

    contact: Contact
    link: str


@router.get("/accounts")
def accounts(desk: DeskDep, q: str = "", after: str | None = None) -> Response:
    """Accounts by name, with what they owe."""
    rows, next_key = list_accounts(desk.session, user=desk.user, text=q, today=desk.today, after=after)
    return desk.page("account/list.html", rows=rows, next_key=next_key, q=q)


@router.get("/accounts/{account_id}")
def account(desk: DeskDep, account_id: int) -> Response:
    """One account: open items, ageing, payments, cases, promises, contacts, calls, what is to be done (U28)."""
    page = account_page(desk.session, user=desk.user, account_id=account_id, now=desk.now)
    return desk.page(
        "account/show.html",
        page=page,
        account=page.account,
        people=[Ringing(one, tel_link(one.phone, page.account.country)) for one in page.account.contacts],
        best=_best(desk, page),
        checked=is_held(desk.session, case_id=None, account_id=account_id),
        outcomes=OUTCOMES,
        task_name=name_of,
        letters=letters_of_account(desk.session, user=desk.user, account_id=account_id),
        task_icons=ICONS,
        ageing=ageing_of(page.items, today=desk.today),
        open_cases=[case for case in page.cases if case.state in STATES_OPEN],
        done_cases=[case for case in page.cases if case.state not in STATES_OPEN],
    )


def _best(desk: Desk, page: AccountPage) -> BestTime | None:
    """When the first contact with a number is best rung; None where there is no number."""
    phone = next((contact.phone for contact in page.account.contacts if contact.phone), "")
    if not phone:
        return None
    entity, country = page.account.entity, page.account.country
    return best_to_call(phone=phone, country=country, ours=entity.country, calls=page.calls, now=desk.now)
