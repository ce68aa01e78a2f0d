"""The features of each candidate invoice, from its mentions and from what the ledger and the thread know."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from matching.candidate import NUMBER_KINDS, REFERENCE_KINDS, Candidate
from matching.facts import AccountFacts, Discussed, InvoiceFacts, MailFacts, ThreadFacts
from matching.goods import Goods
from matching.hits import (
    RANKS,
    Hit,
    Mentions,
    account_hits,
    amount_hits,
    day_hits,
    figures,
    known,
    number_hits,
    reference_hits,
    stems,
    typo_hits,
)
from matching.leads import WEAK_BEYOND, add_lead_features, open_lists
from matching.mentions import OWN_WORDS, Section
from matching.named import may_be_mistyped
from matching.talk import is_forward, is_reply, talk_of
from matching.text import clean, fold
from matching.totals import add_up

_WHOLE = frozenset({"full", "compact"})
_NAMING = frozenset({"total", "balance", "tail4", "typo"})
_ENDS = frozenset({"tail3", "tiny"})
_OF_SEVERAL = frozenset({"issued_all", "due_all", "month_all"})
_POINTED = ("subject", "new", "day", "total")
"""Groups of what the writer's own words point to, be it less than a name: an end of a number, a sum, a day."""
_TELLING_SUMS = frozenset({"total", "balance", "total_bare", "balance_bare", "net"})
_MONTH = 30.0
_OF_ITSELF = ("bias", "open", "goods_missing", "credit")
_OF_THE_POOL = (
    "age",
    "overdue",
    "part_open",
    "only_open",
    "fell_due",
    "newest",
    "newest_asked",
    "ledger_talk",
    "master_data_talk",
    "goods",
    "goods_lead",
    "discussed",
    "discussed_days",
    "discussed_first",
    "pool",
    "unnumbered",
    "sum_rivals",
)
_PLACES = ("", "a", "f", "r", "q")  # from what counts most to what counts least
_SOON = 20


@dataclass(frozen=True, slots=True)
class Setting:
    """What all candidates of one mail share."""

    mail: MailFacts
    mentions: Mentions
    thread: ThreadFacts
    discussed: Sequence[Discussed]
    account_id: int | None
    accounts: Sequence[AccountFacts]
    paid: Mapping[int, Sequence[Hit]]
    places: Mapping[str, str]


def places(sections: Iterable[Section], mail: MailFacts) -> dict[str, str]:
    """
    Where mentions of each source stand, as features tell them apart: '' what was newly written, 'q' quoted,
    'f' forwarded, 'r' in the subject of a reply (written for another mail), 'a' attached.
    """
    subject = fold(clean(mail.subject))
    quoted = "f" if not mail.new_text.strip() or is_forward(subject) else "q"
    fixed = {"quote": quoted, "subject": "r" if is_reply(subject) else ""}
    return {
        each.source: fixed.get(each.source, "a" if each.source.startswith("attachment") else "") for each in sections
    }


def describe(invoices: Sequence[InvoiceFacts], setting: Setting) -> list[Candidate]:
    """Every candidate with its mentions and features, weaker claims on a stronger one's characters dropped."""
    candidates = [_mentioned(invoice, setting) for invoice in invoices]
    own = [each for each in candidates if each.invoice.account_id == setting.account_id]
    claims = _claims(own, (), setting)
    typos = list(_typos(own, setting, claims))
    claims = _claims(
        own, (hit for each in candidates for hit in each.hits if hit.what == "full" and hit.letters), setting
    )
    whole = {_place_of(hit) for each in own for hit in each.hits if hit.what in _WHOLE}
    for candidate in candidates:
        candidate.hits = [hit for hit in candidate.hits if not _outbid(hit, claims) and not _misread(hit, whole)]
    for candidate, hit in typos:
        candidate.hits.append(hit)
    open_lists(own, setting.places)
    _add_features(candidates, setting)
    return candidates


