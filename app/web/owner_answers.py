"""The owner's answer on the case's page, and what its form and those behind a digest's links have in common."""

from decimal import Decimal
from typing import Annotated, Literal

from babel import Locale
from babel.numbers import get_decimal_symbol
from fastapi import APIRouter, Form, Response

from app.core.errors import BadInput, Conflict, DomainError
from app.core.money import NotMoney, rounded
from app.web.amounts import typed
from app.web.case_actions import ActionForm
from app.web.cases import case_response
from app.web.desk import DeskDep
from app.web.flash import Flash
from disputes.actions import owner_answers
from disputes.digest_answers import Command
from disputes.digest_tokens import CREDIT
from disputes.queries import visible_case
from disputes.queries.digests import item_of

router = APIRouter()
N_ = str  # marks a msgid for extraction
DIALOG = "owner-answer"
"""The name of the form on the case's page."""


class OwnerAnswerForm(ActionForm):
    """What the owner decides, with their words, and the sum to credit as a person writes it."""

    action: Literal["accept", "reject", "credit", "need", "not-mine"]
    text: str = ""
    amount: str = ""


@router.post("/cases/{case_id}/owner-answer")
def answer(desk: DeskDep, case_id: int, form: Annotated[OwnerAnswerForm, Form()]) -> Response:
    """Record what the owner decided; what cannot be done comes back with the form."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    item = item_of(desk.session, user=desk.user, case_id=case_id)
    currency = item.amount[1] if item is not None and item.amount is not None else ""
    try:
        command = command_of(case_id, form.action, form.text, form.amount, currency=currency, locale=desk.words.locale)
        with desk.session.begin_nested():
            owner_answers.answer(
                desk.session,
                command=command,
                limit=desk.services.settings.casework.credit_limit,
                actor=desk.actor,
                now=desk.now,
            )
    except (BadInput, Conflict) as error:
        typed_in = {"text": form.text, "amount": form.amount}
        return case_response(desk, case_id, status=422, dialog=DIALOG, error=refusal(error), typed=typed_in)
    return desk.done(f"/cases/{case_id}", Flash("owner_answered"))


def command_of(case_id: int, action: str, text: str, amount: str, *, currency: str, locale: Locale) -> Command:
    """What a form says. Raises NotMoney where a credit has no sum a person could mean."""
    if action != CREDIT:
        return Command(case_id, action, text.strip())
    return Command(case_id, action, text.strip(), typed(amount, currency, decimal_mark=get_decimal_symbol(locale)))


def shown_plain(amount: Decimal, currency: str, *, locale: Locale) -> str:
    """An amount as a person types it: 120.00 or 120,00, no groups and no sign of the currency."""
    return f"{rounded(amount, currency):f}".replace(".", get_decimal_symbol(locale))


def refusal(error: DomainError) -> str:
    """Why it was not done, for the reader."""
    if isinstance(error, Conflict):
        return N_("Something changed meanwhile: look again.")
    fields = error.fields or {}
    if fields.get("amount") == "too much":
        return N_("That is more than the invoices of this case are about.")
    if isinstance(error, NotMoney) or "amount" in fields:
        return N_("Write the amount as a figure, more than zero.")
    return N_("Say what is missing.") if "text" in fields else N_("This cannot be done.")
