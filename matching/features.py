"""The features of each candidate invoice, from its mentions and from what the ledger and the thread know."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import re2

from matching.facts import AccountFacts, Discussed, InvoiceFacts, MailFacts, ThreadFacts
from matching.hits import (
    Hit,
    Mentions,
    account_hits,
    amount_hits,
    day_hits,
    known,
    number_hits,
    reference_hits,
    stems,
    typo_hits,
)
from matching.mentions import Section
from matching.windows import Window

_LEDGER_TALK = re2.compile(
    r"\b(?:STATEMENTS?|RELEVES?|EXTRAITS?|KONTOAUSZUG|SALDEN\w*|EXTRACTOS?|ESTRATTO|REKENINGOVERZICHT|SALDO\w*|SOLDES?|BALANCE"
    r"|RECONCIL\w*|CONCILIA\w*|RAPPROCHEMENT|AUDIT\w*|PRUFUNG|RIB|IBAN|BANK DETAILS|BANKVERBINDUNG)\b"
)
_CREDIT_TALK = re2.compile(
    r"\b(?:CREDITS?|CREDIT NOTES?|AVOIRS?|GUTSCHRIFT\w*|GUTHABEN|ABONOS?|RECTIFICATIVAS?|NOTA DI CREDITO|STORNO"
    r"|CREDITNOTA\w*|REFUNDS?|REMBOURS\w*|ERSTATTUNG|REEMBOLSO|RIMBORSO|TERUGBETALING)\b"
)
_WEAK_BEYOND = 4  # ranks above are numbers that stand for themselves
_NUMBER_KINDS = frozenset({"full", "compact", "serial", "grown", "range", "short", "tail4", "tail3", "typo"})
_REFERENCE_KINDS = frozenset({"po", "order", "delivery"})
_OWN_AMOUNTS = frozenset({"gross", "open", "paid", "rounded", "gross_bare", "open_bare", "net", "half"})
_MOST_IDF = 5.0
_MONTH = 30.0
_SOON = 20


@dataclass(slots=True)
class Candidate:
    """One invoice on trial: its mentions, its features, and the mention it competes for with others."""

    invoice: InvoiceFacts
    hits: list[Hit] = field(default_factory=list)
    features: dict[str, float] = field(default_factory=dict)
    group: str = "pool"


@dataclass(frozen=True, slots=True)
class Setting:
    """What all candidates of one mail share."""

    mail: MailFacts
    mentions: Mentions
    thread: ThreadFacts
    discussed: Sequence[Discussed]
    account_id: int | None
    accounts: Sequence[AccountFacts]


def place(section: Section, mail: MailFacts) -> str:
    """Where a mention stands, as features tell it apart: '' what was newly written, 'q' quoted, 'a' attached."""
    if section.source == "quote":
        return "f" if mail.forwarded_from or not mail.new_text.strip() else "q"
    return "a" if section.source.startswith("attachment") else ""


def describe(invoices: Sequence[InvoiceFacts], setting: Setting) -> list[Candidate]:
    """Every candidate with its mentions and features, weaker claims on a stronger one's characters dropped."""
    candidates = [_mentioned(invoice, setting.mentions) for invoice in invoices]
    claims = _claims(candidates, setting)
    _add_typos(candidates, setting, claims)
    for candidate in candidates:
        candidate.hits = [hit for hit in candidate.hits if not _outbid(hit, claims)]
    _add_features(candidates, setting)
    return candidates


def _mentioned(invoice: InvoiceFacts, mentions: Mentions) -> Candidate:
    hits = [*number_hits(invoice, mentions), *reference_hits(invoice, mentions)]
    return Candidate(invoice, [*hits, *amount_hits(invoice, mentions), *day_hits(invoice, mentions)])


_Claims = dict[str, dict[int, int]]


def _claims(candidates: Iterable[Candidate], setting: Setting) -> _Claims:
    """The best rank claimed on each character, by section: linear in the text, however many candidates there are."""
    claims: _Claims = defaultdict(dict)
    mine = (
        hit for candidate in candidates for hit in candidate.hits if candidate.invoice.account_id == setting.account_id
    )
    every = (hit for candidate in candidates for hit in candidate.hits if hit.what == "full" and hit.letters)
    accounts = (hit for account in setting.accounts for hit in account_hits(account, setting.mentions))
    for hits in (mine, every, accounts):
        for hit in hits:
            if hit.rank > 1:
                _claim(claims[hit.section.source], hit)
    return claims


def _claim(taken: dict[int, int], hit: Hit) -> None:
    for char in range(hit.start, hit.end):
        if taken.get(char, 0) < hit.rank:
            taken[char] = hit.rank


def _outbid(hit: Hit, claims: _Claims) -> bool:
    """Whether somebody claims the same characters better; amounts and dates are claimed by nobody."""
    if hit.rank <= 1:
        return False
    taken = claims[hit.section.source]
    return any(taken.get(char, 0) > hit.rank for char in range(hit.start, hit.end))


