"""What guards ask of cases beside their progress, from rows: what is owed and disputed, what covers it, who would read.

Many cases at once, in a constant number of queries. It reads only.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.core.money import rounded
from disputes.acknowledgement import unread
from disputes.bank_holds import Holds, holds_of
from disputes.models import Case, CaseInvoice, Message, Outgoing, Promise
from disputes.playbook import GuardSettings
from disputes.playbook_guards import Cover, Recipient, Standing
from disputes.progress_facts import Going
from disputes.promise_keeping import last_day
from disputes.reasons import OTHER
from disputes.workhours import Calendar
from invoices.models import Allocation, Contact, Entity, Invoice, Payment
from matching.text import email_domain, is_shared_domain

ZERO = Decimal(0)
UNALLOCATED_FOR = timedelta(days=60)
"""How long a payment of which the ERP tells no split may still be for anything: after that it was booked long ago."""


@dataclass(frozen=True, slots=True)
class Stood:
    """A case's standing, and the address a mail would go to ("" for none)."""

    standing: Standing
    address: str


def standings_of(
    session: Session, *, going: Mapping[int, Going], settings: Mapping[int, GuardSettings], now: datetime
) -> dict[int, Stood]:
    """Case id -> how it stands, in the one currency rules see of it. `settings` are those of each case's playbook."""
    if not going:
        return {}
    ids = list(going)
    owners = {row.id: row for row in session.execute(_owners().where(Case.id.in_(ids)))}
    accounts = sorted({row.account_id for row in owners.values() if row.account_id is not None})
    owed = _owed(session, ids)
    money = _Money(_payments(session, accounts, now), _credit_notes(session, accounts), _promises(session, accounts))
    people = _People(_writers(session, ids), _contacts(session, accounts), _mailboxes(session))
    addresses = {case_id: people.address(owners[case_id]) for case_id in ids}
    mailed = last_automatic(session, addresses=set(addresses.values()))
    checks = holds_of(session, case_ids=ids, account_ids=accounts)
    return {
        case_id: Stood(
            Standing(
                **_sums(owed.get(case_id, []), going[case_id], now),
                covers=money.covers(
                    owners[case_id],
                    owed.get(case_id, []),
                    currency=going[case_id].case.currency,
                    grace=settings[case_id].grace_days,
                    calendar=going[case_id].calendar,
                ),
                recipient=people.recipient(owners[case_id], addresses[case_id]),
                last_automatic=mailed.get(addresses[case_id]),
                bank_details=_checked(checks, owners[case_id]),
            ),
            addresses[case_id],
        )
        for case_id in ids
    }


def _checked(checks: Holds, owner: Any) -> Literal["", "checked", "released"]:
    if checks.holds(case_id=owner.id, account_id=owner.account_id):
        return "checked"
    return "released" if owner.id in checks.released else ""


def last_automatic(session: Session, *, addresses: Collection[str]) -> dict[str, datetime]:
    """When each address got an automatic mail last, one that waits to be sent included."""
    rows = session.execute(
        select(Outgoing.to_email, func.max(Outgoing.created_at))
        .where(Outgoing.to_email.in_(addresses), Outgoing.automatic, Outgoing.state.not_in(("cancelled", "failed")))
        .group_by(Outgoing.to_email)
    )
    return {address: at for address, at in rows}  # noqa: C416 - rows are no pairs to mypy


def _owners() -> Any:
    return select(
        Case.id, Case.account_id, Case.entity_id, Entity.mailbox
    ).outerjoin(Entity, Entity.id == Case.entity_id)  # fmt: skip


# --- what is owed and disputed


@dataclass(frozen=True, slots=True)
class _Owed:
    """An invoice of a case: what is open and due of it, what this case and all cases together dispute."""

    invoice_id: int
    number: str
    currency: str
    due: date
    open_amount: Decimal
    here: Decimal
    everywhere: Decimal


