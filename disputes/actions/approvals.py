"""Credits asked for and approved by people: four eyes, and above a limit six. What is granted is an event of the case
and a task to carry it out; how the case ends stays a person's act.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from app.auth import Team, User, may
from app.core.errors import BadInput, Conflict, Forbidden
from app.core.events import Actor
from app.core.money import minor_digits
from disputes.actions import tasks
from disputes.actions.shared import case_for_change, change_case, record_case, touch, user_id
from disputes.approvals import Asked, Standing, needed, standing_of
from disputes.models import Approval, Case, CaseInvoice, Task
from disputes.queries.calls import GRANTED
from disputes.queries.visibility import visible_to
from disputes.workdays import due
from invoices.models import Entity, Invoice

APPROVE = "approve credits"
"""The action of app/auth.py that a voter's role must allow."""
KIND, REFUSED = "approve_credit", "refused"
ANSWER_DAYS = 1
LONGEST_WHY = 300
_GOING = frozenset({"new", "in_progress", "waiting"})


class BadCredit(BadInput):
    """This cannot be asked for."""


class NotYours(Forbidden):
    """Who asked for a credit, or has no part in approving, cannot vote."""


class VotedAlready(Conflict):
    """A person has one vote."""


def ask_credit(
    session: Session,
    *,
    case_id: int,
    amount: Decimal,
    currency: str,
    why: str,
    limit: Decimal,
    actor: Actor,
    now: datetime,
) -> Task:
    """Ask that a credit be approved; the team's lead gets the task, or whoever may approve, from the team's queue.

    Raises BadCredit for an amount that is none or more than the case's invoices are about, for no reason given, for
    an ended case, or when no person asks.
    """
    case = case_for_change(session, case_id)
    asker = _asker(actor)
    requests = _requests(session, case)
    if (same := _same(requests, asker, amount, currency)) is not None:
        return same
    earlier = [_asked(task) for task in requests]
    _check(session, case, amount, currency, why, earlier=earlier)
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    people = needed(amount, currency, earlier=earlier, limit=limit, limit_currency=entity.currency if entity else "")
    task = tasks.open_task(
        session,
        kind=KIND,
        title=f"Approve a credit of {amount} {currency}",
        dedupe_key=f"credit:{case_id}:{case.version}",
        actor=actor,
        now=now,
        due_at=due(now, days=ANSWER_DAYS, country=entity.country if entity else None),
        case=case,
        payload={
            "amount": str(amount),
            "currency": currency,
            "why": why.strip(),
            "asked_by": asker,
            "needed": people,
        },
    )
    task.assignee_id = _approver(session, case, without={asker})
    touch(case, now=now)
    _tell(session, case, task, "credit asked for", {"needed": people}, actor=actor, now=now)
    return task


def _asker(actor: Actor) -> int:
    asker = user_id(actor)
    if asker is None:
        raise BadCredit("A credit is asked for by a person, who answers for it")
    return asker


def _check(session: Session, case: Case, amount: Decimal, currency: str, why: str, *, earlier: Sequence[Asked]) -> None:
    if case.state not in _GOING:
        raise BadCredit(f"Case {case.id} is {case.state}: open it again first")
    if not why.strip() or len(why.strip()) > LONGEST_WHY:
        raise BadCredit(f"Say why, in at most {LONGEST_WHY} characters", fields={"why": "empty or too long"})
    if amount <= 0 or -int(amount.as_tuple().exponent) > minor_digits(currency):
        raise BadCredit(f"{amount} {currency} is no amount of money to credit", fields={"amount": "not an amount"})
    most = invoiced(session, case=case).get(currency, Decimal(0))
    told = sum((one.amount for one in earlier if one.standing and one.currency == currency), Decimal(0))
    if told + amount > most:
        raise BadCredit(
            f"The case's invoices in {currency} are about {most}, of which {told} is asked for or granted already: "
            "more cannot be credited",
            fields={"amount": "too much"},
        )


def invoiced(session: Session, *, case: Case) -> dict[str, Decimal]:
    """What the case's invoices are about in all, by currency: the most that can be credited."""
    rows = session.execute(
        select(Invoice.currency, func.sum(Invoice.gross))
        .join(CaseInvoice, CaseInvoice.invoice_id == Invoice.id)
        .where(CaseInvoice.case_id == case.id, Invoice.kind == "invoice")
        .group_by(Invoice.currency)
    )
    return {currency: total for currency, total in rows}  # noqa: C416 - rows are no tuples to mypy


def _requests(session: Session, case: Case) -> Sequence[Task]:
    return session.scalars(select(Task).where(Task.case_id == case.id, Task.kind == KIND).order_by(Task.id)).all()


