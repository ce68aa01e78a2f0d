"""What people do to a case. Each form answers 303; doing a thing twice is harmless."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Response
from pydantic import BaseModel, ConfigDict

from app.web.cases import case_response
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.inbox import last_list
from app.web.session import inside
from disputes.actions import cases, corrections, links
from disputes.models import Case
from disputes.queries import (
    STATES_OPEN,
    account_to_give,
    find_accounts,
    find_invoice,
    message_of,
    near_invoices,
    neighbours,
    visible_case,
)
from disputes.queries.case import link_of
from disputes.queries.filters import MAX_TEXT
from disputes.reasons import is_reason, kind_of

router = APIRouter()
N_ = str  # marks a msgid for extraction


class ActionForm(BaseModel):
    """Unknown fields are refused (S19)."""

    model_config = ConfigDict(extra="forbid")


class ReasonForm(ActionForm):
    """A reason by its name."""

    reason: str


class OwnerForm(ActionForm):
    """A user's id, "me" or "nobody"; `back` is the page they are on, the case's own when empty."""

    owner: str
    back: str = ""


class CloseForm(ActionForm):
    """How the case ended; `back` is the list they are on, empty to go on to the next case."""

    resolution: str
    back: str = ""


class AccountForm(ActionForm):
    """The account's id once it is chosen; before, its number or name as people remember it."""

    account: str = ""
    text: str = ""


class HoldForm(ActionForm):
    """For how many days, and why."""

    days: int
    why: str


class InvoiceForm(ActionForm):
    """An invoice's number as a person types it, and the message it belongs to."""

    message: int
    number: str


class DecisionForm(ActionForm):
    """What a person decides on a proposed link; `back` is the page they are on."""

    decision: Literal["confirm", "reject"]
    back: str = ""


class PlaceForm(ActionForm):
    """The case a message belongs to: a number, or "new"."""

    case: str
    back: str = ""


class BackForm(ActionForm):
    """Nothing but the page to go back to."""

    back: str = ""


@router.post("/cases/{case_id}/reason")
def correct(desk: DeskDep, case_id: int, form: Annotated[ReasonForm, Form()]) -> Response:
    """Correct what the case is; the kind follows the reason."""
    case = _visible(desk, case_id)
    before = case.reason
    kind = kind_of(form.reason) if is_reason(form.reason) else ""
    cases.correct(desk.session, case_id=case_id, kind=kind, reason=form.reason, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("corrected", f"/cases/{case_id}/reason", {"reason": before}))


@router.post("/cases/{case_id}/owner")
def give(desk: DeskDep, case_id: int, form: Annotated[OwnerForm, Form()]) -> Response:
    """Give the case to someone, or back to its team."""
    case = _visible(desk, case_id)
    before = str(case.owner_id or "nobody")
    owner = {"me": desk.user.id, "nobody": None}.get(form.owner, _number(form.owner))
    cases.assign(desk.session, case_id=case_id, owner_id=owner, team_id=case.team_id, actor=desk.actor, now=desk.now)
    back = inside(form.back or f"/cases/{case_id}")
    return desk.done(back, Flash("assigned", f"/cases/{case_id}/owner", {"owner": before, "back": back}))


@router.post("/cases/{case_id}/closure")
def close(desk: DeskDep, case_id: int, form: Annotated[CloseForm, Form()]) -> Response:
    """Close the case and go on to the next one of the list, or to the list when it was the last (U9)."""
    case = _visible(desk, case_id)
    on = inside(form.back) if form.back else next_after(desk, case)
    if case.state not in ("closed", "merged"):
        cases.close(desk.session, case_id=case_id, resolution=form.resolution, actor=desk.actor, now=desk.now)
    return desk.done(on, Flash("closed", f"/cases/{case_id}/reopening", {"back": form.back}))


@router.post("/cases/{case_id}/reopening")
def reopen(desk: DeskDep, case_id: int, form: Annotated[BackForm, Form()]) -> Response:
    """The matter is not settled after all."""
    case = _visible(desk, case_id)
    if case.state not in STATES_OPEN:
        cases.reopen(desk.session, case_id=case_id, actor=desk.actor, now=desk.now)
    return desk.done(inside(form.back or f"/cases/{case_id}"), Flash("reopened"))


@router.post("/cases/{case_id}/account")
def put_on_account(desk: DeskDep, case_id: int, form: Annotated[AccountForm, Form()]) -> Response:
    """Put a case on the account it belongs to: first find it, then give it; nothing found comes back with the form."""
    case = _visible(desk, case_id)
    if not form.account:
        return _look_for_account(desk, case, form.text.strip()[:MAX_TEXT])
    account = account_to_give(desk.session, user=desk.user, account_id=_number(form.account) or 0)
    before = case.account_id
    corrections.set_case_account(
        desk.session, case_id=case_id, account_id=account.id, actor=desk.actor, now=desk.now
    )  # fmt: skip
    if before == account.id:
        return desk.done(f"/cases/{case_id}")
    undo = {"account": str(before)} if before is not None else {}
    return desk.done(f"/cases/{case_id}", Flash("account_corrected", f"/cases/{case_id}/account" if undo else "", undo))


