"""No mail makes matching slow or wrong beyond bounds (issue 5, line 7). Processor time, not the clock on the wall."""

import time
from datetime import timedelta
from random import Random

import pytest

from matching.facts import MatchDecision
from matching.memory import MemoryIndex
from tests.matching.ledger import BAKER, BAKERS, INVOICES, a_mail, decide, the_accounts, the_invoices

ONE = BAKERS[7]
CHANCE = Random(7)  # noqa: S311 - invented mails, no secret
SECONDS = 3.0  # of the processor: twenty times what such a mail takes, for slow machines


def timed(text: str, index: MemoryIndex | None = None, **parts: str) -> MatchDecision:
    started = time.process_time()
    decision = decide(a_mail("question", text, **parts), index=index)
    assert time.process_time() - started < SECONDS
    return decision


def automatic(decision: MatchDecision) -> list[int]:
    return [link.invoice_id for link in decision.links if link.state == "auto"]


DIGITS = "".join(str(CHANCE.randrange(10)) for _ in range(100_000))
MONSTERS = {
    "one run of digits": DIGITS,
    "digits in lines": "\n".join(DIGITS[at : at + 70] for at in range(0, len(DIGITS), 70)),
    "digits in pairs": " ".join(DIGITS[at : at + 2] for at in range(0, len(DIGITS), 2)),
    "digits and dashes": "-".join(DIGITS[at : at + 3] for at in range(0, len(DIGITS), 3)),
    "digits and commas": ",".join(DIGITS[at : at + 5] for at in range(0, len(DIGITS), 5)),
    "look-alike letters": "O0l1I" * 20_000,
    "only plus signs": "+" * 100_000,
    "5,000 references": ", ".join(f"ref XQ-{CHANCE.randrange(10**8, 10**9)}" for _ in range(5_000)),
}


@pytest.mark.parametrize("monster", MONSTERS)
def test_floods_of_digits_are_read_in_bounded_time_and_link_nothing(monster: str) -> None:
    assert automatic(timed(MONSTERS[monster])) == []
    assert automatic(timed("see below", quoted_text=MONSTERS[monster])) == []


def test_a_flood_hides_no_number_said_before_it() -> None:
    decision = timed(f"Invoice {ONE.number} is wrong.\n\n{MONSTERS['5,000 references']}")
    assert ONE.id in {link.invoice_id for link in decision.likely}


@pytest.mark.parametrize("text", ["invoices 1 to 1000000000", "LU26-00000 to LU26-99999", "invoices 0000-9999999999"])
def test_ranges_of_a_billion_mean_nothing(text: str) -> None:
    assert automatic(timed(text)) == []


def test_a_range_links_no_more_than_the_accounts_own() -> None:
    first, last = BAKERS[0], BAKERS[-1]
    decision = timed(f"invoices {first.number} to {last.number} please")
    assert {INVOICES[link.invoice_id].account_id for link in decision.likely} <= {BAKER}


def test_a_number_of_thousands_of_invoices_links_none_by_itself() -> None:
    alike = [
        each._replace(
            id=10_000 + n, number=f"{each.number[:5]}0187", account_id=BAKER, due=ONE.issued + timedelta(n % 9)
        )
        for n, each in enumerate(the_invoices() * 100)
    ]
    crowded = MemoryIndex(the_accounts(), alike, [])
    decision = timed("invoice 0187 is wrong", crowded)
    assert automatic(decision) == []
    assert len(decision.links) <= 25


def test_an_amount_of_thousands_of_invoices_links_none_by_itself() -> None:
    alike = [each._replace(id=20_000 + n, gross=ONE.gross, open=ONE.gross) for n, each in enumerate(BAKERS * 100)]
    decision = timed(f"we dispute {ONE.gross} EUR", MemoryIndex(the_accounts(), alike, []))
    assert automatic(decision) == []


def test_thousands_of_sums_are_added_up_once() -> None:
    sums = ", ".join(f"{place},{place % 90 + 10:02} EUR" for place in range(700, 4_700))
    assert automatic(timed(f"we paid {sums} in all")) == []
