"""An owner answers their digest by mail: what it says is done, its files join the case, and nothing opens a case.

Who answers is who the transport says, and only with the token of a digest that went to that very address (S13, S14).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from app.auth import Team, User
from app.core.errors import DomainError
from app.core.events import Actor, record, user_actor
from disputes.actions import owner_answers, tasks
from disputes.actions.deliveries import came_by_mail
from disputes.actions.digests import HEADERS
from disputes.actions.notes import add_note
from disputes.actions.owner_answers import CaseOver
from disputes.actions.shared import record_case, touch
from disputes.digest_answers import Command, Remark, understood
from disputes.digest_tokens import MailTokens, NamedDigest
from disputes.models import Attachment, Case, DigestSent, Message, Outgoing, Task
from disputes.queries.digests import decides
from disputes.queries.tasks import visible_tasks
from disputes.queries.visibility import visible_to
from disputes.reasons import OTHER
from disputes.replies import reply_subject
from matching.text import email_domain

REPLY = "owner_notice"
"""The outbox's kind of mails to our own people about what they did."""
REFUSED = "digest_refused"
_REASON = "not_ar"


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be done, for the owner to hear: unclear, which_case, not_yours, over, cannot, files, expired,
    another (it is somebody else's digest).
    """

    what: str
    case_id: int | None = None
    text: str = ""


@dataclass(slots=True)
class Heard:
    """What became of an answer."""

    user: User
    done: list[Command] = field(default_factory=list)
    noted: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def cases(self) -> list[int]:
        """The cases it was about, each once."""
        return list(dict.fromkeys([*(one.case_id for one in self.done), *self.noted]))


def owner_of(session: Session, *, named: NamedDigest, sender: str) -> User | None:
    """The person whose digest it was, if that is who writes."""
    owner = session.scalar(select(User).where(User.id == named.user_id).options(selectinload(User.entities)))
    return owner if owner is not None and owner.active and owner.email.lower() == sender.lower() else None


def colleague(session: Session, *, address: str) -> User | None:
    """The active person with that very address."""
    person = select(User).where(func.lower(User.email) == address.lower(), User.active)
    return session.scalar(person.options(selectinload(User.entities)))


def set_aside(
    session: Session, *, message: Message, named: NamedDigest, by: User | None, actor: Actor, now: datetime
) -> Heard | None:
    """A colleague answers a digest that went to another: kept as their mail, and nothing is done."""
    _worked(session, message)
    after = {"period": named.period, "user_id": named.user_id, "from": message.from_email}
    record(
        session,
        actor=actor,
        now=now,
        verb="digest answer refused",
        subject="message",
        subject_id=message.id,
        after=after,
    )
    return Heard(by, problems=[Problem("another")]) if by is not None else None


def take(
    session: Session,
    *,
    message: Message,
    text: str,
    named: NamedDigest,
    owner: User,
    limit: Decimal,
    now: datetime,
) -> Heard:
    """Do what a person's answer says. `text` is what they wrote; `limit` as in approvals. The mail is worked then."""
    actor = user_actor(owner.id, f"message:{message.id}")
    heard = Heard(owner)
    _worked(session, message)
    if named.verdict != "valid":
        heard.problems.append(Problem("expired"))
    else:
        told = session.get(DigestSent, (owner.id, named.period))
        cases = [int(one) for one in told.cases] if told is not None else []
        said = understood(text, cases=cases)
        for command in said.commands:
            _do(session, heard, command, limit=limit, actor=actor, now=now)
        for remark in said.remarks:
            _note(session, heard, remark, actor=actor, now=now)
        _files(session, heard, message, cases, actor=actor, now=now)
    after = {
        "period": named.period,
        "done": [[one.case_id, one.action] for one in heard.done],
        "noted": heard.noted,
        "problems": [one.what for one in heard.problems],
    }
    record(session, actor=actor, now=now, verb="digest answered", subject="message", subject_id=message.id, after=after)
    return heard


def _worked(session: Session, message: Message) -> None:
    """Internal, whatever domain a colleague writes from: the customer never sees it, and it says nothing of a case."""
    message.state, message.direction = "worked", "internal"
    message.kind, message.reason, message.decided_by = OTHER, _REASON, "digest"
    message.thread_rule = "digest"
    session.flush()


def _do(session: Session, heard: Heard, command: Command, *, limit: Decimal, actor: Actor, now: datetime) -> None:
    """A command that cannot be done leaves nothing behind and is told."""
    if not _theirs(session, heard.user, command.case_id):
        heard.problems.append(Problem("not_yours", command.case_id))
        return
    try:
        with session.begin_nested():
            owner_answers.answer(session, command=command, limit=limit, actor=actor, now=now)
    except CaseOver:
        heard.problems.append(Problem("over", command.case_id))
    except DomainError as error:
        heard.problems.append(Problem("cannot", command.case_id, error.message))
    else:
        heard.done.append(command)


def _theirs(session: Session, owner: User, case_id: int) -> bool:
    found = session.scalar(select(Case.id).where(Case.id == case_id, visible_to(owner)))
    return found is not None and decides(session, user=owner, case_id=case_id)


def _note(session: Session, heard: Heard, remark: Remark, *, actor: Actor, now: datetime) -> None:
    """Their words, kept where colleagues read; what may have been an instruction is asked about as well."""
    if remark.case_id is None:
        heard.problems.append(Problem("which_case", None, remark.text))
        return
    if session.scalar(select(Case.id).where(Case.id == remark.case_id, visible_to(heard.user))) is None:
        heard.problems.append(Problem("not_yours", remark.case_id))
        return
    try:
        with session.begin_nested():
            add_note(session, case_id=remark.case_id, text=remark.text, actor=actor, now=now, source="digest")
    except DomainError as error:
        heard.problems.append(Problem("cannot", remark.case_id, error.message))
        return
    heard.noted.append(remark.case_id)
    if remark.unclear:
        heard.problems.append(Problem("unclear", remark.case_id, remark.text))


def _files(
    session: Session, heard: Heard, message: Message, cases: Sequence[int], *, actor: Actor, now: datetime
) -> None:
    """Files join the one case the answer is about; where it may be several, the owner is asked which."""
    files = files_of(session, message=message)
    if not files:
        return
    about = heard.cases or list(cases)
    case = _askable(session, heard.user, about[0]) if len(about) == 1 else None
    if case is None:
        heard.problems.append(Problem("files", None, ", ".join(files)))
        return
    _join(session, case, message, files, actor=actor, now=now)
    if case.id not in heard.noted:
        heard.noted.append(case.id)


def files_of(session: Session, *, message: Message) -> Sequence[str]:
    """The names of a mail's files; pictures in its text are none."""
    files = select(Attachment.filename).where(Attachment.message_id == message.id, Attachment.inline.is_(False))
    return session.scalars(files.order_by(Attachment.position)).all()


def _askable(session: Session, owner: User, case_id: int) -> Case | None:
    """The case, where it is theirs to see or asks something of them."""
    asked = select(Task.case_id).where(Task.case_id == case_id, Task.state == "open", visible_tasks(owner))
    theirs = (visible_to(owner) | Case.id.in_(asked)) & Case.merged_into_id.is_(None)
    found = select(Case).where(Case.id == case_id, theirs).with_for_update()
    return session.scalar(found.execution_options(populate_existing=True))


def _join(session: Session, case: Case, message: Message, files: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """The mail is a part of the case's internal talk, and what was searched for is there."""
    message.case_id, message.account_id, message.entity_id = case.id, case.account_id, case.entity_id
    case.message_count += 1
    touch(case, now=now)
    session.flush()
    after = {"message_id": message.id, "files": list(files), "rule": message.thread_rule}
    record_case(session, case, verb="message joined", actor=actor, now=now, after=after)
    if files:
        came_by_mail(session, case=case, message=message, files=files, actor=actor, now=now)


def file_in(session: Session, *, message: Message, case_id: int, by: User, now: datetime) -> bool:
    """A colleague sent or forwarded something with a case's number before the subject: it joins that case, if it is
    theirs to see or asks something of them. `by.entities` must be loaded.
    """
    case = _askable(session, by, case_id)
    if case is None:
        return False
    _worked(session, message)
    message.thread_rule = "case number"
    actor = user_actor(by.id, f"message:{message.id}")
    _join(session, case, message, files_of(session, message=message), actor=actor, now=now)
    return True


def refuse(session: Session, *, message: Message, named: NamedDigest, actor: Actor, now: datetime) -> None:
    """A mail with the token of a digest that went to somebody else: it goes nowhere, and a lead is told once a day."""
    message.state, message.kind, message.reason, message.decided_by = "worked", OTHER, _REASON, "digest"
    after = {"period": named.period, "user_id": named.user_id, "from": message.from_email}
    record(
        session,
        actor=actor,
        now=now,
        verb="digest answer refused",
        subject="message",
        subject_id=message.id,
        after=after,
    )
    owner = session.get(User, named.user_id)
    team = session.get(Team, owner.team_id) if owner is not None and owner.team_id is not None else None
    lead = team.lead_id if team is not None else None
    anyone = select(func.min(User.id)).where(User.role.in_(("lead", "admin")), User.active)
    task = tasks.open_task(
        session,
        kind=REFUSED,
        title=f"A mail from {message.from_email or 'nobody'} claims to answer a digest that went to somebody else",
        dedupe_key=f"{REFUSED}:{now.date()}:{message.from_email}"[:120],
        actor=actor,
        now=now,
        due_at=None,
        message_id=message.id,
        team_id=team.id if team else None,
    )
    task.assignee_id = task.assignee_id or lead or session.scalar(anyone)


def reply(
    session: Session,
    *,
    message: Message,
    heard: Heard,
    body: str,
    named: NamedDigest,
    tokens: MailTokens,
    mailbox: str,
    from_name: str,
    actor: Actor,
    now: datetime,
) -> Outgoing:
    """Tell the owner what was understood and what not, in the thread of their mail; once a mail. Answers to it are
    answers to the digest.
    """
    key = f"digest_reply:{message.identity}"
    standing = session.scalar(select(Outgoing).where(Outgoing.dedupe_key == key))
    if standing is not None:
        return standing
    user, domain = heard.user, email_domain(mailbox) or "localhost"
    thread = tokens.thread_id(user_id=user.id, address=user.email, period=named.period, domain=domain, now=now)
    chain = " ".join(one for one in (thread, message.rfc_id) if one)
    outgoing = Outgoing(
        dedupe_key=key,
        kind=REPLY,
        in_reply_to_id=message.id,
        entity_id=message.entity_id,
        rfc_id=f"<da.{message.identity[:40]}@{domain}>",
        from_email=mailbox,
        from_name=from_name,
        to_email=user.email,
        subject=reply_subject(message.subject),
        body=body,
        headers={
            **HEADERS,
            "Auto-Submitted": "auto-replied",
            **({"In-Reply-To": message.rfc_id} if message.rfc_id else {}),
            "References": chain,
        },
        language=user.language or "en",
        not_before=now,
        created_at=now,
    )
    session.add(outgoing)
    session.flush()
    record(
        session,
        actor=actor,
        now=now,
        verb="digest answer answered",
        subject="outgoing",
        subject_id=outgoing.id,
        after={"to": user.email, "problems": [one.what for one in heard.problems]},
    )
    return outgoing


def replies_since(session: Session, *, address: str, since: datetime) -> int:
    """How many such mails an address got: they stop before two machines can keep each other busy (M18)."""
    told = select(func.count()).where(Outgoing.to_email == address, Outgoing.kind == REPLY, Outgoing.created_at > since)
    return session.scalar(told) or 0
