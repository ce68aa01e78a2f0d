"""What comes next in a case, as its row says it: planned anew whenever something happens to the case.

A case is on a playbook from the moment its first mail is heard. One opened by an old mail (an archive that is read in)
is on none: nothing happens by itself until somebody does something or the customer writes again.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Actor
from disputes.acknowledgement import AcknowledgePolicy
from disputes.actions import clocks, writeback
from disputes.actions.shared import change_case
from disputes.case_facts import fact_of_case
from disputes.clock_events import Happened
from disputes.models import Case, Message, Outgoing
from disputes.planning import RUNNING, Plan, plan_for
from disputes.playbook import NextDue, Playbook
from disputes.progress_facts import progress_of
from disputes.reasons import OTHER
from disputes.rules_in_force import InForce, playbooks
from disputes.workhours import Calendar, calendar_of
from invoices.models import Entity

FRESH = AcknowledgePolicy().fresh
"""A mail older than this when it gets here starts nothing by itself."""
PROMISE = "promise_to_pay"


def heard(session: Session, *, case: Case, what: Happened, actor: Actor, now: datetime) -> None:
    """Something happened to a case: its clocks move and what comes next is planned anew.

    The one hook for whoever changes a case; more than one thing at once is heard one after the other.
    """
    facts = fact_of_case(session, case=case)
    clocks.happened(session, case=case, facts=facts, what=what, actor=actor, now=now)
    replan(session, case=case, now=now)


def changed(session: Session, *, case: Case, actor: Actor, now: datetime) -> None:
    """The case is another one now (its reason, its tone): what is promised and what comes next follow."""
    clocks.promise_anew(session, case=case, facts=fact_of_case(session, case=case), actor=actor, now=now)
    look_again(case, now=now)


def heard_mail(session: Session, *, message: Message, case: Case, opened: bool, actor: Actor, now: datetime) -> None:
    """A mail came into a case (`opened`: it made the case). What comes next is left to the sweep: mail comes in heaps.

    Old mail, machines' mail and copies of what our own outbox sent make nothing happen.
    """
    if case.state not in RUNNING or not is_fresh(message, now=now):
        return
    what = _what(session, message, case, opened=opened, now=now)
    if what is None:
        return
    facts = fact_of_case(session, case=case)
    clocks.happened(session, case=case, facts=facts, what=what, actor=actor, now=now)
    if _promises(message, case):
        _await_payment(session, case, message, actor=actor, now=now)
    if case.waiting_on == "customer":
        clocks.happened(session, case=case, facts=facts, what=Happened.WAITS_ON_CUSTOMER, actor=actor, now=now)
    case.due_at = now


def is_fresh(message: Message, *, now: datetime) -> bool:
    """Whether a mail is news, and not part of an archive that is read in."""
    return now - (message.sent_at or message.received_at) <= FRESH


def _what(session: Session, message: Message, case: Case, *, opened: bool, now: datetime) -> Happened | None:
    if opened:
        return Happened.OPENED
    if case.reopened_at == now:
        return Happened.REOPENED
    if message.direction == "out":
        return None if is_copy(session, message=message) else Happened.WE_ANSWERED
    heard_now = message.direction == "in" and message.kind != OTHER and case.waiting_on != "customer"
    return Happened.CUSTOMER_WROTE if heard_now else None


def is_copy(session: Session, *, message: Message) -> bool:
    """Whether a mail is what our own outbox sent, seen again in a mailbox: it was heard when it left."""
    if message.direction != "out" or message.rfc_id is None:
        return False
    return session.scalar(select(Outgoing.id).where(Outgoing.rfc_id == message.rfc_id).limit(1)) is not None


def _calendar(session: Session, case: Case) -> Calendar:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    return calendar_of(entity.country if entity else None)


def _promises(message: Message, case: Case) -> bool:
    """Whether a mail promises payment and says nothing else that we would have to answer."""
    return message.direction == "in" and bool(message.promise) and message.reason == case.reason == PROMISE


def _await_payment(session: Session, case: Case, message: Message, *, actor: Actor, now: datetime) -> None:
    """Who promised to pay is left in peace until the day is over."""
    day = date.fromisoformat((message.promise or {})["date"])
    until = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(_calendar(session, case).zone))
    if until > now:
        values = {"state": "waiting", "waiting_on": "customer", "waiting_until": until, "waiting_since": now}
        change_case(session, case, verb="case waits", actor=actor, now=now, **values)
        writeback.tell(session, case=case, now=now)


def look_again(case: Case, *, now: datetime) -> None:
    """What comes next may have changed: the sweep finds out. A case on no playbook is left alone."""
    if case.playbook is not None:
        case.due_at = now


def replan(session: Session, *, case: Case, now: datetime) -> NextDue | None:
    """Write what comes next in a case, and when; gives it, None where nothing is left to do by itself."""
    return replan_many(session, cases=[case], now=now)[case.id].due


def replan_many(
    session: Session, *, cases: Sequence[Case], now: datetime, books: Mapping[str, InForce[Playbook]] | None = None
) -> dict[int, Plan]:
    """The same for many cases, in as many queries as for one."""
    books = books or playbooks(session)
    going = progress_of(session, case_ids=[case.id for case in cases], now=now)
    plans = {case.id: plan_for(going[case.id], books) for case in cases}
    for case in cases:
        write_plan(case, plans[case.id])
    return plans


def write_plan(case: Case, plan: Plan) -> None:
    """The plan as the case's row says it: a look ahead, no change of the case, so no event and no version."""
    due = plan.due
    case.playbook, case.policy_id = plan.key, plan.playbook.policy_id if plan.playbook else case.policy_id
    case.next_step, case.due_at = (due.step, due.due_at) if due else (None, None)
    case.step_from, case.cycle = (due.step_from, due.cycle) if due else (None, 0)
