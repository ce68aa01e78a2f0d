"""The account page: everything before dialling (U28). Accounts are found by name and number."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from app.auth import User
from app.core.errors import NotFound
from disputes.clock_events import Chip
from disputes.models import Case, CaseInvoice, Promise
from disputes.queries.calls import MadeCall, made_calls
from disputes.queries.clocks import chips
from disputes.queries.filters import MAX_TEXT, STATES_OPEN, begins, contains
from disputes.queries.tasks import TaskRow, tasks_of_account
from disputes.queries.visibility import visible_accounts, visible_to
from invoices.models import Account, Invoice, Payment

RECENT = 12


class NoSuchAccount(NotFound):
    """There is no such account among those the user may see."""


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A line of the list of accounts: what is open and overdue, in the account's first currency."""

    account: Account
    currency: str
    open_amount: Decimal
    overdue: Decimal
    open_cases: int


@dataclass(frozen=True, slots=True)
class AccountPage:
    """An account with its contacts and entity, and all that is open on it. `disputed` is per invoice id, `chips` per
    case id.
    """

    account: Account
    items: tuple[Invoice, ...]
    disputed: dict[int, Decimal]
    payments: tuple[Payment, ...]
    cases: tuple[Case, ...]
    promises: tuple[Promise, ...]
    chips: dict[int, Chip]
    calls: tuple[MadeCall, ...]
    tasks: tuple[TaskRow, ...]


def account_page(session: Session, *, user: User, account_id: int, now: datetime) -> AccountPage:
    """Everything the account page shows, in a fixed number of queries. Raises NoSuchAccount."""
    whole = (joinedload(Account.entity), selectinload(Account.contacts))
    account = session.scalar(select(Account).where(Account.id == account_id, visible_accounts(user)).options(*whole))
    if account is None:
        raise NoSuchAccount(f"There is no account {account_id}, or you may not see it")
    cases = _cases(session, user, account_id)
    return AccountPage(
        account=account,
        items=_items(session, account_id),
        disputed=_disputed(session, account_id),
        payments=_payments(session, account_id),
        cases=cases,
        promises=_promises(session, account_id),
        chips=chips(session, case_ids=[case.id for case in cases], now=now),
        calls=made_calls(session, user=user, account_id=account_id),
        tasks=tasks_of_account(session, user=user, account_id=account_id),
    )


def _items(session: Session, account_id: int) -> tuple[Invoice, ...]:
    query = select(Invoice).where(Invoice.account_id == account_id, Invoice.open_amount != 0)
    return tuple(session.scalars(query.order_by(Invoice.due, Invoice.id)))


def _disputed(session: Session, account_id: int) -> dict[int, Decimal]:
    query = (
        select(CaseInvoice.invoice_id, func.sum(CaseInvoice.disputed))
        .join(Case, Case.id == CaseInvoice.case_id)
        .where(Case.account_id == account_id, Case.state.in_(STATES_OPEN))
        .group_by(CaseInvoice.invoice_id)
    )
    return {number: amount for number, amount in session.execute(query) if amount}


def _payments(session: Session, account_id: int) -> tuple[Payment, ...]:
    query = select(Payment).where(Payment.account_id == account_id).options(selectinload(Payment.allocations))
    return tuple(session.scalars(query.order_by(Payment.received.desc(), Payment.id.desc()).limit(RECENT)))


def _cases(session: Session, user: User, account_id: int) -> tuple[Case, ...]:
    """Open ones first, the newest first among them."""
    query = select(Case).where(Case.account_id == account_id, visible_to(user)).options(joinedload(Case.owner))
    open_first = case((Case.state.in_(STATES_OPEN), 0), else_=1)
    return tuple(session.scalars(query.order_by(open_first, Case.last_activity_at.desc()).limit(30)))


def _promises(session: Session, account_id: int) -> tuple[Promise, ...]:
    query = select(Promise).where(Promise.account_id == account_id).order_by(Promise.date.desc()).limit(RECENT)
    return tuple(session.scalars(query))


def list_accounts(
    session: Session, *, user: User, text: str, today: date, after: str | None = None, limit: int = 50
) -> tuple[tuple[AccountRow, ...], str | None]:
    """Accounts by name, and the place to go on from. Two queries."""
    query = select(Account).where(visible_accounts(user)).order_by(Account.name, Account.id).limit(limit + 1)
    if text.strip():
        text = text.strip()[:MAX_TEXT]
        query = query.where(or_(contains(Account.name, text), begins(Account.number, text)))
    if (place := _place(after)) is not None:
        query = query.where(_beyond(place))
    found = list(session.scalars(query))
    page = found[:limit]
    sums = _sums(session, [account.id for account in page], today)
    rows = tuple(_row(account, sums) for account in page)
    return rows, f"{page[-1].id}~{page[-1].name}" if len(found) > limit else None


def _place(key: str | None) -> tuple[str, int] | None:
    number, mark, name = (key or "").partition("~")
    return (name, int(number)) if mark and number.isdecimal() else None


def _beyond(place: tuple[str, int]) -> ColumnElement[bool]:
    name, number = place
    return or_(Account.name > name, and_(Account.name == name, Account.id > number))


Sums = dict[int, tuple[str, Decimal, Decimal, int]]


def _sums(session: Session, ids: list[int], today: date) -> Sums:
    """Open and overdue amounts by account, in its most used currency, with the number of open cases."""
    overdue = func.sum(Invoice.open_amount).filter(Invoice.due < today)
    cases = (
        select(func.count()).where(Case.account_id == Invoice.account_id, Case.state.in_(STATES_OPEN)).scalar_subquery()
    )
    query = (
        select(Invoice.account_id, Invoice.currency, func.sum(Invoice.open_amount), overdue, cases)
        .where(Invoice.account_id.in_(ids), Invoice.open_amount != 0)
        .group_by(Invoice.account_id, Invoice.currency)
        .order_by(func.count())
    )
    rows = session.execute(query)
    return {number: (currency, total, late or Decimal(0), count) for number, currency, total, late, count in rows}


def _row(account: Account, sums: Sums) -> AccountRow:
    currency, total, late, count = sums.get(account.id, ("", Decimal(0), Decimal(0), 0))
    return AccountRow(account, currency, total, late, count)
