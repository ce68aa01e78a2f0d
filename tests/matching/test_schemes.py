"""Numbers of eleven schemes nobody configured, written in ten ways: found in the account, and linked right."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from matching.facts import MatchPolicy
from matching.matcher import match
from matching.scoring import default_weights
from tests.matching.schemes import SCHEMES, Written, ledger, mails

FLOORS = {"blank inside": 0.5, "serial alone": 0.7, "zeros dropped": 0.35, "letter O": 0.85, "blanks for signs": 0.85}
"""Ways that lose what tells the number apart; all others are found always. Small serials (3, 12) name nothing alone."""


def outcomes(scheme: str) -> Iterator[tuple[Written, frozenset[int], frozenset[int]]]:
    """Each mail with what is likely and what is linked by itself."""
    index = ledger(scheme)
    for written in mails(scheme):
        decision = match(written.mail, index, policy=MatchPolicy(), weights=default_weights())
        likely = frozenset(link.invoice_id for link in decision.likely)
        yield written, likely, frozenset(link.invoice_id for link in decision.links if link.state == "auto")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_are_found_however_they_are_made_and_written(scheme: str) -> None:
    found: dict[str, list[bool]] = defaultdict(list)
    automatic: dict[str, list[bool]] = defaultdict(list)
    wrong = 0
    for written, likely, auto in outcomes(scheme):
        found[written.way].append(likely == written.meant)
        automatic[written.way].append(auto == written.meant)
        wrong += len(auto - written.meant)
    share = {way: sum(right) / len(right) for way, right in found.items()}
    assert not {way: one for way, one in share.items() if one < FLOORS.get(way, 0.9)}
    assert sum(automatic["as printed"]) == len(automatic["as printed"])
    assert wrong <= 4, "of more than 500 mails"
