"""Letters that playbooks ask for: a case's open task of kind `letter` becomes a draft with the exact balance."""

from collections.abc import Sequence
from datetime import datetime
from typing import get_args

from sqlalchemy import Select, String, cast, exists, select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.events import system
from disputes.actions import tasks
from disputes.models import Case, CaseInvoice, Task
from invoices.models import Entity, Invoice
from letters.actions.drafting import NotDrafted, Origin, draft
from letters.actions.life import KIND
from letters.dunning_facts import owing
from letters.guards import Refusal
from letters.kinds import REMINDERS, Kind
from letters.models import Letter
from letters.planning import case_letter, plan_of, with_left_out
from letters.rules import LetterRules

OVER = frozenset({"nothing_due"})
"""Refusals after which nobody needs to write; the others pass, and the task waits."""


def open_requests(session: Session, *, after: int = 0, limit: int = 50) -> Sequence[int]:
    """Tasks that ask for a letter nobody has drafted yet."""
    drafted = exists().where(Letter.case_id == Task.case_id, Letter.step == "task:" + cast(Task.id, String))
    wanted = select(Task.id).where(Task.kind == KIND, Task.state == "open", Task.id > after, ~drafted)
    return session.scalars(wanted.order_by(Task.id).limit(limit)).all()


def draft_for(session: Session, *, task_id: int, rules: LetterRules, now: datetime) -> Letter | None:
    """The letter a task asks for, once; None where it stands already or may not be written now.

    Where nothing may be asked for any more the task ends, with the reason.
    """
    task = session.scalar(select(Task).where(Task.id == task_id, Task.state == "open").with_for_update())
    case = session.get(Case, task.case_id) if task is not None and task.case_id is not None else None
    if task is None or case is None or case.account_id is None or _standing(session, case.id, task.id):
        return None
    actor = system("letters", f"task:{task.id}")
    numbers = frozenset(session.scalars(_numbers(case.id)))
    planned = plan_of(owing(session, account_ids=[case.account_id], now=now)[case.account_id], rules)
    letter = case_letter(planned, numbers=numbers, kind=_kind(task))
    if isinstance(letter, Refusal):
        if letter.code in OVER:
            tasks.cancel(session, task=task, outcome=letter.why[:60], actor=actor, now=now)
        return None
    origin = Origin(
        subject=f"case:{case.id}", step=f"task:{task.id}", cycle=0, signer=_signer(session, case), case_id=case.id
    )
    told = with_left_out(planned, numbers)
    try:
        return draft(session, planned=told, letter=letter, origin=origin, rules=rules, actor=actor, now=now)
    except NotDrafted as error:
        tasks.cancel(session, task=task, outcome=error.message[:60], actor=actor, now=now)
        return None


def _standing(session: Session, case_id: int, task_id: int) -> bool:
    mine = select(Letter.id).where(Letter.subject == f"case:{case_id}", Letter.step == f"task:{task_id}")
    return session.scalar(mine.limit(1)) is not None


def _numbers(case_id: int) -> Select[str]:
    return (
        select(Invoice.number)
        .join(CaseInvoice, CaseInvoice.invoice_id == Invoice.id)
        .where(CaseInvoice.case_id == case_id)
    )


def _kind(task: Task) -> Kind:
    """What the playbook's step names as template, else a first friendly reminder."""
    wanted = str(task.payload.get("template", ""))
    return next((one for one in get_args(Kind) if one == wanted and one in REMINDERS), "reminder_1")


def _signer(session: Session, case: Case) -> str:
    """The case's owner writes; without one the entity."""
    owner = session.get(User, case.owner_id) if case.owner_id is not None else None
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    return owner.name if owner else entity.name if entity else ""
