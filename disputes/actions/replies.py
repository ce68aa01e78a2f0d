"""Answers to customers: drafts kept as they are typed, sent after a pause in which they can be taken back (U12-U18)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.auth import User
from app.core.blobs import BlobStore
from app.core.db import locked
from app.core.errors import BadInput, Conflict, Forbidden, NotFound
from app.core.events import Actor, Event, record
from disputes import tone
from disputes.actions.shared import case_for_change, change, touch, user_id
from disputes.actions.tasks import mail_decided
from disputes.addresses import usable_address
from disputes.correspondence import Partner, facts_of, partner_of, wording_of
from disputes.customer_mail import signature
from disputes.models import Case, Draft, Outgoing
from disputes.replies import UNDO_WINDOW, ids_of, one_line, quotation, reply_subject, whole_body
from disputes.reply_tokens import ReplyTokens
from disputes.tone import Flag
from invoices.models import Entity

MOST_COPIES = 20
MOST_FILES = 20
MOST_BYTES = 15_000_000
"""Of all files together: base64 makes a third more of it, and many mail servers take 25 MB."""
LONGEST_REPLY = 100_000
LONGEST_ADDRESS = 320
LONGEST_LINE = 998
_EVENT_EVERY = timedelta(minutes=1)
"""Saving goes on every second; the log hears of it once a minute."""
_TOLD = ("case", "message", "link", "task", "outbox", "outgoing", "promise", "note")


class NoDraft(NotFound):
    """The person has no draft in this case."""


class CannotSend(BadInput):
    """Something the mail needs is missing or cannot be used; `fields` says what."""


class TooLate(Conflict):
    """The mail is on its way already."""


class HarshWords(BadInput):
    """Words of the answer blame, deny or press; nothing was sent. `flags` says which, and what to write instead.

    It is sent all the same once the writer says so: send again with tone.mark_of(flags).
    """

    def __init__(self, flags: Sequence[Flag]) -> None:
        words = ", ".join(f"\N{LEFT DOUBLE QUOTATION MARK}{one.text}\N{RIGHT DOUBLE QUOTATION MARK}" for one in flags)
        super().__init__(f"Nothing was sent yet: think about {words}", fields={"body": "harsh words"})
        self.flags = tuple(flags)


class ThreadChanged(Conflict):
    """Something happened in the case since the draft was begun; `changes` says what, oldest first (U18)."""

    def __init__(self, changes: Sequence[str]) -> None:
        told = "; ".join(changes) or "the case changed"
        super().__init__(f"Nothing was sent, because the case changed while you wrote: {told}")
        self.changes = tuple(changes)


@dataclass(frozen=True, slots=True)
class File:
    """A file to go with a mail, in the blob store already."""

    filename: str
    content_type: str
    content_hash: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a person writes: to whom, with copies, subject, text. `files` None: those of the draft stay.

    A page never says which files by their hash, or anyone could have any blob: see draft_files.py.
    """

    to: str
    subject: str
    body: str
    cc: tuple[str, ...] = ()
    files: tuple[File, ...] | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """How much of a case its writer has seen: the case's version and its newest event when the page was made."""

    version: int
    event: int


@dataclass(frozen=True, slots=True)
class Ends:
    """What an answer is sent with besides its words: from whom, the signature, the mail quoted below ("": none)."""

    sender: str
    signature: str
    quote: str


def proposed(session: Session, *, case: Case) -> Words:
    """An empty answer: to whoever of the customer's wrote last, under the thread's subject. It writes nothing."""
    partner = partner_of(session, case=case)
    subject = partner.answers.subject if partner and partner.answers else ""
    return Words(to=partner.email if partner else "", subject=reply_subject(subject, title=case.title), body="")


