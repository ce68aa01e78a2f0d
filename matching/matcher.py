"""Match one mail: who it is from or about, which invoices it means, what is sure and what a person must see."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from matching.candidate import Candidate
from matching.facts import (
    AccountChoice,
    AccountQuery,
    Evidence,
    InvoiceFacts,
    InvoiceQuery,
    LedgerIndex,
    LinkDecision,
    LinkState,
    MailFacts,
    MatchDecision,
    MatchPolicy,
    PaymentFacts,
    Reference,
    ThreadFacts,
)
from matching.features import Setting, describe, places
from matching.hits import Hit, Mentions, payment_hits
from matching.identify import AccountCandidate, add_invoice_features, describe_accounts, find_accounts, identity
from matching.mentions import Section, read_mail
from matching.named import Unclaimed, everything, left_by, names_whole
from matching.references import number_keys
from matching.scoring import Weights, bits, calibrated, probabilities

_SHORT = 4
_PAYMENT = 7  # digits from which a number may be a payment's
_MOST_ACCOUNTS = 12
_MOST_KEYS = 400
_POOL = 60
_SURE = 0.98  # an account so probable that no other one's invoices need to be looked through
_TALKS = 12
_FOR, _AGAINST = 6, 3  # terms shown
_TELLING = 0.3  # bits below which a term is not worth showing
_NO_THREAD = ThreadFacts()


@dataclass(frozen=True, slots=True)
class Trial:
    """Everything found out about one mail, before the decision: what is scored, and what the weights are fitted on."""

    mail: MailFacts
    sections: tuple[Section, ...]
    accounts: tuple[AccountCandidate, ...]
    candidates: tuple[Candidate, ...]


def match(
    mail: MailFacts,
    index: LedgerIndex,
    *,
    policy: MatchPolicy,
    weights: Weights,
    thread: ThreadFacts | None = None,
) -> MatchDecision:
    """
    Decide which account and invoices a mail is about.

    `thread` is what the thread its headers point to is already linked to: evidence, never proof. Nothing is written;
    the caller stores the links and their evidence, and asks a person where `review` is set.
    """
    return decide(
        investigate(mail, index, weights=weights, thread=thread or _NO_THREAD), policy=policy, weights=weights
    )


def decide(trial: Trial, *, policy: MatchPolicy, weights: Weights) -> MatchDecision:
    """From the features of every candidate to links, proposals and the question to a person: pure arithmetic."""
    chances = raw_chances(trial, weights)
    account = choose_account(trial, weights, policy)
    sure = account is not None and account.probability >= policy.auto_account
    links = _links(trial, chances, weights, policy, account.id if account and sure else None)
    unsure = any(link.state != "auto" and (link.best_guess or link.probability >= policy.rival) for link in links)
    review = unsure or (account is None and trial.mail.direction != "out")
    return MatchDecision(account, links, review, tuple(_references(trial)), policy)


def raw_chances(trial: Trial, weights: Weights) -> list[float]:
    """The probability of each candidate within its mention, before calibration."""
    return _within_mentions(trial.candidates, [bits(each.features, weights.invoice) for each in trial.candidates])


def investigate(mail: MailFacts, index: LedgerIndex, *, weights: Weights, thread: ThreadFacts) -> Trial:
    """Read, look up, describe: phases of matching up to the features of every candidate."""
    sections = read_mail(mail)
    mentions = Mentions(sections)
    who = identity(mail, sections)
    found = find_accounts(mail, who, index, thread)
    paid = payment_hits(_payments(mail, mentions, index), mentions)
    everywhere = index.invoices(anywhere(mail, mentions, (*thread.invoice_ids, *paid)))
    _add_owners(found, everywhere, mail, index)
    describe_accounts(found, mail, who, sections, thread)
    add_invoice_features(found, everywhere, mentions, paid)
    ranked = _ranked(found, weights)
    pool, within = _look_inside(mail, mentions, index, ranked, everywhere, weights=weights)
    add_invoice_features(found, within, mentions, paid)
    ranked = _ranked(found, weights)
    account_id = ranked[0].account.id if ranked else None
    if account_id is not None and account_id not in pool:
        pool[account_id] = index.pool(account_id, until=mail.sent_at.date(), limit=_POOL)
    setting = Setting(
        mail=mail,
        mentions=mentions,
        thread=thread,
        discussed=index.discussed(account_id, before=mail.sent_at, limit=_TALKS) if account_id is not None else (),
        account_id=account_id,
        accounts=[each.account for each in ranked[:3]],
        paid=paid,
        places=places(sections, mail),
    )
    recent = pool[account_id] if account_id is not None else ()
    credited = _credited(index, mail, [*everywhere, *within], mentions)
    candidates = describe(_with_discussed(index, setting, [*everywhere, *within, *recent, *credited]), setting)
    return Trial(mail, sections, tuple(ranked), tuple(candidates))


def _payments(mail: MailFacts, mentions: Mentions, index: LedgerIndex) -> Sequence[PaymentFacts]:
    """Payments named by a long number that is not called an invoice's."""
    windows = (window for section in mentions.sections for window in section.windows)
    keys = {window.plain for window in windows if len(window.digits) >= _PAYMENT and window.cue != "invoice"}
    return index.payments(sorted(keys)[:_MOST_KEYS], entity_ids=mail.entity_ids) if keys else ()


