"""The way of a message from stored bytes to a worked case: parse, match, thread, understand, route, write."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.core import db
from app.core.blobs import BlobStore, FolderStore
from app.core.events import Actor, system
from app.core.keys import key_for
from app.core.settings import Settings
from app.workflows import digest_mail
from disputes import acknowledgement, gathering, threading
from disputes.actions import (
    acknowledging,
    bank_checks,
    intake,
    links,
    opening,
    planning,
    returned,
    satisfaction,
    understood,
)
from disputes.actions.acknowledging import WINDOW
from disputes.actions.parsed import store as store_parsed
from disputes.bank_check import BankCheckPolicy
from disputes.bank_holds import is_held
from disputes.candidates import SqlIndex
from disputes.carrying import CarryPolicy, asks_of_account, carry, without_guesses
from disputes.classifier import ensure_model
from disputes.digest_tokens import MailTokens
from disputes.gathering import Seller, Thread
from disputes.lookups import candidates_of
from disputes.match_weights import weights_in_force
from disputes.matter import bare_subject
from disputes.model_file import Model
from disputes.model_versions import model_in_force
from disputes.models import Case, Link, Message
from disputes.own_reasons import in_use
from disputes.parsing import ParsedMessage, Unreadable, parse
from disputes.reading import CaseFacts, MailText, Understanding
from disputes.reasons import OTHER, REASONS, shipped_row
from disputes.reply_tokens import ReplyTokens
from disputes.rules_in_force import all_reasons
from disputes.satisfaction import ASKED
from disputes.threading import ThreadDecision, ThreadPolicy
from disputes.understanding import understand
from invoices.models import Account, Entity, Invoice
from matching.facts import AttachmentText, MailFacts, MatchDecision, MatchPolicy
from matching.matcher import Trial, decide, investigate, match
from matching.scoring import Weights, default_weights


@dataclass(frozen=True, kw_only=True)
class Matching:
    """What reading and matching a message needs."""

    settings: Settings
    blobs: BlobStore
    weights: Weights
    match_policy: MatchPolicy = field(default_factory=MatchPolicy)

    @property
    def mailboxes(self) -> Mapping[str, str]:
        """Names of the polled mailboxes -> codes of their entities."""
        return {mailbox.name.lower(): mailbox.entity for mailbox in self.settings.mailboxes}


@dataclass(frozen=True, kw_only=True)
class Tools(Matching):
    """What working a message needs, made once per process: what was learned, the policies, the settings."""

    model: Model
    thread_policy: ThreadPolicy = field(default_factory=ThreadPolicy)
    carry_policy: CarryPolicy = field(default_factory=CarryPolicy)

    @cached_property
    def reply_tokens(self) -> ReplyTokens:
        """What signs and checks the tokens in our mails' Message-IDs (S13)."""
        return ReplyTokens(key_for(self.settings, "reply token"))

    @cached_property
    def digest_tokens(self) -> MailTokens:
        """What checks the tokens in answers to digests."""
        return MailTokens(key_for(self.settings, "digest mail"))

    @property
    def bank_check_policy(self) -> BankCheckPolicy:
        """How long talk of changed bank details cools off."""
        return BankCheckPolicy(timedelta(hours=self.settings.casework.bank_check_hours))

    @property
    def acknowledge_policy(self) -> acknowledgement.AcknowledgePolicy:
        """How often an address may be written to by the program alone."""
        return acknowledgement.AcknowledgePolicy(
            per_day=self.settings.limits.mails_per_address_per_day,
            quiet=timedelta(hours=self.settings.intake.quiet_hours_between_acknowledgements),
        )


