"""Mails that may divert payments: found, held, checked by two people (disputes/bank_check.py decides).

What a mail says of banks and addresses is written nowhere: only the check, its tasks and its events are.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from app.auth import Team, User, may
from app.core.db import locked
from app.core.errors import BadInput, Conflict, Forbidden, NotFound
from app.core.events import Actor
from disputes import bank_check
from disputes.actions import planning, tasks
from disputes.actions.shared import case_for_change, record_case, touch, user_id
from disputes.bank_check import PENDING, BankCheckPolicy, CallBack, Check, Decision
from disputes.models import BankCheck, BankCheckMail, Case, Message, Task
from disputes.workdays import due
from invoices.models import Contact, Entity
from matching.text import email_domain, is_shared_domain

CHECK = "check bank details"
"""The action of app/auth.py that both people's roles must allow."""
CALL, CONFIRM, WARN, LOOK = "bank_check", "bank_confirm", "warn_customer", "check_sender"
"""Kinds of tasks: call back, confirm as second person, warn the customer, look at the sender's other mails."""
FLAG = "payment_diversion"
LONGEST_NOTE, LONGEST_NUMBER = 2000, 60
_ENDED_WELL = frozenset({"released", "fraud"})


class NoCheck(NotFound):
    """There is no such check."""


class NotYours(Forbidden):
    """No person acts, or one who may not: a second one is needed, or the role does not allow it."""


class NotNow(Conflict):
    """The check stands otherwise by now, or its cooling-off is not over."""


class BadCall(BadInput):
    """What is said of the call-back cannot be believed as it is."""


def hear(
    session: Session,
    *,
    message: Message,
    case: Case,
    authentic: bool,
    machine: bool,
    policy: BankCheckPolicy,
    actor: Actor,
    now: datetime,
) -> BankCheck | None:
    """A mail came into a case: where it may divert payments, the case is held for two people.

    Mail of ours is not suspect; a colleague's that passes such talk on is. Old mail is held as well. Repeats change
    nothing. `authentic` is False where our own server says that DMARC failed.
    """
    if message.direction == "out":
        return None
    grounds = bank_check.grounds_of(
        flagged=FLAG in message.flags,
        authentic=authentic,
        known_fraud=_known_fraud(session, message),
        machine=machine,
    )
    if not grounds or session.get(BankCheckMail, message.id) is not None:
        return None
    return _look(session, case, message, grounds, policy, actor=actor, now=now)


def raise_doubt(
    session: Session, *, case_id: int, message_id: int, policy: BankCheckPolicy, actor: Actor, now: datetime
) -> BankCheck:
    """A person doubts a mail of the case. One that is checked already is left so. Raises NoCheck for no such mail."""
    case = case_for_change(session, case_id)
    message = session.get(Message, message_id)
    if message is None or message.case_id != case_id or message.direction == "out":
        raise NoCheck(f"Case {case_id} has no mail {message_id} of the customer's")
    found = session.get(BankCheckMail, message_id)
    standing = locked(session, BankCheck, found.check_id) if found is not None else None
    if standing is not None and standing.state != "released":
        return standing
    return _look(session, case, message, ("raised",), policy, actor=actor, now=now)


def _known_fraud(session: Session, message: Message) -> bool:
    """Whether two people found this sender, or the domain it used, to be a fraud."""
    sender = message.from_email.lower()
    if not sender:
        return False
    return session.scalar(_FRAUD, {"sender": sender, "domain": email_domain(sender)}) is not None


_FRAUD = (
    select(BankCheck.id)
    .where(BankCheck.state == "fraud")
    .where(or_(BankCheck.sender == bindparam("sender"), BankCheck.domain == bindparam("domain")))
    .limit(1)
)


def _look(
    session: Session,
    case: Case,
    message: Message,
    grounds: Sequence[str],
    policy: BankCheckPolicy,
    *,
    actor: Actor,
    now: datetime,
) -> BankCheck:
    check = _pending(session, case)
    if check is None:
        check = _begin(session, case, message, policy, now=now)
    else:
        _write(check, bank_check.mailed(_standing(check), policy, now).check)
        _end_tasks(session, check, "another such mail came", actor=actor, now=now)
        check.round += 1
    check.grounds = sorted({*check.grounds, *grounds})
    _attach(session, check, message, now=now)
    _ask(session, case, check, actor=actor, now=now)
    verb = "bank details to check" if check.round == 0 else "bank details to check again"
    after = {"message_id": message.id, "grounds": list(grounds), "cool_until": check.cool_until.isoformat()}
    _tell(session, case, check, verb, after, actor=actor, now=now)
    planning.look_again(case, now=now)
    return check


def _pending(session: Session, case: Case) -> BankCheck | None:
    """The check of the case that is not decided yet, to be changed."""
    of_mail = select(BankCheckMail.check_id).join(Message, Message.id == BankCheckMail.message_id)
    mine = or_(BankCheck.case_id == case.id, BankCheck.id.in_(of_mail.where(Message.case_id == case.id)))
    found = session.scalar(select(BankCheck.id).where(BankCheck.state.in_(PENDING), mine).order_by(BankCheck.id))
    check = locked(session, BankCheck, found) if found is not None else None
    # Two people may have decided it while we waited for the row: then it is not pending any more.
    return check if check is not None and check.state in PENDING else None


