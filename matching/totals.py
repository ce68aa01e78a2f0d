"""Sums of several invoices: "we owe you 7,102.22 in all" names none of them and means them all."""

from collections.abc import Iterator, Sequence
from datetime import date

from matching.candidate import Candidate
from matching.hits import Mentions

_OWN = frozenset({"subject", "new"})
_MOST = 12  # invoices a sum may stand for
_SMALLEST = 5_000  # cents: smaller sums are met by chance


def add_up(pool: Sequence[Candidate], mentions: Mentions) -> frozenset[int]:
    """The ids of an account's invoices that together are a sum the writer states; what one invoice explains is none."""
    stated = {
        cents
        for cents, found in mentions.amounts.items()
        if cents >= _SMALLEST and any(amount.sure and section.source in _OWN for section, amount in found)
    }
    stated -= {cents for each in pool for _, cents in each.known.sums} if stated else set()
    return frozenset(one for cents in stated for one in _parts(pool, cents))


def _parts(pool: Sequence[Candidate], cents: int) -> Sequence[int]:
    """All that is quoted or a run of what is open (all of it, the latest three) if it comes to the sum, else two."""
    for group in _groups(pool):
        if 1 < len(group) <= _MOST and sum(_open(each) for each in group) == cents:
            return [each.invoice.id for each in group]
    pairs = _pairs(pool, cents)
    return pairs[0] if len(pairs) == 1 else ()


def _groups(pool: Sequence[Candidate]) -> Iterator[list[Candidate]]:
    yield [each for each in pool if any(hit.section.is_quote and hit.rank > 1 for hit in each.hits)]
    yield [each for each in pool if each.invoice.open != 0]
    owed = sorted(
        (each for each in pool if each.invoice.open > 0), key=lambda each: (each.invoice.due, each.invoice.id)
    )
    for size in range(min(_MOST, len(owed)), 1, -1):
        for first in range(len(owed) - size + 1):
            yield owed[first : first + size]


def _by_due(each: Candidate) -> tuple[date, int]:
    return each.invoice.due or each.invoice.issued, each.invoice.id


def _pairs(pool: Sequence[Candidate], cents: int) -> list[tuple[int, int]]:
    by_open: dict[int, int] = {}
    found = []
    for each in pool:
        own = _open(each)
        if own > 0:
            if cents - own in by_open:
                found.append((by_open[cents - own], each.invoice.id))
            by_open[own] = each.invoice.id
    return found


def _open(each: Candidate) -> int:
    return round(each.invoice.open * 100)
