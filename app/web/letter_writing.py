"""Letters that a person starts: from a case, and an account's statement or plan to pay."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from babel.numbers import get_decimal_symbol
from fastapi import APIRouter, Form, Response
from pydantic import Field

from app.auth import may
from app.core.errors import BadInput, Forbidden, NotFound
from app.core.money import NotMoney
from app.web.amounts import typed
from app.web.case_actions import ActionForm
from app.web.desk import Desk, DeskDep
from app.web.flash import Flash
from app.web.letters import JOB
from app.web.telling import refusal
from disputes.models import Case
from disputes.queries import account_page, visible_case
from letters.actions import writing
from letters.actions.life import APPROVE
from letters.dunning_facts import Owing, owing
from letters.instalments import EVERY
from letters.kinds import DECISIONS, KINDS, Kind
from letters.letter_facts import LetterFacts
from letters.models import Letter
from letters.rules import letter_rules
from letters.writing_facts import (
    OF_ACCOUNT,
    REASONED,
    Wording,
    case_facts,
    offered,
    owed_by_currency,
    plan_facts,
    statement_facts,
    ways,
)

router = APIRouter()
N_ = str  # marks a msgid for extraction
OWN_ROWS = 12
"""Places for instalments of their own; a longer plan has equal ones."""
_ANSWER_IN, _PAY_IN = timedelta(days=7), timedelta(days=14)


class CaseLetterForm(ActionForm):
    """What a person adds to a letter about a case."""

    channel: str = ""
    matter: str = Field(default="", max_length=300)
    reasons: str = Field(default="", max_length=10_000)
    note: str = Field(default="", max_length=5000)
    answer_by: str = ""
    pay_by: str = ""


class AccountLetterForm(ActionForm):
    """What a person adds to a statement or a plan; instalments of their own as `day` and `amount` in turns."""

    channel: str = ""
    note: str = Field(default="", max_length=5000)
    currency: str = ""
    not_due: bool = False
    number: str = "3"
    first: str = ""
    every: str = "month"
    day: list[str] = Field(default_factory=list, max_length=OWN_ROWS)
    amount: list[str] = Field(default_factory=list, max_length=OWN_ROWS)


@router.get("/cases/{case_id}/letters/{kind}")
def about_case(desk: DeskDep, case_id: int, kind: str) -> Response:
    """A letter about the case, before it is drafted: its amounts, and the words to add."""
    case, chosen = _case(desk, case_id, kind)
    today = desk.now.date()
    form = CaseLetterForm(
        matter=case.title[:300],
        answer_by=(today + _ANSWER_IN).isoformat(),
        pay_by=(today + _PAY_IN).isoformat() if chosen in DECISIONS else "",
    )
    return _case_page(desk, case, chosen, form)


@router.post("/cases/{case_id}/letters/{kind}")
def draft_about_case(desk: DeskDep, case_id: int, kind: str, form: Annotated[CaseLetterForm, Form()]) -> Response:
    """Draft it; what cannot be comes back with the form. A second click shows the first one's letter."""
    case, chosen = _case(desk, case_id, kind)
    try:
        wording = Wording(
            channel=form.channel,
            matter=form.matter,
            reasons=form.reasons,
            note=form.note,
            answer_by=_day(desk, form.answer_by) if chosen in {"acknowledgement", "apology"} else None,
            pay_by=_day(desk, form.pay_by) if chosen in DECISIONS else None,
        )
        letter = writing.draft_for_case(
            desk.session, case=case, kind=chosen, wording=wording, **_by(desk)
        )  # fmt: skip
    except BadInput as refused:  # refused before anything was written
        return _case_page(desk, case, chosen, form, status=422, error=refusal(refused, desk.words))
    return _drafted(desk, letter)


@router.get("/accounts/{account_id}/letters/{kind}")
def of_account(desk: DeskDep, account_id: int, kind: str, currency: str = "", not_due: bool = False) -> Response:
    """A statement or a plan, before it is drafted."""
    chosen = _of_account(desk, account_id, kind)
    first = (desk.now.date() + _PAY_IN).isoformat()
    form = AccountLetterForm(currency=currency, not_due=not_due, first=first)
    return _account_page(desk, account_id, chosen, form)


@router.post("/accounts/{account_id}/letters/{kind}")
def draft_of_account(desk: DeskDep, account_id: int, kind: str, form: Annotated[AccountLetterForm, Form()]) -> Response:
    """Draft it; what cannot be comes back with the form. A second click shows the first one's letter."""
    chosen = _of_account(desk, account_id, kind)
    wording = Wording(channel=form.channel, note=form.note)
    try:
        if chosen == "statement":
            letter = writing.draft_statement(desk.session, account_id=account_id, wording=wording, **_by(desk))
        else:
            plan = _plan(desk, form)
            letter = writing.draft_plan(desk.session, account_id=account_id, plan=plan, wording=wording, **_by(desk))
    except BadInput as refused:  # refused before anything was written
        return _account_page(desk, account_id, chosen, form, status=422, error=refusal(refused, desk.words))
    return _drafted(desk, letter)


