"""Promises people write down: what a customer committed to on the phone, and taking one back that was a slip."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import BadInput, Conflict
from app.core.events import Actor, record
from disputes.actions.shared import plain, touch
from disputes.models import Case, CaseInvoice, Promise
from invoices.models import Invoice

FURTHEST = timedelta(days=366)


class BadPromise(BadInput):
    """A promise needs a day that is not past, and an amount of more than nothing."""


class PromiseJudged(Conflict):
    """The promise was kept or broken already: it is history."""


def keep(
    session: Session,
    *,
    case: Case,
    day: date,
    amount: Decimal | None,
    currency: str | None,
    actor: Actor,
    now: datetime,
    message_id: int | None = None,
    partial: bool = False,
) -> Promise:
    """A customer's commitment as it was read or heard. Without an amount it is all that is open of the case's invoices
    then; where that is not known, or only a part was promised (`partial`), any payment keeps it.
    """
    if amount is None and not partial:
        amount, currency = _open_then(session, case, currency)
    promise = Promise(
        case_id=case.id,
        account_id=case.account_id,
        message_id=message_id,
        date=day,
        amount=amount,
        currency=currency or None,
        created_at=now,
    )
    session.add(promise)
    touch(case, now=now)
    session.flush()
    _record(session, promise, verb="promise made", actor=actor, now=now)
    return promise


def _open_then(session: Session, case: Case, currency: str | None) -> tuple[Decimal | None, str | None]:
    """What is open of the case's invoices in the promise's currency, or in the one they all have."""
    of_case = select(CaseInvoice.invoice_id).where(CaseInvoice.case_id == case.id)
    rows = session.execute(
        select(Invoice.currency, func.sum(Invoice.open_amount))
        .where(Invoice.id.in_(of_case), Invoice.kind == "invoice", Invoice.open_amount > 0)
        .group_by(Invoice.currency)
    )
    open_in = {code: Decimal(total) for code, total in rows}
    if currency is None and len(open_in) == 1:
        currency = next(iter(open_in))
    return open_in.get(currency or ""), currency


def check(*, day: date, amount: Decimal | None, now: datetime) -> None:
    """Whether this can be promised. Raises BadPromise."""
    if day < now.date():
        raise BadPromise("The promised day is past", fields={"day": "is past"})
    if day > now.date() + FURTHEST:
        raise BadPromise("Nobody promises for so late a day", fields={"day": "too far"})
    if amount is not None and amount <= 0:
        raise BadPromise("A promise is about more than nothing", fields={"amount": "not more than zero"})


def take_back(session: Session, *, promise: Promise, actor: Actor, now: datetime) -> None:
    """It was never promised. Raises PromiseJudged for one that was judged."""
    if promise.state != "open":
        raise PromiseJudged(f"The promise of {promise.date.isoformat()} is {promise.state.replace('_', ' ')}")
    _record(session, promise, verb="promise taken back", actor=actor, now=now)
    session.delete(promise)
    session.flush()


def _record(session: Session, promise: Promise, *, verb: str, actor: Actor, now: datetime) -> None:
    after = {"date": plain(promise.date), "amount": plain(promise.amount), "currency": promise.currency}
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="promise",
        subject_id=promise.id,
        case_id=promise.case_id,
        after=after,
    )