def save_draft(
    session: Session, *, case_id: int, words: Words, actor: Actor, now: datetime, seen_version: int | None = None
) -> Draft:
    """Keep what a person has written so far (U14): one draft a person and case.

    `seen_version` is the version of the case the person looks at: given at the beginning, and again once they have
    seen what changed. Raises NoCase, CaseMerged, CannotSend for what no mail could hold.
    """
    case = case_for_change(session, case_id)
    writer = _writer(actor)
    _bounded(words)
    draft = _draft(session, case_id, writer)
    begun = draft is None or seen_version is not None
    if draft is None:
        version = seen_version or case.version
        draft = Draft(case_id=case_id, user_id=writer, case_version=version, saved_at=now, attachments=[])
        session.add(draft)
    told = begun or now - draft.saved_at >= _EVENT_EVERY
    draft.case_version = seen_version or draft.case_version
    draft.saved_at = now
    draft.to, draft.cc, draft.subject, draft.body = words.to.strip(), list(words.cc), words.subject, words.body
    if words.files is not None:
        draft.attachments = [asdict(one) for one in words.files]
    session.flush()
    if told:
        verb = "draft begun" if begun else "draft saved"
        _record(session, draft, verb=verb, actor=actor, now=now, after={"version": draft.case_version})
    return draft


def discard_draft(session: Session, *, case_id: int, actor: Actor, now: datetime) -> None:
    """Throw the person's draft away; its words stay in the event, so that they can be had back. Raises NoDraft."""
    draft = own_draft(session, case_id=case_id, actor=actor)
    _record(session, draft, verb="draft discarded", actor=actor, now=now, after={}, before={"draft": _typed(draft)})
    session.delete(draft)
    session.flush()


def restore_draft(session: Session, *, case_id: int, actor: Actor, now: datetime) -> Draft:
    """Have back the draft the person threw away last. Raises NoDraft; a draft begun since then stays as it is."""
    standing = draft_of(session, case_id=case_id, actor=actor)
    if standing is not None:
        return standing
    thrown = (Event.case_id == case_id, Event.verb == "draft discarded", Event.actor == actor.name)
    event = session.scalar(select(Event).where(*thrown).order_by(Event.id.desc()).limit(1))
    if event is None:
        raise NoDraft(f"You threw no draft away in case {case_id}")
    return save_draft(session, case_id=case_id, words=_words(event.before), actor=actor, now=now)


def send_reply(
    session: Session,
    *,
    case_id: int,
    tokens: ReplyTokens,
    blobs: BlobStore,
    actor: Actor,
    now: datetime,
    quote: bool = True,
    await_answer: bool = True,
    seen: Seen | None = None,
    knowingly: str = "",
) -> Outgoing:
    """Put the person's draft into the outbox; it leaves in ten seconds unless taken back (U12).

    Once it has left, the case waits on the customer, or stays with us where no answer is awaited. `seen` is what the
    page showed that the words were sent from, the draft's own beginning where it is not given; `knowingly` the mark
    of harsh words the writer stands by. Raises NoDraft, ThreadChanged, CannotSend, HarshWords, NoCase, CaseMerged.
    """
    case = case_for_change(session, case_id)
    draft = own_draft(session, case_id=case_id, actor=actor)
    _unchanged(session, case, draft, seen, actor=actor)
    entity = _entity(session, case)
    _check(draft, blobs)
    flags = tone.check(draft.body, case.language)
    if flags and knowingly != tone.mark_of(flags):
        raise HarshWords(flags)
    mail = _mail(session, case, draft, entity, tokens=tokens, quote=quote, now=now)
    mail.kind = "reply" if await_answer else "reply_keep"
    session.add(mail)
    session.delete(draft)
    touch(case, now=now)
    session.flush()
    _record_written(session, mail, draft, actor=actor, now=now, flags=flags)
    return mail


def _unchanged(session: Session, case: Case, draft: Draft, seen: Seen | None, *, actor: Actor) -> None:
    """U18. What the writer did meanwhile is no news to them; a note of theirs does not stop their own answer."""
    if (seen.version if seen else draft.case_version) == case.version:
        return
    if seen is None:
        raise ThreadChanged(changes_since(session, draft=draft))
    news = changes_after(session, case_id=case.id, event=seen.event, but=actor)
    if news or not changes_after(session, case_id=case.id, event=seen.event):
        raise ThreadChanged(news)


