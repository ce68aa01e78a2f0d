"""What a mail is about that names nothing: the invoices of the case it joins. Pure.

A chaser ("any news?") and a short answer tell their invoice by their case alone; threading found that case by more
than invoices (headers, words, people, time), so what the case is surely about is the best guess there is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from disputes.reading import Understanding
from disputes.threading import Candidate, ThreadDecision
from matching.facts import Evidence, LinkDecision, MatchDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryPolicy:
    """`case`: the least probability of a case a person is only asked about, and `lead` how many times likelier it is
    than the next; `invoice`: how surely the case is about an invoice; a case of more than `most` tells nothing.
    `reason`: how surely a mail must ask for something of the account, such as a statement, not to be of an invoice.
    """

    case: float = 0.2
    lead: float = 1.5
    invoice: float = 0.5
    most: int = 12
    reason: float = 0.6


_OF_THE_ACCOUNT = frozenset({"statement", "bank_details", "account_update", "other_query"})


def without_guesses(match: MatchDecision, meant: Understanding, policy: CarryPolicy) -> MatchDecision:
    """The match without guesses at an invoice, where a mail that names none is about the account as a whole."""
    if not asks_of_account(meant, policy):
        return match
    links = tuple(
        replace(link, state="propose", best_guess=False, probability=min(link.probability, match.policy.guess))
        if link.unnamed
        else link
        for link in match.links
    )
    return match if links == match.links else replace(match, links=links, review=_asks(match, links))


def asks_of_account(meant: Understanding, policy: CarryPolicy) -> bool:
    """Whether a mail wants something that is of the account, not of an invoice of it."""
    return meant.reason in _OF_THE_ACCOUNT and meant.confidence >= policy.reason


def _asks(match: MatchDecision, links: Sequence[LinkDecision]) -> bool:
    return match.account is None or any(link.state != "auto" for link in links if link.best_guess)


def carry(
    match: MatchDecision,
    decision: ThreadDecision,
    cases: Sequence[Candidate],
    policy: CarryPolicy,
    *,
    of_account: bool = False,
) -> MatchDecision:
    """The match with the case's invoices added, where the mail itself means none; else the match as it is.

    A guess at what the account most likely means gives way to what the case it joins is about. Where the mail itself
    points to another invoice, however faintly, a person is asked.
    What is asked `of_account`, such as a statement, is of a case's invoices only where it surely belongs to the case.
    """
    found = _case_of(decision, policy)
    joins = decision.action == "join"
    means_some = bool(match.likely) and not (joins and all(link.unnamed for link in match.likely))
    if means_some or found is None or (of_account and not joins):
        return match
    case_id, chance = found
    case = next((one for one in cases if one.case_id == case_id), None)
    about = _about(case.matter.invoices, policy) if case else {}
    if not about:
        return match
    own = match.account is not None and case is not None and match.account.id == case.account_id
    sure = own and match.account is not None and match.account.probability >= match.policy.auto_account
    sure = sure and not any(link.invoice_id not in about and not link.unnamed for link in match.links)
    links = {link.invoice_id: replace(link, best_guess=False, state="propose") for link in match.links}
    for invoice_id, p in about.items():
        links[invoice_id] = _carried(links.get(invoice_id), invoice_id, chance * p, match, sure=sure)
    ranked = sorted(links.values(), key=lambda link: (-link.probability, link.invoice_id))
    return replace(match, links=tuple(ranked), review=any(link.state != "auto" for link in ranked if link.best_guess))


def _case_of(decision: ThreadDecision, policy: CarryPolicy) -> tuple[int, float] | None:
    """The case the mail joins, or the one it most likely belongs to, with its probability."""
    if decision.action == "join" and decision.case_id is not None:
        return decision.case_id, decision.probability
    if not decision.proposals:
        return None
    first, *others = decision.proposals
    second = others[0].probability if others else 0.0
    clear = first.probability >= max(policy.case, policy.lead * second)
    return (first.case_id, first.probability) if clear else None


def _about(invoices: Mapping[int, float], policy: CarryPolicy) -> dict[int, float]:
    likely = {one: p for one, p in invoices.items() if p >= policy.invoice}
    return likely if len(likely) <= policy.most else {}


def _carried(
    standing: LinkDecision | None, invoice_id: int, chance: float, match: MatchDecision, *, sure: bool
) -> LinkDecision:
    bits = math.log2(max(chance, 0.01) / max(1 - chance, 0.01))
    evidence = (
        Evidence("case", "thread", 0, 0, "", round(max(bits, 0.5), 2)),
        *(standing.evidence if standing else ()),
    )
    auto = sure and chance >= match.policy.auto
    return LinkDecision(
        invoice_id=invoice_id,
        probability=round(chance, 4),
        state="auto" if auto else "propose",
        evidence=evidence,
        best_guess=True,
    )
