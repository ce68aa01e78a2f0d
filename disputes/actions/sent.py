"""What a mail of ours means for its case once the mail server took it, or never will."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.events import Actor
from disputes.actions import planning, writeback
from disputes.actions.returned import case_of
from disputes.actions.shared import change_case
from disputes.actions.tasks import answered, open_task
from disputes.clock_events import Happened
from disputes.correspondence import TO_CUSTOMERS
from disputes.models import Case, Outgoing

AWAITS_ANSWER = frozenset({"reply", "question"})
"""Kinds after which it is the customer's turn. A status, an apology or an acknowledgement leaves the case with us."""
_OPEN = frozenset({"new", "in_progress", "waiting"})


def went_out(session: Session, *, mail: Outgoing, actor: Actor, now: datetime) -> None:
    """Our answer is on its way: the answers that were due are given, and the case waits on the customer."""
    case = case_of(session, mail)
    if case is None or case.state not in _OPEN or mail.kind not in TO_CUSTOMERS:
        return
    if mail.kind in {"reply", "reply_keep"}:
        answered(session, case_id=case.id, actor=actor, now=now)
    what = Happened.ACKNOWLEDGED if mail.kind == "acknowledgement" else Happened.WE_ANSWERED
    planning.heard(session, case=case, what=what, actor=actor, now=now)
    if mail.kind in AWAITS_ANSWER:
        _wait(session, case, actor=actor, now=now)
    elif case.state == "new" and not mail.automatic:
        change_case(session, case, verb="customer written to", actor=actor, now=now, state="in_progress")


def _wait(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    """No day is set: what silence means, and after how long, the playbook says. To ask again starts no new wait."""
    if case.state == "waiting" and case.waiting_on == "customer":
        return
    values = {"state": "waiting", "waiting_on": "customer", "waiting_since": now, "waiting_until": None}
    change_case(session, case, verb="case waits on the customer", actor=actor, now=now, **values)
    writeback.tell(session, case=case, now=now)
    planning.heard(session, case=case, what=Happened.WAITS_ON_CUSTOMER, actor=actor, now=now)


def never_went(session: Session, *, mail: Outgoing, actor: Actor, now: datetime) -> None:
    """It was refused for good: whoever has the case hears of it and finds another way."""
    case = case_of(session, mail)
    if case is None or mail.kind not in TO_CUSTOMERS:
        return
    open_task(
        session,
        kind="mail_failed",
        title=f"Could not be sent to {mail.to_email}: {mail.subject}",
        dedupe_key=f"failed:{mail.id}",
        actor=actor,
        now=now,
        due_at=now + timedelta(days=1),
        case=case,
        payload={"outbox_id": mail.id, "error": (mail.last_error or "")[:300]},
    )
