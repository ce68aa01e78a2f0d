"""What several numbers in one mail say of each other: the subject's leads, those of a list are all meant."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from matching.candidate import Candidate
from matching.hits import RANKS, Hit
from matching.windows import goes_on_listing

OWN_WORDS = frozenset({"subject", "new"})
"""The sources that the sender wrote for this mail."""

WEAK_BEYOND = 4
"""Ranks above are numbers that stand for themselves."""

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
    spans = sorted(
        {
            (hit.section.source, hit.start, hit.end, each.invoice.id): (hit, each)
            for each in pool
            for hit in own[each.invoice.id]
        }.items()
    )
    for (left, (hit, one)), (right, (_, other)) in pairwise(spans):
        gap = hit.section.text[left[2] : right[1]]
        if (
            left[0] == right[0]
            and left[2] <= right[1]
            and one is not other
            and (goes_on_listing(gap) or goes_on_listing(_unprefixed(gap)))
        ):
            yield one
            yield other


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
