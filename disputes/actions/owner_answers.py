"""An owner's answer to a case, however it comes: by link, by mail, on the case's page.

It is what the owner decided, no more: how the matter ends stays with whoever talks to the customer, and they get a
task to tell it. A credit needs its approvals like any other.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team, User
from app.core.errors import BadInput, Conflict
from app.core.events import Actor
from disputes.actions import approvals, cases, deliveries, planning, tasks
from disputes.actions.notes import add_note
from disputes.actions.shared import case_for_change, record_case, touch, user_id
from disputes.clock_events import Happened
from disputes.digest_answers import Command
from disputes.digest_tokens import ACCEPT, CREDIT, NEED, REJECT
from disputes.models import Case, CaseInvoice, Task
from disputes.proofs import is_proof
from disputes.workdays import due
from invoices.models import Entity, Invoice

KIND, ANSWER = "owner_answer", "answer"
ACCEPTED, REJECTED, CREDITED = "accepted", "rejected", "credit"
ANSWER_DAYS = 1
LONGEST_TEXT = 2_000
_GOING = frozenset({"new", "in_progress", "waiting"})
_VERBS = {ACCEPT: "owner accepted", REJECT: "owner rejected"}
_OUTCOMES = {ACCEPT: ACCEPTED, REJECT: REJECTED}


class CaseOver(Conflict):
    """The case is settled: there is nothing to decide any more."""


class BadAnswer(BadInput):
    """Something the answer needs is missing or cannot be."""


def answer(session: Session, *, command: Command, limit: Decimal, actor: Actor, now: datetime) -> bool:
    """Do what an owner says about a case; False where it was said before and stands. `limit`: see approvals.

    Raises NoCase, CaseMerged, CaseOver, BadAnswer, and BadCredit for a sum that cannot be asked for.
    """
    case = case_for_change(session, command.case_id)
    if case.state not in _GOING:
        raise CaseOver(f"Case {case.id} is {case.state} already")
    said = command.text.strip()[:LONGEST_TEXT]
    if command.action in _VERBS:
        return _decide(session, case, command.action, said, actor=actor, now=now)
    if command.action == CREDIT:
        return _credit(session, case, command, said, limit=limit, actor=actor, now=now)
    if command.action == NEED:
        return _need(session, case, said, actor=actor, now=now)
    return _pass_on(session, case, said, actor=actor, now=now)


def standing(session: Session, *, case_id: int) -> str | None:
    """What the owner decided last, where they were not asked again since; None while their answer is owed."""
    asked = select(Task).where(Task.case_id == case_id, Task.kind == KIND, Task.state != "cancelled")
    last = session.scalars(asked.order_by(Task.id.desc()).limit(1)).first()
    return last.outcome if last is not None and last.state == "done" else None


def _decide(session: Session, case: Case, action: str, said: str, *, actor: Actor, now: datetime) -> bool:
    outcome = _OUTCOMES[action]
    if standing(session, case_id=case.id) == outcome:
        return False
    _end(session, case, outcome, actor=actor, now=now)
    _tell(session, case, _VERBS[action], {"why": said}, actor=actor, now=now)
    _keep(session, case, said, actor=actor, now=now)
    _for_the_agent(session, case, outcome, f"Tell the customer: {outcome}", {"why": said}, actor=actor, now=now)
    _hand_over(session, case, actor=actor, now=now)
    planning.heard(session, case=case, what=Happened.OWNER_ANSWERED, actor=actor, now=now)
    return True


def _credit(
    session: Session, case: Case, command: Command, said: str, *, limit: Decimal, actor: Actor, now: datetime
) -> bool:
    amount, currency = command.amount or Decimal(0), _currency(session, case, command.currency)
    asked = approvals.ask_credit(
        session,
        case_id=case.id,
        amount=amount,
        currency=currency,
        why=said[: approvals.LONGEST_WHY] or f"The owner's answer: credit {amount} {currency}",
        limit=limit,
        actor=actor,
        now=now,
    )
    if asked.created_at != now and standing(session, case_id=case.id) == CREDITED:
        return False
    _end(session, case, CREDITED, actor=actor, now=now)
    after = {"amount": str(amount), "currency": currency, "why": said, "task_id": asked.id}
    _tell(session, case, "owner credits", after, actor=actor, now=now)
    _keep(session, case, said, actor=actor, now=now)
    _hand_over(session, case, actor=actor, now=now)
    planning.heard(session, case=case, what=Happened.OWNER_ANSWERED, actor=actor, now=now)
    return True


def _need(session: Session, case: Case, said: str, *, actor: Actor, now: datetime) -> bool:
    """They cannot decide yet: a proof of delivery is asked of whoever has it, anything else of who has the case."""
    if not said:
        raise BadAnswer("Say what is missing", fields={"text": "empty"})
    if is_proof(said):
        task = deliveries.ask_for_proof(session, case_id=case.id, note=said, actor=actor, now=now)
    else:
        task = _for_the_agent(session, case, "needs", f"Needed: {said}", {"need": said}, actor=actor, now=now)
    _tell(session, case, "owner needs something", {"what": said, "task_id": task.id}, actor=actor, now=now)
    _keep(session, case, said, actor=actor, now=now)
    return True


def _pass_on(session: Session, case: Case, said: str, *, actor: Actor, now: datetime) -> bool:
    """It is somebody else's: the team's lead finds whose; the lead's own goes back to the queue."""
    lead = session.scalar(select(Team.lead_id).where(Team.id == case.team_id)) if case.team_id is not None else None
    heir = cases.may_have(session, user_id=lead, case=case) if lead not in {None, user_id(actor)} else None
    to = heir.id if heir is not None else None
    if case.owner_id not in {user_id(actor), None}:
        return False
    _tell(session, case, "owner passed it on", {"why": said}, actor=actor, now=now)
    _keep(session, case, said, actor=actor, now=now)
    cases.assign(session, case_id=case.id, owner_id=to, team_id=case.team_id, actor=actor, now=now)
    return True


