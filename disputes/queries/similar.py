"""Settled cases near to an open one, and the message that fits: what the reply composer offers."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.auth import User
from disputes.models import Case, CaseClock, CaseInvoice, DisputeMovement, Message
from disputes.queries.visibility import visible_to
from disputes.suggestions import Likeness, Settled, Similar, Standing, Suggestion, key_words, nearest, suggest
from invoices.models import Invoice

MOST_SETTLED = 300
"""So many settled cases are compared, the newest."""
_TEXT_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Suggested:
    """The message that fits, and the settled cases it is learned from."""

    suggestion: Suggestion
    similar: tuple[Similar, ...]


def suggested(session: Session, *, user: User, case: Case, now: datetime) -> Suggested:
    """What to write in a case the user sees. Near cases are those the user may see, of the same reason or customer."""
    near = similar_cases(session, user=user, case=case)
    clock = session.get(CaseClock, (case.id, "next_update"))
    late = clock is not None and clock.met_at is None and clock.due_at is not None and clock.due_at < now
    standing = Standing(state=case.state, waiting_on=case.waiting_on, overdue=late, resolution=case.resolution)
    return Suggested(suggest(standing, near), near)


def similar_cases(session: Session, *, user: User, case: Case, limit: int = 3) -> tuple[Similar, ...]:
    """The nearest settled cases with how they ended, in five statements."""
    alike = or_(Case.reason == case.reason, Case.account_id == case.account_id)
    ended = select(Case).where(Case.state.in_(("resolved", "closed")), Case.resolution.is_not(None), Case.id != case.id)
    query = ended.where(alike, visible_to(user)).order_by(Case.last_activity_at.desc(), Case.id.desc())
    settled = session.scalars(query.limit(MOST_SETTLED)).all()
    if not settled:
        return ()
    ids = [case.id, *(one.id for one in settled)]
    said, amounts, credited = _said(session, ids), _amounts(session, ids), _credited(session, ids)
    found = [
        Settled(
            likeness=_likeness(one, said, amounts),
            title=one.title,
            resolution=one.resolution or "",
            credited=credited.get(one.id),
            ended_at=one.resolved_at or one.closed_at,
        )
        for one in settled
    ]
    return nearest(_likeness(case, said, amounts), found, limit=limit)


def _likeness(case: Case, said: dict[int, str], amounts: dict[int, tuple[Decimal, str]]) -> Likeness:
    amount, currency = amounts.get(case.id, (None, ""))
    return Likeness(
        case_id=case.id,
        reason=case.reason,
        words=key_words(said.get(case.id, case.title)),
        amount=amount,
        currency=currency,
        account_id=case.account_id,
    )


def _said(session: Session, case_ids: Sequence[int]) -> dict[int, str]:
    """What customers wrote in each case: nobody else's words."""
    rows = session.execute(
        select(Message.case_id, Message.subject, func.substr(Message.new_text, 1, _TEXT_CHARS))
        .where(Message.case_id.in_(case_ids), Message.direction == "in", Message.machine.is_(None))
        .order_by(Message.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for case_id, subject, text in rows:
        found[case_id] += [subject, text]
    return {case_id: "\n".join(told) for case_id, told in found.items()}


def _amounts(session: Session, case_ids: Sequence[int]) -> dict[int, tuple[Decimal, str]]:
    """What each case was about in money, where it is in one currency: the invoices' own amounts, which stay."""
    rows = session.execute(
        select(CaseInvoice.case_id, func.sum(Invoice.gross), func.min(Invoice.currency))
        .join(Invoice, Invoice.id == CaseInvoice.invoice_id)
        .where(CaseInvoice.case_id.in_(case_ids))
        .group_by(CaseInvoice.case_id)
        .having(func.min(Invoice.currency) == func.max(Invoice.currency))
    )
    return {case_id: (Decimal(amount), currency) for case_id, amount, currency in rows}


def _credited(session: Session, case_ids: Sequence[int]) -> dict[int, Decimal]:
    rows = session.execute(
        select(DisputeMovement.case_id, func.sum(DisputeMovement.amount))
        .where(DisputeMovement.case_id.in_(case_ids), DisputeMovement.kind == "credited")
        .group_by(DisputeMovement.case_id)
    )
    return {case_id: Decimal(amount) for case_id, amount in rows}
