"""Credits: asking for one, and the page where it is approved or refused."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Literal

from babel.numbers import get_decimal_symbol
from fastapi import APIRouter, Form, Response

from app.auth import User, may
from app.core.errors import BadInput
from app.core.money import NotMoney
from app.web.amounts import typed
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.task_view import APPROVAL
from app.web.tasks import on_to_next
from disputes.actions import approvals
from disputes.actions.approvals import BadCredit
from disputes.models import Case, Task
from disputes.queries import case_invoices, visible_case
from disputes.queries.approvals import Voice, name_of_user, voices_of
from disputes.queries.tasks import visible_task

router = APIRouter()
N_ = str  # marks a msgid for extraction


class CreditForm(ActionForm):
    """What is asked for: an amount as people write it, its currency, and why."""

    amount: str = ""
    currency: str = ""
    why: str = ""


class VoteForm(ActionForm):
    """A yes or no, with a word on it."""

    decision: Literal["approve", "refuse"]
    note: str = ""


@router.get("/cases/{case_id}/credit")
def ask_page(desk: DeskDep, case_id: int) -> Response:
    """The form to ask for a credit."""
    return _form(desk, visible_case(desk.session, user=desk.user, case_id=case_id))


def _form(desk: Desk, case: Case, *, status: int = 200, form: CreditForm | None = None, error: str = "") -> Response:
    rows = case_invoices(desk.session, case_id=case.id)
    entity = case.entity
    return desk.page(
        "approvals/ask.html",
        status=status,
        case=case,
        rows=rows,
        most=approvals.invoiced(desk.session, case=case),
        limit=desk.services.settings.casework.credit_limit,
        limit_currency=entity.currency if entity else "",
        form=form or CreditForm(),
        error=error,
    )


@router.post("/cases/{case_id}/credit")
def ask(desk: DeskDep, case_id: int, form: Annotated[CreditForm, Form()]) -> Response:
    """Ask that a credit be approved; what cannot be asked for comes back with the form."""
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    try:
        approvals.ask_credit(
            desk.session,
            case_id=case_id,
            amount=_amount(desk, form),
            currency=form.currency,
            why=form.why,
            limit=desk.services.settings.casework.credit_limit,
            actor=desk.actor,
            now=desk.now,
        )
    except (BadCredit, NotMoney) as refusal:  # refused before anything was written
        return _form(desk, case, status=422, form=form, error=_refusal(refusal))
    return desk.done(f"/cases/{case_id}", Flash("credit_asked"))


def _amount(desk: Desk, form: CreditForm) -> Decimal:
    return typed(form.amount, form.currency, decimal_mark=get_decimal_symbol(desk.words.locale))


def _refusal(refusal: BadInput) -> str:
    if refusal.fields.get("amount") == "too much":
        return N_("That is more than the invoices of this case are about.")
    if "why" in refusal.fields:
        return N_("Say in a sentence why it should be credited.")
    if isinstance(refusal, NotMoney) or "amount" in refusal.fields:
        return N_("Write the amount as a figure, more than zero.")
    return N_("Nothing can be asked for here: the case is over, or names no invoice in this currency.")


@router.get("/approvals/{task_id}")
def show(desk: DeskDep, task_id: int) -> Response:
    """One credit to be approved: what it is about, who asked and why, who said what."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id, kind=APPROVAL)
    voices = voices_of(desk.session, task=task)
    case = task.case
    return desk.page(
        "approvals/show.html",
        task=task,
        case=case,
        amount=Decimal(task.payload["amount"]),
        currency=task.payload["currency"],
        asker=name_of_user(desk.session, user_id=task.payload["asked_by"]),
        voices=voices,
        rows=case_invoices(desk.session, case_id=case.id) if case else (),
        why_not=_why_not(desk.user, task, voices),
    )


def _why_not(user: User, task: Task, voices: Sequence[Voice]) -> str:
    """Why this reader has no vote (any more), as a msgid; "" if they have one."""
    if task.state != "open":
        return N_("This is decided.")
    if task.payload["asked_by"] == user.id:
        return N_("You asked for this credit: somebody else approves it.")
    if not may(user, approvals.APPROVE):
        return N_("Approving credits is for those who settle disputes, and for team leads.")
    if any(voice.user_id == user.id for voice in voices):
        return N_("You said yes already: one more person must approve.")
    return ""


@router.post("/approvals/{task_id}/vote")
def vote(desk: DeskDep, task_id: int, form: Annotated[VoteForm, Form()]) -> Response:
    """A yes or no. Saying it twice is harmless."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id, kind=APPROVAL)
    if task.state != "open" or any(voice.user_id == desk.user.id for voice in voices_of(desk.session, task=task)):
        return desk.done(f"/approvals/{task_id}")
    found = approvals.vote(
        desk.session,
        task_id=task_id,
        approved=form.decision == "approve",
        note=form.note,
        actor=desk.actor,
        now=desk.now,
    )
    told = {"granted": "credit_granted", "refused": "credit_refused"}.get(found.state, "credit_voted")
    return desk.done(on_to_next(desk, APPROVAL) if found.state != "open" else "/tasks", Flash(told))
