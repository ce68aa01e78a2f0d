"""Changed bank details: a colleague's doubt, the first person's call-back, the second person's word (S15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Response
from pydantic import Field

from app.core.errors import Conflict, Forbidden
from app.web.case_actions import ActionForm
from app.web.cases import case_response
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from disputes.actions import bank_checks
from disputes.actions.bank_checks import LONGEST_NOTE, LONGEST_NUMBER, BadCall
from disputes.bank_check import BankCheckPolicy, CallBack
from disputes.queries import visible_case
from disputes.queries.bank_checks import visible_check

router = APIRouter()
N_ = str  # marks a msgid for extraction
OTHER = "other"
"""The choice of a number that is on no file of ours."""


class DoubtForm(ActionForm):
    """The mail somebody doubts."""

    message: int


class CallForm(ActionForm):
    """What the call-back brought. `number` is one on file or "other", which is then in `other`, known from `source`."""

    outcome: Literal["genuine", "fraud", "not_reached"]
    number: Annotated[str, Field(max_length=LONGEST_NUMBER)] = ""
    other: Annotated[str, Field(max_length=LONGEST_NUMBER)] = ""
    source: Annotated[str, Field(max_length=100)] = ""
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""


class WordForm(ActionForm):
    """A word of the second person."""

    note: Annotated[str, Field(max_length=300)] = ""


@router.post("/cases/{case_id}/bank-checks")
def doubt(desk: DeskDep, case_id: int, form: Annotated[DoubtForm, Form()]) -> Response:
    """A colleague doubts a mail: the case is held for two people."""
    visible_case(desk.session, user=desk.user, case_id=case_id)
    hours = desk.services.settings.casework.bank_check_hours
    bank_checks.raise_doubt(
        desk.session,
        case_id=case_id,
        message_id=form.message,
        policy=BankCheckPolicy(timedelta(hours=hours)),
        actor=desk.actor,
        now=desk.now,
    )
    return _back(desk, case_id, "bank_held")


@router.post("/bank-checks/{check_id}/call-back")
def call_back(desk: DeskDep, check_id: int, form: Annotated[CallForm, Form()]) -> Response:
    """The first person says what the call-back brought; what cannot be believed comes back with the form."""
    check, case_id = visible_check(desk.session, user=desk.user, check_id=check_id)
    if check.state != "open":
        return _back(desk, case_id, "bank_changed")
    number, source = (form.other, form.source) if form.number == OTHER else (form.number, "")
    call = CallBack(outcome=form.outcome, number=number, source=source, note=form.note)
    try:
        bank_checks.say(desk.session, check_id=check_id, call=call, actor=desk.actor, now=desk.now)
    except BadCall as refusal:  # refused before anything was written
        return _again(desk, case_id, check_id, refusal.fields, form.model_dump())
    return _back(desk, case_id, "bank_not_reached" if form.outcome == "not_reached" else "bank_said")


@router.post("/bank-checks/{check_id}/confirmation")
def confirm(desk: DeskDep, check_id: int, form: Annotated[WordForm, Form()]) -> Response:
    """The second person agrees. Whoever spoke first, and whoever comes too early, is told why not."""
    check, case_id = visible_check(desk.session, user=desk.user, check_id=check_id)
    if check.state != "asked":
        return _back(desk, case_id, "bank_changed")
    try:
        bank_checks.confirm(desk.session, check_id=check_id, note=form.note, actor=desk.actor, now=desk.now)
    except (Conflict, Forbidden):
        same = check.first_id == desk.user.id
        return _back(desk, case_id, "bank_same_person" if same else "bank_too_early")
    return _back(desk, case_id, "bank_released" if check.state == "released" else "bank_fraud")


@router.post("/bank-checks/{check_id}/return")
def send_back(desk: DeskDep, check_id: int, form: Annotated[WordForm, Form()]) -> Response:
    """Somebody does not agree, or takes their own word back."""
    check, case_id = visible_check(desk.session, user=desk.user, check_id=check_id)
    if check.state != "asked":
        return _back(desk, case_id, "bank_changed")
    try:
        bank_checks.send_back(desk.session, check_id=check_id, note=form.note, actor=desk.actor, now=desk.now)
    except BadCall as refusal:  # refused before anything was written
        return _again(desk, case_id, check_id, {"back": refusal.message}, form.model_dump())
    return _back(desk, case_id, "bank_sent_back")


def _back(desk: Desk, case_id: int, told: str) -> Response:
    return desk.done(f"/cases/{case_id}#bank-check", Flash(told))


@dataclass(frozen=True, slots=True)
class Refused:
    """A form of a check that came back: what was typed, and why not."""

    check_id: int
    typed: Mapping[str, Any]
    faults: Sequence[str]
    field: str


_FAULTS: Mapping[str, str] = {
    "number": N_(
        "Choose the number that was called. One that stands in the mail does not count, and one that is on no file "
        "needs where you know it from."
    ),
    "note": N_("Say whom you spoke to, and what they said."),
    "back": N_("Say why you do not agree."),
}


def _again(desk: Desk, case_id: int, check_id: int, fields: Mapping[str, str], typed: Mapping[str, Any]) -> Response:
    found = [name for name in _FAULTS if name in fields]
    refused = Refused(check_id, typed, [_FAULTS[name] for name in found], found[0] if found else "")
    return case_response(desk, case_id, status=422, bank=refused)
