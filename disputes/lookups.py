"""The queries that gather the facts decisions are made from. They read; they decide nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session

from app.core.among import among
from disputes.casework import Said
from disputes.identity import MOST_IDS, ThreadIds
from disputes.matter import MailParts, Matter, matter_of, together
from disputes.models import Case, CaseInvoice, Link, Message, Outgoing, ThreadId
from disputes.threading import TIES, Candidate, Tie
from invoices.models import Allocation, Contact, Invoice, Payment
from matching.text import email_domain, is_shared_domain

OPEN_STATES = ("new", "in_progress", "waiting")
CLOSED_FOR = timedelta(days=90)
"""How long a closed case still draws mail that has no headers."""
MOST_CASES = 30
MOST_MESSAGES = 400


@dataclass(frozen=True, slots=True)
class Ties:
    """What the headers point to. `cases` by case id, `newest` the case of the newest mail named.

    `messages` are the thread's messages here, `replied_to` the very one answered, `loose` those in no case yet.
    """

    cases: Mapping[int, Tie]
    newest: int | None
    messages: tuple[int, ...]
    replied_to: tuple[int, ...]
    loose: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    message_id: int | None
    case_id: int | None
    tie: Tie
    rank: int


def ties_of(session: Session, *, ids: ThreadIds, message_id: int, by_token: Sequence[int] = ()) -> Ties:
    """The messages and cases the headers tie a message to, in the order of mail.md M6.

    `by_token` are cases that valid reply tokens name, the newest first.
    """
    named = ids.named
    rank = {rfc_id: place for place, rfc_id in enumerate(named)}
    hits = [
        *_token_hits(session, by_token),
        *_outbox_hits(session, {**({ids.own: MOST_IDS} if ids.own else {}), **rank}),
        *_message_hits(session, ids, rank, message_id),
    ]
    hits.sort(key=lambda hit: (TIES.index(hit.tie), hit.rank))
    cases: dict[int, Tie] = {}
    for hit in hits:
        if hit.case_id is not None:
            cases.setdefault(hit.case_id, hit.tie)
    seen = tuple(dict.fromkeys(hit.message_id for hit in hits if hit.message_id is not None))
    return Ties(
        cases=cases,
        newest=_newest(hits),
        messages=seen,
        replied_to=tuple(hit.message_id for hit in hits if hit.message_id is not None and hit.rank == 0),
        loose=tuple(hit.message_id for hit in hits if hit.message_id is not None and hit.case_id is None),
    )


def _newest(hits: Sequence[_Hit]) -> int | None:
    found = [hit for hit in hits if hit.case_id is not None]
    return min(found, key=lambda hit: (hit.rank, TIES.index(hit.tie))).case_id if found else None


def _token_hits(session: Session, case_ids: Sequence[int]) -> list[_Hit]:
    """A merged case's token leads to where the case lives on (M28)."""
    if not case_ids:
        return []
    rows = session.execute(
        select(Case.id, func.coalesce(Case.merged_into_id, Case.id)).where(Case.id.in_(case_ids[:MOST_IDS]))
    )
    return [_Hit(None, lives, "token", case_ids.index(case_id)) for case_id, lives in rows]


def _outbox_hits(session: Session, rank: Mapping[str, int]) -> list[_Hit]:
    if not rank:
        return []
    rows = session.execute(_SENT, {"ids": list(rank)})
    return [_Hit(None, case_id, "outbox", rank[rfc_id]) for rfc_id, case_id in rows]


_SENT = (
    select(Outgoing.rfc_id, func.coalesce(Case.merged_into_id, Case.id))
    .join(Case, Case.id == Outgoing.case_id)
    .where(among(Outgoing.rfc_id, "ids"))
)
"""Made once, like those below: building and keying a statement costs several times what running it does."""


def _message_hits(session: Session, ids: ThreadIds, rank: Mapping[str, int], message_id: int) -> list[_Hit]:
    wanted = [*rank, *([ids.own] if ids.own else [])]
    if not wanted:
        return []
    rows = session.execute(_NAMED, {"ids": wanted, "but": message_id}).all()
    here = {row.rfc_id for row in rows if row.relation == "self"}
    return [_message_hit(ids, rank, row) for row in rows if _tells(row, here, ids)]


_NAMED = (
    select(ThreadId.message_id, ThreadId.relation, ThreadId.rfc_id, Message.case_id)
    .join(Message, Message.id == ThreadId.message_id)
    .where(among(ThreadId.rfc_id, "ids"), ThreadId.message_id != bindparam("but"))
    .order_by(ThreadId.message_id)
)


def _tells(row: Any, here: set[str], ids: ThreadIds) -> bool:
    """Two mails that name a third are siblings only where the third was never seen: else it speaks itself."""
    return row.relation == "self" or row.rfc_id == ids.own or row.rfc_id not in here