def build_tools(settings: Settings, *, blobs: BlobStore | None = None, model: Model | None = None) -> Tools:
    """The tools of a process; trains the shipped model when it is not yet in the data folder (under a minute)."""
    return Tools(
        settings=settings,
        blobs=blobs or FolderStore(settings.blob_folder),
        model=model or ensure_model(settings.model_folder),
        weights=default_weights(),
    )


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of a message: its state now ("left" when it was not waiting), its case, what was decided."""

    message_id: int
    state: str
    case_id: int | None = None
    match: MatchDecision | None = None
    understood: Understanding | None = None
    decision: ThreadDecision | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    """What every phase of one message needs; who holds its rows spares the others reading them again."""

    session: Session
    message: Message
    parsed: ParsedMessage
    actor: Actor
    now: datetime
    seller: Seller
    entity: Entity | None


def work_message(session: Session, *, message_id: int, tools: Tools, now: datetime) -> Worked:
    """Work one received message, in the caller's transaction: all of it or nothing. May be repeated.

    A message that is not in state "received" is left as it is; one that cannot be read is quarantined.
    """
    message = db.locked(session, Message, message_id)
    if message is None or message.state != "received":
        return Worked(message_id, "left")
    actor = system("intake", f"message:{message_id}")
    parsed = _parse(message, tools)
    if isinstance(parsed, str):
        intake.quarantine(session, message=message, reason=parsed, actor=actor, now=now)
        return Worked(message_id, message.state)
    # Two mails of one matter worked side by side would each find no case and open one (seen in the S1 test).
    db.one_at_a_time(session, "intake")
    job = _store(session, message, parsed, tools, actor=actor, now=now)
    digest, settings = tools.digest_tokens, tools.settings
    if digest_mail.taken(session, message=message, parsed=parsed, tokens=digest, settings=settings, now=now):
        return Worked(message_id, message.state, message.case_id)
    proven = gathering.by_token(parsed, tools.reply_tokens, now=now)
    thread = gathering.thread_of(session, message_id=message_id, ids=gathering.answered_ids(parsed), by_token=proven)
    matched = _match(job, thread, tools)
    account_id = _account(matched, thread)
    named = [link.invoice_id for link in matched.likely]
    account = session.get(Account, account_id) if account_id is not None else None
    facts = gathering.case_facts(session, message=message, account=account, invoice_ids=named)
    model = model_in_force(session, shipped=tools.model, blobs=tools.blobs)
    meant = _understand(job, facts, model)
    matched = without_guesses(matched, meant, tools.carry_policy)
    decision, matched = _place(job, thread, matched, meant, tools)
    rated = False
    if decision.case_id is not None:
        facts = gathering.facts_in_case(session, facts=facts, message=message, case_id=decision.case_id)
        meant, rated = _understand(job, facts, model), facts.last_asked == ASKED
    case = _write(job, thread, matched, meant, decision)
    if case is not None and rated:
        satisfaction.hear(session, message=message, case=case, now=now)
    if parsed.bounce is not None:
        returned.note(session, message=message, report=parsed.bounce, actor=actor, now=now)
    if case is not None:
        digest_mail.brought(session, message=message, case=case, actor=actor, now=now)
        _check_bank_details(job, case, tools)
        _acknowledge(job, case, decision, tools)
        opened = decision.action == "new"
        planning.heard_mail(session, message=message, case=case, opened=opened, actor=actor, now=now)
    return Worked(message_id, message.state, message.case_id, matched, meant, decision)


def try_match(session: Session, *, message_id: int, tools: Matching, now: datetime) -> Trial | None:
    """Only match a received message and keep its links: what matching's weights are fitted on. None: unreadable."""
    message = session.scalars(select(Message).where(Message.id == message_id)).one()
    parsed = _parse(message, tools)
    if isinstance(parsed, str):
        return None
    job = _store(session, message, parsed, tools, actor=system("trial", f"message:{message_id}"), now=now)
    thread = gathering.thread_of(session, message_id=message_id, ids=parsed.thread_ids)
    trial = investigate(_mail_facts(job), SqlIndex(session), weights=tools.weights, thread=thread.facts)
    matched = decide(trial, policy=tools.match_policy, weights=tools.weights)
    message.account_id = _account(matched, thread)
    links.store(session, message=message, match=matched, now=now)
    return trial


def examine(session: Session, *, message_id: int, tools: Matching) -> Trial | None:
    """A worked message investigated again, nothing written: what weights are refitted on. None: unreadable."""
    message = session.scalars(select(Message).where(Message.id == message_id)).one()
    parsed = _parse(message, tools)
    if isinstance(parsed, str):
        return None
    entity = session.get(Entity, message.entity_id) if message.entity_id is not None else None
    actor, seller = system("training", f"message:{message_id}"), gathering.seller_of(session)
    job = _Job(session, message, parsed, actor, message.received_at, seller, entity)
    thread = gathering.thread_of(session, message_id=message_id, ids=parsed.thread_ids)
    weights = weights_in_force(session, shipped=tools.weights)
    return investigate(_mail_facts(job), SqlIndex(session), weights=weights, thread=thread.facts)


def _understand(job: _Job, facts: CaseFacts, model: Model) -> Understanding:
    """What the mail means, in reasons that may be used now: a model may have learned one that was retired since."""
    meant = understand(_mail_text(job), facts, model)
    shipped_only = all(name in REASONS for name, _ in meant.ranking)
    return meant if shipped_only else in_use(meant, all_reasons(job.session))