def _end(session: Session, case: Case, outcome: str, *, actor: Actor, now: datetime) -> None:
    """The question is answered, one that nobody had put as well: it shows that the owner has spoken."""
    asked = select(Task.id).where(Task.case_id == case.id, Task.kind == KIND, Task.state == "open").order_by(Task.id)
    open_ids = session.scalars(asked).all() or [_asked(session, case, actor=actor, now=now).id]
    for task_id in open_ids:
        task = tasks.finish(session, task_id=task_id, outcome=outcome, actor=actor, now=now)
        task.assignee_id = task.assignee_id or user_id(actor)


def _asked(session: Session, case: Case, *, actor: Actor, now: datetime) -> Task:
    return tasks.open_task(
        session,
        kind=KIND,
        title="Answer without a question",
        dedupe_key=tasks.next_key(session, case=case, kind=KIND, about=f"{KIND}:unasked"),
        actor=actor,
        now=now,
        due_at=None,
        case=case,
    )


def _for_the_agent(
    session: Session, case: Case, what: str, title: str, payload: dict[str, Any], *, actor: Actor, now: datetime
) -> Task:
    """A task for who talks to the customer: the case's owner where that is an agent, else the callers' queue."""
    task = tasks.open_task(
        session,
        kind=ANSWER,
        title=title,
        dedupe_key=tasks.next_key(session, case=case, kind=ANSWER, about=f"owner:{what}"),
        actor=actor,
        now=now,
        due_at=due(now, days=ANSWER_DAYS, country=_country(session, case)),
        case=case,
        payload={"owner": what, **payload},
    )
    owner = session.get(User, case.owner_id) if case.owner_id is not None else None
    callers = session.scalar(select(Team.id).where(Team.key == tasks.CALLERS))
    if callers is not None and (owner is None or owner.role == "owner"):
        task.team_id, task.assignee_id = callers, None
    session.flush()
    return task


def _hand_over(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    """Answers to the customer's mails that lay with the finance owner go to who talks to customers."""
    callers = session.scalar(select(Team.id).where(Team.key == tasks.CALLERS))
    lying = select(Task).join(User, User.id == Task.assignee_id).where(User.role == "owner")
    here = lying.where(Task.case_id == case.id, Task.kind == ANSWER, Task.state == "open")
    for task in session.scalars(here).all() if callers is not None else ():
        tasks.assign(session, task_id=task.id, user_id=None, actor=actor, now=now)
        task.team_id = callers


def _keep(session: Session, case: Case, said: str, *, actor: Actor, now: datetime) -> None:
    """Words of their own stand in the case's talk as well, where colleagues read."""
    if said:
        add_note(session, case_id=case.id, text=said, actor=actor, now=now, source="owner")


def _tell(session: Session, case: Case, verb: str, after: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    touch(case, now=now)
    told = {name: value for name, value in after.items() if value not in ("", None)}
    record_case(session, case, verb=verb, actor=actor, now=now, after=told)


def _currency(session: Session, case: Case, written: str) -> str:
    """The currency of the case's invoices. Raises BadAnswer where another is written, or nobody can tell which."""
    rows = session.scalars(
        select(Invoice.currency)
        .join(CaseInvoice, CaseInvoice.invoice_id == Invoice.id)
        .where(CaseInvoice.case_id == case.id)
        .distinct()
    )
    found = sorted(rows)
    if written and written not in found:
        raise BadAnswer(f"No invoice of case {case.id} is in {written}", fields={"amount": "another currency"})
    if not written and len(found) != 1:
        told = f"Case {case.id} has invoices in {' and '.join(found) or 'no currency'}: write the currency too"
        raise BadAnswer(told, fields={"amount": "which currency?"})
    return written or found[0]


def _country(session: Session, case: Case) -> str | None:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    return entity.country if entity else None