def _message_hit(ids: ThreadIds, rank: Mapping[str, int], row: Any) -> _Hit:
    place = rank.get(row.rfc_id, MOST_IDS)
    if row.relation == "self" and row.rfc_id in rank:
        tie: Tie = "in_reply_to" if row.rfc_id in ids.in_reply_to else "references"
        return _Hit(row.message_id, row.case_id, tie, place)
    if row.rfc_id == ids.own:
        return _Hit(row.message_id, row.case_id, "answered", MOST_IDS)
    return _Hit(row.message_id, row.case_id, "sibling", MOST_IDS + place)


def candidates_of(
    session: Session, *, account_id: int | None, ties: Ties, invoice_ids: Sequence[int], at: datetime
) -> list[Candidate]:
    """The account's cases a message may belong to (open, or closed not long ago), and those the headers point to."""
    rows = _candidate_cases(session, account_id=account_id, ties=ties, invoice_ids=invoice_ids, at=at)
    matters = matters_of(session, case_ids=[case.id for case in rows])
    return [_candidate(case, matters[case.id], ties) for case in rows if case.id in matters]


def _candidate_cases(
    session: Session, *, account_id: int | None, ties: Ties, invoice_ids: Sequence[int], at: datetime
) -> list[Row[Any]]:
    tied = session.execute(_TIED, {"ids": list(ties.cases)}) if ties.cases else ()
    found = {case.id: case for case in tied}
    if account_id is None:
        return list(found.values())
    recent = {"account_id": account_id, "since": at - CLOSED_FOR}
    found |= {case.id: case for case in session.execute(_NEWEST, recent)}
    if len(found) >= MOST_CASES and invoice_ids:
        about = session.execute(_NEWEST_ABOUT, {**recent, "invoice_ids": invoice_ids})
        found |= {case.id: case for case in about}
    return list(found.values())


_OF_CASE = (Case.id, Case.account_id, Case.reason, Case.reason_by, Case.state, Case.waiting_on)
_ALIVE: Any = select(*_OF_CASE).where(Case.merged_into_id.is_(None))
_TIED = _ALIVE.where(among(Case.id, "ids"))
_RECENT_CASES = _ALIVE.where(
    Case.account_id == bindparam("account_id"),
    or_(Case.state.in_(OPEN_STATES), Case.last_activity_at > bindparam("since")),
)
_NEWEST = _RECENT_CASES.order_by(Case.last_activity_at.desc()).limit(MOST_CASES)
_ABOUT = select(CaseInvoice.case_id).where(among(CaseInvoice.invoice_id, "invoice_ids"))
_NEWEST_ABOUT = _RECENT_CASES.where(Case.id.in_(_ABOUT)).limit(MOST_CASES)


def _candidate(case: Row[Any], matter: "CaseMatter", ties: Ties) -> Candidate:
    return Candidate(
        case_id=case.id,
        account_id=case.account_id,
        matter=matter.matter,
        first_at=matter.first_at,
        last_at=matter.last_at,
        reason=case.reason,
        open=case.state in OPEN_STATES,
        tie=ties.cases.get(case.id),
        newest=ties.newest == case.id,
        absorbable=case.reason_by == "auto" and case.state == "new",
        waits_for_customer=case.waiting_on == "customer",
    )


@dataclass(frozen=True, slots=True)
class CaseMatter:
    """A case's matter and the span of time its messages cover."""

    matter: Matter
    first_at: datetime
    last_at: datetime


def matters_of(session: Session, *, case_ids: Sequence[int]) -> dict[int, CaseMatter]:
    """What each case is about, from its messages; cases without messages are left out."""
    if not case_ids:
        return {}
    links = _links_of_cases(session, case_ids)
    by_case: dict[int, list[tuple[datetime, Matter]]] = defaultdict(list)
    for row in _messages_of_cases(session, case_ids):
        by_case[row.case_id].append((row.at, _matter_of_row(row, links.get(row.id, {}))))
    added = _added_invoices(session, case_ids)
    return {
        case_id: CaseMatter(
            together([*(matter for _, matter in told), Matter(invoices=added.get(case_id, {}))]),
            min(at for at, _ in told),
            max(at for at, _ in told),
        )
        for case_id, told in by_case.items()
    }


def _messages_of_cases(session: Session, case_ids: Sequence[int]) -> Sequence[Any]:
    return session.execute(_MESSAGES, {"case_ids": case_ids}).all()


_AT = func.coalesce(Message.sent_at, Message.received_at)
_MESSAGES = (
    select(
        *(Message.id, Message.case_id, Message.direction, Message.subject, Message.new_text, Message.from_email),
        *(Message.to, Message.cc, Message.ranking, _AT.label("at")),
    )
    .where(among(Message.case_id, "case_ids"))
    .order_by(Message.id.desc())
    .limit(MOST_MESSAGES)
)


def _matter_of_row(row: Any, invoices: Mapping[int, float]) -> Matter:
    parts = MailParts(
        subject=row.subject,
        new_text=row.new_text,
        people=(row.from_email, *addresses(row.to), *addresses(row.cc)),
        sent_at=row.at,
    )
    reasons = {str(reason): float(p) for reason, p in row.ranking} if row.direction == "in" else {}
    return matter_of(parts, invoices=invoices, reasons=reasons)


