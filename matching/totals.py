"""Sums of several invoices: "we owe you 7,102.22 in all" names none of them and means them all."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import accumulate, combinations

from matching.candidate import Candidate
from matching.hits import Mentions
from matching.mentions import OWN_WORDS

_MOST = 12  # invoices a sum may stand for
_CROWD = 150  # open invoices beyond which some two of them come to any sum
_SMALLEST = 5_000  # cents: smaller sums are met by chance

_Part = tuple[int, ...]
"""The ids of invoices that are summed up."""


def add_up(pool: Sequence[Candidate], mentions: Mentions) -> frozenset[int]:
    """The ids of an account's invoices that together are a sum the writer states; what one invoice explains is none.

    Tried are what is quoted, all that is open, every run of what is open in order of due dates (the latest three), and
    two that no other two equal. Each sum is worked out once, however many a mail states.
    """
    stated = {
        cents
        for cents, found in mentions.amounts.items()
        if cents >= _SMALLEST and any(amount.sure and section.source in OWN_WORDS for section, amount in found)
    }
    stated -= {cents for each in pool for _, cents in each.known.sums} if stated else set()
    return frozenset(one for part in _parts(pool, stated) for one in part) if stated else frozenset()


def _parts(pool: Sequence[Candidate], stated: set[int]) -> Iterator[_Part]:
    """What comes to each stated sum: the simplest of what does."""
    groups = {**_pairs(pool), **dict(_runs(pool)), **dict(_wholes(pool))}
    return (groups[cents] for cents in stated & groups.keys())


def _wholes(pool: Sequence[Candidate]) -> Iterator[tuple[int, _Part]]:
    quoted = [each for each in pool if any(hit.section.is_quote and hit.rank > 1 for hit in each.hits)]
    for group in (quoted, [each for each in pool if each.invoice.open != 0]):
        if 1 < len(group) <= _MOST:
            yield sum(map(_open, group)), _ids(group)


def _runs(pool: Sequence[Candidate]) -> Iterator[tuple[int, _Part]]:
    owed = sorted((each for each in pool if each.invoice.open > 0), key=_by_due)
    for first in range(len(owed)):
        run = owed[first : first + _MOST]
        for size, cents in enumerate(accumulate(map(_open, run)), 1):
            if size > 1:
                yield cents, _ids(run[:size])


def _pairs(pool: Sequence[Candidate]) -> dict[int, _Part]:
    owed = [(_open(each), each.invoice.id) for each in pool if each.invoice.open > 0]
    if len(owed) > _CROWD:
        return {}
    sums = [(one[0] + other[0], (one[1], other[1])) for one, other in combinations(owed, 2)]
    times = Counter(cents for cents, _ in sums)
    return {cents: pair for cents, pair in sums if times[cents] == 1}


def _ids(group: Sequence[Candidate]) -> _Part:
    return tuple(each.invoice.id for each in group)


def _by_due(each: Candidate) -> tuple[date, int]:
    return each.invoice.due or each.invoice.issued, each.invoice.id


def _open(each: Candidate) -> int:
    return round(each.invoice.open * 100)
