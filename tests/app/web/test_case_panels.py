"""The money of a case as it is shown: its parts are the whole, whatever moved."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.web.case_panels import share
from disputes.dispute_money import Tally

amounts = st.decimals(min_value=0, max_value=10**7, places=2)


@given(amounts, amounts, amounts, amounts, amounts)
def test_the_parts_of_disputed_money_are_the_whole(
    still: Decimal, credited: Decimal, paid: Decimal, written_off: Decimal, withdrawn: Decimal
) -> None:
    disputed = still + credited + paid + written_off + withdrawn
    shown = share(
        "EUR",
        Tally(disputed=disputed, credited=credited, paid=paid, written_off=written_off, withdrawn=withdrawn),
    )
    assert sum((part.amount for part in shown.parts), Decimal(0)) == shown.disputed == disputed
    assert shown.still == still
    assert all(part.amount > 0 for part in shown.parts)
    assert sum(part.width for part in shown.parts) <= 100.1
    for before, after in zip(shown.parts, shown.parts[1:], strict=False):
        assert abs(before.start + before.width - after.start) < 0.02