def anywhere(mail: MailFacts, mentions: Mentions, ids: Sequence[int]) -> InvoiceQuery:
    """Keys that are rare enough to be looked up in the whole ledger."""
    windows = [window for section in mentions.sections for window in section.windows]
    kd = {key for window in windows for key in window.kd if len(window.digits) > _SHORT or key != window.plain}
    kc = {key for window in windows if len(window.digits) > _SHORT for key in window.kc}
    plain = {
        window.plain for window in windows if len(window.digits) > _SHORT or window.cue in {"po", "order", "delivery"}
    }
    references = tuple(sorted(plain))[:_MOST_KEYS]
    return InvoiceQuery(
        entity_ids=mail.entity_ids,
        ids=tuple(dict.fromkeys(ids)),
        kd=tuple(sorted(kd))[:_MOST_KEYS],
        kc=tuple(sorted(kc))[:_MOST_KEYS],
        po=references,
        order=references,
        delivery=references,
    )


def _within(mail: MailFacts, said: Unclaimed, account_ids: Sequence[int]) -> InvoiceQuery:
    """Keys that say something only inside the accounts in question."""
    ks = {window.plain for window in said.windows}
    k4 = {int(window.digits[-_SHORT:]) for window in said.windows}
    k4 |= {
        thousand * 1000 + int(window.digits)
        for window in said.windows
        if len(window.digits) == _SHORT - 1
        for thousand in range(1, 10)
    }
    return InvoiceQuery(
        entity_ids=mail.entity_ids,
        account_ids=tuple(account_ids),
        ks=tuple(sorted(ks))[:_MOST_KEYS],
        k4=tuple(sorted(k4))[:_MOST_KEYS],
        amounts=tuple(Decimal(cents) / 100 for cents in said.cents[:_MOST_KEYS]),
    )


def _add_owners(
    found: dict[int, AccountCandidate], invoices: Iterable[InvoiceFacts], mail: MailFacts, index: LedgerIndex
) -> None:
    """The accounts of invoices found anywhere are candidates too."""
    from_invoices = tuple(dict.fromkeys(each.account_id for each in invoices if each.account_id not in found))
    if from_invoices:
        for account in index.accounts(_by_ids(mail, from_invoices[:40])):
            found[account.id] = AccountCandidate(account)


def _by_ids(mail: MailFacts, ids: tuple[int, ...]) -> AccountQuery:
    return AccountQuery(entity_ids=mail.entity_ids, ids=ids)


def _ranked(found: dict[int, AccountCandidate], weights: Weights) -> list[AccountCandidate]:
    return sorted(found.values(), key=lambda each: (-bits(each.features, weights.account), each.account.id))


