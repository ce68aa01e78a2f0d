"""Promises people write down: what a customer committed to on the phone, and taking one back that was a slip."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from app.core.errors import BadInput, Conflict
from app.core.events import Actor, record
from disputes.actions.shared import plain, touch
from disputes.models import Case, Promise

FURTHEST = timedelta(days=366)


class BadPromise(BadInput):
    """A promise needs a day that is not past, and an amount of more than nothing."""


class PromiseJudged(Conflict):
    """The promise was kept or broken already: it is history."""


def record_promise(
    session: Session,
    *,
    case: Case,
    day: date,
    amount: Decimal | None,
    currency: str | None,
    actor: Actor,
    now: datetime,
) -> Promise:
    """Write down a commitment to pay. Without an amount any payment keeps it. Raises BadPromise."""
    check(day=day, amount=amount, now=now)
    promise = Promise(
        case_id=case.id,
        account_id=case.account_id,
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
