"""What happened to accounts in a past time, from rows, for replaying a procedure over it. It reads only.

Many accounts at once, in a constant number of queries. Invoices stood at what is open of them now and whatever lowered
them since: payments on the day they came, credit notes on the day they were issued; what lowered them otherwise counts
as never owed. Disputes stood by their movements, cases by the before and after of their events.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.core.events import Event
from app.core.money import rounded
from disputes.models import Case, CaseInvoice, DisputeMovement, Promise, Task
from disputes.playbook import CALL_FIRST
from disputes.progress_facts import called_at
from disputes.promise_keeping import PromisePolicy, last_day
from disputes.standing_facts import UNALLOCATED_FOR
from disputes.workhours import Calendar, calendar_of, local_day
from invoices.models import Account, Allocation, Invoice, Payment
from letters.balance import Cover, Hold, Item, Matter
from letters.dunning_facts import letters_by_account, mail_address, reachable, reminders_sent
from letters.facts import AccountFacts
from letters.models import LetterBlock
from letters.replay import BlockStood, CoverStood, Happened, ItemStood, MatterStood, Past, stood

ZERO = Decimal(0)
OLDEST = timedelta(days=400)
"""Settled invoices issued longer than this before the time are not looked at; open ones always."""
_OPEN = ("new", "in_progress", "waiting")
_TOLD = ("state", "waiting_on", "sentiment", "urgent", "flags", "hold_until", "hold_reason")
"""What a case's events tell that letters look at."""
Dated = Sequence[tuple[date, Decimal]]


def pasts(session: Session, *, account_ids: Collection[int], first: date, last: date) -> dict[int, Past]:
    """Account id -> what happened to it from `first` to `last`; letters name it by its id. Thirteen queries."""
    wanted = select(Account).where(Account.id.in_(account_ids)).order_by(Account.id)
    loaded = (joinedload(Account.entity), selectinload(Account.contacts))
    accounts = session.scalars(wanted.options(*loaded)).unique().all()
    if not accounts:
        return {}
    rows = _Rows(session, [one.id for one in accounts], first, last)
    return {account.id: rows.past(account) for account in accounts}


@dataclass(frozen=True, slots=True)
class _CaseStood:
    """A case from a day on; `values` as its events tell them."""

    day: date
    values: Mapping[str, Any]

    @property
    def hold(self) -> Hold | None:
        """What it holds back from that day on."""
        until = self.values["hold_until"]
        if until is None or self.values["state"] not in _OPEN:
            return None
        moment = until if isinstance(until, datetime) else datetime.fromisoformat(until)
        return Hold(self.values["hold_reason"] or "held", moment.date())


@dataclass(slots=True)
class _CasePast:
    """A case's invoices by number, and how it stood from day to day, oldest first."""

    case_id: int
    numbers: frozenset[str]
    stood: list[_CaseStood] = field(default_factory=list)

    def hold(self, day: date) -> Hold | None:
        return next((one.hold for one in reversed(self.stood) if one.day <= day), None)


