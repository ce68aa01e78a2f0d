"""How tasks are shown: where each kind is done, what it is called, and the worklist in groups by day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from app.web import labels
from app.web.desk import Desk
from disputes.models import Task
from disputes.queries.tasks import CALL, TaskRow

N_ = str  # marks a msgid for extraction
APPROVAL, DELIVERY, REVIEW, OWNER = "approve_credit", "check_delivery", "review", "owner_answer"
BANK_CHECKS = ("bank_check", "bank_confirm")
BANK_KINDS = (*BANK_CHECKS, "warn_customer", "check_sender")
"""What changed bank details ask for is done in their case; the first two end by what is said there."""
HAS_ITS_PAGE = {CALL: "calls", APPROVAL: "approvals", DELIVERY: "deliveries"}
"""Kinds that are done on a page of their own; they cannot simply be ticked off."""
ICONS = {
    CALL: "phone",
    APPROVAL: "coins",
    "credit_decided": "coins",
    DELIVERY: "file",
    "document_arrived": "file",
    REVIEW: "review",
    "answer": "send",
    "owner_answer": "scale",
    "send_copy": "invoice",
    "letter": "mail",
    "mention": "note",
    "escalation": "alert",
    "mail_failed": "alert",
    "mail_returned": "alert",
    "check_sending": "alert",
    "bank_check": "shield",
    "bank_confirm": "shield",
    "warn_customer": "alert",
    "check_sender": "alert",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the worklist as it is shown: `sum` is the money it is about, `said` somebody's own words on it, both
    where there are any.
    """

    row: TaskRow
    name: str
    icon: str
    ticks: bool
    sum: tuple[Decimal, str] | None
    said: str


@dataclass(frozen=True, slots=True)
class Group:
    """Tasks due together, under a heading (a msgid)."""

    heading: str
    late: bool
    lines: Sequence[Line]


def place_of(task: Task) -> str:
    """The page where a task is done."""
    if task.kind in HAS_ITS_PAGE:
        return f"/{HAS_ITS_PAGE[task.kind]}/{task.id}"
    if task.kind in BANK_KINDS and task.case_id:
        return f"/cases/{task.case_id}#bank-check-{task.payload.get('check', '')}"
    if task.kind == REVIEW:
        return f"/review#review-{task.message_id}" if task.message_id else "/review"
    return f"/cases/{task.case_id}" if task.case_id else "/tasks"


def name_of(task: Task) -> str:
    """What a task is called, as a msgid: a call says why it is made, an answer what its owner decided."""
    if task.kind == CALL and "wish" in task.payload:
        return N_("Call back, as they asked")
    if task.kind == CALL and task.payload.get("promise_id"):
        return N_("Call about a broken promise")
    if task.kind == "answer" and "owner" in task.payload:
        return labels.DECISIONS.get(str(task.payload["owner"]), N_("The owner needs something"))
    return labels.label(labels.TASKS, task.kind)


def groups_of(desk: Desk, rows: Sequence[TaskRow]) -> list[Group]:
    """The worklist's rows, which come in order of their time, under headings."""
    found = groupby(rows, key=lambda row: _heading(desk, row.task.due_at))
    return [Group(heading, heading == LATE, [_line(row) for row in lines]) for heading, lines in found]


LATE = N_("Late")
_QUOTED = frozenset({CALL, APPROVAL, "answer"})
"""Kinds whose payload quotes a person; on a broken promise's call `why` is the program's."""


def _heading(desk: Desk, due: datetime | None) -> str:
    if due is None:
        return N_("Without a date")
    if due < desk.now:
        return LATE
    days = (due.astimezone(desk.zone).date() - desk.today).days
    names = {0: N_("Today"), 1: N_("Tomorrow")}
    return names.get(days, N_("Later"))


def _line(row: TaskRow) -> Line:
    task, told = row.task, row.task.payload
    money = (Decimal(told["amount"]), str(told["currency"])) if {"amount", "currency"} <= told.keys() else None
    said = str(told.get("wish") or told.get("need") or told.get("why") or "") if task.kind in _QUOTED else ""
    return Line(row, name_of(task), ICONS.get(task.kind, "clock"), ticks(task), money, said)


def ticks(task: Task) -> bool:
    """Whether a person can simply say that it is done: what needs a decision ends with the decision."""
    return task.kind not in HAS_ITS_PAGE and task.kind not in {REVIEW, OWNER, *BANK_CHECKS}


def day_ends(desk: Desk) -> datetime:
    """Midnight at the reader's place."""
    tomorrow = desk.now.astimezone(desk.zone) + timedelta(days=1)
    return tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