def _mentioned(invoice: InvoiceFacts, setting: Setting) -> Candidate:
    of, mentions = known(invoice), setting.mentions
    hits = [*number_hits(of, mentions), *reference_hits(of, mentions), *setting.paid.get(invoice.id, ())]
    return Candidate(invoice, of, [*hits, *amount_hits(of, mentions), *day_hits(invoice, mentions)])


_Claims = dict[str, dict[int, int]]


def _claims(own: Iterable[Candidate], others: Iterable[Hit], setting: Setting) -> _Claims:
    """The best rank claimed on each character, by section: linear in the text, however many candidates there are."""
    claims: _Claims = defaultdict(dict)
    mine = (hit for candidate in own for hit in candidate.hits)
    accounts = (hit for account in setting.accounts for hit in account_hits(account, setting.mentions))
    for hits in (mine, others, accounts):
        for hit in hits:
            if hit.rank > 1:
                _claim(claims[hit.section.source], hit)
    return claims


def _claim(taken: dict[int, int], hit: Hit) -> None:
    for char in range(hit.start, hit.end):
        if taken.get(char, 0) < hit.rank:
            taken[char] = hit.rank


def _outbid(hit: Hit, claims: _Claims) -> bool:
    """Whether somebody claims the same characters better; amounts, dates and ranges are claimed by nobody."""
    if hit.rank <= 1 or hit.what == "range":
        return False
    taken = claims[hit.section.source]
    return any(taken.get(char, 0) > hit.rank for char in range(hit.start, hit.end))


def _place_of(hit: Hit) -> tuple[str, int, int]:
    return hit.section.source, hit.start, hit.end


def _misread(hit: Hit, whole: AbstractSet[tuple[str, int, int]]) -> bool:
    """Whether what looks like a range is one number with a dash inside, written whole (41848-96)."""
    return hit.what == "range" and _place_of(hit) in whole


def _typos(own: Iterable[Candidate], setting: Setting, claims: _Claims) -> Iterator[tuple[Candidate, Hit]]:
    """
    Typing errors, looked for only among numbers that look like invoices' and that no invoice of the account claims.

    That another account has an invoice of the very number says little: sequences are dense, two digits swapped
    make somebody else's number (matching.md, Traps).
    """
    suspects = [
        (section, window)
        for section in setting.mentions.sections
        if setting.places[section.source] in {"", "f"}
        for window in section.windows
        if may_be_mistyped(window)
        and not any(char in claims[section.source] for char in range(window.start, window.end))
    ]
    for candidate in own if suspects else ():
        if not _numbers(candidate):
            for hit in typo_hits(candidate.known, suspects):
                yield candidate, hit


def _numbers(candidate: Candidate) -> list[Hit]:
    return [hit for hit in candidate.hits if hit.what in NUMBER_KINDS]


def _add_features(candidates: Sequence[Candidate], setting: Setting) -> None:
    pool = [each for each in candidates if each.invoice.account_id == setting.account_id]
    rivals = Counter(key for each in candidates for key in {_span(hit) for hit in each.hits if hit.rank})
    talk = talk_of(section.text for section in setting.mentions.sections if section.source in OWN_WORDS)
    goods = Goods(pool, setting.mentions)
    named = {each.invoice.id for each in pool if _is_named(each, setting.places)}
    together = add_up(pool, setting.mentions)
    credited = {each.invoice.credits for each in pool if each.invoice.id in named and each.invoice.credits}
    attached = any(_is_attached(each, setting.places) for each in pool)
    for candidate in candidates:
        features = candidate.features
        is_named = candidate.invoice.id in named
        features["bias"] = 1.0
        _mention_features(candidate, setting, rivals, beside_named=bool(named) and not is_named)
        _told_together(candidate, together, credited)
        _ledger_features(candidate, setting, talk)
        _thread_features(candidate, setting, talk, named=is_named)
        goods.add(candidate)
        if named:
            features.update(_among_named(candidate, named, talk))
        elif candidate.group.startswith(("attachment", "quote")):
            features["ours_attached" if setting.mail.direction == "out" else "only_attached"] = 1.0
        elif attached and candidate.group == "pool":
            features["beside_attached"] = 1.0
        if setting.account_id is not None and candidate.invoice.account_id != setting.account_id:
            features["other_account"] = 1.0
    _pool_features(pool, setting, talk)
    add_lead_features(pool, setting.places)
    for candidate in candidates:
        _apart_where_named(candidate)