def _add_typos(candidates: Sequence[Candidate], setting: Setting, claims: _Claims) -> None:
    """Look for typing errors only among numbers that look like invoices' and that nobody claims."""
    suspects = [
        (section, window)
        for section in setting.mentions.sections
        for window in section.windows
        if _suspicious(window) and not any(char in claims[section.source] for char in range(window.start, window.end))
    ]
    if not suspects:
        return
    for candidate in candidates:
        if candidate.invoice.account_id == setting.account_id and not _numbers(candidate):
            candidate.hits.extend(typo_hits(candidate.invoice, suspects))


def _suspicious(window: Window) -> bool:
    return (
        len(window.digits) > _WEAK_BEYOND - 1 and (window.cue == "invoice" or bool(window.letters)) and not window.grown
    )


def _numbers(candidate: Candidate) -> list[Hit]:
    return [hit for hit in candidate.hits if hit.what in _NUMBER_KINDS]


def _add_features(candidates: Sequence[Candidate], setting: Setting) -> None:
    pool = [each for each in candidates if each.invoice.account_id == setting.account_id]
    rivals = Counter(key for each in candidates for key in {_span(hit) for hit in each.hits if hit.rank})
    talk = _talk(setting)
    goods = _Goods(pool, setting.mentions)
    named = [each for each in candidates if _is_named(each, setting.mail)]
    for candidate in candidates:
        features = candidate.features
        features["bias"] = 1.0
        _mention_features(candidate, setting, rivals)
        _ledger_features(candidate, setting, talk)
        _thread_features(candidate, setting)
        goods.add(candidate)
        if named and (len(named) > 1 or named[0] is not candidate) and not _is_named(candidate, setting.mail):
            features["others_named"] = 1.0
        if setting.account_id is not None and candidate.invoice.account_id != setting.account_id:
            features["other_account"] = 1.0
    _pool_features(pool, setting)


def _span(hit: Hit) -> tuple[str, int, int, str]:
    return (hit.section.source, hit.start, hit.end, hit.what if hit.rank <= 1 else str(hit.rank))


def _is_named(candidate: Candidate, mail: MailFacts) -> bool:
    """Whether the new text itself names this invoice by a number, a reference or its total."""
    return any(
        not place(hit.section, mail) and (hit.rank > _WEAK_BEYOND or hit.what in {"gross", "open", "tail4", "typo"})
        for hit in candidate.hits
    )


def _talk(setting: Setting) -> dict[str, float]:
    """What the mail as a whole talks about, where that makes invoices likelier or not."""
    texts = [section.text for section in setting.mentions.sections if section.source in {"subject", "new"}]
    return {
        "ledger": float(any(_LEDGER_TALK.search(text) for text in texts)),
        "credit": float(any(_CREDIT_TALK.search(text) for text in texts)),
    }


def _mention_features(candidate: Candidate, setting: Setting, rivals: Counter[tuple[str, int, int, str]]) -> None:
    """The best mention of each kind at each place; kinds of one place exclude each other, places add up."""
    features = candidate.features
    best: dict[tuple[str, str], Hit] = {}
    for hit in candidate.hits:
        kind = (
            "num"
            if hit.what in _NUMBER_KINDS
            else "ref"
            if hit.what in _REFERENCE_KINDS
            else "sum"
            if hit.rank
            else "day"
        )
        key = (kind, place(hit.section, setting.mail))
        if key not in best or _better(hit, best[key]):
            best[key] = hit
    for (kind, where), hit in best.items():
        features[f"{hit.what}@{where}" if where else hit.what] = 1.0
        count = rivals[_span(hit)]
        if count > 1 and hit.rank:
            name = f"{kind}_rivals"
            features[name] = max(features.get(name, 0.0), math.log2(count))
    _number_features(best, features, candidate)


_AMOUNT_ORDER = {"gross": 9, "open": 8, "rounded": 5, "paid": 4, "net": 6, "half": 3, "gross_bare": 7, "open_bare": 6}


def _better(hit: Hit, other: Hit) -> bool:
    return (hit.rank, _AMOUNT_ORDER.get(hit.what, 0), hit.letters, hit.cue == "invoice") > (
        other.rank,
        _AMOUNT_ORDER.get(other.what, 0),
        other.letters,
        other.cue == "invoice",
    )


def _number_features(best: dict[tuple[str, str], Hit], features: dict[str, float], candidate: Candidate) -> None:
    """How the number is written, for the mention that counts most: new text, else attachment, forward, quote."""
    numbers = [best["num", where] for where in ("", "a", "f", "q") if ("num", where) in best]
    for where in ("", "a", "f", "q"):
        hit = best.get(("num", where)) or best.get(("ref", where)) or best.get(("sum", where))
        if hit is not None:
            candidate.group = f"{hit.section.source}:{hit.start}"
            break
    if numbers:
        hit = numbers[0]
        features["cue"] = float(hit.cue == "invoice")
        features["wrong_cue"] = float(hit.cue not in {"", "invoice"})
        features["letters"] = float(hit.letters)
        features["folded"] = float(hit.folded)
        features["length"] = min(hit.length, 8) / 4
        if len({each.section.source for each in candidate.hits if each.what in _NUMBER_KINDS} & {"subject", "new"}) > 1:
            features["subject_too"] = 1.0


