"""The life of a case as people steer it: wait, go on, resolve, merge, separate, put an amount right."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from babel.numbers import get_decimal_symbol
from fastapi import APIRouter, Form, Response
from pydantic import Field

from app.core.errors import BadInput
from app.core.money import NotMoney
from app.web.amounts import typed
from app.web.case_actions import ActionForm
from app.web.cases import case_response
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from disputes.actions import life, money
from disputes.dispute_money import NotPossible
from disputes.models import Case
from disputes.queries import case_invoices, visible_case
from disputes.queries.merging import comparable_cases
from disputes.workdays import due

router = APIRouter()
N_ = str  # marks a msgid for extraction
LONGEST_WAIT = timedelta(days=366)
OTHER_DAY = "day"
"""The choice that lets the reader name a day themselves."""


class WaitForm(ActionForm):
    """Whom the case waits on; `when` is a day or a moment (ISO 8601), or "day" for the one in `day`."""

    on: str
    when: str
    day: str = ""


class ResolutionForm(ActionForm):
    """How the matter ends; `amount` is what is accepted of each `invoice`, as people write it."""

    resolution: str = ""
    note: str = ""
    invoice: list[int] = Field(default_factory=list)
    amount: list[str] = Field(default_factory=list)


class MergerForm(ActionForm):
    """The case this one flows into."""

    target: int


class DisputedForm(ActionForm):
    """What is in dispute of an invoice, as people write it."""

    amount: str


@router.post("/cases/{case_id}/waiting")
def wait(desk: DeskDep, case_id: int, form: Annotated[WaitForm, Form()]) -> Response:
    """Wait on somebody until a time; a time that cannot be comes back with the form."""
    case = _visible(desk, case_id)
    until = _until(desk, case, form)
    if until is None:
        refusal = N_("Choose a day to come, within a year.")
        return _refused(desk, case_id, "wait", refusal, on=form.on, when=form.when, day=form.day)
    undo = _waiting_again(desk, case, "waits") or Flash("waits", f"/cases/{case_id}/resumption")
    life.wait(desk.session, case_id=case_id, on=form.on, until=until, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", undo)


def _until(desk: Desk, case: Case, form: WaitForm) -> datetime | None:
    text = form.day if form.when == OTHER_DAY else form.when
    try:
        moment = datetime.fromisoformat(text) if "T" in text else _end_of(desk, case, date.fromisoformat(text))
    except ValueError:
        return None
    return moment if moment.tzinfo and desk.now < moment <= desk.now + LONGEST_WAIT else None


def _end_of(desk: Desk, case: Case, day: date) -> datetime:
    """The end of a day's business, or of the next business day."""
    morning = desk.now.replace(year=day.year, month=day.month, day=day.day, hour=0)
    return due(morning, days=0, country=case.entity.country if case.entity else None)