def _begin(session: Session, case: Case, message: Message, policy: BankCheckPolicy, *, now: datetime) -> BankCheck:
    account_id = case.account_id if case.account_id is not None else message.account_id
    people = list(session.scalars(select(Contact).where(Contact.account_id == account_id).order_by(Contact.id)))
    begun = bank_check.opened(policy, now).check
    check = BankCheck(
        case_id=case.id,
        account_id=account_id,
        state=begun.state,
        round=0,
        grounds=[],
        sender=message.from_email.lower(),
        domain=_strange_domain(message.from_email, people),
        numbers=[{"name": one.name, "role": one.role, "phone": one.phone} for one in people if one.phone.strip()],
        opened_at=now,
        cool_until=begun.cool_until,
    )
    session.add(check)
    session.flush()
    return check


def _strange_domain(sender: str, people: Iterable[Contact]) -> str | None:
    """The sender's domain, where neither the account nor many companies write from it: a fraud then used it alone."""
    domain = email_domain(sender)
    if not domain or is_shared_domain(domain) or domain in {one.domain for one in people}:
        return None
    return domain


def _attach(session: Session, check: BankCheck, message: Message, *, now: datetime) -> None:
    """The mail belongs to the check; one that was released and is doubted again leaves its old one."""
    row = session.get(BankCheckMail, message.id)
    if row is None:
        session.add(BankCheckMail(message_id=message.id, check_id=check.id, at=now))
    else:
        row.check_id, row.at = check.id, now
    session.flush()


def say(session: Session, *, check_id: int, call: CallBack, actor: Actor, now: datetime) -> BankCheck:
    """The first person says what the call-back brought. `on_file` and `mail_text` are read here, whatever `call` holds.

    Raises NoCheck, NotYours, NotNow, BadCall.
    """
    check, case = _for_change(session, check_id)
    person = _person(session, actor)
    asked = CallBack(
        outcome=call.outcome,
        number=call.number.strip()[:LONGEST_NUMBER],
        source=call.source.strip()[:100],
        note=call.note.strip()[:LONGEST_NOTE],
        on_file=tuple(str(one["phone"]) for one in check.numbers),
        mail_text=_text_of(session, check),
    )
    decided = _agreed(bank_check.say(_standing(check), asked, person=person.id))
    called = f"{asked.number} ({asked.source})" if asked.source and asked.number else asked.number
    told = {"outcome": asked.outcome, "called": called, "note": asked.note}
    if decided.check.state == "open":
        _tell(session, case, check, "call-back reached nobody", told, actor=actor, now=now)
        return check
    _write(check, decided.check)
    check.first_at, check.called, check.note, check.second_note = now, called, asked.note, ""
    _end_tasks(session, check, asked.outcome, actor=actor, now=now)
    _ask_second(session, case, check, actor=actor, now=now)
    _tell(session, case, check, "call-back made", told, actor=actor, now=now)
    return check


def confirm(session: Session, *, check_id: int, note: str = "", actor: Actor, now: datetime) -> BankCheck:
    """The second person agrees: the hold ends, or the mail is a fraud. Raises NoCheck, NotYours, NotNow."""
    check, case = _for_change(session, check_id)
    person = _person(session, actor)
    decided = _agreed(bank_check.confirm(_standing(check), person=person.id, now=now))
    _write(check, decided.check)
    check.second_at, check.second_note = now, note.strip()[:300]
    _end_tasks(session, check, check.state, actor=actor, now=now)
    told = {"outcome": check.outcome, "first_id": check.first_id, "second_id": check.second_id, "why": decided.why}
    verb = "bank details released" if check.state == "released" else "fraud confirmed"
    if check.state == "fraud":
        _after_fraud(session, case, check, actor=actor, now=now)
    _tell(session, case, check, verb, told, actor=actor, now=now)
    for one in _cases_of(session, check):
        planning.look_again(one, now=now)
    return check


def send_back(session: Session, *, check_id: int, note: str, actor: Actor, now: datetime) -> BankCheck:
    """Somebody does not agree, or takes their own word back: the call-back is made again.

    Raises NoCheck, NotYours, NotNow, BadCall.
    """
    check, case = _for_change(session, check_id)
    _person(session, actor)
    before = {"first_id": check.first_id, "outcome": check.outcome}
    decided = _agreed(bank_check.send_back(_standing(check), note=note))
    _write(check, decided.check)
    check.first_at, check.second_note = None, note.strip()[:300]
    _end_tasks(session, check, "sent back", actor=actor, now=now)
    check.round += 1
    _ask(session, case, check, actor=actor, now=now)
    _tell(session, case, check, "call-back sent back", {**before, "note": check.second_note}, actor=actor, now=now)
    return check