def _by(desk: Desk) -> dict[str, Any]:
    return {"user": desk.user, "rules": letter_rules(desk.session), "actor": desk.actor, "now": desk.now}


def _drafted(desk: Desk, letter: Letter) -> Response:
    desk.services.enqueue(desk.session, JOB, "written")
    return desk.done(f"/letters/{letter.id}", Flash("letter_drafted"))


def _case(desk: Desk, case_id: int, kind: str) -> tuple[Case, Kind]:
    case = visible_case(desk.session, user=desk.user, case_id=case_id)
    _worker(desk)
    chosen = next((one for one in KINDS if one == kind and one not in OF_ACCOUNT), None)
    if chosen not in offered(case):
        raise NotFound(f"Case {case_id} has no letter {kind[:40]!r} to write as it stands")
    return case, chosen


def _of_account(desk: Desk, account_id: int, kind: str) -> Kind:
    account_page(desk.session, user=desk.user, account_id=account_id, now=desk.now)
    _worker(desk)
    chosen = next((one for one in OF_ACCOUNT if one == kind), None)
    if chosen is None:
        raise NotFound(f"An account has no letter {kind[:40]!r} to write")
    return chosen


def _worker(desk: Desk) -> None:
    if not may(desk.user, APPROVE):
        raise Forbidden(f"Your role ({desk.user.role}) may not {APPROVE}")


def _day(desk: Desk, text: str) -> date | None:
    try:
        day = date.fromisoformat(text) if text.strip() else None
    except ValueError:
        raise BadInput(N_("Choose each day from the calendar.")) from None
    if day is not None and day < desk.now.date():
        raise BadInput(N_("A day in the letter is in the past: choose one to come."))
    return day


def _plan(desk: Desk, form: AccountLetterForm) -> writing.Plan:
    if not form.number.strip().isdecimal() or len(form.number) > 3:  # noqa: PLR2004 - no plan has a thousand
        raise BadInput(N_("Write the number of instalments in figures."))
    return writing.Plan(
        currency=form.currency,
        not_due=form.not_due,
        number=int(form.number),
        first=_day(desk, form.first),
        every=next((one for one in EVERY if one == form.every), "month"),
        rows=_rows(desk, form),
    )


def _rows(desk: Desk, form: AccountLetterForm) -> Sequence[tuple[date, Decimal]]:
    """Instalments of their own: both a day and an amount, or neither."""
    found = []
    mark = get_decimal_symbol(desk.words.locale)
    for day_text, amount in zip(form.day, form.amount, strict=False):
        if not day_text.strip() and not amount.strip():
            continue
        day = _day(desk, day_text)
        if day is None:
            raise BadInput(N_("Each instalment has a day and an amount."))
        try:
            found.append((day, typed(amount, form.currency, decimal_mark=mark)))
        except NotMoney:
            raise BadInput(N_("Write each amount in figures.")) from None
    return found


def _case_page(
    desk: Desk, case: Case, kind: Kind, form: CaseLetterForm, *, status: int = 200, error: str = ""
) -> Response:
    found = _owing(desk, case.account_id or 0)
    head = letter_rules(desk.session).letterhead(found.account.entity)
    facts: LetterFacts | None = None
    try:
        facts = case_facts(desk.session, case, found, head, kind=kind, signer=desk.user.name)
    except BadInput as refused:
        error = error or refusal(refused, desk.words)
    return desk.page(
        "letters/write_case.html",
        status=status,
        case=case,
        kind=kind,
        form=form,
        error=error,
        facts=facts,
        ways=ways(found, kind),
        reasoned=kind in REASONED,
        decides=kind in DECISIONS,
        promises_answer=kind in {"acknowledgement", "apology"},
    )


def _account_page(
    desk: Desk, account_id: int, kind: Kind, form: AccountLetterForm, *, status: int = 200, error: str = ""
) -> Response:
    found = _owing(desk, account_id)
    head = letter_rules(desk.session).letterhead(found.account.entity)
    owed = owed_by_currency(found, not_due=form.not_due)
    if form.currency not in owed:
        form = form.model_copy(update={"currency": next(iter(owed), found.account.entity.currency)})
    if kind == "statement":
        facts = statement_facts(found, head, signer=desk.user.name)
    else:
        facts = plan_facts(
            found, head, currency=form.currency, not_due=form.not_due, signer=desk.user.name
        )  # fmt: skip
    return desk.page(
        "letters/write_account.html",
        status=status,
        account=found.account,
        kind=kind,
        form=form,
        error=error,
        facts=facts,
        ways=ways(found, kind),
        decides=False,
        owed=owed,
        own_rows=OWN_ROWS,
    )


def _owing(desk: Desk, account_id: int) -> Owing:
    return owing(desk.session, account_ids=[account_id], now=desk.now)[account_id]
