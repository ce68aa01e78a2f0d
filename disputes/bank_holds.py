"""What is on hold because bank details are being checked, from rows: cases, and all that goes to an account. It reads
only, whatever was merged, moved or corrected since: what a check held once it holds until two people decided.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, exists, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.core.among import among
from disputes.bank_check import PENDING
from disputes.models import BankCheck, BankCheckMail, Case, Message, Task

_ACCOUNT = "account"
WHY = "changed bank details: two people check first"


@dataclass(frozen=True, slots=True)
class Holds:
    """What is held: cases themselves, and accounts. `released` are cases of which two people released all mails.

    Of the held cases `pending` are not decided yet: no step at all is taken in them. In those that are a fraud nothing
    is written, but they may be closed.
    """

    cases: frozenset[int] = frozenset()
    pending: frozenset[int] = frozenset()
    accounts: frozenset[int] = frozenset()
    released: frozenset[int] = frozenset()

    def holds(self, *, case_id: int | None, account_id: int | None) -> bool:
        """Whether nothing automatic goes out for that case or account."""
        return case_id in self.cases or account_id in self.accounts


def holds_of(session: Session, *, case_ids: Collection[int] = (), account_ids: Collection[int] = ()) -> Holds:
    """What of these is held. One query."""
    ids, accounts = list(case_ids), [one for one in account_ids if one is not None]
    if not ids and not accounts:
        return Holds()
    statement = _held(of_cases=bool(ids), of_accounts=bool(accounts))
    found: dict[str, set[int]] = defaultdict(set)
    for what, number in session.execute(statement, {"case_ids": ids, "account_ids": accounts}):
        found[what].add(number)
    pending = frozenset().union(*(found[state] for state in PENDING))
    cases = pending | found["fraud"]
    return Holds(cases, pending, frozenset(found[_ACCOUNT]), frozenset(found["released"]) - cases)


def is_held(session: Session, *, case_id: int | None, account_id: int | None) -> bool:
    """Whether nothing automatic goes out for that case or account. One query."""
    cases, accounts = [[one] if one is not None else [] for one in (case_id, account_id)]
    return holds_of(session, case_ids=cases, account_ids=accounts).holds(case_id=case_id, account_id=account_id)


def held_cases() -> ColumnElement[bool]:
    """The condition that a case is held itself, for lists."""
    moved = select(Message.case_id).join(BankCheckMail, BankCheckMail.message_id == Message.id)
    moved = moved.join(BankCheck, BankCheck.id == BankCheckMail.check_id).where(_unreleased())
    moved = moved.where(Message.case_id.is_not(None))
    return or_(Case.id.in_(select(BankCheck.case_id).where(_unreleased())), Case.id.in_(moved))


@cache
def _held(*, of_cases: bool, of_accounts: bool) -> Any:
    """The query, made once: every mail asks it."""
    return union_all(*(_of_cases() if of_cases else ()), *(_of_accounts() if of_accounts else ()))


def _of_cases() -> list[Any]:
    """The states of the checks whose mails are in these cases, or were when they came."""
    mails = select(BankCheck.state, Message.case_id).join(BankCheckMail, BankCheckMail.check_id == BankCheck.id)
    mails = mails.join(Message, Message.id == BankCheckMail.message_id).where(among(Message.case_id, "case_ids"))
    opened = select(BankCheck.state, BankCheck.case_id).where(among(BankCheck.case_id, "case_ids"))
    return [mails, opened.where(_unreleased())]


def _of_accounts() -> list[Any]:
    """Accounts the mails named, and those their cases are of now."""
    named = select(literal(_ACCOUNT), BankCheck.account_id).where(among(BankCheck.account_id, "account_ids"))
    now = select(literal(_ACCOUNT), Case.account_id).join(BankCheck, BankCheck.case_id == Case.id)
    return [named.where(_unsafe()), now.where(among(Case.account_id, "account_ids"), _unsafe())]


def _unreleased() -> ColumnElement[bool]:
    """A case is held while two people have not released it; one that is a fraud stays so."""
    return BankCheck.state.in_((*PENDING, "fraud"))


def _unsafe() -> ColumnElement[bool]:
    """An account is held while its mail is checked; after a fraud until the real customer is warned."""
    warning = exists().where(Task.id == BankCheck.warn_task_id, Task.state == "open")
    return or_(BankCheck.state.in_(PENDING), (BankCheck.state == "fraud") & warning)
