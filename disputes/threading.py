"""Which case a message belongs to (mail.md M6-M12): a pure decision, its rule and its evidence.

A header match is evidence, not proof. Every candidate case gets a score in bits against "a new case"; the scores
become probabilities, and the policy says from which probability a mail joins by itself and when a person is asked.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from disputes.matter import Matter
from disputes.reasons import DISPUTE, NO_MATTER, OTHER, kind_of

Action = Literal["join", "new", "propose", "none"]
Tie = Literal["token", "outbox", "in_reply_to", "references", "answered", "sibling"]
"""How headers tie a message to a case: it bears the signed token of a mail of ours; it answers a mail of ours in the
outbox, or a message of the case; it refers to one; a message of the case answers it (it arrived late, M8); both refer
to a mail never seen here (M6)."""

TIES: tuple[Tie, ...] = ("token", "outbox", "in_reply_to", "references", "answered", "sibling")
"""Strongest first: the order of mail.md M6."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPolicy:
    """From which probability a message joins a case by itself, and what each piece of evidence is worth in bits.

    Tuned by `amiable eval` over accounts held out; a wrong merge costs more than a question, so `join` is high and a
    `rival` case at that probability sends the mail to a person (M11).
    """

    join: float = 0.6
    rival: float = 0.3
    ask: float = 0.2
    header: float = 8.0
    token: float = 8.0
    older_header: float = 3.0
    same_invoices: float = 7.0
    other_invoice: float = -3.0
    names_other: float = -2.7
    turns: float = -4.5
    answers_other: float = -1.5
    quotes_case: float = 2.5
    same_subject: float = 1.9
    telling_word: float = 0.7
    most_words: float = 4.0
    shared_amount: float = 2.2
    same_sender: float = 0.3
    only_case: float = 3.2
    same_reason: float = 1.2
    most_reason: float = 3.0
    goes_on: float = 2.2
    asks_after: float = 2.4
    routine: float = -1.4
    per_doubled_day: float = -0.35
    closed: float = -2.0
    prior: float = -3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """The message to place. `known_sender`: the address or its company domain belongs to the account's contacts.

    `account_sure` says that the account was found well enough to keep the message out of other accounts' cases.
    `answers_unseen`: it is a reply to a mail that was never seen here, such as a reminder of the ERP's.
    """

    matter: Matter
    direction: str
    kind: str
    reason: str
    sent_at: datetime
    machine: bool = False
    account_id: int | None = None
    account_sure: bool = False
    known_sender: bool = False
    sender: str = ""
    names_document: bool = False
    answers_unseen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A case the message may belong to; `tie` says how headers point to it, `newest` that no newer mail is named.

    `absorbable`: the program alone opened it and nobody worked it, so that it may flow into another.
    """

    case_id: int
    account_id: int | None
    matter: Matter
    first_at: datetime
    last_at: datetime
    reason: str
    open: bool = True
    tie: Tie | None = None
    newest: bool = False
    absorbable: bool = False
    waits_for_customer: bool = False


@dataclass(frozen=True, slots=True)
class ThreadEvidence:
    """One piece of evidence for or against a case, in words, with its weight in bits."""

    what: str
    detail: str
    bits: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A case a person may choose, with its probability and what speaks for it."""

    case_id: int
    probability: float
    evidence: tuple[ThreadEvidence, ...]


