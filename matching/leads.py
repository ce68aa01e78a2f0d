"""What several numbers in one mail say of each other: the subject's leads, those of a list are all meant."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from matching.candidate import Candidate
from matching.hits import RANKS, Hit
from matching.mentions import OWN_WORDS
from matching.windows import goes_on_listing

WEAK_BEYOND = 4
"""Ranks above are numbers that stand for themselves."""

_LEAST = 3
"""The least rank of what may be a number's end."""

_SIGNS = frozenset("/-+")
_PREFIX_SIGNS = " .:°#/_-"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def add_lead_features(pool: Sequence[Candidate], at: Mapping[str, str]) -> None:
    """What the subject names is what a mail is about; a number beside it in the text is often only a comparison."""
    own = {each.invoice.id: _own_numbers(each, at) for each in pool}
    leads = {number for number, hits in own.items() if any(hit.section.source == "subject" for hit in hits)}
    several = sum(map(bool, own.values())) > 1
    for each in pool:
        hits = own[each.invoice.id]
        each.features["beside_subject"] = float(bool(hits and leads) and each.invoice.id not in leads)
        each.features["one_of_many"] = float(bool(hits) and several and not leads)
    for each in _listed(pool, own):
        each.features["listed"] = 1.0


def _unprefixed(gap: str) -> str:
    """A gap without the letters of the number behind it (", INV-")."""
    return gap.rstrip(_PREFIX_SIGNS).rstrip(_LETTERS)


def _listed(pool: Sequence[Candidate], own: Mapping[int, Sequence[Hit]]) -> Iterator[Candidate]:
    """Those whose number stands in a list beside another one's ("1201, 1202 and 1205"): all of a list are meant."""
    for one, other, _ in _neighbours((hit, each) for each in pool for hit in own[each.invoice.id]):
        yield from (each for _, each in (*one, *other))


_Place = Sequence[tuple[Hit, Candidate]]
"""What is named by one span of a text."""


def _neighbours(named: Iterable[tuple[Hit, Candidate]]) -> Iterator[tuple[_Place, _Place, bool]]:
    """Spans that follow each other in a list, and whether only a sign parts them (325/326, 656-671)."""
    places: dict[tuple[str, int, int], list[tuple[Hit, Candidate]]] = defaultdict(list)
    for hit, each in named:
        places[hit.section.source, hit.start, hit.end].append((hit, each))
    for (left, one), (right, other) in pairwise(sorted(places.items(), key=lambda item: item[0])):
        gap = one[0][0].section.text[left[2] : right[1]]
        if left[0] != right[0] or left[2] > right[1] or {id(each) for _, each in one} & {id(each) for _, each in other}:
            continue
        signed = gap.strip() in _SIGNS and one[0][0].length == other[0][0].length
        if signed or goes_on_listing(gap) or goes_on_listing(_unprefixed(gap)):
            yield one, other, signed


def open_lists(pool: Sequence[Candidate], at: Mapping[str, str]) -> None:
    """
    Numbers of a list that only signs part (325/326) stand for themselves, not inside a longer one; ends of numbers in
    a list bear each other out (`listed_end`); the ends of a range are named by the range.
    """
    for each in pool:
        spans = [hit for hit in each.hits if hit.what == "range"]
        each.hits = [
            hit for hit in each.hits if hit.what == "range" or not any(_is_end_of(hit, span) for span in spans)
        ]
    ends = [(hit, each) for each in pool for hit in each.hits if not at[hit.section.source] and hit.rank >= _LEAST]
    for one, other, signed in list(_neighbours(ends)):
        for hit, each in (*one, *other):
            if hit.rank <= WEAK_BEYOND:
                each.features["listed_end"] = 1.0
            if signed and hit.inside and hit in each.hits:
                each.hits[each.hits.index(hit)] = replace(hit, inside=False)


def _is_end_of(hit: Hit, span: Hit) -> bool:
    """Whether a mention is only one end of a range: the range says more."""
    return hit.section is span.section and hit.inside and span.start <= hit.start and hit.end <= span.end


def _own_numbers(candidate: Candidate, at: Mapping[str, str]) -> list[Hit]:
    """Its numbers and references in the sender's own words; in the subject only those that stand for themselves."""
    return [
        hit
        for hit in candidate.hits
        if not at[hit.section.source]
        and not hit.inside
        and hit.rank > (RANKS["grown"] if hit.section.source == "subject" else WEAK_BEYOND)
        and hit.section.source in OWN_WORDS
    ]