def addresses(stored: Iterable[Any]) -> tuple[str, ...]:
    """The addresses of a stored To or Cc, lower case."""
    return tuple(str(one["email"]).lower() for one in stored)


def _links_of_cases(session: Session, case_ids: Sequence[int]) -> dict[int, dict[int, float]]:
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for message_id, invoice_id, probability, state in session.execute(_LINKS, {"case_ids": case_ids}):
        found[message_id][invoice_id] = 1.0 if state == "confirmed" else probability
    return found


_LINKS = (
    select(Link.message_id, Link.invoice_id, Link.probability, Link.state)
    .join(Message, Message.id == Link.message_id)
    .where(among(Message.case_id, "case_ids"), Link.state != "rejected")
)


def _added_invoices(session: Session, case_ids: Sequence[int]) -> dict[int, dict[int, float]]:
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for case_id, invoice_id in session.execute(_ADDED, {"case_ids": case_ids}):
        found[case_id][invoice_id] = 1.0
    return found


_ADDED = select(CaseInvoice.case_id, CaseInvoice.invoice_id).where(among(CaseInvoice.case_id, "case_ids"))


def linked_invoices(session: Session, *, message_ids: Sequence[int], likely: float) -> dict[int, tuple[int, ...]]:
    """The invoices each message was linked to, confirmed or at least `likely`."""
    if not message_ids:
        return {}
    found: dict[int, tuple[int, ...]] = defaultdict(tuple)
    for message_id, invoice_id in session.execute(_LINKED, {"message_ids": message_ids, "likely": likely}):
        found[message_id] = (*found[message_id], invoice_id)
    return found


_LINKED = select(Link.message_id, Link.invoice_id).where(
    among(Link.message_id, "message_ids"),
    or_(Link.state == "confirmed", (Link.state == "proposed") & (Link.probability >= bindparam("likely"))),
)


def said_in(session: Session, *, case_id: int, but: int | None = None) -> list[Said]:
    """What a case's worked messages said, oldest first; `but` is a message that does not count."""
    return [_said(row) for row in session.execute(_SAID_IN_CASE, {"case_id": case_id}) if row.id != but]


def said_by(session: Session, *, message_id: int) -> list[Said]:
    """What one message said, where it was worked."""
    return [_said(row) for row in session.execute(_SAID_BY, {"message_id": message_id})]


_SAID = (
    select(
        *(Message.id, _AT.label("at"), Message.direction, Message.kind, Message.reason, Message.confidence),
        *(Message.sentiment, Message.urgent, Message.flags, Message.language),
    )
    .where(Message.kind.is_not(None))
    .order_by(_AT, Message.id)
)
_SAID_IN_CASE = _SAID.where(Message.case_id == bindparam("case_id"))
_SAID_BY = _SAID.where(Message.id == bindparam("message_id"))


def _said(row: Any) -> Said:
    return Said(
        sent_at=row.at,
        direction=row.direction,
        kind=row.kind,
        reason=row.reason or "",
        confidence=row.confidence,
        sentiment=row.sentiment or "calm",
        urgent=row.urgent,
        flags=tuple(row.flags),
        language=row.language,
    )


def is_contact(session: Session, *, account_id: int, email: str) -> bool:
    """Whether an address, or its domain where that is a company's own, belongs to the account's contacts."""
    return session.scalar(_CONTACT, {**_address(email), "account_id": account_id}) is not None


def is_known_address(session: Session, *, email: str) -> bool:
    """Whether an address, or its company's domain, belongs to any account's contacts."""
    return session.scalar(_ANY_CONTACT, _address(email)) is not None


def _address(email: str) -> dict[str, str | None]:
    """An address, and its domain where only one company writes from it (none is equal to no domain)."""
    domain = email_domain(email)
    return {"email": email, "domain": domain if domain and not is_shared_domain(domain) else None}


_ANY_CONTACT = (
    select(Contact.id)
    .where(or_(Contact.email == bindparam("email"), Contact.domain == bindparam("domain", type_=Contact.domain.type)))
    .limit(1)
)
_CONTACT = _ANY_CONTACT.where(Contact.account_id == bindparam("account_id"))


_RECENT = timedelta(days=180)


def payment_fits(session: Session, *, invoice_ids: Sequence[int], by: date) -> bool:
    """Whether money for one of these invoices had come by a day: put against it, or the account's of the very sum."""
    values = {"invoice_ids": invoice_ids, "since": by - _RECENT, "by": by}
    return session.scalar(_FITTING, values) is not None


_PUT = exists().where(
    Allocation.payment_id == Payment.id,
    Allocation.entity_id == Invoice.entity_id,
    Allocation.invoice_number == Invoice.number,
)
_FITTING = (
    select(Payment.id)
    .join(Invoice, Invoice.account_id == Payment.account_id)
    .where(among(Invoice.id, "invoice_ids"), Payment.received.between(bindparam("since"), bindparam("by")))
    .where(or_(Payment.amount == Invoice.gross, _PUT))
    .limit(1)
)
