"""Whether a mail says itself which invoices it means: then what it names is looked at, not all its sender owes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matching.facts import InvoiceFacts
from matching.hits import RANKS, SURE_REFERENCE, Hit, Mentions, known, number_hits, reference_hits
from matching.mentions import OWN_WORDS
from matching.references import is_year
from matching.windows import Window

_NOTHING = frozenset[int]()
_FEWEST_DIGITS = 4  # of a number that nothing claims and that may be an invoice's with a slip


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """What is left to be looked up inside the account: numbers and sums (cents) no named invoice accounts for."""

    windows: tuple[Window, ...]
    cents: tuple[int, ...]


def everything(mentions: Mentions) -> Unclaimed:
    """All numbers and sure sums of a mail."""
    windows = tuple(window for section in mentions.sections for window in section.windows)
    return Unclaimed(windows, _sure_sums(mentions))


def left_by(named: Iterable[InvoiceFacts], mentions: Mentions) -> Unclaimed | None:
    """
    What a mail mentions beside these invoices of its account, which were found by rare keys.

    None where the writer's own words name none of them whole, span a range, or hold a number that may be another one
    with a slip: then the account's invoices have to be looked through.
    """
    if mentions.ranges:
        return None
    taken: dict[str, set[int]] = defaultdict(set)
    sums: set[int] = set()
    for invoice in named:
        hits = _whole(invoice, mentions)
        for hit in hits:
            taken[hit.section.source].update(range(hit.start, hit.end))
        if hits:
            sums.update(cents for _, cents in known(invoice).sums)
    if OWN_WORDS.isdisjoint(taken):
        return None
    free = [
        (section, window)
        for section in mentions.sections
        for window in section.windows
        if taken.get(section.source, _NOTHING).isdisjoint(range(window.start, window.end))
    ]
    if any(section.source in OWN_WORDS and may_be_mistyped(window) for section, window in free):
        return None
    cents = tuple(value for value in _sure_sums(mentions) if value not in sums)
    return Unclaimed(tuple(window for _, window in free), cents)


def may_be_mistyped(window: Window) -> bool:
    """Whether a number looks like an invoice's: long enough, called one or with letters before it."""
    long_enough = len(window.digits) >= _FEWEST_DIGITS and not is_year(window.digits)
    return long_enough and (window.cue == "invoice" or bool(window.letters)) and not window.grown


def names_whole(invoice: InvoiceFacts, mentions: Mentions) -> bool:
    """Whether the writer's own words name an invoice by its whole number or a reference of its."""
    return any(hit.section.source in OWN_WORDS for hit in _whole(invoice, mentions))


def _whole(invoice: InvoiceFacts, mentions: Mentions) -> Sequence[Hit]:
    """Where an invoice is named by its whole number, or by an order or delivery note long enough to be no chance."""
    of = known(invoice)
    numbers = [hit for hit in number_hits(of, mentions) if hit.rank >= RANKS["compact"] and not hit.inside]
    return [*numbers, *(hit for hit in reference_hits(of, mentions) if hit.rank >= SURE_REFERENCE)]


def _sure_sums(mentions: Mentions) -> tuple[int, ...]:
    return tuple(sorted(cents for cents, found in mentions.amounts.items() if any(each.sure for _, each in found)))