def _told_together(candidate: Candidate, together: AbstractSet[int], credited: AbstractSet[str]) -> None:
    """What points to an invoice through others: a sum of several, a credit note of it."""
    for name, told, group in (
        ("credited", candidate.invoice.number in credited, "carried"),
        ("in_total", candidate.invoice.id in together, "total"),
    ):
        if told:
            candidate.features[name] = 1.0
            candidate.group = candidate.group if candidate.group != "pool" else f"{group}:{candidate.invoice.id}"


def _among_named(candidate: Candidate, named: AbstractSet[int], talk: Mapping[str, float]) -> dict[str, float]:
    """What it is to be named alone, beside others (perhaps only compared with), or not to be while others are."""
    if candidate.invoice.id not in named:
        return {_beside_named(candidate): 1.0}
    return {"only_named": 1.0} if len(named) == 1 else {"contrasted": talk["contrast"]}


def _apart_where_named(candidate: Candidate) -> None:
    """
    Where a number or a reference is given, the ledger's hints weigh otherwise than where they are all there is: they
    become features of their own (`age@n`), and what only ranks the unnamed is left out.
    """
    features = candidate.features
    if candidate.regime not in {"alone", "listed", "several"}:
        return
    for name in _OF_THE_POOL:
        features.pop(name, None)
    for name in _OF_ITSELF:
        if name in features:
            features[f"{name}@n"] = features.pop(name)


def _beside_named(candidate: Candidate) -> str:
    """What it is not to be named while another invoice is: less for one attached than for one only carried along."""
    if candidate.group.startswith(("attachment", "quote")):
        return "attached_beside_named"
    return "carried_beside_named" if candidate.group.startswith("carried") else "beside_named"


def _span(hit: Hit) -> tuple[str, int, int, str]:
    return (hit.section.source, hit.start, hit.end, hit.what if hit.rank <= 1 else str(hit.rank))


def _is_named(candidate: Candidate, at: Mapping[str, str]) -> bool:
    """Whether the new text itself names this invoice by a number, a reference or its total."""
    return any(
        not at[hit.section.source]
        and not hit.inside
        and (hit.rank > WEAK_BEYOND or hit.what in _NAMING or (hit.what in _ENDS and hit.cue == "invoice"))
        for hit in candidate.hits
    )


def _is_attached(candidate: Candidate, at: Mapping[str, str]) -> bool:
    """Whether a file, a forward or a quote names this invoice by its whole number or a reference."""
    return any(at[hit.section.source] and hit.rank >= RANKS["compact"] and not hit.inside for hit in candidate.hits)


def _best_hits(candidate: Candidate, at: Mapping[str, str]) -> dict[tuple[str, str], Hit]:
    """The best hit of each kind (number, reference, sum, day) at each place."""
    best: dict[tuple[str, str], Hit] = {}
    for hit in candidate.hits:
        key = (_kind(hit), at[hit.section.source])
        if key not in best or _better(hit, best[key]):
            best[key] = hit
    return best


def _placed(kind: str, where: str, hit: Hit, *, beside_named: bool) -> dict[str, float]:
    """The features of one mention: attached and forwarded ones weigh as new ones, less what their place takes."""
    if where in {"a", "f"}:
        return {} if kind == "day" else {hit.what: 1.0, f"{kind}@{where}": 1.0}
    at = "o" if beside_named and where in {"q", "r"} else where
    return {f"{hit.what}@{at}" if at else hit.what: 1.0}


def _kind(hit: Hit) -> str:
    if hit.what in NUMBER_KINDS:
        return "num"
    return "ref" if hit.what in REFERENCE_KINDS else "sum" if hit.rank else "day"