def _owed(session: Session, case_ids: Collection[int]) -> dict[int, list[_Owed]]:
    invoices = select(CaseInvoice.invoice_id).where(CaseInvoice.case_id.in_(case_ids))
    every = session.execute(
        select(CaseInvoice.invoice_id, func.sum(CaseInvoice.disputed))
        .where(CaseInvoice.invoice_id.in_(invoices), CaseInvoice.disputed > 0)
        .group_by(CaseInvoice.invoice_id)
    )
    disputed = {invoice_id: amount for invoice_id, amount in every}  # noqa: C416 - rows are no pairs to mypy
    rows = session.execute(
        select(
            CaseInvoice.case_id, CaseInvoice.disputed, Invoice.id, Invoice.number, Invoice.currency, Invoice.due,
            Invoice.open_amount,
        )
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id.in_(case_ids))
    )  # fmt: skip
    found: dict[int, list[_Owed]] = defaultdict(list)
    for row in rows:
        everywhere = disputed.get(row.id, ZERO)
        one = _Owed(row.id, row.number, row.currency, row.due, row.open_amount, row.disputed, everywhere)
        found[row.case_id].append(one)
    return found


def _sums(owed: Iterable[_Owed], going: Going, now: datetime) -> dict[str, Decimal]:
    today = now.astimezone(ZoneInfo(going.calendar.zone)).date()
    every = list(owed)
    mine = [one for one in every if one.currency == going.case.currency and one.open_amount > 0]
    late = [one for one in mine if one.due < today]
    sums = {
        "overdue": sum((one.open_amount for one in late), ZERO),
        "disputed": sum((min(one.everywhere, one.open_amount) for one in late), ZERO),
        "still_disputed": sum((one.here for one in every), ZERO),
    }
    return {name: rounded(amount, going.case.currency) if amount else ZERO for name, amount in sums.items()}


# --- what covers it


@dataclass(frozen=True, slots=True)
class _Money:
    """What came in or is on its way, by account."""

    payments: Mapping[int, list[tuple[str, Decimal]]]
    credits: Mapping[int, list[tuple[str, str | None, Decimal]]]
    promises: Mapping[int, list[Any]]

    def covers(
        self, owner: Any, owed: Collection[_Owed], *, currency: str, grace: int, calendar: Calendar
    ) -> tuple[Cover, ...]:
        """What covers a case's invoices: money put nowhere yet, credit notes for them or for none, their promises."""
        numbers = {one.number for one in owed}
        paid = [amount for other, amount in self.payments.get(owner.account_id, []) if other == currency]
        credited = [
            amount
            for other, number, amount in self.credits.get(owner.account_id, [])
            if other == currency and (number is None or number in numbers)
        ]
        promised = [
            Cover("promise", _promised(one, owed, currency), _until(one.date, grace, calendar))
            for one in self.promises.get(owner.account_id, [])
            if one.case_id == owner.id or one.invoices & {part.invoice_id for part in owed}
            if one.currency in {None, currency}
        ]
        return (*(Cover("payment", one) for one in paid), *(Cover("credit", one) for one in credited), *promised)


def _promised(promise: Any, owed: Iterable[_Owed], currency: str) -> Decimal:
    """What was promised; where no amount was named, all that is open."""
    if promise.amount is not None:
        return Decimal(promise.amount)
    return sum((one.open_amount for one in owed if one.currency == currency and one.open_amount > 0), ZERO)


def _until(day: date, grace: int, calendar: Calendar) -> datetime:
    """The end of the last day on which a payment still keeps the promise."""
    return datetime.combine(last_day(day, grace, calendar) + timedelta(days=1), time(), ZoneInfo(calendar.zone))


def _payments(session: Session, accounts: Collection[int], now: datetime) -> dict[int, list[tuple[str, Decimal]]]:
    """Money received and put against nothing yet. Where the ERP names invoices but no split, all of it is put."""
    told, split = func.count(Allocation.invoice_number), func.count(Allocation.amount)
    put = func.coalesce(func.sum(Allocation.amount), ZERO)
    rows = session.execute(
        select(Payment.account_id, Payment.currency, Payment.amount, put.label("put"))
        .outerjoin(Allocation, Allocation.payment_id == Payment.id)
        .where(Payment.account_id.in_(accounts))
        .group_by(Payment.id, Payment.account_id, Payment.currency, Payment.amount, Payment.received)
        .having((told == split) & (put < Payment.amount))
        .having(or_(told > 0, Payment.received >= (now - UNALLOCATED_FOR).date()))
    )
    found: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    for account_id, currency, amount, already in rows:
        found[account_id].append((currency, amount - (already or ZERO)))
    return found


