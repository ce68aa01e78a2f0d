"""The case page."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from app.web.case_clocks import promised
from app.web.case_panels import joined_cases, money_rows, money_totals, promises, wait_days
from app.web.case_view import files_of, invoice_cards, ranked_reasons, reader_of, timeline, to_dos, unlinked
from app.web.desk import Desk, DeskDep
from app.web.inbox import last_list
from app.web.plan_view import plan_view
from app.web.rules import names
from disputes.clocks import KINDS
from disputes.queries import CasePage, case_page, find_accounts, neighbours, takers
from disputes.queries.bank_checks import checks_of_case

router = APIRouter()
EMPTY_FORM: Mapping[str, Any] = {
    "account_missed": False,
    "account_text": "",
    "add_error": "",
    "add_number": "",
    "add_near": (),
    "note_error": "",
    "note_text": "",
    "bank": None,
    "dialog": "",
    "error": "",
    "typed": {},
}
"""What was typed and why it was refused: nothing. `dialog` names the form that is open, `typed` what stands in it."""


@router.get("/cases/{case_id}")
def show(desk: DeskDep, case_id: int) -> Response:
    """One case: conversation, evidence, what happens next."""
    return case_response(desk, case_id)


def case_response(desk: Desk, case_id: int, *, status: int = 200, **form: Any) -> Response:
    """The case page; `form` carries what was typed and why it was refused (`add_error`, `note_text`...)."""
    page = case_page(desk.session, user=desk.user, case_id=case_id)
    cards = invoice_cards(page)
    only = desk.request.query_params.get("show") == "messages"
    asked = last_list(desk)
    reader = reader_of(page, words=desk.words, zone=desk.zone, reasons=desk.reason_names)
    before, after = neighbours(
        desk.session, user=desk.user, filters=asked.filters, now=desk.now, sort=asked.sort, case=page.case
    )
    return desk.page(
        "case/show.html",
        status=status,
        page=page,
        case=page.case,
        entries=timeline(page, reader, messages_only=only),
        messages_only=only,
        cards=cards,
        unlinked=unlinked(page, cards),
        reasons=ranked_reasons(page.case, page.messages, desk.reason_names.known),
        files=files_of(page),
        people=takers(desk.session, case=page.case),
        to_dos=to_dos(page.tasks),
        before=before,
        after=after,
        back=asked.values,
        waits=wait_days(page.case, desk.now),
        **_bank_checks(desk, case_id),
        promised=promised(page.clocks, desk.now),
        **_panels(page),
        **_other_accounts(desk, page),
        ahead=plan_view(desk, page.case),
        names=names,
        clocks=KINDS,
        form={**EMPTY_FORM, **form},
    )


def _bank_checks(desk: Desk, case_id: int) -> dict[str, Any]:
    """The checks of the case, and which of its mails each is about."""
    checks = checks_of_case(desk.session, user=desk.user, case_id=case_id)
    return {"checks": checks, "checked": {message_id: one for one in checks for message_id in one.mails}}


def _other_accounts(desk: Desk, page: CasePage) -> dict[str, Any]:
    """The accounts found for a case on the wrong one; nothing is asked of the database unless the search is used."""
    text = desk.request.query_params.get("account", "").strip()
    found = find_accounts(desk.session, user=desk.user, text=text) if text else ()
    others = [account for account in found if account.id != page.case.account_id]
    return {"account_text": text, "other_accounts": others}


def _panels(page: CasePage) -> dict[str, Any]:
    """What stands beside the conversation."""
    money = money_rows(page)
    return {
        "money": {row.invoice.id: row for row in money},
        "totals": money_totals(money),
        "promises": promises(page),
        "joined": joined_cases(page),
    }
