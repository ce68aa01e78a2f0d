"""The call sheet of a courtesy call from its rows: whom to ring and when, what to say, what was said before (U29)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.auth import User
from disputes.bank_holds import is_held
from disputes.call_outcomes import OUTCOMES
from disputes.call_sheet import CallFacts, InvoiceSaid, Part, script, tel_link
from disputes.call_times import BestTime, PastCall, best_time, zones_of_phone
from disputes.casework import ANSWER_DISPUTE_DAYS, call_first
from disputes.models import Case, CaseClock, CaseInvoice, Message, Note, Promise, Task
from disputes.queries.tasks import CALL, visible_task
from disputes.queries.visibility import visible_to
from disputes.reasons import DISPUTE, OTHER
from disputes.workdays import due
from disputes.workhours import calendar_of
from invoices.models import Contact

GRANTED = "granted"
"""The outcome of a credit that was approved."""
RECENT_CALLS, RECENT_MAILS, RECENT_PROMISES = 8, 3, 5
_SILENT = timedelta(days=7)
_SENT = func.coalesce(Message.sent_at, Message.received_at)


@dataclass(frozen=True, slots=True)
class Callee:
    """Somebody to ring: `link` dials (tel:), "" where the number cannot be dialled; `wished` if they named it."""

    name: str
    role: str
    phone: str
    link: str
    wished: bool = False


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call that was made: how it ended (a name of call_outcomes), by whom, and what was said."""

    task_id: int
    case_id: int | None
    at: datetime
    outcome: str
    who: str
    note: str

    @property
    def reached(self) -> bool:
        """Whether a person was reached."""
        return OUTCOMES[self.outcome].reached


@dataclass(frozen=True, slots=True)
class CallSheet:
    """Everything before dialling, and the script. `checked`: bank details are being checked, so that no number a mail
    named is offered (S15).
    """

    task: Task
    case: Case
    facts: CallFacts
    parts: tuple[Part, ...]
    people: tuple[Callee, ...]
    best: BestTime
    wish: str
    invoices: tuple[CaseInvoice, ...]
    messages: tuple[Message, ...]
    calls: tuple[MadeCall, ...]
    promises: tuple[Promise, ...]
    checked: bool = False

    @property
    def owed(self) -> Decimal:
        """What is open and undisputed of the case's invoices in the currency of the first: what may be promised."""
        meant = [row for row in self.invoices if row.invoice.currency == self.currency]
        return sum((max(row.invoice.open_amount - row.disputed, Decimal(0)) for row in meant), Decimal(0))

    @property
    def currency(self) -> str:
        """The currency a promise is made in."""
        own = self.case.entity.currency if self.case.entity else ""
        known = [row.invoice.currency for row in self.invoices]
        return own if own in known or not known else known[0]


def call_sheet(session: Session, *, user: User, task_id: int, now: datetime) -> CallSheet:
    """The sheet of a call the user may see, in a fixed number of queries. Raises NoSuchTask."""
    task = visible_task(session, user=user, task_id=task_id, kind=CALL)
    case = task.case
    assert case is not None  # noqa: S101 - every call is about a case
    contacts = _contacts(session, case)
    messages = _messages(session, case)
    calls = made_calls(session, user=user, account_id=case.account_id, case_id=case.id)
    promises = _promises(session, case)
    invoices = _invoices(session, case)
    checked = is_held(session, case_id=case.id, account_id=case.account_id)
    people = tuple(one for one in _people(task, case, contacts, messages) if not (checked and one.wished))
    facts = _facts(session, _Rows(task, case, messages, invoices, promises), agent=user.name, now=now)
    return CallSheet(
        task=task,
        case=case,
        facts=facts,
        parts=script(facts),
        people=people,
        best=_best(task, case, people, calls, now),
        wish=str(task.payload.get("wish") or ""),
        invoices=invoices,
        messages=messages,
        calls=calls,
        promises=promises,
        checked=checked,
    )