class _Rows:
    """The rows around some accounts, by account."""

    def __init__(self, session: Session, ids: Collection[int], first: date, last: date) -> None:
        self.first, self.last = first, last
        self.invoices = _grouped((one.account_id, one) for one in _invoices(session, ids, first, last))
        self.allocations = _grouped((one.invoice_id, one) for one in _allocations(session, ids))
        self.movements = _grouped((one.invoice_id, one) for one in _movements(session, ids))
        about = _about(session, ids)
        self.about = _grouped((one.case_id, one) for one in about)
        self.disputed = _grouped((one.invoice_id, one) for one in about)
        self.payments = _grouped((one.account_id, one) for one in _payments(session, ids, first))
        self.cases = _grouped((one.account_id, one) for one in _cases(session, ids))
        self.changes = _grouped((one.case_id, one) for one in _changes(session, ids))
        self.calls = _calls(session, ids)
        self.promises = _grouped((one.account_id, one) for one in _promises(session, ids, first))
        self.letters = letters_by_account(session, ids)
        blocks = session.scalars(select(LetterBlock).where(LetterBlock.account_id.in_(ids)))
        self.blocks = {block.account_id: block for block in blocks}

    def past(self, account: Account) -> Past:
        calendar = calendar_of(account.entity.country)
        letters = self.letters.get(account.id, [])
        email = mail_address(account)
        sent = list(reminders_sent(letters, calendar))
        start = AccountFacts(
            account=str(account.id),
            sent=tuple(one for one in sent if one.day < self.first),
            reachable=reachable(account, email if email not in _refused(letters) else ""),
        )
        cases = [self._case(row, calendar) for row in self.cases.get(account.id, [])]
        events: list[Happened] = [
            *self._items(account.id, cases, calendar),
            *self._covers(account.id, calendar),
            *(one for case in cases for one in self._matters(case, calendar)),
            *self._held(account.id, cases, calendar),
        ]
        whole = Past(start=start, events=[one for one in events if one.day <= self.last], really_sent=sent)
        later = [one for one in whole.events if one.day > self.first]
        return Past(start=stood(whole, self.first), events=later, really_sent=sent)

    def _case(self, case: Any, calendar: Calendar) -> _CasePast:
        """Its values as they are, taken back event by event."""
        numbers = frozenset(one.number for one in self.about.get(case.id, []))
        values = {name: getattr(case, name) for name in _TOLD}
        found = []
        for event in reversed(self.changes.get(case.id, [])):
            told = {name: event.before[name] for name in _TOLD if name in (event.before or {})}
            if told:
                found.append(_CaseStood(local_day(event.at, calendar), values))
                values = {**values, **told}
        opened = _CaseStood(local_day(case.opened_at, calendar), values)
        return _CasePast(case.id, numbers, [opened, *reversed(found)])

    def _items(self, account_id: int, cases: Sequence[_CasePast], calendar: Calendar) -> Iterator[ItemStood]:
        invoices = self.invoices.get(account_id, [])
        credited = _grouped((one.credits, one) for one in invoices if one.credits and one.open_amount > one.gross)
        for invoice in invoices:
            lowered = _lowered(invoice, self.allocations.get(invoice.id, []), credited.get(invoice.number, []))
            disputed = self._disputed(invoice, calendar)
            holding = [case for case in cases if invoice.number in case.numbers]
            held = {one.day for case in holding for one in case.stood}
            days = {invoice.issued, *(day for day, _ in (*lowered, *disputed)), *held}
            for day in sorted(one for one in days if one >= invoice.issued):
                hold = next((found for case in holding if (found := case.hold(day)) is not None), None)
                yield ItemStood(day, _item(invoice, day, lowered, disputed, hold))

    def _disputed(self, invoice: Any, calendar: Calendar) -> Dated:
        """What came into dispute and left it, by day; what no movement tells came when the case took the invoice."""
        moved = [
            (local_day(one.at, calendar), one.amount if one.kind == "disputed" else -one.amount)
            for one in self.movements.get(invoice.id, [])
        ]
        rows = self.disputed.get(invoice.id, [])
        untold = sum((one.disputed for one in rows), ZERO) - sum((amount for _, amount in moved), ZERO)
        if untold > 0:
            moved.append((min(local_day(one.added_at, calendar) for one in rows), untold))
        return moved

    def _covers(self, account_id: int, calendar: Calendar) -> Iterator[CoverStood]:
        for one in self.payments.get(account_id, []):
            left = rounded(one.amount - (one.put or ZERO), one.currency)
            until = None if one.told else one.received + UNALLOCATED_FOR
            if one.told == one.split and left > 0:
                cover = Cover(kind="payment", source=one.reference, currency=one.currency, amount=left, until=until)
                yield CoverStood(one.received, one.reference, cover)
        for one in self.promises.get(account_id, []):
            source = f"case {one.case_id}, promise {one.id}"
            cover = Cover(
                kind="promise",
                source=source,
                currency=one.currency or "",
                amount=one.amount,
                invoices=frozenset(row.number for row in self.about.get(one.case_id, [])),
                until=last_day(one.date, PromisePolicy().grace_days, calendar),
            )
            yield CoverStood(local_day(one.created_at, calendar), source, cover)

    def _matters(self, case: _CasePast, calendar: Calendar) -> Iterator[MatterStood]:
        called = self.calls.get(case.case_id)
        called_on = local_day(called, calendar) if called is not None else None
        days = {one.day for one in case.stood} | ({called_on} if called_on is not None else set())
        for day in sorted(days):
            values = next((one.values for one in reversed(case.stood) if one.day <= day), None)
            if values is None or values["state"] not in _OPEN:
                yield MatterStood(day, case.case_id, None)
                continue
            uncalled = called_on is None or day < called_on
            matter = Matter(
                case_id=case.case_id,
                waiting_on=values["waiting_on"],
                invoices=case.numbers,
                upset=bool(values["sentiment"] == "angry" or values["urgent"]) and uncalled,
                tags=frozenset(map(str, values["flags"] or ())),
            )
            yield MatterStood(day, case.case_id, matter)

    def _held(self, account_id: int, cases: Sequence[_CasePast], calendar: Calendar) -> Iterator[BlockStood]:
        """The account as a whole: blocked by a person, or by a held case that names no invoice."""
        blocked = self.blocks.get(account_id)
        holding = [case for case in cases if not case.numbers and any(one.hold for one in case.stood)]
        since = local_day(blocked.at, calendar) if blocked is not None else None
        days = {one.day for case in holding for one in case.stood} | ({since} if since is not None else set())
        for day in sorted(days):
            if blocked is not None and since is not None and since <= day:
                yield BlockStood(day, Hold(blocked.reason, blocked.until))
            else:
                yield BlockStood(day, next((found for case in holding if (found := case.hold(day))), None))


