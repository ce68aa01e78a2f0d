"""One box for cases, accounts and invoices."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload

from app.auth import User
from disputes.queries.accounts import NoSuchAccount
from disputes.queries.filters import MAX_TEXT, CaseFilter, begins, contains, numbered
from disputes.queries.inbox import CaseRow, list_cases
from disputes.queries.visibility import visible_accounts
from invoices.models import Account, Invoice
from matching.scoring import closest

HITS = 7


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found, best first; `invoices` have their account loaded."""

    cases: tuple[CaseRow, ...] = ()
    accounts: tuple[Account, ...] = ()
    invoices: tuple[Invoice, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was found."""
        return bool(self.cases or self.accounts or self.invoices)


def search(session: Session, *, user: User, text: str, now: datetime) -> Hits:
    """Cases, accounts and invoices the text may mean, among those the user may see; nothing for no text."""
    text = text.strip()[:MAX_TEXT]
    if not text:
        return Hits()
    cases = list_cases(session, user=user, filters=CaseFilter(state="all", text=text), now=now, limit=HITS)
    return Hits(cases.rows, _accounts(session, user, text), _invoices(session, user, text))


def _accounts(session: Session, user: User, text: str) -> tuple[Account, ...]:
    if user.role == "owner":
        return ()
    fits = or_(contains(Account.name, text), begins(Account.number, text))
    query = select(Account).where(fits, visible_accounts(user)).order_by(Account.name).limit(HITS)
    return tuple(session.scalars(query))


def find_accounts(session: Session, *, user: User, text: str) -> tuple[Account, ...]:
    """Accounts a person may mean, their entity loaded: words of the name in any order, or part of the number.

    Spaces, dots and dashes typed into a number do not matter. Finance owners find none: accounts are the desk's.
    """
    words = text[:MAX_TEXT].split()
    if not words or user.role == "owner":
        return ()
    number = "".join(letter for letter in text[:MAX_TEXT] if letter.isalnum())
    fits = [and_(*(contains(Account.name, word) for word in words)), contains(Account.number, text.strip()[:MAX_TEXT])]
    fits += [contains(Account.number, number)] if number else []
    query = select(Account).where(or_(*fits), visible_accounts(user)).options(joinedload(Account.entity))
    return tuple(session.scalars(query.order_by(Account.name, Account.id).limit(HITS)))


def account_to_give(session: Session, *, user: User, account_id: int) -> Account:
    """The account a case may be given to by the user. Raises NoSuchAccount."""
    query = select(Account).where(Account.id == account_id, visible_accounts(user))
    account = session.scalar(query) if user.role != "owner" else None
    if account is None:
        raise NoSuchAccount(f"There is no account {account_id}, or you may not see it")
    return account


def _invoices(session: Session, user: User, text: str) -> tuple[Invoice, ...]:
    fits = numbered(text)
    if fits is None or user.role == "owner":
        return ()
    query = select(Invoice).join(Account, Account.id == Invoice.account_id).where(fits, visible_accounts(user))
    query = query.order_by(Invoice.issued.desc()).limit(HITS).options(joinedload(Invoice.account))
    return tuple(session.scalars(query))


def find_invoice(session: Session, *, user: User, account_id: int | None, text: str) -> Invoice | None:
    """The one invoice a number means: of the account first, else the only one anywhere the user may see."""
    fits = numbered(text.strip()[:MAX_TEXT])
    if fits is None:
        return None
    query = select(Invoice).join(Account, Account.id == Invoice.account_id).where(fits, visible_accounts(user))
    found = list(session.scalars(query.limit(50)))
    named = [invoice for invoice in found if invoice.number.casefold() == text.strip().casefold()]
    for group in (_of(named, account_id), _of(found, account_id), named, found):
        if len(group) == 1:
            return group[0]
    return None


def near_invoices(session: Session, *, user: User, account_id: int | None, text: str) -> tuple[Invoice, ...]:
    """Invoices of the account whose number is nearly the one typed, the likeliest first: somebody mistyped it."""
    if account_id is None or not text.strip():
        return ()
    query = select(Invoice).join(Account, Account.id == Invoice.account_id)
    mine = query.where(Invoice.account_id == account_id, visible_accounts(user))
    newest = session.scalars(mine.order_by(Invoice.issued.desc(), Invoice.id.desc()).limit(_NEWEST)).all()
    by_number = {invoice.number: invoice for invoice in reversed(newest)}
    return tuple(by_number[number] for number in closest(text.strip()[:MAX_TEXT], list(by_number), most=_NEAR))


_NEWEST, _NEAR = 2_000, 5


def _of(invoices: list[Invoice], account_id: int | None) -> list[Invoice]:
    return [invoice for invoice in invoices if invoice.account_id == account_id]