def _parse(message: Message, tools: Matching) -> ParsedMessage | str:
    """The parsed mail, or why it cannot be read."""
    raw = tools.blobs.get(message.content_hash)
    try:
        return parse(
            raw, limits=tools.settings.limits, authentication_server=tools.settings.intake.authentication_server
        )
    except Unreadable as error:
        return error.message


def _store(
    session: Session, message: Message, parsed: ParsedMessage, tools: Matching, *, actor: Actor, now: datetime
) -> _Job:
    """What parsing found goes into the message; which side wrote it, and to which entity, is settled first."""
    seller = gathering.seller_of(session)
    recipients = [one.email for one in (*parsed.to, *parsed.cc)]
    direction = gathering.direction_of(
        seller, sender=parsed.from_email, recipients=recipients, authentic=parsed.dmarc != "fail"
    )
    entity = gathering.entity_of(
        session, message=message, seller=seller, mailboxes=tools.mailboxes, recipients=[*recipients, parsed.from_email]
    )
    entity_id = entity.id if entity else None
    store_parsed(session, message=message, parsed=parsed, direction=direction, entity_id=entity_id, blobs=tools.blobs)
    return _Job(session, message, parsed, actor, now, seller, entity)


def _match(job: _Job, thread: Thread, tools: Matching) -> MatchDecision:
    policy, weights = tools.match_policy, weights_in_force(job.session, shipped=tools.weights)
    return match(_mail_facts(job), SqlIndex(job.session), policy=policy, weights=weights, thread=thread.facts)


def _mail_facts(job: _Job) -> MailFacts:
    message, parsed = job.message, job.parsed
    return MailFacts(
        subject=message.subject,
        new_text=message.new_text,
        quoted_text=message.quoted_text,
        signature=message.signature,
        attachments=tuple(AttachmentText(one.filename, one.text) for one in parsed.attachments),
        from_email=message.from_email,
        from_name=message.from_name,
        entity_ids=(job.entity.id,) if job.entity else (),
        sent_at=message.sent_at or message.received_at,
        direction=message.direction,  # type: ignore[arg-type] # the column holds one of the three
        forwarded_from=(parsed.forwarded.from_email,) if parsed.forwarded and parsed.forwarded.from_email else (),
        to_emails=tuple(one.email for one in (*parsed.to, *parsed.cc)),
    )


def _account(matched: MatchDecision, thread: Thread) -> int | None:
    return matched.account.id if matched.account else thread.facts.account_id


def _mail_text(job: _Job) -> MailText:
    message, parsed = job.message, job.parsed
    return MailText(
        subject=message.subject,
        new_text=message.new_text,
        sent_at=parsed.sent_at or message.received_at,
        quoted_text=message.quoted_text,
        signature=message.signature,
        attachment_names=tuple(one.filename for one in parsed.attachments),
        from_email=message.from_email,
        from_name=message.from_name,
        headers=parsed.headers,
        direction=message.direction,
        is_auto_reply=parsed.is_auto_reply,
        is_bounce=parsed.is_bounce,
    )


def _place(
    job: _Job, thread: Thread, matched: MatchDecision, meant: Understanding, tools: Tools
) -> tuple[ThreadDecision, MatchDecision]:
    """Where the message goes, and what it means now that its case is known."""
    mail = gathering.incoming(
        job.session,
        message=job.message,
        match=matched,
        understood=meant,
        thread=thread,
        machine=job.parsed.is_auto_reply or job.parsed.is_bounce,
    )
    candidates = candidates_of(
        job.session,
        account_id=mail.account_id,
        ties=thread.ties,
        invoice_ids=list(mail.matter.invoices),
        at=mail.sent_at,
    )
    decision = threading.decide(mail, candidates, tools.thread_policy)
    policy = tools.carry_policy
    return decision, carry(matched, decision, candidates, policy, of_account=asks_of_account(meant, policy))


