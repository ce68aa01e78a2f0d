"""Facts about one message, put together for matching, understanding and threading. It reads; it decides nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.core.among import among
from disputes.digest_tokens import is_digest_id
from disputes.identity import ThreadIds
from disputes.lookups import (
    Ties,
    addresses,
    is_contact,
    is_known_address,
    linked_invoices,
    payment_fits,
    said_in,
    ties_of,
)
from disputes.matter import MailParts, is_reply, matter_of
from disputes.models import Case, Delivery, Message, Outgoing
from disputes.parsing import ParsedMessage
from disputes.reading import CaseFacts, Understanding
from disputes.reasons import OTHER
from disputes.reply_tokens import ReplyTokens, is_thread_id
from disputes.routing_rules import AUTO
from disputes.satisfaction import ASKED, rated_by_mail
from disputes.threading import Incoming
from invoices.models import Account, Entity
from matching.facts import MatchDecision, ThreadFacts
from matching.text import email_domain, is_shared_domain

_MACHINE_REASONS = frozenset({"auto_reply", "bounce"})
_MAILERS = ("postmaster", "mailer-daemon", "microsoftexchange")


@dataclass(frozen=True, slots=True)
class Seller:
    """Our own side: the entities, their mailboxes and the domains only our people write from."""

    entities: tuple[Entity, ...]

    @property
    def mailboxes(self) -> frozenset[str]:
        """The receivables mailboxes."""
        return frozenset(entity.mailbox.lower() for entity in self.entities if entity.mailbox)

    @property
    def domains(self) -> frozenset[str]:
        """The domains of our own people; a mailbox at a freemail provider makes no domain ours."""
        found = (email_domain(mailbox) for mailbox in self.mailboxes)
        return frozenset(domain for domain in found if domain and not is_shared_domain(domain))

    def owns(self, address: str) -> bool:
        """Whether an address is ours."""
        return address.lower() in self.mailboxes or email_domain(address) in self.domains


def seller_of(session: Session) -> Seller:
    """The seller's entities, as they are now."""
    return Seller(tuple(session.scalars(_ENTITIES)))


_ENTITIES = select(Entity).order_by(Entity.id)


def direction_of(seller: Seller, *, sender: str, recipients: Sequence[str], authentic: bool) -> str:
    """M30: mail from our own addresses is ours: out when it goes to someone outside, internal otherwise.

    A mail server's own reports, and mail that only claims to be ours (DMARC failed), come in like a stranger's.
    """
    if not authentic or not seller.owns(sender) or sender.lower().startswith(_MAILERS):
        return "in"
    outside = [address for address in recipients if not seller.owns(address)]
    return "out" if outside else "internal"


def entity_of(
    session: Session, *, message: Message, seller: Seller, mailboxes: Mapping[str, str], recipients: Sequence[str]
) -> Entity | None:
    """The entity whose mailbox got or sent the mail. `mailboxes` maps names of polled mailboxes to entity codes."""
    if len(seller.entities) == 1:
        return seller.entities[0]
    names = [name for name in session.scalars(_DELIVERED, {"message_id": message.id}) if name]
    codes = {mailboxes[name] for name in names if name in mailboxes}
    seen = {address.lower() for address in (*names, *recipients, message.from_email)}
    for entity in seller.entities:
        if entity.code in codes or (entity.mailbox and entity.mailbox.lower() in seen):
            return entity
    domains = {email_domain(address) for address in seen}
    return next((one for one in seller.entities if one.mailbox and email_domain(one.mailbox) in domains), None)


_DELIVERED = select(Delivery.mailbox).where(Delivery.message_id == bindparam("message_id"))


@dataclass(frozen=True, slots=True)
class Thread:
    """What the headers point to, as matching reads it too."""

    ids: ThreadIds
    ties: Ties
    facts: ThreadFacts


def thread_of(session: Session, *, message_id: int, ids: ThreadIds, by_token: Sequence[int] = ()) -> Thread:
    """The thread a message is in, with the invoices and the account it is about. `by_token`: see `ties_of`."""
    ties = ties_of(session, ids=ids, message_id=message_id, by_token=by_token)
    if not ties.messages:
        return Thread(ids, ties, ThreadFacts(account_id=_account_of_token(session, ties)))
    linked = linked_invoices(session, message_ids=ties.messages, likely=0.5)
    every = dict.fromkeys(invoice for message in ties.messages for invoice in linked.get(message, ()))
    replied = dict.fromkeys(invoice for message in ties.replied_to for invoice in linked.get(message, ()))
    return Thread(ids, ties, ThreadFacts(tuple(every), _account_of(session, ties), tuple(replied)))


def answered_ids(parsed: ParsedMessage) -> ThreadIds:
    """The ids a mail may be joined by: a report names the mail it is about in its body (M17), and ids that only
    carry a token name no mail, so that two mails with the same forged one share nothing (M10).
    """
    ids = parsed.thread_ids
    about = (parsed.bounce.original_id,) if parsed.bounce and parsed.bounce.original_id else ()
    return replace(
        ids,
        in_reply_to=tuple(one for one in (*about, *ids.in_reply_to) if not _only_token(one)),
        references=tuple(one for one in ids.references if not _only_token(one)),
    )


def _only_token(rfc_id: str) -> bool:
    """An id of ours that is about no one case: that of a token, or of a digest."""
    return is_thread_id(rfc_id) or is_digest_id(rfc_id)


def by_token(parsed: ParsedMessage, tokens: ReplyTokens, *, now: datetime) -> tuple[int, ...]:
    """The cases that valid reply tokens of the mail name (M6). What fails DMARC may not use one (M15)."""
    if parsed.dmarc == "fail":
        return ()
    ids = parsed.thread_ids
    return tokens.cases((*ids.in_reply_to, *ids.references), sender=parsed.from_email, now=now)