def _look_inside(
    mail: MailFacts,
    mentions: Mentions,
    index: LedgerIndex,
    ranked: Sequence[AccountCandidate],
    found: Sequence[InvoiceFacts],
    *,
    weights: Weights,
) -> tuple[dict[int, Sequence[InvoiceFacts]], Sequence[InvoiceFacts]]:
    """
    Invoices that only say something inside an account: those of the account the mail is surely about, else of all in
    question. Where the mail names invoices of it whole, only what else it says is looked up; an account with few
    invoices is looked through whole, which saves the look-up by keys.
    """
    chances = probabilities([bits(each.features, weights.account) for each in ranked[:_MOST_ACCOUNTS]])
    pool: dict[int, Sequence[InvoiceFacts]] = {}
    if not ranked:
        return pool, ()
    ids = [each.account.id for each in ranked[:_MOST_ACCOUNTS]]
    if chances[0] >= _SURE:
        ids = ids[:1]
        left = left_by((each for each in found if each.account_id == ids[0]), mentions)
        if left is not None:
            return {ids[0]: ()}, index.invoices(_within(mail, left, ids))
        pool[ids[0]] = index.pool(ids[0], until=mail.sent_at.date(), limit=_POOL)
        if len(pool[ids[0]]) < _POOL:
            return pool, pool[ids[0]]
    return pool, index.invoices(_within(mail, everything(mentions), ids))


def _credited(
    index: LedgerIndex, mail: MailFacts, found: Iterable[InvoiceFacts], mentions: Mentions
) -> Sequence[InvoiceFacts]:
    """The invoices that the credit notes named take back: who asks after a credit note means its invoice as well."""
    numbers = {each.credits for each in found if each.credits and names_whole(each, mentions)}
    kd = {key for number in numbers if (key := number_keys(number).kd) is not None}
    if not kd:
        return ()
    rows = index.invoices(InvoiceQuery(entity_ids=mail.entity_ids, kd=tuple(sorted(kd))[:_MOST_KEYS]))
    return [each for each in rows if each.number in numbers]


def _with_discussed(index: LedgerIndex, setting: Setting, found: Sequence[InvoiceFacts]) -> list[InvoiceFacts]:
    """What was found, and the invoices the account's last mails were about: a mail may name none of them."""
    every = {each.id: each for each in found}
    missing = tuple(talk.invoice_id for talk in setting.discussed if talk.invoice_id not in every)
    if missing:
        query = InvoiceQuery(entity_ids=setting.mail.entity_ids, ids=missing)
        every.update({each.id: each for each in index.invoices(query)})
    return list(every.values())