def made_calls(
    session: Session, *, user: User, account_id: int | None, case_id: int | None = None, limit: int = RECENT_CALLS
) -> tuple[MadeCall, ...]:
    """Calls made to a customer, the newest first: of the account's cases the user may see, else of one case."""
    about = Case.account_id == account_id if account_id is not None else Case.id == case_id
    rows = session.execute(
        select(Task, User.name)
        .join(Case, Case.id == Task.case_id)
        .outerjoin(User, User.id == Task.assignee_id)
        .where(Task.kind == CALL, Task.state == "done", Task.outcome.in_(OUTCOMES), about, visible_to(user))
        .order_by(Task.done_at.desc(), Task.id.desc())
        .limit(limit)
    ).all()
    noted = [number for task, _ in rows if (number := task.payload.get("note_id"))]
    said = {note.id: note.text for note in session.scalars(select(Note).where(Note.id.in_(noted)))} if noted else {}
    return tuple(_made(task, name, said) for task, name in rows)


def _made(task: Task, name: str | None, said: dict[int, str]) -> MadeCall:
    note = said.get(task.payload.get("note_id") or 0, "")
    return MadeCall(task.id, task.case_id, task.done_at or task.created_at, task.outcome or "", name or "", note)


def unanswered_tries(session: Session, *, task: Task) -> int:
    """How many calls in a row, up to now, reached nobody in this case."""
    past = session.scalars(
        select(Task.outcome)
        .where(Task.case_id == task.case_id, Task.kind == CALL, Task.state == "done", Task.outcome.in_(OUTCOMES))
        .order_by(Task.done_at.desc(), Task.id.desc())
        .limit(20)
    )
    tries = 0
    for outcome in past:
        if OUTCOMES[outcome or ""].reached:
            break
        tries += 1
    return tries


def _contacts(session: Session, case: Case) -> Sequence[Contact]:
    if case.account_id is None:
        return ()
    return session.scalars(select(Contact).where(Contact.account_id == case.account_id).order_by(Contact.id)).all()


def _messages(session: Session, case: Case) -> tuple[Message, ...]:
    """The newest mails the customer wrote or got: a colleague's words are not read out on the phone."""
    query = select(Message).where(Message.case_id == case.id, Message.direction.in_(("in", "out")))
    shown = query.where(Message.machine.is_(None), Message.kind.is_distinct_from(OTHER))
    return tuple(session.scalars(shown.order_by(_SENT.desc(), Message.id.desc()).limit(RECENT_MAILS)))


def _invoices(session: Session, case: Case) -> tuple[CaseInvoice, ...]:
    """What is disputed first, then the longest overdue."""
    query = select(CaseInvoice).where(CaseInvoice.case_id == case.id).options(joinedload(CaseInvoice.invoice))
    rows = session.scalars(query).all()
    return tuple(sorted(rows, key=lambda row: (row.disputed <= 0, row.invoice.due, row.invoice_id)))


def _promises(session: Session, case: Case) -> tuple[Promise, ...]:
    about = Promise.account_id == case.account_id if case.account_id is not None else Promise.case_id == case.id
    query = select(Promise).where(about).order_by(Promise.date.desc(), Promise.id.desc())
    return tuple(session.scalars(query.limit(RECENT_PROMISES)))


def _people(task: Task, case: Case, contacts: Sequence[Contact], messages: Sequence[Message]) -> Sequence[Callee]:
    """Whom to ring: the number they named, then the contact who wrote, then the others who have one."""
    country = case.account.country if case.account else None
    writer = next((message for message in messages if message.direction == "in"), None)
    wished, found = str(task.payload.get("phone") or ""), []
    if wished:
        found.append(Callee(writer.from_name if writer else "", "", wished, tel_link(wished, country), wished=True))
    address = writer.from_email if writer else ""
    known = sorted((one for one in contacts if one.phone), key=lambda one: (one.email != address, one.id))
    return [*found, *(Callee(one.name, one.role, one.phone, tel_link(one.phone, country)) for one in known)]


def _best(task: Task, case: Case, people: Sequence[Callee], calls: Sequence[MadeCall], now: datetime) -> BestTime:
    return best_to_call(
        phone=people[0].phone if people else "",
        country=case.account.country if case.account else None,
        ours=case.entity.country if case.entity else None,
        calls=calls,
        now=now,
        by=task.due_at if task.due_at and task.due_at > now else None,
        at_once=call_first(case.sentiment, urgent=case.urgent) or bool(task.payload.get("wish")),
    )


