"""What a case is about, what comes next and when, from what was said in it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from disputes.casework import Said, answer_days, claimed_amount, disputed_amount, view_of
from disputes.workdays import due, is_business_day

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def said(day: int, kind: str, reason: str, direction: str = "in", **more: object) -> Said:
    at = MONDAY + timedelta(days=day)
    return Said(sent_at=at, direction=direction, kind=kind, reason=reason, confidence=0.9, **more)  # type: ignore[arg-type] # a table of stories


def test_the_latest_contesting_message_decides() -> None:
    view = view_of([said(0, "dispute", "price"), said(3, "dispute", "quantity"), said(5, "query", "promise_to_pay")])
    assert view is not None
    assert (view.kind, view.reason) == ("dispute", "quantity")


@pytest.mark.parametrize("reason", ["status", "acknowledgement"])
def test_a_chaser_or_an_acknowledgement_never_changes_the_reason(reason: str) -> None:
    view = view_of([said(0, "query", "copy_invoice"), said(3, "query", reason, sentiment="annoyed", urgent=True)])
    assert view is not None
    assert (view.reason, view.sentiment, view.urgent) == ("copy_invoice", "annoyed", True)


def test_our_own_mail_does_not_say_what_the_customer_wants() -> None:
    view = view_of([said(0, "dispute", "price"), said(1, "dispute", "quality", "out")])
    assert view is not None
    assert view.reason == "price"


def test_m16_machines_say_nothing() -> None:
    assert view_of([said(0, "other", "auto_reply")]) is None


def test_flags_gather_over_the_case() -> None:
    view = view_of(
        [said(0, "dispute", "price", flags=("partial",)), said(1, "query", "status", flags=("legal_threat",))]
    )
    assert view is not None
    assert view.flags == ("legal_threat", "partial")


def test_we_answer_a_query_next_day_and_a_dispute_in_two() -> None:
    assert (answer_days("query"), answer_days("dispute")) == (1, 2)


def test_business_days_leave_out_weekends_and_the_countrys_holidays() -> None:
    thursday_before_easter = datetime(2026, 4, 2, 9, tzinfo=UTC)
    assert due(thursday_before_easter, days=1, country="DE").date() == date(2026, 4, 7)
    assert due(thursday_before_easter, days=1, country="FR").date() == date(2026, 4, 3)
    assert due(datetime(2026, 3, 7, 9, tzinfo=UTC), days=0, country=None).date() == date(2026, 3, 9)
    assert is_business_day(date(2026, 4, 3), None)
    assert is_business_day(date(2026, 4, 3), "XX")


@pytest.mark.parametrize(
    ("kind", "open_amount", "disputed"),
    [("dispute", "120.00", "120.00"), ("query", "120.00", "0"), ("dispute", "-50.00", "0"), ("dispute", "0", "0")],
)
def test_what_is_in_dispute_is_what_is_open(kind: str, open_amount: str, disputed: str) -> None:
    assert disputed_amount(kind, Decimal(open_amount)) == Decimal(disputed)


def test_the_customers_own_figure_is_kept_when_there_is_one() -> None:
    gross = Decimal("864.00")
    assert claimed_amount([Decimal("86.40")], gross=gross, open_amount=gross) == Decimal("86.40")
    assert claimed_amount([Decimal("86.40"), Decimal("20.00")], gross=gross, open_amount=gross) is None
    assert claimed_amount([gross], gross=gross, open_amount=gross) is None