def _lowered(invoice: Any, allocations: Iterable[Any], notes: Iterable[Any]) -> Dated:
    """What lowered an invoice, by day. Where the ERP names no split, the payment brought what nothing else explains."""
    found = [(one.issued, one.open_amount - one.gross) for one in notes]
    found += [(one.received, one.amount) for one in allocations if one.amount is not None]
    unsplit = [one.received for one in allocations if one.amount is None]
    rest = invoice.gross - invoice.open_amount - sum((amount for _, amount in found), ZERO)
    if unsplit and rest > 0:
        found.append((max(unsplit), rest))
    return found


def _item(invoice: Any, day: date, lowered: Dated, disputed: Dated, hold: Hold | None) -> Item:
    """The document as it stood at the end of a day."""
    since = sum((amount for at, amount in lowered if at > day), ZERO)
    open_amount = invoice.open_amount
    if open_amount >= 0:
        open_amount = min(open_amount + since, max(invoice.gross, open_amount))
    in_dispute = sum((amount for at, amount in disputed if at <= day), ZERO)
    return Item(
        number=invoice.number,
        due=invoice.due,
        currency=invoice.currency,
        open_amount=rounded(open_amount, invoice.currency),
        disputed=rounded(max(in_dispute, ZERO), invoice.currency),
        credits=invoice.credits or "",
        hold=hold,
    )


def _refused(letters: Iterable[Any]) -> set[str]:
    return {one.email for one in letters if one.state == "bounced"}