def _write(
    job: _Job, thread: Thread, matched: MatchDecision, meant: Understanding, decision: ThreadDecision
) -> Case | None:
    """Everything that was decided, with its events: the message, its links, its case, what people must do."""
    session, message = job.session, job.message
    understood.store(
        session,
        message=message,
        match=matched,
        understood=meant,
        decision=decision,
        account_id=_account(matched, thread),
        actor=job.actor,
        now=job.now,
    )
    linked = links.store(session, message=message, match=matched, now=job.now)
    place = opening.place_of(session, job.entity.id if job.entity else None)
    case = _case(job, meant, decision, place)
    if case is not None:
        _join(job, case, thread, decision, place)
        understood.follow_up(
            session, message=message, case=case, understood=meant, country=place.country, actor=job.actor, now=job.now
        )
    if meant.kind != OTHER:
        understood.ask(
            session,
            message=message,
            case=case,
            links=linked,
            decision=decision,
            country=place.country,
            actor=job.actor,
            now=job.now,
        )
    return case


def _case(job: _Job, meant: Understanding, decision: ThreadDecision, place: opening.Place) -> Case | None:
    """The case the decision names, or a new one."""
    if decision.action == "none":
        return None
    if decision.case_id is not None:
        return db.locked(job.session, Case, decision.case_id)
    message = job.message
    view = understood.first_view(message, meant)
    title = bare_subject(message.subject) or shipped_row(view.reason).label
    return opening.open_case(
        job.session, message=message, title=title, view=view, place=place, actor=job.actor, now=job.now
    )


def _join(job: _Job, case: Case, thread: Thread, decision: ThreadDecision, place: opening.Place) -> None:
    session, actor, now = job.session, job.actor, job.now
    opening.join(session, message=job.message, case=case, place=place, actor=actor, now=now)
    for loose in gathering.own_mails(session, message_ids=thread.ties.loose, account_id=case.account_id):
        opening.join(session, message=loose, case=case, place=place, actor=actor, now=now)
    for other_id in decision.absorb:
        opening.absorb(session, case=case, other_id=other_id, place=place, actor=actor, now=now)
    links.refresh_case_invoices(session, case=case, actor=actor, now=now)


def _check_bank_details(job: _Job, case: Case, tools: Tools) -> None:
    """What may divert payments is held for two people, before anything goes out (S15, M15)."""
    bank_checks.hear(
        job.session,
        message=job.message,
        case=case,
        authentic=job.parsed.dmarc != "fail",
        machine=job.parsed.machine is not None,
        policy=tools.bank_check_policy,
        actor=job.actor,
        now=job.now,
    )


def _acknowledge(job: _Job, case: Case, decision: ThreadDecision, tools: Tools) -> None:
    """Tell the customer that the message arrived, or note why not (M15, M18, M19)."""
    session, message = job.session, job.message
    if decision.action == "new":  # the sweep may be writing to them at this moment
        db.one_at_a_time(session, f"automatic:{message.from_email}")
    facts = acknowledgement.AcknowledgeFacts(
        direction=message.direction,
        new_case=decision.action == "new",
        review=message.review or case.account_id is None,
        kind=message.kind or OTHER,
        reason=message.reason or "",
        sentiment=message.sentiment or "calm",
        urgent=message.urgent,
        flags=frozenset(message.flags),
        sender=message.from_email,
        from_mailbox=job.entity.mailbox if job.entity else None,
        known_sender=gathering.is_of_account(session, message=message, account_id=case.account_id),
        machine=job.parsed.machine is not None,
        null_return=job.parsed.null_return,
        own_address=job.seller.owns(message.from_email),
        authentic=job.parsed.dmarc != "fail",
        sent_at=message.sent_at or message.received_at,
        automatic=acknowledging.automatic_to(session, email=message.from_email, since=job.now - WINDOW),
        checked=is_held(session, case_id=case.id, account_id=case.account_id),
    )
    decided = acknowledgement.decide(facts, tools.acknowledge_policy, job.now)
    if decided.send and job.entity is not None:
        acknowledging.acknowledge(
            session,
            message=message,
            case=case,
            entity=job.entity,
            invoices=_numbers(session, message.id),
            references=job.parsed.thread_ids.references[::-1],
            tokens=tools.reply_tokens,
            actor=job.actor,
            now=job.now,
        )
    elif message.direction == "in" and decision.action != "join":
        acknowledging.hold_back(session, case=case, message=message, decision=decided, actor=job.actor, now=job.now)


def _numbers(session: Session, message_id: int) -> list[str]:
    """The numbers of the invoices the message was linked to for sure, as the ledger writes them."""
    return list(session.scalars(_NUMBERS, {"message_id": message_id}))


_SURE = select(Link.invoice_id).where(Link.message_id == bindparam("message_id"), Link.state == "confirmed")
_NUMBERS = select(Invoice.number).where(Invoice.id.in_(_SURE)).order_by(Invoice.number)
