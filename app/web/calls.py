"""The call sheet (U29): everything before dialling, the script, and the outcome in one key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Annotated, Any

from babel.numbers import get_decimal_symbol
from fastapi import APIRouter, Form, Response

from app.core.errors import BadInput
from app.core.money import NotMoney
from app.web import labels
from app.web.amounts import typed
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.task_view import name_of
from app.web.tasks import on_to_next
from disputes.actions import calls
from disputes.actions.calls import CallResult, TooLate
from disputes.call_outcomes import OUTCOMES, Follow, Outcome, after_call
from disputes.queries import visible_case
from disputes.queries.calls import CallSheet, call_sheet, unanswered_tries
from disputes.queries.tasks import CALL, visible_task
from disputes.reasons import DISPUTE
from disputes.workhours import calendar_of

router = APIRouter()
N_ = str  # marks a msgid for extraction
LONGEST_NOTE = 5_000
HEADINGS: Mapping[str, str] = MappingProxyType({
    "greeting": N_("Greet"),
    "purpose": N_("Say why you call"),
    "facts": N_("Say what you know"),
    "listen": N_("Listen"),
    "offer": N_("Offer"),
    "close": N_("Say goodbye"),
})  # fmt: skip
TOLD: Mapping[Follow, str] = MappingProxyType({
    "playbook": "called",
    "call_again": "called_again",
    "send_copy": "called_copy",
    "ask_owner": "called_owner",
    "watch_payment": "called_watch",
    "keep_promise": "called_promise",
})  # fmt: skip
NEXT: Mapping[Follow, str] = MappingProxyType({
    "playbook": N_("the case goes on"),
    "call_again": N_("call again"),
    "send_copy": N_("a copy is sent"),
    "ask_owner": N_("its owner is asked"),
    "watch_payment": N_("we look for it again"),
    "keep_promise": N_("the money is watched for"),
})  # fmt: skip
"""What follows from an outcome, said on its button."""


class OutcomeForm(ActionForm):
    """How the call ended. `disputes` is the reason they dispute it for; `day` and `amount` belong to a promise."""

    outcome: str = ""
    disputes: str = ""
    note: str = ""
    day: str = ""
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """An outcome as its button: what follows, and when if it has a time."""

    outcome: Outcome
    next: str
    at: datetime | None


@router.get("/calls/{task_id}")
def show(desk: DeskDep, task_id: int) -> Response:
    """The sheet of one call."""
    return _page(desk, task_id)


def _page(desk: Desk, task_id: int, *, status: int = 200, form: OutcomeForm | None = None, error: str = "") -> Response:
    sheet = call_sheet(desk.session, user=desk.user, task_id=task_id, now=desk.now)
    return desk.page(
        "calls/show.html",
        status=status,
        sheet=sheet,
        task=sheet.task,
        case=sheet.case,
        name=name_of(sheet.task),
        headings=HEADINGS,
        offered=_offered(desk, sheet),
        outcomes=OUTCOMES,
        dispute_reasons=[name for name in desk.reason_names.known.of_kind(DISPUTE) if name != sheet.case.reason],
        calling_code=labels.LANGUAGES.get(sheet.case.language, ""),
        form=form or OutcomeForm(),
        error=error,
    )


def _offered(desk: Desk, sheet: CallSheet) -> list[Offered]:
    """Each outcome with what would follow from it now."""
    calendar = calendar_of(sheet.case.entity.country if sheet.case.entity else None)
    tries = unanswered_tries(desk.session, task=sheet.task) + 1
    found = []
    for outcome in OUTCOMES.values():
        after = after_call(outcome.name, tries=tries, now=desk.now, calendar=calendar)
        timed = after.follow in {"call_again", "watch_payment"}
        found.append(Offered(outcome, NEXT[after.follow], after.at if timed else None))
    return found


@router.post("/calls/{task_id}/outcome")
def end(desk: DeskDep, task_id: int, form: Annotated[OutcomeForm, Form()]) -> Response:
    """How it went; what follows is booked, and the next call of the list opens."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id, kind=CALL)
    if task.state != "open":  # a key pressed twice
        return desk.done(on_to_next(desk, CALL))
    sheet = call_sheet(desk.session, user=desk.user, task_id=task_id, now=desk.now)
    try:
        result = _result(desk, sheet, form)
        after = calls.record_outcome(desk.session, task_id=task_id, result=result, actor=desk.actor, now=desk.now)
    except BadInput as refusal:  # refused before anything was written
        return _page(desk, task_id, status=422, form=form, error=_refusal(refusal))
    return desk.done(on_to_next(desk, CALL), Flash(TOLD[after.follow], f"/calls/{task_id}/undoing"))


def _result(desk: Desk, sheet: CallSheet, form: OutcomeForm) -> CallResult:
    if len(form.note) > LONGEST_NOTE:
        raise BadInput("The note is too long", fields={"note": "too long"})
    outcome = "disputes" if form.disputes else form.outcome
    money: dict[str, Any] = {}
    if outcome == "promised":
        money["promised"] = _day(form.day)
        mark = get_decimal_symbol(desk.words.locale)
        money["amount"] = typed(form.amount, sheet.currency, decimal_mark=mark) if form.amount.strip() else None
        money["currency"] = sheet.currency
    return CallResult(outcome=outcome, note=form.note, reason=form.disputes, **money)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _refusal(refusal: BadInput) -> str:
    """Why it was refused, as a msgid the reader can do something with."""
    if isinstance(refusal, NotMoney) or "amount" in refusal.fields:
        return N_("Say how much was promised, as an amount of money.")
    if {"date", "day"} & set(refusal.fields):
        return N_("Say for which day it was promised: today or later, within a year.")
    return N_("That is no way for a call to end. Choose one of the buttons.")


@router.post("/calls/{task_id}/undoing")
def undo(desk: DeskDep, task_id: int) -> Response:
    """The wrong key: the call is open again and nothing follows from it."""
    task = visible_task(desk.session, user=desk.user, task_id=task_id, kind=CALL)
    try:
        calls.undo_outcome(desk.session, task_id=task_id, actor=desk.actor, now=desk.now)
    except TooLate:
        return desk.done(f"/cases/{task.case_id}", Flash("call_too_late"))
    return desk.done(f"/calls/{task_id}", Flash("call_taken_back"))


@router.post("/cases/{case_id}/calls")
def call(desk: DeskDep, case_id: int) -> Response:
    """Call about this case now: its open call, or a new one."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    task = calls.ask_for_call(desk.session, case_id=case_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/calls/{task.id}")
