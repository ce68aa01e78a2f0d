"""What a change in the ledger means for the cases: disputed money moves, settled cases resolve, promises are judged.

Everything is read from the ledger as it is, and each document counts once by its source: to look again is harmless.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.events import Actor, record
from disputes.actions import money, planning, tasks, writeback
from disputes.actions.life import ended
from disputes.actions.shared import change, change_case, touch
from disputes.clock_events import Happened
from disputes.dispute_money import LedgerChange, Movement, outcome, settle
from disputes.models import Case, CaseInvoice, DisputeMovement, Promise
from disputes.promise_keeping import Judged, Money, Promised, PromisePolicy, judge
from disputes.reasons import shipped
from disputes.workdays import due
from disputes.workhours import calendar_of, local_day
from invoices.models import Account, Allocation, Entity, Invoice, Payment, Push

ZERO = Decimal(0)
CALL_DAYS = 1
"""Business days in which a customer is called about a broken promise."""
PAYING = frozenset({"promise_to_pay", "payment_plan", "remittance"})
"""Reasons of queries that are about money to come: they end when it is there."""
_GOING = ("new", "in_progress", "waiting")


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What came of looking at an account again: movements booked, cases resolved, promises judged."""

    movements: int
    resolved: tuple[int, ...]
    promises: tuple[int, ...]


def accounts_with_cases(session: Session, *, account_ids: Collection[int]) -> list[int]:
    """Which of these accounts have cases: only those need another look."""
    found = select(Case.account_id).where(Case.account_id.in_(account_ids)).distinct()
    return sorted(one for one in session.scalars(found) if one is not None)


def accounts_promising(session: Session, *, now: datetime) -> list[int]:
    """Accounts with a promise whose day is over and that nobody judged yet: no push may ever come for them."""
    found = select(Promise.account_id).where(Promise.state == "open", Promise.date < now.date()).distinct()
    return sorted(one for one in session.scalars(found) if one is not None)