def _within_mentions(candidates: Sequence[Candidate], scores: Sequence[float]) -> list[float]:
    """Probabilities: the candidates of one mention compete, different mentions are independent."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, candidate in enumerate(candidates):
        groups[candidate.group].append(number)
    chances = [0.0] * len(candidates)
    for members in groups.values():
        for number, chance in zip(members, probabilities([scores[each] for each in members]), strict=True):
            chances[number] = chance
    return chances


def choose_account(trial: Trial, weights: Weights, policy: MatchPolicy) -> AccountChoice | None:
    """The account the mail is most likely about; None where no one is likelier than `policy.account`."""
    scores = [bits(each.features, weights.account) for each in trial.accounts]
    chance = max(probabilities(scores), default=0.0)
    if chance < policy.account:
        return None
    best = trial.accounts[scores.index(max(scores))]
    evidence = [
        Evidence(name, *best.seen[name], round(value * weights.account.get(name, 0.0), 2), best.account.number)
        for name, value in best.features.items()
        if name != "bias" and value * weights.account.get(name, 0.0) > 0
    ]
    strongest = sorted(evidence, key=lambda each: -each.bits)
    return AccountChoice(best.account.id, round(chance, 4), tuple(strongest[:5]))


def _links(
    trial: Trial, chances: Sequence[float], weights: Weights, policy: MatchPolicy, account_id: int | None
) -> tuple[LinkDecision, ...]:
    """Automatic where sure, proposals for the rest; an invoice of another account than the sender's never is.

    Whether it is the best guess compares what was measured within one mention, whether it is sure what is calibrated.
    """
    rivals = _rivals(trial.candidates, chances)
    none = _nones(trial.candidates, chances)
    sure = [_calibrated(*each, weights) for each in zip(trial.candidates, chances, strict=True)]
    crowd = _carried_beside(trial.candidates, chances, policy)
    links: list[LinkDecision] = []
    proposed = 0
    for number in sorted(range(len(chances)), key=lambda each: -sure[each]):
        chance, rival, candidate = sure[number], rivals[number], trial.candidates[number]
        alone = rival < policy.rival and not (crowd and candidate.regime == "carried")
        auto = chance >= policy.auto and alone and candidate.invoice.account_id == account_id
        best = chances[number] >= max(rival, none[candidate.group], policy.guess)
        proposed += not (auto or best)
        if auto or best or (chance >= policy.shown and proposed <= policy.proposals):
            links.append(_link(candidate, chance, rival, weights, state="auto" if auto else "propose", best=best))
    return tuple(links)


def _calibrated(candidate: Candidate, chance: float, weights: Weights) -> float:
    pair = weights.calibration.get(candidate.regime)
    return calibrated(chance, pair) if pair else chance


def _carried_beside(candidates: Sequence[Candidate], chances: Sequence[float], policy: MatchPolicy) -> bool:
    """Whether several invoices are only carried along: which of them the writer means is for a person to say."""
    likely = (
        chance >= policy.rival and each.regime == "carried" for each, chance in zip(candidates, chances, strict=True)
    )
    return sum(likely) > 1


def _link(
    candidate: Candidate, chance: float, rival: float, weights: Weights, *, state: LinkState, best: bool
) -> LinkDecision:
    return LinkDecision(
        invoice_id=candidate.invoice.id,
        probability=round(chance, 4),
        state=state,
        evidence=tuple(_evidence(candidate, weights)),
        runner_up=round(rival, 4),
        margin=round(chance - rival, 4),
        best_guess=best,
        unnamed=candidate.regime == "pool",
    )


def _nones(candidates: Sequence[Candidate], chances: Sequence[float]) -> dict[str, float]:
    """For each mention the probability that none of its candidates is meant."""
    none: dict[str, float] = defaultdict(lambda: 1.0)
    for candidate, chance in zip(candidates, chances, strict=True):
        none[candidate.group] -= chance
    return none


def _rivals(candidates: Sequence[Candidate], chances: Sequence[float]) -> list[float]:
    """For each candidate the best probability of another one of its mention: two passes, never all pairs."""
    best: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for candidate, chance in zip(candidates, chances, strict=True):
        best[candidate.group] = sorted([*best[candidate.group], chance], reverse=True)[:2]
    return [
        best[candidate.group][1] if chance == best[candidate.group][0] else best[candidate.group][0]
        for candidate, chance in zip(candidates, chances, strict=True)
    ]


def _evidence(candidate: Candidate, weights: Weights) -> Iterator[Evidence]:
    """The largest terms for and against, each with its place in the original text."""
    features = candidate.features.items()
    shares = [(name, value * weights.invoice.get(name, 0.0)) for name, value in features if name != "bias"]
    shares.sort(key=lambda item: -item[1])
    telling = [*shares[:_FOR], *(item for item in shares[_FOR:][-_AGAINST:] if item[1] < 0)]
    for name, share in telling:
        if abs(share) >= _TELLING:
            what = name.partition("@")[0]
            yield _shown(name, share, next((hit for hit in candidate.hits if hit.what == what), None), candidate)


def _shown(name: str, share: float, hit: Hit | None, candidate: Candidate) -> Evidence:
    if hit is None:
        source = "thread" if name.startswith(("thread", "discussed")) else "ledger"
        return Evidence(name, source, 0, 0, "", round(share, 2), candidate.invoice.number)
    start, end = hit.section.cleaned.original(hit.start, hit.end)
    text = hit.section.text[hit.start : hit.end]
    return Evidence(name, hit.section.source, start, end, text, round(share, 2), candidate.invoice.number)


def _references(trial: Trial) -> Iterator[Reference]:
    """The strings that named a document, once each."""
    seen = set()
    for candidate in trial.candidates:
        for hit in candidate.hits:
            key = (hit.section.source, hit.start, hit.end)
            if hit.rank > 1 and key not in seen:
                seen.add(key)
                start, end = hit.section.cleaned.original(hit.start, hit.end)
                yield Reference(hit.what, hit.section.text[hit.start : hit.end], hit.section.source, start, end)