def _look_for_account(desk: Desk, case: Case, text: str) -> Response:
    found = find_accounts(desk.session, user=desk.user, text=text)
    if any(account.id != case.account_id for account in found):
        return desk.done(f"/cases/{case.id}?{urlencode({'account': text})}#account-fix")
    return case_response(desk, case.id, status=422, account_missed=True, account_text=text)


@router.post("/cases/{case_id}/hold")
def hold(desk: DeskDep, case_id: int, form: Annotated[HoldForm, Form()]) -> Response:
    """Take no step for some days."""
    _visible(desk, case_id)
    until = desk.now + timedelta(days=max(1, min(form.days, 365)))
    cases.hold(desk.session, case_id=case_id, until=until, why=form.why, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("held", f"/cases/{case_id}/release"))


@router.post("/cases/{case_id}/release")
def release(desk: DeskDep, case_id: int) -> Response:
    """End a hold before its time."""
    _visible(desk, case_id)
    cases.release(desk.session, case_id=case_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("released"))


@router.post("/cases/{case_id}/invoices")
def add_invoice(desk: DeskDep, case_id: int, form: Annotated[InvoiceForm, Form()]) -> Response:
    """Name an invoice the program did not find; an unknown number comes back with the form."""
    case = _visible(desk, case_id)
    message = message_of(desk.session, user=desk.user, message_id=form.message)
    invoice = find_invoice(desk.session, user=desk.user, account_id=case.account_id, text=form.number)
    if invoice is None or (case.account_id is not None and invoice.account_id != case.account_id):
        refusal = N_("No invoice of this account has that number.")
        near = near_invoices(desk.session, user=desk.user, account_id=case.account_id, text=form.number)
        return case_response(desk, case_id, status=422, add_error=refusal, add_number=form.number[:60], add_near=near)
    link = links.add(desk.session, message_id=message.id, invoice_id=invoice.id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("added", f"/links/{link.id}/decision", {"decision": "reject"}))


@router.post("/links/{link_id}/decision")
def decide(desk: DeskDep, link_id: int, form: Annotated[DecisionForm, Form()]) -> Response:
    """Confirm or reject that a message means an invoice."""
    link = link_of(desk.session, user=desk.user, link_id=link_id)
    act = links.confirm if form.decision == "confirm" else links.reject
    act(desk.session, link_id=link_id, actor=desk.actor, now=desk.now)
    case_id = link.message.case_id
    back = inside(form.back) if form.back else f"/cases/{case_id}" if case_id else "/review"
    code = "confirmed" if form.decision == "confirm" else "rejected"
    opposite = "reject" if form.decision == "confirm" else "confirm"
    return desk.done(back, Flash(code, f"/links/{link_id}/decision", {"decision": opposite, "back": back}))


@router.post("/messages/{message_id}/rejection")
def none_of_these(desk: DeskDep, message_id: int, form: Annotated[BackForm, Form()]) -> Response:
    """The message means none of the invoices proposed."""
    message = message_of(desk.session, user=desk.user, message_id=message_id, links=True)
    for link in [link for link in message.links if link.state == "proposed"]:
        links.reject(desk.session, link_id=link.id, actor=desk.actor, now=desk.now)
    return desk.done(inside(form.back or "/review"), Flash("rejected"))


@router.post("/messages/{message_id}/case")
def place(desk: DeskDep, message_id: int, form: Annotated[PlaceForm, Form()]) -> Response:
    """Say which case a message belongs to."""
    message = message_of(desk.session, user=desk.user, message_id=message_id)
    before = message.case_id
    target = None if form.case == "new" else _visible(desk, _number(form.case.lstrip("#")) or 0).id
    case = corrections.move(desk.session, message_id=message_id, case_id=target, actor=desk.actor, now=desk.now)
    back = inside(form.back) if form.back else f"/cases/{case.id}"
    undo = Flash("moved", f"/messages/{message_id}/case", {"case": str(before)}) if before else Flash("moved")
    return desk.done(back, undo)


def _visible(desk: Desk, case_id: int) -> Case:
    return visible_case(desk.session, user=desk.user, case_id=case_id)


def next_after(desk: Desk, case: Case) -> str:
    """The page to go on to when a case is done: the next one of the list, or the list."""
    asked = last_list(desk)
    before, after = neighbours(
        desk.session, user=desk.user, filters=asked.filters, now=desk.now, sort=asked.sort, case=case
    )
    on = after or before
    return f"/cases/{on}" if on else "/inbox"


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None  # noqa: PLR2004 - ids are 64-bit