def undo_reply(session: Session, *, outbox_id: int, actor: Actor, now: datetime) -> Draft:
    """Take a mail back before it leaves, or once it failed: its words are a draft again.

    Raises TooLate, NotFound, Forbidden.
    """
    mail = locked(session, Outgoing, outbox_id)
    if mail is None or mail.case_id is None or mail.author_id is None:
        raise NoDraft(f"There is no answer {outbox_id} to take back")
    if mail.author_id != user_id(actor):
        raise Forbidden("Only who wrote it takes it back")
    if mail.state != "failed" and (mail.state != "queued" or mail.attempts):
        raise TooLate(f"It cannot be taken back: it is {mail.state} already")
    before, after = change(mail, state="cancelled")
    mail_decided(session, outbox_id=mail.id, case_id=mail.case_id, outcome="written anew", actor=actor, now=now)
    case = case_for_change(session, mail.case_id)
    touch(case, now=now)
    record(
        session,
        actor=actor,
        now=now,
        verb="answer taken back",
        subject="outgoing",
        subject_id=mail.id,
        case_id=case.id,
        before=before,
        after=after,
    )
    return save_draft(
        session, case_id=case.id, words=_words_of(session, mail), actor=actor, now=now, seen_version=case.version
    )


def changes_since(session: Session, *, draft: Draft) -> list[str]:
    """What happened in the case since the draft was begun, or since its writer looked last: verbs, oldest first."""
    mine = (Event.subject == "draft", Event.subject_id == draft.id, Event.verb == "draft begun")
    begun = session.scalar(
        select(Event.id).where(Event.case_id == draft.case_id, *mine).order_by(Event.id.desc()).limit(1)
    )
    return changes_after(session, case_id=draft.case_id, event=begun or 0)


def changes_after(session: Session, *, case_id: int, event: int, but: Actor | None = None) -> list[str]:
    """What happened in the case after an event, but for what one actor did: verbs, oldest first, each once.

    Their own mails are told all the same: somebody who presses twice sends once.
    """
    since = select(Event.verb).where(Event.case_id == case_id, Event.subject.in_(_TOLD), Event.id > event)
    if but is not None:
        since = since.where(or_(Event.actor != but.name, Event.subject == "outgoing"))
    return list(dict.fromkeys(session.scalars(since.order_by(Event.id).limit(50))))


def ends_of(session: Session, *, case: Case, actor: Actor, now: datetime) -> Ends:
    """What the person's answer will be sent with. It writes nothing."""
    partner = partner_of(session, case=case)
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    answers = partner.answers if partner else None
    return Ends(
        sender=f"{entity.name} <{entity.mailbox}>" if entity and entity.mailbox else "",
        signature=_signed(session, case, _writer(actor), partner, now=now),
        quote=quotation(answers, case.language) if answers else "",
    )


def _writer(actor: Actor) -> int:
    writer = user_id(actor)
    if writer is None:
        raise Forbidden("Only a person writes answers")
    return writer


def _draft(session: Session, case_id: int, writer: int) -> Draft | None:
    return session.scalar(select(Draft).where(Draft.case_id == case_id, Draft.user_id == writer).with_for_update())


def draft_of(session: Session, *, case_id: int, actor: Actor) -> Draft | None:
    """The person's draft in a case, to be changed; None where there is none."""
    return _draft(session, case_id, _writer(actor))


def own_draft(session: Session, *, case_id: int, actor: Actor) -> Draft:
    """The person's draft in a case, to be changed. Raises NoDraft."""
    draft = draft_of(session, case_id=case_id, actor=actor)
    if draft is None:
        raise NoDraft(f"You have no draft in case {case_id}; it may have been sent already")
    return draft


def _bounded(words: Words) -> None:
    faults = {
        "to": "longer than an address" if len(words.to) > LONGEST_ADDRESS else "",
        "subject": "too long" if len(words.subject) > LONGEST_LINE else "",
        "body": f"longer than {LONGEST_REPLY:,} characters" if len(words.body) > LONGEST_REPLY else "",
        "cc": f"more than {MOST_COPIES}" if len(words.cc) > MOST_COPIES else "",
        "files": _too_much(words.files or ()),
    }
    _refuse(faults, "The draft cannot be kept")


def _too_much(files: Sequence[File]) -> str:
    if len(files) > MOST_FILES:
        return f"more than {MOST_FILES}"
    return f"over {MOST_BYTES:,} bytes together" if sum(one.size for one in files) > MOST_BYTES else ""


def _check(draft: Draft, blobs: BlobStore) -> None:
    wrong = [one for one in draft.cc if not usable_address(str(one))]
    gone = [str(one["filename"]) for one in draft.attachments if not blobs.exists(str(one["content_hash"]))]
    faults = {
        "to": "" if usable_address(draft.to) else "not a mail address",
        "cc": f"not a mail address: {', '.join(wrong)}" if wrong else "",
        "body": "" if draft.body.strip() else "empty",
        "files": f"not there any more: {', '.join(gone)}" if gone else "",
    }
    _refuse(faults, "The answer cannot be sent")