def _mention_features(
    candidate: Candidate, setting: Setting, rivals: Counter[tuple[str, int, int, str]], *, beside_named: bool
) -> None:
    """
    The best mention of each kind at each place; kinds of one place exclude each other, places add up.

    What is only quoted counts as `@o`, old news, where the new text names another invoice.
    """
    features = candidate.features
    best = _best_hits(candidate, setting.places)
    for (kind, where), hit in best.items():
        features.update(_placed(kind, where, hit, beside_named=beside_named))
        count = rivals[_span(hit)]
        if count > 1 and hit.rank and hit.what not in {"range", "typo"}:
            name = f"{kind}_rivals"
            features[name] = max(features.get(name, 0.0), math.log2(count))
    if candidate.group == "pool" and any(hit.what in _OF_SEVERAL and not where for (_, where), hit in best.items()):
        candidate.group = f"day:{candidate.invoice.id}"
    _number_features(best, features, candidate)


_SUM_ORDER = {
    "total": 9,
    "balance": 8,
    "total_bare": 7,
    "balance_bare": 6,
    "net": 6,
    "rounded": 5,
    "paid": 4,
    "half": 3,
    "issued_all": 6,
    "issued_named": 6,
    "issued": 5,
    "due_all": 4,
    "due_named": 4,
    "due": 3,
    "month_all": 2,
    "month_named": 2,
    "month": 1,
}


def _better(hit: Hit, other: Hit) -> bool:
    return _worth(hit) > _worth(other)


def _worth(hit: Hit) -> tuple[int, int, bool, bool, bool]:
    return (hit.rank, _SUM_ORDER.get(hit.what, 0), not hit.inside, hit.letters, hit.cue == "invoice")


def _number_features(best: dict[tuple[str, str], Hit], features: dict[str, float], candidate: Candidate) -> None:
    """How the number is written where it counts most: new text, else attachment or forward."""
    for where in ("", "a", "f"):
        hit = best.get(("num", where)) or best.get(("ref", where)) or best.get(("sum", where))
        if hit is not None and _tells(hit):
            candidate.group = _group(hit, candidate)
            break
    numbers = [best["num", where] for where in _PLACES if ("num", where) in best]
    if numbers:
        features["inside"] = float(numbers[0].inside)
        features["folded"] = float(numbers[0].folded)
    if ("num", "") in best:
        hit = best["num", ""]
        sums = best.get(("sum", ""))
        features["number_and_sum"] = float(sums is not None and sums.what in _TELLING_SUMS)
        features["wrong_cue"] = float(hit.cue not in {"", "invoice"})
        if hit.what not in _WHOLE:  # a number written whole says no more for its letters, nor for the word before it
            features["cue"] = float(hit.cue == "invoice")
            features["typo_letters" if hit.what == "typo" else "letters"] = float(hit.letters)
        features["wrong_letters"] = float(hit.wrong_letters)
        if len({each.section.source for each in candidate.hits if each.what in NUMBER_KINDS} & {"subject", "new"}) > 1:
            features["subject_too"] = 1.0
    _beside_features(best, features)


def _beside_features(best: Mapping[tuple[str, str], Hit], features: dict[str, float]) -> None:
    """What stands beside a number or reference and agrees with the same invoice: its day, its letters."""
    day, named = best.get(("day", "")), best.get(("num", "")) or best.get(("ref", ""))
    if named is not None and day is not None and day.what.startswith("issued"):
        features["number_and_day"] = 1.0
    reference = best.get(("ref", ""))
    if reference is not None and reference.letters:
        features["ref_letters"] = 1.0


def _tells(hit: Hit) -> bool:
    """Whether a mention is enough to be meant by: a date or a rounded sum is not."""
    return hit.rank > 1 or hit.what in _TELLING_SUMS


def _group(hit: Hit, candidate: Candidate) -> str:
    """The mention a candidate competes for. A range means all it spans, a reversal its invoice and its credit note."""
    apart = f":{candidate.invoice.id}" if hit.what == "range" else ":credit" if candidate.invoice.gross < 0 else ""
    return f"{hit.section.source}:{hit.start}{apart}"


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
    features["credit_unnumbered"] = credit * float(not _numbers(candidate))
    if not _numbers(candidate):
        features["unnumbered"] = 1.0
        if not candidate.group.startswith(("new", "subject")):  # what is named by its sum is meant, whatever the talk
            features["ledger_talk"] = talk["ledger"]
            features["master_data_talk"] = talk["master"]