@router.post("/cases/{case_id}/resumption")
def go_on(desk: DeskDep, case_id: int) -> Response:
    """What the case waited for came."""
    case = _visible(desk, case_id)
    if case.state != "waiting":
        return desk.done(f"/cases/{case_id}")
    undo = _waiting_again(desk, case, "goes_on")
    life.resume(desk.session, case_id=case_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", undo or Flash("goes_on"))


def _waiting_again(desk: Desk, case: Case, told: str) -> Flash | None:
    """Undone by waiting as it did before, where it waited for a time still to come."""
    until = case.waiting_until
    if case.state != "waiting" or until is None or until <= desk.now:
        return None
    return Flash(told, f"/cases/{case.id}/waiting", {"on": str(case.waiting_on), "when": until.isoformat()})


@router.post("/cases/{case_id}/resolution")
def resolve(desk: DeskDep, case_id: int, form: Annotated[ResolutionForm, Form()]) -> Response:
    """Say how the matter ends; amounts that cannot be come back with the form."""
    case = _visible(desk, case_id)
    try:
        amounts = _accepted(desk, case_id, form) if form.resolution == "partly_accepted" else None
    except BadInput as error:
        written = dict(zip(map(str, form.invoice), form.amount, strict=False))
        return _refused(
            desk, case_id, "resolve", error.message, resolution=form.resolution, note=form.note, amounts=written
        )
    if case.state in {"resolved", "closed"}:
        return desk.done(f"/cases/{case_id}")
    life.resolve(
        desk.session,
        case_id=case_id,
        resolution=form.resolution,
        note=form.note,
        amounts=amounts,
        actor=desk.actor,
        now=desk.now,
    )
    return desk.done(f"/cases/{case_id}", Flash("resolved", f"/cases/{case_id}/reopening"))


def _accepted(desk: Desk, case_id: int, form: ResolutionForm) -> Mapping[int, Decimal]:
    """What is accepted by invoice id. Raises BadInput in words for the form, before anything is written."""
    still = {number: one.still for number, one in money.tallies(desk.session, case_id=case_id).items()}
    rows = {row.invoice_id: row.invoice.currency for row in case_invoices(desk.session, case_id=case_id)}
    if len(form.invoice) != len(form.amount) or not set(form.invoice) <= set(rows):
        raise BadInput(N_("The invoices of this case changed meanwhile: look again."))
    try:
        found = {
            number: _amount(desk, text, rows[number]) for number, text in zip(form.invoice, form.amount, strict=True)
        }
    except NotMoney:
        raise BadInput(N_("Write each amount in figures, 0 for nothing.")) from None
    if any(amount > still[number] for number, amount in found.items()):
        raise BadInput(N_("More is accepted than is in dispute."))
    if not 0 < sum(found.values()) < sum(still.values()):
        raise BadInput(N_("Partly accepted is more than nothing and less than all that is in dispute."))
    return {number: amount for number, amount in found.items() if amount}


def _amount(desk: Desk, text: str, currency: str) -> Decimal:
    return typed(text or "0", currency, decimal_mark=get_decimal_symbol(desk.words.locale))


@router.get("/cases/{case_id}/merger")
def choose_target(desk: DeskDep, case_id: int) -> Response:
    """The account's other open cases beside this one, to choose which it flows into."""
    case = _visible(desk, case_id)
    own, others = comparable_cases(desk.session, user=desk.user, case=case)
    return desk.page("case/merge.html", case=case, own=own, others=others)


@router.post("/cases/{case_id}/merger")
def merge(desk: DeskDep, case_id: int, form: Annotated[MergerForm, Form()]) -> Response:
    """Let the case flow into another of the same account; doing it twice shows where it went."""
    case = _visible(desk, case_id)
    target = _visible(desk, form.target)
    if case.merged_into_id != target.id:
        life.merge(desk.session, case_id=case_id, target_id=target.id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{target.id}", Flash("merged", f"/cases/{case_id}/separation"))


@router.post("/cases/{case_id}/separation")
def separate(desk: DeskDep, case_id: int) -> Response:
    """Undo a merger: the case lives on its own again."""
    case = _visible(desk, case_id)
    target_id = case.merged_into_id
    if target_id is None:
        return desk.done(f"/cases/{case_id}")
    life.unmerge(desk.session, case_id=case_id, actor=desk.actor, now=desk.now)
    return desk.done(f"/cases/{case_id}", Flash("separated", f"/cases/{case_id}/merger", {"target": str(target_id)}))


@router.post("/cases/{case_id}/invoices/{invoice_id}/disputed")
def correct_disputed(desk: DeskDep, case_id: int, invoice_id: int, form: Annotated[DisputedForm, Form()]) -> Response:
    """Put right how much of an invoice is in dispute."""
    _visible(desk, case_id)
    rows = {row.invoice_id: row for row in case_invoices(desk.session, case_id=case_id)}
    if invoice_id not in rows:
        raise money.NotInCase(f"Case {case_id} is not about invoice {invoice_id}")
    row = rows[invoice_id]
    before = str(row.disputed)
    try:
        amount = _amount(desk, form.amount, row.invoice.currency)
        money.set_disputed(
            desk.session, case_id=case_id, invoice_id=invoice_id, amount=amount, actor=desk.actor, now=desk.now
        )
    except (NotMoney, NotPossible) as error:
        no_figure = N_("Write the amount in figures, 0 for nothing.")
        too_much = N_("That is more than is open and in no other dispute.")
        words = no_figure if isinstance(error, NotMoney) else too_much
        return _refused(desk, case_id, f"disputed-{invoice_id}", words, amount=form.amount)
    undo = f"/cases/{case_id}/invoices/{invoice_id}/disputed"
    return desk.done(f"/cases/{case_id}#money-{invoice_id}", Flash("disputed", undo, {"amount": before}))


def _refused(desk: Desk, case_id: int, place: str, error: str, **typed_in: Any) -> Response:
    """The case page with the form open again, what was typed in it and why it cannot be."""
    return case_response(desk, case_id, status=422, dialog=place, error=error, typed=typed_in)


def _visible(desk: Desk, case_id: int) -> Case:
    return visible_case(desk.session, user=desk.user, case_id=case_id)