def _account_of_token(session: Session, ties: Ties) -> int | None:
    """The account of the case a valid token names, where no message of the thread is here to tell it."""
    case_id = next((case_id for case_id, tie in ties.cases.items() if tie == "token"), None)
    return None if case_id is None else session.scalar(select(Case.account_id).where(Case.id == case_id))


def _account_of(session: Session, ties: Ties) -> int | None:
    """The one account the thread's messages belong to; None where they disagree."""
    found = list(session.scalars(_ACCOUNTS, {"message_ids": ties.messages}))
    return found[0] if len(found) == 1 else None


_ACCOUNTS = (
    select(Message.account_id).where(among(Message.id, "message_ids"), Message.account_id.is_not(None)).distinct()
)


def case_facts(
    session: Session, *, message: Message, account: Account | None, invoice_ids: Sequence[int] = ()
) -> CaseFacts:
    """What the ledger says beside a mail of this account about these invoices."""
    colleague = message.direction == "internal"
    by = (message.sent_at or message.received_at).date()
    return CaseFacts(
        payment_fits=payment_fits(session, invoice_ids=invoice_ids, by=by) if invoice_ids else None,
        sender_is_colleague=colleague,
        sender_known=colleague or is_known_address(session, email=message.from_email),
        account_language=(account.language or "") if account else "",
    )


def facts_in_case(session: Session, *, facts: CaseFacts, message: Message, case_id: int) -> CaseFacts:
    """The same with the mail's case known: what was said and asked there before."""
    said = said_in(session, case_id=case_id, but=message.id)
    sent_at = message.sent_at or message.received_at
    earlier = [one for one in said if one.direction == "in" and one.kind != OTHER and one.sent_at <= sent_at]
    told = [((one.kind, one.reason), 1.0 if one.confidence is None else one.confidence) for one in earlier]
    told += _told_by_person(session, case_id) if told else []
    return replace(
        facts,
        earlier=tuple(reason for reason, _ in told),
        earlier_sure=tuple(sure for _, sure in told),
        thread_language=next((one.language for one in reversed(earlier) if one.language), ""),
        last_asked=_last_asked(session, message, case_id),
    )


def _told_by_person(session: Session, case_id: int) -> list[tuple[tuple[str, str], float]]:
    """What a person said the case is: surer than what its mails were taken for, and the last word on it."""
    return [((row.kind, row.reason), 1.0) for row in session.execute(_BY_PERSON, {"case_id": case_id})]


_BY_PERSON = select(Case.kind, Case.reason).where(Case.id == bindparam("case_id"), Case.reason_by != AUTO)


def _last_asked(session: Session, message: Message, case_id: int) -> str:
    """What our last mail in the case asked the sender, looked up only for what reads like an answer to it."""
    if rated_by_mail(message.new_text) is None:
        return ""
    mails = select(Outgoing.kind).where(
        Outgoing.case_id == case_id, Outgoing.to_email == message.from_email, Outgoing.state == "sent"
    )
    kind = session.scalar(mails.order_by(Outgoing.sent_at.desc(), Outgoing.id.desc()).limit(1))
    return ASKED if kind == ASKED else ""


def incoming(
    session: Session,
    *,
    message: Message,
    match: MatchDecision,
    understood: Understanding,
    thread: Thread,
    machine: bool,
) -> Incoming:
    """The message as threading compares it. The account is the matcher's, else the thread's."""
    sure = match.account is not None and match.account.probability >= match.policy.auto_account
    account_id = match.account.id if match.account else thread.facts.account_id
    sender = message.from_email
    return Incoming(
        matter=matter_of(
            MailParts(
                subject=message.subject,
                new_text=message.new_text,
                quoted_text=message.quoted_text,
                people=(sender, *addresses(message.to), *addresses(message.cc)),
            ),
            invoices={link.invoice_id: link.probability for link in match.links},
            reasons=dict(understood.ranking) if message.direction == "in" else {},
            named=named_in(match, reply=is_reply(message.subject)),
        ),
        direction=message.direction,
        kind=understood.kind,
        reason=understood.reason,
        sent_at=message.sent_at or message.received_at,
        machine=machine or understood.reason in _MACHINE_REASONS,
        account_id=account_id,
        account_sure=sure,
        known_sender=account_id is not None and is_contact(session, account_id=account_id, email=sender),
        sender=sender,
        names_document=any(link.state == "auto" for link in match.links),
        answers_unseen=not thread.ties.messages and (bool(thread.ids.in_reply_to) or is_reply(message.subject)),
    )


def named_in(match: MatchDecision, *, reply: bool) -> frozenset[int]:
    """The invoices the sender's own words or files mean; a quote, a reply's subject and the thread only carry some."""
    own = ("new", "attachment") if reply else ("new", "attachment", "subject")
    told = ((link.invoice_id, one.source) for link in match.links for one in link.evidence if one.bits > 0)
    return frozenset(invoice_id for invoice_id, source in told if source.startswith(own))


def own_mails(session: Session, *, message_ids: Sequence[int], account_id: int | None) -> list[Message]:
    """Mails of ours in the thread that waited for the customer's to make a case (M8): out, and of no case yet."""
    if not message_ids:
        return []
    same = Message.account_id.is_(None) if account_id is None else Message.account_id.in_((account_id,))
    rows = select(Message).where(
        Message.id.in_(message_ids), Message.direction == "out", Message.case_id.is_(None), same
    )
    return list(session.scalars(rows.order_by(Message.id)))


def is_of_account(session: Session, *, message: Message, account_id: int | None) -> bool:
    """Whether the sender is one of the account's own people (M19)."""
    return account_id is not None and is_contact(session, account_id=account_id, email=message.from_email)