def best_to_call(
    *,
    phone: str,
    country: str | None,
    ours: str | None,
    calls: Sequence[MadeCall],
    now: datetime,
    by: datetime | None = None,
    at_once: bool = False,
) -> BestTime:
    """When a number is best rung: by its zone, the customer's country (else ours), and the calls made before."""
    return best_time(
        zones=zones_of_phone(phone, country or ours),
        country=country,
        ours=calendar_of(ours),
        past=[PastCall(call.at, call.reached) for call in calls],
        now=now,
        by=by,
        at_once=at_once,
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the script's facts are made of."""

    task: Task
    case: Case
    messages: Sequence[Message]
    invoices: Sequence[CaseInvoice]
    promises: Sequence[Promise]


def _facts(session: Session, rows: _Rows, *, agent: str, now: datetime) -> CallFacts:
    case = rows.case
    wrote = next((message for message in rows.messages if message.direction == "in"), None)
    return CallFacts(
        case_id=case.id,
        kind=case.kind,
        reason=case.reason,
        language=case.language,
        name=wrote.from_name if wrote else "",
        agent=agent,
        seller=case.entity.name if case.entity else "",
        invoices=tuple(map(_said, rows.invoices)),
        said=wrote.new_text if wrote else "",
        answer_by=_answer_by(session, case, now),
        upset=call_first(case.sentiment, urgent=case.urgent),
        credit=granted_credit(session, case_id=case.id),
        promised=_broken(rows),
        silent_since=_silent_since(case, wrote, now),
        owner_works=_owner_works(session, case),
    )


def _said(row: CaseInvoice) -> InvoiceSaid:
    invoice = row.invoice
    return InvoiceSaid(
        number=invoice.number,
        issued=invoice.issued,
        due=invoice.due,
        amount=invoice.open_amount if invoice.open_amount > 0 else invoice.gross,
        currency=invoice.currency,
        disputed=row.disputed,
    )


def _broken(rows: _Rows) -> date | None:
    """The day of the promise the call is about, or of one of the case that was not kept and has no successor."""
    asked = next((one for one in rows.promises if one.id == rows.task.payload.get("promise_id")), None)
    newest = next((one for one in rows.promises if one.case_id == rows.case.id), None)
    meant = asked or newest
    return meant.date if meant is not None and meant.state in {"broken", "partly_kept"} else None


def _silent_since(case: Case, wrote: Message | None, now: datetime) -> date | None:
    if case.waiting_on != "customer" or wrote is None:
        return None
    at = wrote.sent_at or wrote.received_at
    return at.date() if now - at > _SILENT else None


def _answer_by(session: Session, case: Case, now: datetime) -> date | None:
    """When the customer hears from us: as the case's clocks promise, else as soon as a dispute is answered."""
    running = select(func.min(CaseClock.due_at)).where(
        CaseClock.case_id == case.id,
        CaseClock.kind.in_(("next_update", "resolution")),
        CaseClock.met_at.is_(None),
        CaseClock.paused_at.is_(None),
        CaseClock.due_at > now,
    )
    promised: datetime | None = session.scalar(running)
    if promised is not None:
        return promised.date()
    country = case.entity.country if case.entity else None
    return due(now, days=ANSWER_DISPUTE_DAYS, country=country).date() if case.kind == DISPUTE else None


def _owner_works(session: Session, case: Case) -> bool:
    asked = select(Task.id).where(Task.case_id == case.id, Task.kind == "owner_answer", Task.state == "open")
    return session.scalar(asked.limit(1)) is not None


def granted_credit(session: Session, *, case_id: int) -> tuple[Decimal, str] | None:
    """The newest credit approved in a case and its currency; None where none was: only then may it be offered."""
    payload: dict[str, Any] | None = session.scalar(
        select(Task.payload)
        .where(Task.case_id == case_id, Task.kind == "approve_credit", Task.outcome == GRANTED)
        .order_by(Task.done_at.desc(), Task.id.desc())
        .limit(1)
    )
    return (Decimal(payload["amount"]), str(payload["currency"])) if payload else None