def _same(requests: Sequence[Task], asker: int, amount: Decimal, currency: str) -> Task | None:
    """The open request of the same person for the same sum: a key pressed twice asks once."""
    wanted = (str(amount), currency, asker)
    told = ("amount", "currency", "asked_by")
    standing = (task for task in requests if task.state == "open")
    return next((task for task in standing if tuple(task.payload[name] for name in told) == wanted), None)


def _asked(task: Task) -> Asked:
    standing = task.state == "open" or task.outcome == GRANTED
    return Asked(Decimal(task.payload["amount"]), str(task.payload["currency"]), standing)


def _approver(session: Session, case: Case, *, without: Collection[int]) -> int | None:
    """Who is asked next: the lead of the case's team, else any lead, else an administrator, who sees the case.

    None where there is nobody: then whoever may approve takes it from the team's queue.
    """
    team = session.get(Team, case.team_id) if case.team_id is not None else None
    people = session.scalars(
        select(User)
        .where(User.active, User.role.in_(("lead", "admin")) | (User.id == (team.lead_id if team else None)))
        .options(selectinload(User.entities))
    ).all()
    nearest = sorted(people, key=lambda one: (team is None or one.id != team.lead_id, one.role != "lead", one.id))
    return next((one.id for one in nearest if one.id not in without and _sees(session, one, case)), None)


def _sees(session: Session, user: User, case: Case) -> bool:
    seen = select(Case.id).where(Case.id == case.id, visible_to(user))
    return may(user, APPROVE) and session.scalar(seen) is not None


def vote(session: Session, *, task_id: int, approved: bool, note: str = "", actor: Actor, now: datetime) -> Standing:
    """A person's yes or no to a credit. One no ends it; the last yes that is needed grants it.

    Raises NotYours for the asker and for roles that may not approve, VotedAlready, NoTask, TaskEnded.
    """
    task = tasks.open_for_change(session, task_id)
    if task.kind != KIND or task.case_id is None:
        raise BadCredit(f"Task {task_id} asks for no credit")
    case = case_for_change(session, task.case_id)
    voter = _voter(session, task, actor)
    if session.get(Approval, (task_id, voter.id)) is not None:
        raise VotedAlready(f"{voter.name} has voted on this credit already")
    session.add(Approval(task_id=task_id, user_id=voter.id, approved=approved, note=note.strip()[:300], at=now))
    session.flush()
    verb = "credit approved" if approved else "credit refused"
    touch(case, now=now)
    _tell(session, case, task, verb, {"approved": approved}, actor=actor, now=now)
    found = standing_of(votes_of(session, task=task), asked_by=task.payload["asked_by"], needed=task.payload["needed"])
    if found.state != "open":
        _decide(session, case, task, found.state, actor=actor, now=now)
    elif task.assignee_id == voter.id:
        heard = {task.payload["asked_by"], *votes_of(session, task=task)}
        task.assignee_id = _approver(session, case, without=heard)
    return found


def _voter(session: Session, task: Task, actor: Actor) -> User:
    number = user_id(actor)
    voter = session.get(User, number) if number is not None else None
    if voter is None or not may(voter, APPROVE):
        raise NotYours("Your role may not approve credits")
    if voter.id == task.payload["asked_by"]:
        raise NotYours("You asked for this credit: somebody else approves it")
    return voter


def votes_of(session: Session, *, task: Task) -> dict[int, bool]:
    """User id -> yes or no."""
    rows = session.scalars(select(Approval).where(Approval.task_id == task.id).order_by(Approval.at, Approval.user_id))
    return {row.user_id: row.approved for row in rows}


def _decide(session: Session, case: Case, task: Task, state: str, *, actor: Actor, now: datetime) -> None:
    """It is granted or refused: the asker learns of it as a task, since now something is to be told or done."""
    tasks.finish(session, task_id=task.id, outcome=state, actor=actor, now=now)
    amount = f"{task.payload['amount']} {task.payload['currency']}"
    granted = state == GRANTED
    told = tasks.open_task(
        session,
        kind="credit_decided",
        title=f"Credit of {amount} {'granted: make it and tell the customer' if granted else 'refused'}",
        dedupe_key=f"credit_decided:{task.id}",
        actor=actor,
        now=now,
        due_at=due(now, days=ANSWER_DAYS, country=_country(session, case)),
        case=case,
        payload={"credit": task.id, "granted": granted},
    )
    told.assignee_id = task.payload["asked_by"]
    if granted:
        _tell(session, case, task, "credit granted", {}, actor=actor, now=now)
        if case.state == "new":
            change_case(session, case, verb="case goes on", actor=actor, now=now, state="in_progress")


def _country(session: Session, case: Case) -> str | None:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    return entity.country if entity else None


def _tell(
    session: Session, case: Case, task: Task, verb: str, more: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:
    money = {"task_id": task.id, "amount": task.payload["amount"], "currency": task.payload["currency"]}
    record_case(session, case, verb=verb, actor=actor, now=now, after={**money, **more})
