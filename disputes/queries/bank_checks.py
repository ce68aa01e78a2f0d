"""Checks of changed bank details, as pages show them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.errors import NotFound
from disputes.models import BankCheck, BankCheckMail, Case, Message
from disputes.queries.visibility import visible_messages, visible_to
from matching.text import email_domain

MOST_MAILS = 20


class NoSuchCheck(NotFound):
    """There is no such check among those of cases the user may see."""


@dataclass(frozen=True, slots=True)
class OtherMail:
    """Another mail of a sender that was found to be a fraud, for a person to look at."""

    message_id: int
    case_id: int | None
    subject: str
    sender: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check with the ids of its mails, the names of its two people, and after a fraud the sender's other mails."""

    check: BankCheck
    mails: frozenset[int] = frozenset()
    first: str = ""
    second: str = ""
    others: tuple[OtherMail, ...] = field(default=())


def checks_of_case(session: Session, *, user: User, case_id: int) -> tuple[CheckView, ...]:
    """The checks of a case's mails, or that began in it, the oldest first. One query, or four if there are any."""
    of_mail = select(BankCheckMail.check_id).join(Message, Message.id == BankCheckMail.message_id)
    mine = or_(BankCheck.case_id == case_id, BankCheck.id.in_(of_mail.where(Message.case_id == case_id)))
    checks = session.scalars(select(BankCheck).where(mine).order_by(BankCheck.id)).all()
    if not checks:
        return ()
    mails: dict[int, set[int]] = {check.id: set() for check in checks}
    pairs = select(BankCheckMail.check_id, BankCheckMail.message_id).where(BankCheckMail.check_id.in_(mails))
    for check_id, message_id in session.execute(pairs):
        mails[check_id].add(message_id)
    people = {one for check in checks for one in (check.first_id, check.second_id) if one is not None}
    names = _names(session, people)
    return tuple(
        CheckView(
            check,
            frozenset(mails[check.id]),
            names.get(check.first_id or 0, ""),
            names.get(check.second_id or 0, ""),
            _others(session, user, check, mails[check.id]) if check.state == "fraud" else (),
        )
        for check in checks
    )


def _names(session: Session, people: Collection[int]) -> dict[int, str]:
    rows = session.execute(select(User.id, User.name).where(User.id.in_(people)))
    return {number: name for number, name in rows}  # noqa: C416 - rows are no pairs to mypy


def _others(session: Session, user: User, check: BankCheck, known: set[int]) -> tuple[OtherMail, ...]:
    sender = func.lower(Message.from_email)
    same = sender == check.sender if check.domain is None else sender.like(f"%@{check.domain}")
    query = select(Message.id, Message.case_id, Message.subject, Message.from_email)
    query = query.where(same, Message.id.not_in(known), visible_messages(user)).order_by(Message.id.desc())
    return tuple(
        OtherMail(*row) for row in session.execute(query.limit(MOST_MAILS)) if not check.domain or _is_of(row, check)
    )


def _is_of(row: object, check: BankCheck) -> bool:
    """The wildcards of LIKE may stand in a domain: compared once more."""
    return email_domain(str(getattr(row, "from_email", ""))) == check.domain


def visible_check(session: Session, *, user: User, check_id: int) -> tuple[BankCheck, int]:
    """The check and the case its newest mail is in, if the user may see that; else NoSuchCheck. Two queries."""
    check = session.get(BankCheck, check_id)
    case_id = session.scalar(_place_of(check).limit(1)) if check is not None else None
    number = case_id if case_id is not None else check.case_id if check is not None else None
    if check is None or session.scalar(select(Case.id).where(Case.id == number, visible_to(user))) is None:
        raise NoSuchCheck(f"There is no check {check_id} of bank details, or you may not see it")
    return check, number or 0


def _place_of(check: BankCheck) -> Select[int | None]:
    return (
        select(Message.case_id)
        .join(BankCheckMail, BankCheckMail.message_id == Message.id)
        .where(BankCheckMail.check_id == check.id, Message.case_id.is_not(None))
        .order_by(Message.id.desc())
    )
