"""What decisions about accounts' letters look at, from rows: many accounts at once, in a constant number of queries.

It reads only. Amounts are the ERP's; what is disputed is the sum over all cases.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.core.money import rounded
from disputes.bank_holds import holds_of
from disputes.models import Case, CaseInvoice, DisputeMovement, Promise, Task
from disputes.playbook import CALL_FIRST
from disputes.progress_facts import called_at
from disputes.promise_keeping import PromisePolicy, last_day
from disputes.standing_facts import UNALLOCATED_FOR, last_automatic
from disputes.workhours import Calendar, calendar_of, local_day
from invoices.models import Account, Allocation, Invoice, Payment
from letters.balance import Cover, Hold, Item, Matter
from letters.debt import Debt, Reduction
from letters.facts import AccountFacts, Sent
from letters.models import GONE_OUT, WAITING, Letter, LetterBlock
from letters.procedure import Channel

ZERO = Decimal(0)
DIVERSION = frozenset({"payment_diversion"})
"""What stands against letters until two people released it (disputes/bank_holds.py)."""
_OPEN = ("new", "in_progress", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """An account with what a letter to it is made from. `account.entity` and `.contacts` are loaded.

    `invoices` are those that are open, by number; `debts` the same as they were owed; `waiting` the number of a
    reminder that was written and has not left; `cycles` the next cycle of each step; `email` where mail would go.
    """

    account: Account
    today: date
    facts: AccountFacts
    email: str
    invoices: Mapping[str, Invoice] = field(default_factory=dict)
    debts: Mapping[str, Debt] = field(default_factory=dict)
    waiting: int | None = None
    cycles: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)


def owing(session: Session, *, account_ids: Collection[int], now: datetime) -> dict[int, Owing]:
    """Account id -> what it owes and what stands around it; an id without an account is left out. Fourteen queries."""
    wanted = select(Account).where(Account.id.in_(account_ids))
    loaded = (joinedload(Account.entity), selectinload(Account.contacts))
    accounts = session.scalars(wanted.options(*loaded)).unique().all()
    if not accounts:
        return {}
    ids = [account.id for account in accounts]
    rows = _Rows(session, ids, now)
    mailed = last_automatic(session, addresses={one for one in map(mail_address, accounts) if one})
    return {account.id: rows.owing(account, mailed) for account in accounts}


def mail_address(account: Account) -> str:
    """Where mail to an account goes; "" where nowhere. Its entity and contacts are loaded."""
    if not account.entity.mailbox:
        return ""
    return next((contact.email for contact in account.contacts if contact.email), "") or ""


class _Rows:
    """The rows around some accounts, by account."""

    def __init__(self, session: Session, ids: Collection[int], now: datetime) -> None:
        self.now = now
        self.invoices = _open_invoices(session, ids)
        numbers = {one.id: one.number for each in self.invoices.values() for one in each}
        self.disputed = _disputed(session, numbers)
        self.answered = _answered(session, numbers)
        self.cases = _cases(session, ids)
        self.calls = _calls(session, [case.id for each in self.cases.values() for case in each])
        self.payments = _payments(session, ids, now)
        self.promises = _promises(session, ids)
        self.about = _about(session, ids)
        self.reductions = _reductions(session, self.invoices)
        self.letters = letters_by_account(session, ids)
        found = session.scalars(select(LetterBlock).where(LetterBlock.account_id.in_(ids)))
        self.blocks = {block.account_id: block for block in found}
        cases = [case.id for each in self.cases.values() for case in each]
        self.checks = holds_of(session, case_ids=cases, account_ids=ids)

    def owing(self, account: Account, mailed: Mapping[str, datetime]) -> Owing:
        calendar = calendar_of(account.entity.country)
        today = local_day(self.now, calendar)
        letters = self.letters.get(account.id, [])
        email = mail_address(account)
        refused = {one.email for one in letters if one.state == "bounced"}
        rows = {one.number: one for one in self.invoices.get(account.id, [])}
        at = mailed.get(email)
        held, block = self._holds(account.id, calendar)
        facts = AccountFacts(
            account=account.number,
            items=tuple(self._item(one, held, calendar) for one in rows.values()),
            covers=tuple(self._covers(account.id, calendar)),
            matters=tuple(self._matters(account.id)),
            sent=tuple(reminders_sent(letters, calendar)),
            block=self._block(account.id) or block,
            checked=account.id in self.checks.accounts,
            last_automatic=local_day(at, calendar) if at else None,
            reachable=reachable(account, email if email not in refused else ""),
        )
        cycles: dict[str, int] = {}
        for one in letters:
            cycles[one.step] = max(cycles.get(one.step, 0), one.cycle + 1)
        return Owing(
            account=account,
            today=today,
            facts=facts,
            email=email,
            invoices=rows,
            debts={number: self._debt(one) for number, one in rows.items() if one.open_amount > 0},
            waiting=next((one.id for one in letters if one.state in WAITING and one.asked), None),
            cycles=cycles,
            kinds={one.step: one.kind for one in letters},
        )

    def _item(self, invoice: Invoice, held: Mapping[str, Hold], calendar: Calendar) -> Item:
        disputed = self.disputed.get(invoice.id, ZERO)
        at = self.answered.get(invoice.id) if not disputed else None
        return Item(
            number=invoice.number,
            due=invoice.due,
            currency=invoice.currency,
            open_amount=rounded(invoice.open_amount, invoice.currency),
            disputed=rounded(disputed, invoice.currency),
            credits=invoice.credits or "",
            hold=held.get(invoice.number),
            answered=local_day(at, calendar) if at else None,
        )

    def _numbers(self, case_id: int) -> frozenset[str]:
        return frozenset(self.about.get(case_id, ()))

    def _holds(self, account_id: int, calendar: Calendar) -> tuple[dict[str, Hold], Hold | None]:
        """Held cases hold their invoices; one that names none holds the account."""
        held: dict[str, Hold] = {}
        block = None
        for case in self.cases.get(account_id, []):
            if case.hold_until is None or case.hold_until <= self.now:
                continue
            hold = Hold(case.hold_reason or f"case {case.id}", local_day(case.hold_until, calendar))
            for number in self._numbers(case.id):
                held[number] = hold
            if not self._numbers(case.id):
                block = hold
        return held, block

    def _block(self, account_id: int) -> Hold | None:
        found = self.blocks.get(account_id)
        return Hold(found.reason, found.until) if found is not None else None

    def _matters(self, account_id: int) -> Iterable[Matter]:
        for case in self.cases.get(account_id, []):
            upset = (case.sentiment == "angry" or case.urgent) and called_at(self.calls.get(case.id, ())) is None
            yield Matter(
                case_id=case.id,
                waiting_on=case.waiting_on,
                invoices=self._numbers(case.id),
                upset=upset,
                tags=frozenset(map(str, case.flags)) - (DIVERSION if case.id in self.checks.released else frozenset()),
            )

    def _covers(self, account_id: int, calendar: Calendar) -> Iterable[Cover]:
        for reference, currency, amount in self.payments.get(account_id, []):
            yield Cover(kind="payment", source=reference, currency=currency, amount=rounded(amount, currency))
        grace = PromisePolicy().grace_days
        for promise in self.promises.get(account_id, []):
            yield Cover(
                kind="promise",
                source=f"case {promise.case_id}",
                currency=promise.currency or "",
                amount=promise.amount,
                invoices=self._numbers(promise.case_id),
                until=last_day(promise.date, grace, calendar),
            )

    def _debt(self, invoice: Invoice) -> Debt:
        """As it was owed. What lowered it in a way the ledger does not tell counts as never owed: no interest on it."""
        known = self.reductions.get((invoice.entity_id, invoice.number), [])
        gross = max(rounded(invoice.gross, invoice.currency), ZERO)
        gone = gross - rounded(invoice.open_amount, invoice.currency)
        untold = gone - sum((one.amount for one in known), ZERO)
        if untold > 0:
            known = [*known, Reduction(invoice.issued, untold, "credit", "the ERP's open amount", from_start=True)]
        return Debt(
            number=invoice.number,
            due=invoice.due,
            currency=invoice.currency,
            amount=gross,
            reductions=tuple(known),
        )


def reachable(account: Account, email: str) -> frozenset[Channel]:
    """The ways a letter can go; an address that a letter came back from is none."""
    ways: set[Channel] = {"email"} if email else set()
    if account.address.strip():
        ways |= {"post", "registered"}
    return frozenset(ways)


def reminders_sent(letters: Iterable[Any], calendar: Calendar) -> Iterable[Sent]:
    """Reminders that went out, by the day they did."""
    for one in letters:
        if one.state in GONE_OUT and one.asked:
            day = local_day(one.sent_at, calendar) if one.sent_at else one.day
            yield Sent(day, one.step, {str(item["number"]): int(item["position"]) for item in one.asked})


def _open_invoices(session: Session, ids: Collection[int]) -> dict[int, list[Invoice]]:
    open_ones = select(Invoice).where(Invoice.account_id.in_(ids), Invoice.open_amount != 0)
    found: dict[int, list[Invoice]] = defaultdict(list)
    for invoice in session.scalars(
        open_ones.order_by(Invoice.due, Invoice.id).execution_options(populate_existing=True)
    ):
        found[invoice.account_id].append(invoice)
    return found


def _disputed(session: Session, invoices: Collection[int]) -> dict[int, Decimal]:
    rows = session.execute(
        select(CaseInvoice.invoice_id, func.sum(CaseInvoice.disputed))
        .where(CaseInvoice.invoice_id.in_(invoices), CaseInvoice.disputed > 0)
        .group_by(CaseInvoice.invoice_id)
    )
    return {invoice_id: amount for invoice_id, amount in rows}  # noqa: C416 - rows are no pairs to mypy


def _answered(session: Session, invoices: Collection[int]) -> dict[int, datetime]:
    """When something of an invoice's dispute was settled last."""
    rows = session.execute(
        select(DisputeMovement.invoice_id, func.max(DisputeMovement.at))
        .where(DisputeMovement.invoice_id.in_(invoices), DisputeMovement.kind != "disputed")
        .group_by(DisputeMovement.invoice_id)
    )
    return {invoice_id: at for invoice_id, at in rows}  # noqa: C416 - as above