def recheck(session: Session, *, account_id: int, actor: Actor, now: datetime) -> Rechecked:
    """Bring the cases and promises of an account in line with the ledger."""
    cases = list(
        session.scalars(
            select(Case)
            .where(Case.account_id == account_id)
            .order_by(Case.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    money.lock(session, account_id=account_id)
    movements = [movement for invoice in _disputed(session, account_id) for movement in _settled(session, invoice)]
    money.book(session, movements=movements, actor=actor, now=now)
    touched = {movement.case_id for movement in movements}
    promises = judge_promises(session, account_id=account_id, actor=actor, now=now)
    paying = {case.id for case in cases if shipped(case.reason) in PAYING and case.state in _GOING}
    resolved = [
        case.id for case in cases if case.id in touched | paying and _resolved(session, case, actor=actor, now=now)
    ]
    return Rechecked(len(movements), tuple(resolved), tuple(one.promise_id for one in promises))


def _disputed(session: Session, account_id: int) -> Sequence[Invoice]:
    """The account's invoices with money in dispute."""
    disputed = select(CaseInvoice.invoice_id).where(CaseInvoice.disputed > 0)
    found = select(Invoice).where(Invoice.account_id == account_id, Invoice.id.in_(disputed)).order_by(Invoice.id)
    return session.scalars(found).all()


def _settled(session: Session, invoice: Invoice) -> tuple[Movement, ...]:
    """What the ERP's documents for the invoice mean that were not booked before."""
    known = set(session.scalars(select(DisputeMovement.source).where(DisputeMovement.invoice_id == invoice.id)))
    since = session.scalar(
        select(CaseInvoice.added_at)
        .where(CaseInvoice.invoice_id == invoice.id, CaseInvoice.disputed > 0)
        .order_by(CaseInvoice.added_at)
        .limit(1)
    )
    changes = [*_credit_notes(session, invoice, since), *_payments(session, invoice)]
    return settle(
        invoice.id,
        money.claims(session, invoice_id=invoice.id),
        changes,
        open_amount=money.open_of(session, invoice=invoice),
        known=known,
        fallback=f"ledger:{len(known) + 1}",
    )


def _credit_notes(session: Session, invoice: Invoice, since: datetime | None) -> Iterable[LedgerChange]:
    """Credit notes made since the dispute began: what was credited before was never in dispute."""
    rows = session.execute(
        select(Invoice.number, Invoice.gross, Invoice.issued, Push.at)
        .outerjoin(Push, Push.id == Invoice.push_id)
        .where(Invoice.entity_id == invoice.entity_id, Invoice.kind == "credit_note", Invoice.credits == invoice.number)
        .order_by(Invoice.issued, Invoice.id)
    )
    for number, gross, issued, told_at in rows:
        new = since is None or issued > since.date() or (issued == since.date() and (not told_at or told_at > since))
        if new and gross:
            yield LedgerChange("credit_note", abs(gross), f"credit_note:{number}")


def _payments(session: Session, invoice: Invoice) -> Iterable[LedgerChange]:
    """Payments put against the invoice, the newest first: the older paid what was not in dispute.

    Where the ERP names no split, all of a payment may be for this one.
    """
    rows = session.execute(
        select(Payment.reference, Payment.amount, Allocation.amount)
        .join(Allocation, Allocation.payment_id == Payment.id)
        .where(Allocation.entity_id == invoice.entity_id, Allocation.invoice_number == invoice.number)
        .order_by(Payment.received.desc(), Payment.id.desc())
    )
    for reference, whole, part in rows:
        yield LedgerChange("payment", part if part is not None else whole, f"payment:{reference}")


def _resolved(session: Session, case: Case, *, actor: Actor, now: datetime) -> bool:
    """A dispute with no money left in it is resolved as its money ended; a matter of paying once all of it is paid.

    What was withdrawn while the case went on was an estimate put right: it says nothing of the end.
    """
    every = money.tallies(session, case_id=case.id).values()
    how = outcome(replace(one, disputed=one.disputed - one.withdrawn, withdrawn=ZERO) for one in every)
    if how is None and shipped(case.reason) in PAYING and _all_paid(session, case):
        how = "paid"
    if how is None or case.state not in _GOING:
        return False
    asleep = case.playbook is None and case.due_at is None  # an archive's case: the customer hears nothing of it
    change_case(session, case, verb="case resolved", actor=actor, now=now, **ended(how, now))
    tasks.cancel_of_case(session, case_id=case.id, outcome=f"settled in the ledger: {how}", actor=actor, now=now)
    if not asleep:
        planning.heard(session, case=case, what=Happened.RESOLVED, actor=actor, now=now)
    writeback.tell(session, case=case, now=now)
    return True


def _all_paid(session: Session, case: Case) -> bool:
    """Whether the case has invoices and nothing of them is open."""
    of_case = select(CaseInvoice.invoice_id).where(CaseInvoice.case_id == case.id)
    most = session.scalar(select(func.max(Invoice.open_amount)).where(Invoice.id.in_(of_case)))
    return most is not None and most <= 0


def judge_promises(
    session: Session, *, account_id: int, actor: Actor, now: datetime, policy: PromisePolicy | None = None
) -> list[Judged]:
    """Judge an account's open promises by its payments; gives those that are decided now.

    A broken one, or one kept in part, makes a call task for the case's owner, never a letter.
    """
    rows = session.scalars(select(Promise).where(Promise.account_id == account_id).order_by(Promise.id)).all()
    by_id = {row.id: row for row in rows}
    if not any(row.state == "open" for row in rows):
        return []
    account = session.get_one(Account, account_id)
    entity = session.get_one(Entity, account.entity_id)
    calendar = calendar_of(entity.country)
    verdicts = judge(
        [_promised(session, row, entity) for row in rows],
        _money(session, account_id, since=min(row.created_at for row in rows)),
        policy=policy or PromisePolicy(),
        calendar=calendar,
        today=local_day(now, calendar),
    )
    decided = [one for one in verdicts if one.state != "open" and by_id[one.promise_id].state == "open"]
    for one in decided:
        _decide(session, by_id[one.promise_id], one, entity, actor=actor, now=now)
    return decided


def _promised(session: Session, promise: Promise, entity: Entity) -> Promised:
    invoices = session.scalars(
        select(Invoice)
        .join(CaseInvoice, CaseInvoice.invoice_id == Invoice.id)
        .where(CaseInvoice.case_id == promise.case_id)
    ).all()
    currency = promise.currency or (invoices[0].currency if invoices else entity.currency)
    meant = [invoice for invoice in invoices if invoice.currency == currency]
    return Promised(
        promise_id=promise.id,
        made=local_day(promise.created_at, calendar_of(entity.country)),
        due=promise.date,
        currency=currency,
        amount=promise.amount,
        invoices=frozenset(invoice.number for invoice in meant),
        still_open=sum((invoice.open_amount for invoice in meant), ZERO) if meant else None,
    )


def _money(session: Session, account_id: int, *, since: datetime) -> list[Money]:
    first = since.date() - timedelta(days=1)
    payments = session.scalars(
        select(Payment).where(Payment.account_id == account_id, Payment.received >= first).order_by(Payment.id)
    ).all()
    rows = session.scalars(select(Allocation).where(Allocation.payment_id.in_([one.id for one in payments]))).all()
    parts = {payment.id: {row.invoice_number: row.amount for row in rows if row.payment_id == payment.id}
             for payment in payments}  # fmt: skip
    return [Money(one.reference, one.received, one.currency, one.amount, parts[one.id]) for one in payments]


def _decide(
    session: Session, promise: Promise, verdict: Judged, entity: Entity, *, actor: Actor, now: datetime
) -> None:
    case = session.get_one(Case, promise.case_id)
    before, after = change(promise, state=verdict.state)
    touch(case, now=now)
    record(
        session,
        actor=actor,
        now=now,
        verb=f"promise {verdict.state.replace('_', ' ')}",
        subject="promise",
        subject_id=promise.id,
        case_id=case.id,
        before=before,
        after={
            **after,
            "why": verdict.why,
            "received": str(verdict.received),
            "missing": str(verdict.missing),
            "payments": [[reference, str(part)] for reference, part in verdict.used],
        },
    )
    if verdict.call:
        tasks.open_task(
            session,
            kind="courtesy_call",
            title="Call about the promise that was not kept",
            dedupe_key=f"promise:{promise.id}",
            actor=actor,
            now=now,
            due_at=due(now, days=CALL_DAYS, country=entity.country),
            case=case,
            payload={"promise_id": promise.id, "missing": str(verdict.missing), "why": verdict.why},
        )