def _thread_features(candidate: Candidate, setting: Setting, talk: dict[str, float], *, named: bool) -> None:
    """What the thread of the headers says; those carried along by thread or quote do not compete with each other."""
    features, invoice, thread = candidate.features, candidate.invoice, setting.thread
    if thread.invoice_ids:
        inside = invoice.id in thread.invoice_ids
        name = ("thread" if inside else "off_thread") + ("_named" if named else "")
        features[name] = 1.0
        features[f"{name}_changed"] = talk["other"]
        features["thread_reply"] = float(invoice.id in thread.replied_to)
        features["thread_size"] = math.log2(len(thread.invoice_ids)) if inside else 0.0
    if candidate.group == "pool" and ("thread" in features or any(map(_tells, candidate.hits))):
        candidate.group = f"carried:{invoice.id}"
    _discussed_features(candidate, setting)


def _discussed_features(candidate: Candidate, setting: Setting) -> None:
    features, invoice = candidate.features, candidate.invoice
    for rank, talk in enumerate(setting.discussed):
        if talk.invoice_id == invoice.id:
            days = (setting.mail.sent_at - talk.sent_at).days
            features["discussed"] = 1.0
            features["discussed_first"] = float(rank == 0)
            features["discussed_days"] = min(math.log2(1 + days / 7), 4.0)
            features["discussed_by"] = float(talk.from_email == setting.mail.from_email)
            break
    said = [talk.text for talk in setting.discussed if talk.invoice_id == invoice.id and talk.text]
    features["discussed_alike"] = max((_alike(setting, text) for text in said), default=0.0)
    features["discussed_words"] = max((_shared_words(setting, text) for text in said), default=0.0)
    features["discussed_figure"] = float(any(not setting.mentions.figures.isdisjoint(figures(text)) for text in said))


def _alike(setting: Setting, text: str) -> float:
    """How much of the mail's longer words the earlier message shares, 0..1."""
    mine = setting.mentions.stems
    return len(mine & set(stems(text))) / len(mine) if mine else 0.0


def _shared_words(setting: Setting, text: str) -> float:
    """How telling the shared words are (bits, at most 6): those all earlier mails of the account use say nothing."""
    spoken = Counter(stem for each in {talk.text for talk in setting.discussed} for stem in set(stems(each)))
    size = len({talk.text for talk in setting.discussed}) + 1
    shared = setting.mentions.stems & set(stems(text))
    return min(sum(math.log2(size / spoken[stem]) for stem in shared), 12.0) / 2


def _pool_features(pool: Sequence[Candidate], setting: Setting, talk: Mapping[str, float]) -> None:
    """What an invoice is among the account's: the only open one, the newest, the best fit of goods."""
    sent = setting.mail.sent_at.date()
    past = [each for each in pool if each.invoice.issued <= sent]
    owed = [each for each in past if each.invoice.open > 0]
    if len(owed) == 1:
        owed[0].features["only_open"] = 1.0
    for each in sorted(past, key=lambda each: (each.invoice.issued, each.invoice.id))[-1:]:
        each.features["newest"] = 1.0
        each.features["newest_asked"] = talk["latest"]
    ranked = sorted(past, key=lambda each: each.features["goods"], reverse=True)
    if ranked and ranked[0].features["goods"] > 0:
        second = ranked[1].features["goods"] if len(ranked) > 1 else 0.0
        ranked[0].features["goods_lead"] = min(ranked[0].features["goods"] - second, 3.0)
    carried = [each for each in pool if each.group.startswith("carried")]
    pointed = any(each.group.startswith(_POINTED) for each in pool)
    for each in pool:
        if pointed and each.group == "pool" and "beside_named" not in each.features:
            each.features["beside_pointed"] = 1.0
        each.features["pool"] = math.log2(max(len(past), 1)) if each.group == "pool" else 0.0
    for each in carried:
        if "carried_beside_named" not in each.features:
            each.features["quoted_many"] = math.log2(len(carried))
