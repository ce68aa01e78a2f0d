"""Doing one step of a playbook: the mail, the task, the end it stands for. Whether it is done at all, progress.py says.

Everything done bears the key "step:CASE:STEP:CYCLE", so that a second time finds what stands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor
from app.core.money import rounded
from disputes.acknowledgement import AcknowledgePolicy
from disputes.actions import acknowledging, cases, clocks, customer_messages, tasks
from disputes.actions.escalating import escalate
from disputes.clock_events import Happened
from disputes.clocks import OWNER_ANSWER
from disputes.correspondence import answered, partner_of
from disputes.desks import desks_of
from disputes.models import Case, CaseClock, Link, Message, Task
from disputes.playbook import Step
from disputes.progress_facts import Going
from disputes.reasons import NOBODY, OTHER, shipped_row, team_of
from disputes.reply_tokens import ReplyTokens
from disputes.satisfaction import RatingLinks
from disputes.workhours import add_business_days, add_business_time, hours, local_day, next_opening
from invoices.models import Entity, Invoice

LETTER, OWNER = "letter", tasks.OWNER
"""Kinds of tasks that steps open, beside the call."""
CALL_HOURS, LETTER_DAYS, OWNER_DAYS = 8, 1, 2
"""By when what a step asks for is done: a call within so many office hours, the others within working days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """A step about to be done; `amount` is what a letter may ask for, in the case's currency."""

    session: Session
    case: Case
    going: Going
    step: Step
    cycle: int
    amount: Decimal | None
    tokens: ReplyTokens
    links: RatingLinks | None
    actor: Actor
    now: datetime

    @property
    def key(self) -> str:
        """What makes a second time impossible."""
        return f"step:{self.case.id}:{self.step.id}:{self.cycle}"


def do(doing: Doing) -> str:
    """Do the step. Gives why there was nothing to do, "" once it is done. Raises what a mail or a close may raise."""
    return _STEPS[doing.step.action](doing)


def _acknowledge(doing: Doing) -> str:
    """For cases whose first mail was not acknowledged when it came in; late ones are left alone."""
    session, case, now = doing.session, doing.case, doing.now
    message = _first_mail(session, case)
    if message is None:
        return "there is no mail to acknowledge"
    at = message.sent_at or message.received_at
    heard = doing.going.progress.since.get("we_wrote"), doing.going.progress.called_at
    if now - at > AcknowledgePolicy().fresh or any(one is not None and one >= at for one in heard):
        return "it is too late for that, or they heard from us since"
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    if message.review or entity is None:
        return "it is not sure what the mail is about: a person looks first"
    told = answered(session, message=message)
    acknowledging.acknowledge(
        session,
        message=message,
        case=case,
        entity=entity,
        invoices=_numbers(session, message),
        references=told.references if told else (),
        tokens=doing.tokens,
        actor=doing.actor,
        now=now,
    )
    return ""


def _first_mail(session: Session, case: Case) -> Message | None:
    """The first mail that asks for something, of whom the guards looked at: who wrote in the case last."""
    partner = partner_of(session, case=case)
    theirs = select(Message).where(
        Message.case_id == case.id, Message.direction == "in", Message.machine.is_(None), Message.kind != OTHER
    )
    theirs = theirs.where(Message.from_email == (partner.email if partner else ""))
    found = session.scalars(theirs.order_by(Message.received_at, Message.id).limit(5))
    return next((one for one in found if team_of(one.reason or "") != NOBODY), None)


def _numbers(session: Session, message: Message) -> list[str]:
    sure = select(Link.invoice_id).where(Link.message_id == message.id, Link.state == "confirmed")
    return list(session.scalars(select(Invoice.number).where(Invoice.id.in_(sure)).order_by(Invoice.number)))


def _ask_owner(doing: Doing) -> str:
    """The owner is asked once; asking again is the same question, whose clock goes on. Their digest tells them."""
    session, case = doing.session, doing.case
    clock = session.get(CaseClock, (case.id, OWNER_ANSWER))
    if clock is None or clock.met_at is not None:
        clocks.happened(
            session, case=case, facts=doing.going.case, what=Happened.OWNER_ASKED, actor=doing.actor, now=doing.now
        )
        clock = session.get(CaseClock, (case.id, OWNER_ANSWER))
    if _standing(doing, OWNER) is None:
        due = clock.due_at if clock is not None else None
        due_at = due or add_business_days(doing.now, OWNER_DAYS, doing.going.calendar)
        _open(doing, OWNER, f"Settle: {shipped_row(case.reason).label}", due_at)
    return ""


def _tell(doing: Doing, kind: str, *, link: str = "") -> str:
    customer_messages.write(
        doing.session,
        case_id=doing.case.id,
        kind=kind,
        dedupe_key=doing.key,
        tokens=doing.tokens,
        actor=doing.actor,
        now=doing.now,
        link=link,
    )
    return ""


def _ask_satisfaction(doing: Doing) -> str:
    link = doing.links.link(case_id=doing.case.id, now=doing.now) if doing.links else ""
    return _tell(doing, "satisfaction", link=link)


def _call(doing: Doing) -> str:
    """One call at a time: an open one, by a mail or a broken promise, is this one too."""
    if _standing(doing, tasks.CALL) is None:
        due_at = add_business_time(doing.now, hours(CALL_HOURS), doing.going.calendar)
        _open(doing, tasks.CALL, f"Call about: {doing.case.title}", due_at)
    return ""


def _letter(doing: Doing) -> str:
    """A person writes it, with the exact balance; one at a time."""
    if _standing(doing, LETTER) is None:
        currency = doing.going.case.currency
        amount = rounded(doing.amount or Decimal(0), currency)
        due_at = add_business_days(doing.now, LETTER_DAYS, doing.going.calendar)
        task = _open(doing, LETTER, f"Letter about {amount} {currency}", due_at)
        task.payload = {"amount": str(amount), "currency": currency, "template": doing.step.template}
    return ""


def _escalate(doing: Doing) -> str:
    if doing.step.to == "customer":
        return _tell(doing, doing.step.template or "question")
    escalate(
        doing.session,
        case=doing.case,
        facts=doing.going.case,
        desks=desks_of(doing.session, today=local_day(doing.now, doing.going.calendar)),
        calendar=doing.going.calendar,
        why=f"Overdue with its owner: {doing.case.title}",
        key=doing.key,
        actor=doing.actor,
        now=doing.now,
    )
    return ""


def _close(doing: Doing) -> str:
    cases.close(
        doing.session,
        case_id=doing.case.id,
        resolution=doing.case.resolution or "no_action",
        actor=doing.actor,
        now=doing.now,
    )
    return ""


def _standing(doing: Doing, kind: str) -> Task | None:
    """The open task of that kind, if the case has one."""
    found = select(Task).where(Task.case_id == doing.case.id, Task.kind == kind, Task.state == "open")
    return doing.session.scalars(found.limit(1)).first()


def _open(doing: Doing, kind: str, title: str, due_at: datetime) -> Task:
    return tasks.open_task(
        doing.session,
        kind=kind,
        title=title,
        dedupe_key=doing.key,
        actor=doing.actor,
        now=doing.now,
        due_at=next_opening(due_at, doing.going.calendar),
        case=doing.case,
    )


_STEPS: Mapping[str, Callable[[Doing], str]] = {
    "acknowledge": _acknowledge,
    "ask_owner": _ask_owner,
    "tell_status": lambda doing: _tell(doing, doing.step.template or "status"),
    "courtesy_call": _call,
    "letter": _letter,
    "escalate": _escalate,
    "ask_satisfaction": _ask_satisfaction,
    "close": _close,
}