def _refuse(faults: dict[str, str], what: str) -> None:
    found = {name: words for name, words in faults.items() if words}
    if found:
        raise CannotSend(f"{what}: {'; '.join(f'{name}: {words}' for name, words in found.items())}", fields=found)


def _entity(session: Session, case: Case) -> Entity:
    entity = session.get(Entity, case.entity_id) if case.entity_id is not None else None
    if entity is None or not entity.mailbox:
        raise CannotSend("There is no mailbox to send from: give the case's entity one", fields={"from": "no mailbox"})
    return entity


def _mail(
    session: Session, case: Case, draft: Draft, entity: Entity, *, tokens: ReplyTokens, quote: bool, now: datetime
) -> Outgoing:
    partner = partner_of(session, case=case)
    answers = partner.answers if partner else None
    to = usable_address(draft.to)
    key = f"reply:{case.id}:{draft.user_id}:{case.version}"
    ids = ids_of(
        tokens,
        case_id=case.id,
        contact=to,
        mailbox=entity.mailbox or "",
        unique=key,
        answers=answers.rfc_id if answers else None,
        references=answers.references if answers else (),
        now=now,
    )
    quoted = quotation(answers, case.language) if quote and answers else ""
    return Outgoing(
        dedupe_key=key,
        kind="reply",
        case_id=case.id,
        entity_id=entity.id,
        rfc_id=ids.rfc_id,
        from_email=entity.mailbox or "",
        from_name=entity.name,
        to_email=to,
        cc=[usable_address(str(one)) for one in draft.cc],
        subject=one_line(draft.subject)[:200] or reply_subject("", title=case.title),
        body=whole_body(draft.body, signature=_signed(session, case, draft.user_id, partner, now=now), quote=quoted),
        headers=dict(ids.headers),
        attachments=list(draft.attachments),
        language=case.language,
        author_id=draft.user_id,
        automatic=False,
        not_before=now + UNDO_WINDOW,
        created_at=now,
    )


def _signed(session: Session, case: Case, writer_id: int, partner: Partner | None, *, now: datetime) -> str:
    writer = session.get(User, writer_id)
    facts = facts_of(session, case=case, partner=partner, agent=writer.name if writer else "", now=now)
    words = wording_of(session, kind="signature", language=case.language, entity_id=case.entity_id)
    return signature(facts, words)


def _record_written(
    session: Session, mail: Outgoing, draft: Draft, *, actor: Actor, now: datetime, flags: Sequence[Flag]
) -> None:
    """The event keeps the words as they were typed, so that they can be a draft again, and harsh ones stood by."""
    harsh = {"tone": [{"kind": one.kind, "text": one.text} for one in flags]} if flags else {}
    record(
        session,
        actor=actor,
        now=now,
        verb="answer written",
        subject="outgoing",
        subject_id=mail.id,
        case_id=mail.case_id,
        after={"to": mail.to_email, "rfc_id": mail.rfc_id, "draft": _typed(draft), **harsh},
    )


def _typed(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in ("to", "cc", "subject", "body", "attachments")}


def _words_of(session: Session, mail: Outgoing) -> Words:
    written = (Event.subject == "outgoing", Event.subject_id == mail.id, Event.verb == "answer written")
    event = session.scalars(select(Event).where(*written).order_by(Event.id.desc()).limit(1)).one()
    return _words(event.after)


def _words(told: Mapping[str, Any] | None) -> Words:
    typed = (told or {})["draft"]
    return Words(
        to=typed["to"],
        subject=typed["subject"],
        body=typed["body"],
        cc=tuple(typed["cc"]),
        files=tuple(File(**one) for one in typed["attachments"]),
    )


def _record(
    session: Session,
    draft: Draft,
    *,
    verb: str,
    actor: Actor,
    now: datetime,
    after: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
) -> None:
    record(
        session,
        actor=actor,
        now=now,
        verb=verb,
        subject="draft",
        subject_id=draft.id,
        case_id=draft.case_id,
        before=before,
        after=after,
    )