def _cases(session: Session, ids: Collection[int]) -> dict[int, list[Any]]:
    rows = session.execute(
        select(
            Case.id, Case.account_id, Case.waiting_on, Case.sentiment, Case.urgent, Case.flags, Case.hold_until,
            Case.hold_reason,
        ).where(Case.account_id.in_(ids), Case.state.in_(_OPEN)).order_by(Case.id)
    )  # fmt: skip
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(row)
    return found


def _calls(session: Session, cases: Collection[int]) -> dict[int, list[tuple[datetime, str]]]:
    rows = session.execute(
        select(Task.case_id, Task.done_at, Task.outcome)
        .where(Task.case_id.in_(cases), Task.kind == CALL_FIRST.action, Task.state == "done")
        .order_by(Task.done_at, Task.id)
    )
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for case_id, at, outcome in rows:
        if case_id is not None and at is not None:
            found[case_id].append((at, outcome or ""))
    return found


def _about(session: Session, ids: Collection[int]) -> dict[int, set[str]]:
    """The invoices of the accounts' cases, by number."""
    rows = session.execute(
        select(CaseInvoice.case_id, Invoice.number)
        .join(Case, Case.id == CaseInvoice.case_id)
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(Case.account_id.in_(ids))
    )
    found: dict[int, set[str]] = defaultdict(set)
    for case_id, number in rows:
        found[case_id].add(number)
    return found