def _grouped(rows: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for key, row in rows:
        found[key].append(row)
    return found


def _invoices(session: Session, ids: Collection[int], first: date, last: date) -> Sequence[Any]:
    """Documents that were there in the time: open now, or not issued too long before it."""
    columns = (
        Invoice.id, Invoice.account_id, Invoice.number, Invoice.issued, Invoice.due, Invoice.currency, Invoice.gross,
        Invoice.open_amount, Invoice.credits,
    )  # fmt: skip
    there = and_(Invoice.issued <= last, or_(Invoice.open_amount != 0, Invoice.issued >= first - OLDEST))
    return session.execute(select(*columns).where(Invoice.account_id.in_(ids), there).order_by(Invoice.id)).all()


def _allocations(session: Session, ids: Collection[int]) -> Sequence[Any]:
    """Payments put on the accounts' invoices, whoever paid."""
    on = and_(Invoice.entity_id == Allocation.entity_id, Invoice.number == Allocation.invoice_number)
    return session.execute(
        select(Invoice.id.label("invoice_id"), Allocation.amount, Payment.received)
        .join(Invoice, on)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(Invoice.account_id.in_(ids))
        .order_by(Payment.received, Payment.id)
    ).all()


def _movements(session: Session, ids: Collection[int]) -> Sequence[Any]:
    columns = (DisputeMovement.invoice_id, DisputeMovement.kind, DisputeMovement.amount, DisputeMovement.at)
    joined = select(*columns).join(Invoice, Invoice.id == DisputeMovement.invoice_id)
    return session.execute(joined.where(Invoice.account_id.in_(ids)).order_by(DisputeMovement.id)).all()


def _about(session: Session, ids: Collection[int]) -> Sequence[Any]:
    """What cases say of the accounts' invoices."""
    columns = (
        CaseInvoice.case_id, CaseInvoice.invoice_id, CaseInvoice.disputed, CaseInvoice.added_at, Invoice.number
    )  # fmt: skip
    joined = select(*columns).join(Invoice, Invoice.id == CaseInvoice.invoice_id)
    return session.execute(joined.where(Invoice.account_id.in_(ids))).all()


def _payments(session: Session, ids: Collection[int], first: date) -> Sequence[Any]:
    """Money received, with what of it was put against invoices (as letters.dunning_facts)."""
    told, split = func.count(Allocation.invoice_number), func.count(Allocation.amount)
    put = func.coalesce(func.sum(Allocation.amount), ZERO)
    by = (Payment.id, Payment.account_id, Payment.reference, Payment.currency, Payment.amount, Payment.received)
    return session.execute(
        select(*by[1:], put.label("put"), told.label("told"), split.label("split"))
        .outerjoin(Allocation, Allocation.payment_id == Payment.id)
        .where(Payment.account_id.in_(ids))
        .group_by(*by)
        .having(or_(told > 0, Payment.received >= first - UNALLOCATED_FOR))
        .order_by(Payment.id)
    ).all()


def _cases(session: Session, ids: Collection[int]) -> Sequence[Any]:
    columns = (Case.id, Case.account_id, Case.opened_at, *(getattr(Case, name) for name in _TOLD))
    return session.execute(select(*columns).where(Case.account_id.in_(ids)).order_by(Case.id)).all()


def _changes(session: Session, ids: Collection[int]) -> Sequence[Any]:
    joined = select(Event.case_id, Event.at, Event.before).join(Case, Case.id == Event.case_id)
    about = joined.where(Case.account_id.in_(ids), Event.subject == "case", Event.before.is_not(None))
    return session.execute(about.order_by(Event.id)).all()


def _calls(session: Session, ids: Collection[int]) -> dict[int, datetime]:
    """When a call to each case's customer first counted."""
    wanted = select(Task.case_id, Task.done_at, Task.outcome).join(Case, Case.id == Task.case_id)
    done = wanted.where(Case.account_id.in_(ids), Task.kind == CALL_FIRST.action, Task.state == "done")
    calls: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    found: dict[int, datetime] = {}
    for case_id, at, outcome in session.execute(done.order_by(Task.done_at, Task.id)):
        if case_id is None or at is None:
            continue
        calls[case_id].append((at, outcome or ""))
        counted = called_at(calls[case_id])
        if counted is not None:
            found.setdefault(case_id, counted)
    return found


def _promises(session: Session, ids: Collection[int], first: date) -> Sequence[Any]:
    """Promises that may still have counted in the time; those of a case that flowed into another keep silent."""
    columns = (
        Promise.id, Promise.account_id, Promise.case_id, Promise.date, Promise.amount, Promise.currency,
        Promise.created_at,
    )  # fmt: skip
    joined = select(*columns).join(Case, Case.id == Promise.case_id)
    counted = joined.where(Promise.account_id.in_(ids), Promise.date >= first - OLDEST, Case.merged_into_id.is_(None))
    return session.execute(counted.order_by(Promise.id)).all()