def _for_change(session: Session, check_id: int) -> tuple[BankCheck, Case]:
    """The check, locked, and the case its mails are in now."""
    check = locked(session, BankCheck, check_id)
    if check is None:
        raise NoCheck(f"There is no check {check_id} of bank details")
    return check, _cases_of(session, check)[0]


def _cases_of(session: Session, check: BankCheck) -> Sequence[Case]:
    """The cases the check's mails are in, the one it began in where they are in none; the newest mail's first."""
    newest = (
        select(Message.case_id)
        .join(BankCheckMail, BankCheckMail.message_id == Message.id)
        .where(BankCheckMail.check_id == check.id, Message.case_id.is_not(None))
        .order_by(Message.id.desc())
    )
    ids = list(dict.fromkeys([*session.scalars(newest), check.case_id]))
    found = {one.id: one for one in session.scalars(select(Case).where(Case.id.in_(ids)))}
    return [found[number] for number in ids]


def _person(session: Session, actor: Actor) -> User:
    """The person who acts. Programs, tokens, customers and who left do not count; no role counts twice."""
    number = user_id(actor)
    user = session.get(User, number) if number is not None else None
    if user is None or not user.active or not may(user, CHECK):
        raise NotYours("Changed bank details are checked by people whose role allows it")
    return user


def _standing(check: BankCheck) -> Check:
    return Check(
        check.state,  # type: ignore[arg-type] # the column holds one of the four
        check.cool_until,
        check.first_id,
        check.outcome,
        check.second_id,
    )


def _write(check: BankCheck, now_is: Check) -> None:
    check.state, check.cool_until = now_is.state, now_is.cool_until
    check.first_id, check.outcome, check.second_id = now_is.first, now_is.outcome, now_is.second


def _agreed(decided: Decision) -> Decision:
    """The decision, or its refusal as an error of this module."""
    if decided.refused == "same_person":
        raise NotYours("You said what the call-back brought: a second person confirms it")
    if decided.refused in {"number", "note"}:
        raise BadCall(decided.why, fields={decided.refused: decided.why})
    if decided.refused:
        raise NotNow(decided.why)
    return decided


def _text_of(session: Session, check: BankCheck) -> str:
    """All that the checked mails say."""
    parts = (Message.subject, Message.new_text, Message.signature, Message.quoted_text)
    rows = select(*parts).join(BankCheckMail, BankCheckMail.message_id == Message.id)
    return "\n".join(text for row in session.execute(rows.where(BankCheckMail.check_id == check.id)) for text in row)


# --- what people must do


def _ask(session: Session, case: Case, check: BankCheck, *, actor: Actor, now: datetime) -> None:
    task = _open(session, case, check, CALL, "Changed bank details: call back", days=1, actor=actor, now=now)
    check_sent_to = [task.assignee_id, task.team_id]
    if check_sent_to == [None, None]:
        task.assignee_id = _second(session, case, without=())


def _ask_second(session: Session, case: Case, check: BankCheck, *, actor: Actor, now: datetime) -> None:
    task = _open(session, case, check, CONFIRM, "Changed bank details: confirm", days=1, actor=actor, now=now)
    task.assignee_id = _second(session, case, without={check.first_id})


def _after_fraud(session: Session, case: Case, check: BankCheck, *, actor: Actor, now: datetime) -> None:
    """The real customer is warned at once, and the sender's other mails are looked at by a person."""
    warn = _open(session, case, check, WARN, "Fraud: warn the customer", days=0, actor=actor, now=now)
    check.warn_task_id = warn.id
    _open(session, case, check, LOOK, f"Fraud: look at all mail of {check.sender}", days=1, actor=actor, now=now)


def _open(
    session: Session, case: Case, check: BankCheck, kind: str, title: str, *, days: int, actor: Actor, now: datetime
) -> Task:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    return tasks.open_task(
        session,
        kind=kind,
        title=title,
        dedupe_key=f"{kind}:{check.id}:{check.round}",
        actor=actor,
        now=now,
        due_at=due(now, days=days, country=entity.country if entity else None),
        case=case,
        payload={"check": check.id, "sender": check.sender},
    )


def _second(session: Session, case: Case, *, without: Collection[int | None]) -> int | None:
    """Who is asked to confirm: the case's owner, else the team's lead, but not who spoke first. None: the team."""
    team = session.get(Team, case.team_id) if case.team_id is not None else None
    people = (case.owner_id, team.lead_id if team else None)
    return next((one for one in people if one is not None and one not in without), None)


def _end_tasks(session: Session, check: BankCheck, outcome: str, *, actor: Actor, now: datetime) -> None:
    """What this round asked for is answered."""
    keys = [f"{kind}:{check.id}:{check.round}" for kind in (CALL, CONFIRM)]
    standing = select(Task.id).where(Task.dedupe_key.in_(keys), Task.state == "open").order_by(Task.id)
    for task_id in session.scalars(standing).all():
        tasks.finish(session, task_id=task_id, outcome=outcome, actor=actor, now=now)


def _tell(
    session: Session,
    case: Case,
    check: BankCheck,
    verb: str,
    after: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    touch(case, now=now)
    record_case(session, case, verb=verb, actor=actor, now=now, after={"check_id": check.id, **after})