def _payments(session: Session, ids: Collection[int], now: datetime) -> dict[int, list[tuple[str, str, Decimal]]]:
    """Money received and put against nothing yet (as disputes.standing_facts: without a split all of it is put)."""
    told, split = func.count(Allocation.invoice_number), func.count(Allocation.amount)
    put = func.coalesce(func.sum(Allocation.amount), ZERO)
    by = (Payment.id, Payment.account_id, Payment.reference, Payment.currency, Payment.amount, Payment.received)
    rows = session.execute(
        select(Payment.account_id, Payment.reference, Payment.currency, Payment.amount, put.label("put"))
        .outerjoin(Allocation, Allocation.payment_id == Payment.id)
        .where(Payment.account_id.in_(ids))
        .group_by(*by)
        .having((told == split) & (put < Payment.amount))
        .having(or_(told > 0, Payment.received >= (now - UNALLOCATED_FOR).date()))
        .order_by(Payment.id)
    )
    found: dict[int, list[tuple[str, str, Decimal]]] = defaultdict(list)
    for account_id, reference, currency, amount, already in rows:
        found[account_id].append((reference, currency, amount - (already or ZERO)))
    return found


def _promises(session: Session, ids: Collection[int]) -> dict[int, list[Any]]:
    """Open promises; those of a case that flowed into another keep silent."""
    rows = session.execute(
        select(Promise.account_id, Promise.case_id, Promise.date, Promise.amount, Promise.currency)
        .join(Case, Case.id == Promise.case_id)
        .where(Promise.account_id.in_(ids), Promise.state == "open", Case.merged_into_id.is_(None))
        .order_by(Promise.id)
    )
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(row)
    return found


def _reductions(session: Session, invoices: Mapping[int, Iterable[Invoice]]) -> dict[tuple[int, str], list[Reduction]]:
    """What lowered the open invoices: payments put on them. Credit notes show in the open amount alone."""
    numbers = {one.number for each in invoices.values() for one in each if one.open_amount > 0}
    entities = {one.entity_id for each in invoices.values() for one in each}
    rows = session.execute(
        select(
            Allocation.entity_id, Allocation.invoice_number, Allocation.amount, Payment.received, Payment.reference,
            Payment.currency,
        )
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Allocation.entity_id.in_(entities), Allocation.invoice_number.in_(numbers), Allocation.amount > 0)
        .order_by(Payment.received, Payment.id)
    )  # fmt: skip
    found: dict[tuple[int, str], list[Reduction]] = defaultdict(list)
    for row in rows:
        amount = rounded(row.amount, row.currency)
        found[row.entity_id, row.invoice_number].append(Reduction(row.received, amount, "payment", row.reference))
    return found


def letters_by_account(session: Session, ids: Collection[int]) -> dict[int, list[Any]]:
    """Account id -> what of its letters decisions look at, in the order they were written. One query."""
    rows = session.execute(
        select(
            Letter.id, Letter.account_id, Letter.subject, Letter.step, Letter.cycle, Letter.kind, Letter.state,
            Letter.day, Letter.sent_at, Letter.asked, Letter.email,
        ).where(Letter.account_id.in_(ids)).order_by(Letter.id)
    )  # fmt: skip
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.account_id].append(row)
    return found