def _ledger_features(candidate: Candidate, setting: Setting, talk: dict[str, float]) -> None:
    features, invoice = candidate.features, candidate.invoice
    sent = setting.mail.sent_at.date()
    age = (sent - invoice.issued).days
    features["future"] = float(age < -1)
    features["age"] = min(math.log2(1 + max(age, 0) / _MONTH), 4.0)
    features["open"] = float(invoice.open != 0)
    features["overdue"] = float(invoice.open > 0 and invoice.due is not None and invoice.due < sent)
    features["part_open"] = float(0 < invoice.open < invoice.gross)
    features["fell_due"] = float(invoice.due is not None and 0 <= (sent - invoice.due).days <= _SOON)
    credit = float(invoice.gross < 0)
    features["credit"] = credit
    features["credit_talked"] = credit * talk["credit"]
    if not _numbers(candidate):
        features["unnumbered"] = 1.0
        features["ledger_talk"] = talk["ledger"]


def _thread_features(candidate: Candidate, setting: Setting) -> None:
    features, invoice, thread = candidate.features, candidate.invoice, setting.thread
    if thread.invoice_ids:
        inside = invoice.id in thread.invoice_ids
        features["thread" if inside else "off_thread"] = 1.0
        features["thread_reply"] = float(invoice.id in thread.replied_to)
        features["thread_size"] = math.log2(len(thread.invoice_ids)) if inside else 0.0
    for rank, talk in enumerate(setting.discussed):
        if talk.invoice_id == invoice.id:
            days = (setting.mail.sent_at - talk.sent_at).days
            features["discussed"] = 1.0
            features["discussed_first"] = float(rank == 0)
            features["discussed_days"] = min(math.log2(1 + days / 7), 4.0)
            features["discussed_by"] = float(talk.from_email == setting.mail.from_email)
            break
    alike = max(
        (_alike(setting, talk.text) for talk in setting.discussed if talk.invoice_id == invoice.id), default=0.0
    )
    features["discussed_alike"] = alike


def _alike(setting: Setting, text: str) -> float:
    """How much of the mail's longer words the earlier message shares, 0..1."""
    mine = setting.mentions.stems
    return len(mine & set(stems(text))) / len(mine) if mine and text else 0.0


class _Goods:
    """Products and quantities of the mail against invoice lines; words all invoices share say nothing."""

    def __init__(self, pool: Sequence[Candidate], mentions: Mentions) -> None:
        self._mentions = mentions
        counts = Counter(stem for each in pool for stem in set().union(*known(each.invoice).stems))
        size = max(len(pool), 1)
        self._idf = {stem: math.log2((size + 1) / count) for stem, count in counts.items() if stem in mentions.stems}

    def add(self, candidate: Candidate) -> None:
        """The features `goods`, `goods_count`, `sku` and `goods_missing`."""
        features, invoice = candidate.features, candidate.invoice
        matched: set[str] = set()
        counted = 0
        for line, words in zip(invoice.lines, known(invoice).stems, strict=True):
            here = words & self._idf.keys()
            matched |= here
            count = line.quantity is not None and line.quantity > 1 and int(line.quantity) in self._mentions.counts
            counted += bool(here) and count
            if line.sku and line.sku.upper() in self._mentions.words:
                features["sku"] = 1.0
            if count:
                features["count"] = 1.0
        features["goods"] = min(sum(self._idf[stem] for stem in matched), _MOST_IDF)
        features["goods_count"] = float(counted > 0)
        features["goods_missing"] = float(bool(self._idf) and not matched)


def _pool_features(pool: Sequence[Candidate], setting: Setting) -> None:
    """What an invoice is among the account's: the only open one, the newest, the best fit of goods."""
    sent = setting.mail.sent_at.date()
    past = [each for each in pool if each.invoice.issued <= sent]
    owed = [each for each in past if each.invoice.open > 0]
    if len(owed) == 1:
        owed[0].features["only_open"] = 1.0
    for each in sorted(past, key=lambda each: each.invoice.issued)[-1:]:
        each.features["newest"] = 1.0
    ranked = sorted(past, key=lambda each: each.features["goods"], reverse=True)
    if ranked and ranked[0].features["goods"] > 0:
        second = ranked[1].features["goods"] if len(ranked) > 1 else 0.0
        ranked[0].features["goods_lead"] = min(ranked[0].features["goods"] - second, 3.0)
    quoted = sum(any(key.endswith("@q") for key in each.features) for each in pool)
    for each in pool:
        each.features["pool"] = math.log2(max(len(past), 1)) if each.group == "pool" else 0.0
        if any(key.endswith("@q") for key in each.features):
            each.features["quoted_many"] = math.log2(max(quoted, 1))


def money(value: Decimal) -> str:
    """A sum as evidence shows it."""
    return f"{value:,.2f}"


def day(value: date) -> str:
    """A date as evidence shows it."""
    return value.isoformat()
