"""What a mail of ours means for its case once the mail server took it, or never will."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.core.events import Actor
from disputes.actions.opening import place_of
from disputes.actions.returned import case_of
from disputes.actions.shared import change_case
from disputes.actions.tasks import answered, open_task
from disputes.casework import AWAIT_CUSTOMER_DAYS
from disputes.correspondence import TO_CUSTOMERS
from disputes.models import Case, Outgoing
from disputes.workdays import due

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
    if mail.kind in AWAITS_ANSWER:
        _wait(session, case, actor=actor, now=now)
    elif case.state == "new" and not mail.automatic:
        change_case(session, case, verb="customer written to", actor=actor, now=now, state="in_progress")


def _wait(session: Session, case: Case, *, actor: Actor, now: datetime) -> None:
    """A case on a playbook keeps its step: the sweep finds what waiting means there."""
    until = due(now, days=AWAIT_CUSTOMER_DAYS, country=place_of(session, case.entity_id).country)
    step = {} if case.policy_id is not None else {"next_step": "await_customer", "due_at": until}
    values = {"state": "waiting", "waiting_on": "customer", "waiting_until": until, **step}
    change_case(session, case, verb="case waits on the customer", actor=actor, now=now, **values)


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