def _credit_notes(session: Session, accounts: Collection[int]) -> dict[int, list[tuple[str, str | None, Decimal]]]:
    rows = session.execute(
        select(Invoice.account_id, Invoice.currency, Invoice.credits, Invoice.open_amount).where(
            Invoice.account_id.in_(accounts), Invoice.kind == "credit_note", Invoice.open_amount < 0
        )
    )
    found: dict[int, list[tuple[str, str | None, Decimal]]] = defaultdict(list)
    for account_id, currency, number, amount in rows:
        found[account_id].append((currency, number or None, -amount))
    return found


@dataclass(frozen=True, slots=True)
class _OpenPromise:
    case_id: int
    date: date
    amount: Decimal | None
    currency: str | None
    invoices: frozenset[int]


def _promises(session: Session, accounts: Collection[int]) -> dict[int, list[_OpenPromise]]:
    """Open promises of the accounts, with the invoices their cases are about."""
    rows = session.execute(
        select(
            Promise.id, Promise.account_id, Promise.case_id, Promise.date, Promise.amount, Promise.currency,
            CaseInvoice.invoice_id,
        )
        .outerjoin(CaseInvoice, CaseInvoice.case_id == Promise.case_id)
        .where(Promise.account_id.in_(accounts), Promise.state == "open")
        .order_by(Promise.id)
    )  # fmt: skip
    told: dict[int, tuple[Any, set[int]]] = {}
    for row in rows:
        told.setdefault(row.id, (row, set()))[1].update({row.invoice_id} - {None})
    found: dict[int, list[_OpenPromise]] = defaultdict(list)
    for row, invoices in told.values():
        one = _OpenPromise(row.case_id, row.date, row.amount, row.currency, frozenset(invoices))
        found[row.account_id].append(one)
    return found


# --- who would read


@dataclass(frozen=True, slots=True)
class _People:
    """Who writes in the cases and who the accounts' people are; `own` are our mailboxes."""

    writers: Mapping[int, str]
    contacts: Mapping[int, list[str]]
    own: Collection[str]
    domains: dict[int, frozenset[str]] = field(default_factory=dict)

    def address(self, owner: Any) -> str:
        """Whom a mail would go to, as correspondence.partner_of says: who wrote last, else a contact."""
        contacts = self.contacts.get(owner.account_id, [])
        return self.writers.get(owner.id) or (contacts[0] if contacts else "")

    def recipient(self, owner: Any, address: str) -> Recipient:
        """Who would read it."""
        if not address or not owner.mailbox:
            return "none"
        if unread(address) or address.lower() in self.own:
            return "machine"
        contacts = self.contacts.get(owner.account_id, [])
        if address.lower() in contacts or self._of_company(owner.account_id, contacts, address):
            return "known"
        return "stranger"

    def _of_company(self, account_id: int, contacts: Iterable[str], address: str) -> bool:
        if account_id not in self.domains:
            found = (email_domain(one) for one in contacts)
            self.domains[account_id] = frozenset(one for one in found if one and not is_shared_domain(one))
        return email_domain(address) in self.domains[account_id]


def _writers(session: Session, case_ids: Collection[int]) -> dict[int, str]:
    """The person of the customer's who wrote last in each case."""
    at = func.coalesce(Message.sent_at, Message.received_at)
    place = func.row_number().over(partition_by=Message.case_id, order_by=(at.desc(), Message.id.desc()))
    written = (
        select(Message.case_id, Message.from_email, place.label("place"))
        .where(Message.case_id.in_(case_ids), Message.direction == "in", Message.machine.is_(None))
        .where(Message.kind != OTHER, Message.from_email != "")
    ).subquery()
    rows = session.execute(select(written.c.case_id, written.c.from_email).where(written.c.place == 1))
    return {case_id: address for case_id, address in rows}  # noqa: C416 - rows are no pairs to mypy


def _contacts(session: Session, accounts: Collection[int]) -> dict[int, list[str]]:
    rows = session.execute(
        select(Contact.account_id, Contact.email)
        .where(Contact.account_id.in_(accounts), Contact.email.is_not(None), Contact.email != "")
        .order_by(Contact.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for account_id, email in rows:
        found[account_id].append(str(email).lower())
    return found


def _mailboxes(session: Session) -> frozenset[str]:
    return frozenset(one.lower() for one in session.scalars(select(Entity.mailbox)) if one)