@dataclass(frozen=True, slots=True)
class ThreadDecision:
    """Where the message goes. `proposals` are shown to a person; `absorb` are cases that prove to be the same matter.

    join: into `case_id`, the right one with `probability`; new: a new case; propose: a new case that a person may
    merge into a proposal; none: no case.
    """

    action: Action
    rule: str
    case_id: int | None = None
    evidence: tuple[ThreadEvidence, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    absorb: tuple[int, ...] = ()
    probability: float = 0.0

    @property
    def review(self) -> bool:
        """Whether a person is asked."""
        return self.action == "propose" or bool(self.proposals)


@dataclass(frozen=True, slots=True)
class _Scored:
    case: Candidate
    bits: float
    probability: float
    evidence: tuple[ThreadEvidence, ...] = field(default=())


def decide(mail: Incoming, candidates: Sequence[Candidate], policy: ThreadPolicy) -> ThreadDecision:
    """Place a message among the candidate cases; the order of mail.md M6."""
    if mail.machine or _is_noise(mail):
        return _without_matter(mail, candidates)
    within = [case for case in candidates if _same_account(mail, case)]
    scored = _probable(mail, within, policy)
    if not scored:
        return ThreadDecision("new", "no case of the account fits") if _may_open(mail) else _NO_CASE
    if not _of_the_party(mail, scored[0].case):
        return _ask(scored, "the sender is not known as the customer's", policy)
    return _place(mail, scored, policy)


_NO_CASE = ThreadDecision("none", "our own mail about no known case")


_SURE_NOISE = 0.75


def _is_noise(mail: Incoming) -> bool:
    """Spam and mail for others. Our own mails never are, nor one that surely names an invoice and only may be."""
    if mail.kind != OTHER or mail.direction == "out":
        return False
    noise = sum(p for reason, p in mail.matter.reasons.items() if kind_of(reason) == OTHER)
    return noise >= _SURE_NOISE or not mail.names_document


def _without_matter(mail: Incoming, candidates: Sequence[Candidate]) -> ThreadDecision:
    """Machines' mail, spam and mail for others never opens a case; a machine's answer joins what it answers."""
    tied = sorted((case for case in candidates if case.tie), key=lambda case: TIES.index(_tie(case)))
    if not tied or (not mail.machine and not mail.known_sender):
        return ThreadDecision("none", f"{mail.reason} opens no case")
    evidence = ThreadEvidence(_tie(tied[0]), TIE_WORDS[_tie(tied[0])], 0.0)
    return ThreadDecision("join", _rule(tied[0]), tied[0].case_id, (evidence,))


def _tie(case: Candidate) -> Tie:
    return case.tie or "sibling"


def _same_account(mail: Incoming, case: Candidate) -> bool:
    """M11: never across accounts. A mail whose account is unknown may follow its headers."""
    if mail.account_id is None or case.account_id is None:
        return case.tie is not None
    return mail.account_id == case.account_id or (case.tie is not None and not mail.account_sure)


def _of_the_party(mail: Incoming, case: Candidate) -> bool:
    """M9: our own people, the account's contacts, whoever already takes part in that case or was written to in it."""
    return mail.direction != "in" or mail.known_sender or case.tie == "token" or mail.sender in case.matter.people


def _may_open(mail: Incoming) -> bool:
    """Our own mail opens no case: a reminder sent by the ERP is not a dispute."""
    return mail.direction != "out"


def _place(mail: Incoming, scored: Sequence[_Scored], policy: ThreadPolicy) -> ThreadDecision:
    best, children = _with_children(scored)
    probability = best.probability + sum(one.probability for one in children)
    others = [one for one in scored if one is not best and one not in children]
    rival = others[0].probability if others else 0.0
    if probability >= policy.join and rival < policy.rival:
        absorb = tuple(one.case.case_id for one in children)
        joined, sure = best.case.case_id, round(min(probability, 1.0), 4)
        return ThreadDecision("join", _rule(best.case), joined, best.evidence, absorb=absorb, probability=sure)
    if probability < policy.ask:
        return ThreadDecision("new", _new_rule(best), evidence=best.evidence) if _may_open(mail) else _NO_CASE
    return _ask(scored, "two cases fit" if rival >= policy.rival else "a case may fit", policy)


def _with_children(scored: Sequence[_Scored]) -> tuple[_Scored, list[_Scored]]:
    """The best case, and cases that replies to this very mail opened because it had not arrived yet (M8)."""
    parents = [one for one in scored if one.case.tie and one.case.tie != "answered" and one.bits > 0]
    children = [one for one in scored if one.case.tie == "answered" and one.case.absorbable and one.bits > 0]
    if parents and children and (parents[0] is scored[0] or children[0] is scored[0]):
        return parents[0], children
    return scored[0], []


def _rule(case: Candidate) -> str:
    if case.tie == "token":
        return "reply token"
    return f"header: {case.tie}" if case.tie else "same matter"


def _new_rule(best: _Scored) -> str:
    return "reply raises another matter" if best.case.tie else "no case of the account fits"


def _ask(scored: Sequence[_Scored], why: str, policy: ThreadPolicy) -> ThreadDecision:
    """A case of its own until a person says where it belongs."""
    proposals = tuple(
        Proposal(one.case.case_id, round(one.probability, 3), one.evidence)
        for one in scored[:5]
        if one.probability >= policy.ask / 2
    )
    if not proposals:
        return ThreadDecision("new", "no case of the account fits")
    return ThreadDecision("propose", why, evidence=scored[0].evidence, proposals=proposals)


def _probable(mail: Incoming, cases: Sequence[Candidate], policy: ThreadPolicy) -> list[_Scored]:
    """Scores as probabilities: each case against the others and against a new one (0 bits)."""
    rarity = _rarity(cases)
    alone = len([case for case in cases if case.open]) == 1
    found = [(case, _weigh(mail, case, rarity, policy, alone=alone)) for case in cases]
    bits = [policy.prior + sum(part.bits for part in evidence) for _, evidence in found]
    total = 1.0 + sum(2.0**value for value in bits)
    scored = [
        _Scored(case, round(value, 2), 2.0**value / total, evidence)
        for (case, evidence), value in zip(found, bits, strict=True)
    ]
    return sorted(scored, key=lambda one: (-one.bits, one.case.case_id))


def _rarity(cases: Sequence[Candidate]) -> Mapping[str, int]:
    """In how many candidate cases each word occurs: a word of every case tells none."""
    seen: dict[str, int] = {}
    for case in cases:
        for word in case.matter.words:
            seen[word] = seen.get(word, 0) + 1
    return seen


def _weigh(
    mail: Incoming, case: Candidate, rarity: Mapping[str, int], policy: ThreadPolicy, *, alone: bool
) -> tuple[ThreadEvidence, ...]:
    parts = (
        _header(case, policy),
        *_invoices(_own(mail.matter) if case.tie else mail.matter, case.matter, policy),
        *(() if case.tie else _carried(mail.matter, case.matter, policy)),
        _words(mail.matter, case, rarity, policy),
        _amounts(mail.matter, case.matter, policy),
        _sender(mail, case, policy),
        *_nature(mail.matter, case.matter, policy, alone=alone),
        _reasons(mail, case, policy),
        _time(mail, case, policy),
        _turns(mail, case, policy),
        _answers_other(mail, case, policy),
        ThreadEvidence("closed", "the case is closed", 0.0 if case.open else policy.closed),
    )
    told = (part for part in parts if part is not None and part.bits)
    return tuple(sorted(told, key=lambda part: -abs(part.bits)))


TIE_WORDS: Mapping[Tie, str] = {
    "token": "bears the signed token of our mail to this address",
    "outbox": "answers a mail we sent",
    "in_reply_to": "answers a message of the case",
    "references": "refers to a message of the case",
    "answered": "a message of the case answers it",
    "sibling": "both answer the same earlier mail",
}


def _header(case: Candidate, policy: ThreadPolicy) -> ThreadEvidence | None:
    if case.tie is None:
        return None
    if case.tie == "token":
        return ThreadEvidence("token", TIE_WORDS["token"], policy.token)
    strong = case.newest or case.tie == "answered"
    return ThreadEvidence("header", TIE_WORDS[case.tie], policy.header if strong else policy.older_header)


def _invoices(mail: Matter, case: Matter, policy: ThreadPolicy) -> tuple[ThreadEvidence, ...]:
    """Shared invoices for, others against; each weighed by how sure both sides are."""
    shared = sum(p * case.invoices.get(invoice, 0.0) for invoice, p in mail.invoices.items())
    sure = max(mail.invoices.values(), default=0.0) * max(case.invoices.values(), default=0.0)
    named = max((mail.invoices[one] * (1.0 - case.invoices.get(one, 0.0)) for one in mail.named), default=0.0)
    apart = policy.other_invoice * max(0.0, sure - shared)
    same = policy.same_invoices * _overlap(shared, sum(mail.invoices.values()), sum(case.invoices.values()))
    return (
        ThreadEvidence("shared_invoice", "about the same invoice", round(same, 2)),
        ThreadEvidence("other_invoice", "about another invoice", round(apart, 2)),
        ThreadEvidence("names_other", "names an invoice the case is not about", round(policy.names_other * named, 2)),
    )


def _overlap(shared: float, mail: float, case: float) -> float:
    """How much of the mail, of the case and of both together is shared: a list of all invoices shares little."""
    if not shared:
        return 0.0
    return 0.5 * shared / mail + 0.3 * shared / case + 0.2 * shared / (mail + case - shared)


def _own(mail: Matter) -> Matter:
    """A reply carries the thread's invoices along: what it says itself is in the invoices it names."""
    return replace(mail, invoices={one: p for one, p in mail.invoices.items() if one in mail.named})


def _carried(mail: Matter, case: Matter, policy: ThreadPolicy) -> tuple[ThreadEvidence | None, ...]:
    """What a reply has in common with its thread in any case, and what tells of a thread whose headers were lost."""
    return _quote(mail, case, policy), _subject(mail, case, policy)


def _quote(mail: Matter, case: Matter, policy: ThreadPolicy) -> ThreadEvidence | None:
    """A reply whose headers were lost still quotes what it answers."""
    quotes = len(mail.quoted & case.written) >= _PASSAGES
    return ThreadEvidence("quotes_case", "quotes a message of the case", policy.quotes_case) if quotes else None


_PASSAGES = 3


def _subject(mail: Matter, case: Matter, policy: ThreadPolicy) -> ThreadEvidence | None:
    same = mail.subjects & case.subjects
    return ThreadEvidence("same_subject", "the same subject", policy.same_subject) if same else None


def _words(mail: Matter, case: Candidate, rarity: Mapping[str, int], policy: ThreadPolicy) -> ThreadEvidence | None:
    shared = sorted((mail.new_words if case.tie else mail.words) & case.matter.words)
    bits = min(policy.most_words, sum(policy.telling_word / rarity.get(word, 1) for word in shared))
    return ThreadEvidence("same_words", ", ".join(shared[:8]), round(bits, 2)) if shared else None


def _amounts(mail: Matter, case: Matter, policy: ThreadPolicy) -> ThreadEvidence | None:
    shared = sorted(mail.amounts & case.amounts)
    text = ", ".join(str(amount) for amount in shared[:4])
    return ThreadEvidence("same_amount", text, policy.shared_amount) if shared else None


def _turns(mail: Incoming, case: Candidate, policy: ThreadPolicy) -> ThreadEvidence | None:
    """A reply that says it is about something else only borrows its headers (M12)."""
    borrowed = case.tie in {"in_reply_to", "references", "outbox"} and mail.matter.turns
    return ThreadEvidence("turns", "says it comes to another matter", policy.turns) if borrowed else None


def _answers_other(mail: Incoming, case: Candidate, policy: ThreadPolicy) -> ThreadEvidence | None:
    """What answers a mail that is not of the case is rather about that mail, unless the subject is the case's."""
    other = mail.answers_unseen and case.tie is None and not mail.matter.subjects & case.matter.subjects
    return ThreadEvidence("answers_other", "answers another mail", policy.answers_other) if other else None


def _sender(mail: Incoming, case: Candidate, policy: ThreadPolicy) -> ThreadEvidence | None:
    known = mail.direction == "in" and mail.sender in case.matter.people
    return ThreadEvidence("same_sender", "the same person", policy.same_sender) if known else None


def _nature(mail: Matter, case: Matter, policy: ThreadPolicy, *, alone: bool) -> tuple[ThreadEvidence, ...]:
    """A dispute goes on for weeks, chasers and thanks come after it; a routine request is done with one answer."""
    follows, disputes = _part(mail, _follows), _part(mail, _disputes)
    disputed, routine = _part(case, _disputes), _part(case, _is_routine)
    underway = policy.asks_after * follows * disputed
    other = sum(p * (1.0 - case.reasons.get(reason, 0.0)) for reason, p in mail.reasons.items() if not _follows(reason))
    return (
        ThreadEvidence("goes_on", "the dispute goes on", round(policy.goes_on * disputes * disputed, 2)),
        ThreadEvidence("asks_after", "asks after something under way", round(underway, 2)),
        ThreadEvidence("only_case", "the account's only open case", round(policy.only_case * follows * alone, 2)),
        ThreadEvidence("routine", "a request of its own", round(policy.routine * routine * other, 2)),
    )


def _part(matter: Matter, belongs: Callable[[str], bool]) -> float:
    """How probable it is that the matter's reason is one of those."""
    return sum(p for reason, p in matter.reasons.items() if belongs(reason))


def _follows(reason: str) -> bool:
    return reason in NO_MATTER


def _disputes(reason: str) -> bool:
    return kind_of(reason) == DISPUTE


def _is_routine(reason: str) -> bool:
    return reason in ROUTINE


ROUTINE = frozenset(
    {"copy_invoice", "statement", "proof_of_delivery", "bank_details", "remittance", "account_update", "other_query"}
)
"""Queries that one answer settles: the next mail is rarely about the same."""


def _reasons(mail: Incoming, case: Candidate, policy: ThreadPolicy) -> ThreadEvidence | None:
    """How much more alike the two reasons are than those of two mails taken at random."""
    asked, known = _contesting(mail.matter.reasons), _contesting(case.matter.reasons)
    if not asked or not known:
        return None
    alike = sum(p * known.get(reason, 0.0) for reason, p in asked.items())
    bits = (
        policy.same_reason * math.log2((alike + _FLOOR) / (_BY_CHANCE + _FLOOR)) * (1.0 - _part(mail.matter, _follows))
    )
    bits = max(-policy.most_reason, min(policy.most_reason, bits))
    words = "the same reason" if bits > 0 else "another reason"
    return ThreadEvidence("reason", f"{words}: {mail.reason}, {case.reason}", round(bits, 2))


_FLOOR = 0.02
_BY_CHANCE = 0.1


def _contesting(reasons: Mapping[str, float]) -> dict[str, float]:
    """The reasons that say what a matter is about, to 1."""
    told = {reason: p for reason, p in reasons.items() if reason not in NO_MATTER and kind_of(reason) != OTHER}
    total = sum(told.values())
    return {reason: p / total for reason, p in told.items()} if total else {}


def _time(mail: Incoming, case: Candidate, policy: ThreadPolicy) -> ThreadEvidence:
    gap = max((case.first_at - mail.sent_at).days, (mail.sent_at - case.last_at).days, 0)
    return ThreadEvidence("time", f"{gap} days apart", round(policy.per_doubled_day * math.log2(1 + gap), 2))
