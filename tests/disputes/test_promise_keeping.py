"""Promises judged by payments: kept, partly kept or broken, and never unjustly."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from disputes.promise_keeping import Judged, Money, Promised, PromisePolicy, judge
from disputes.workhours import calendar_of

FRANCE = calendar_of("FR")
FRIDAY = date(2026, 11, 20)
PROMISE = Promised(
    promise_id=1,
    made=date(2026, 11, 16),
    due=FRIDAY,
    currency="EUR",
    amount=Decimal("500.00"),
    invoices=frozenset({"F-1", "F-2"}),
)


def paid(amount: str, day: date = FRIDAY, ref: str = "P1", **allocations: str | None) -> Money:
    put = {number.replace("_", "-"): None if part is None else Decimal(part) for number, part in allocations.items()}
    return Money(ref, day, "EUR", Decimal(amount), put)


def judged(*payments: Money, promise: Promised = PROMISE, today: date = date(2026, 11, 30)) -> Judged:
    return judge([promise], payments, policy=PromisePolicy(), calendar=FRANCE, today=today)[0]


def test_paid_on_the_day_it_is_kept() -> None:
    result = judged(paid("500.00", F_1="500.00"))
    assert (result.state, result.call, result.used) == ("kept", False, (("P1", Decimal("500.00")),))


def test_the_bank_may_take_two_working_days_and_a_little_money() -> None:
    tuesday = date(2026, 11, 24)
    assert judged(paid("499.20", tuesday)).state == "kept"
    assert judged(paid("500.00", tuesday + timedelta(days=1))).state == "broken"


def test_nothing_came_it_is_open_through_the_grace_then_broken_and_somebody_calls() -> None:
    assert judged(today=date(2026, 11, 24)).state == "open"
    broken = judged(today=date(2026, 11, 25))
    assert (broken.state, broken.call, broken.missing) == ("broken", True, Decimal("500.00"))
    assert broken.why == "nothing came by 2026-11-24"


def test_a_part_came_it_is_partly_kept() -> None:
    result = judged(paid("200.00", F_2="200.00"))
    assert (result.state, result.missing, result.call) == ("partly_kept", Decimal("300.00"), True)
    assert judged(paid("200.00", F_2="200.00"), today=FRIDAY).state == "open"


def test_two_payments_keep_one_promise_together() -> None:
    assert judged(paid("200.00", F_1="200.00"), paid("300.00", ref="P2", F_2="300.00")).state == "kept"


def test_money_put_on_other_invoices_or_paid_before_does_not_keep_it() -> None:
    assert judged(paid("500.00", X_9="500.00")).state == "broken"
    assert judged(paid("800.00", X_9="500.00")).received == Decimal("300.00")
    assert judged(paid("500.00", date(2026, 11, 13), F_1="500.00")).state == "broken"
    assert judged(replace(paid("500.00"), currency="USD")).state == "broken"


def test_a_payment_whose_split_the_erp_does_not_tell_counts_if_it_names_an_invoice() -> None:
    assert judged(paid("500.00", F_1=None, X_9=None)).state == "kept"
    assert judged(paid("500.00", X_9=None)).state == "broken"


def test_nothing_left_open_keeps_it_whatever_paid() -> None:
    assert judged(promise=replace(PROMISE, still_open=Decimal(0))).why == "nothing of it is open any more"


def test_a_promise_without_amount_is_kept_by_any_payment_for_it() -> None:
    vague = replace(PROMISE, amount=None)
    assert judged(paid("10.00", F_1="10.00"), promise=vague).state == "kept"
    assert judged(promise=vague).state == "broken"


def test_one_payment_does_not_keep_two_promises() -> None:
    later = replace(PROMISE, promise_id=2, due=FRIDAY + timedelta(days=3))
    payment = paid("600.00", F_1="600.00")
    first, second = judge(
        [later, PROMISE], [payment], policy=PromisePolicy(), calendar=FRANCE, today=date(2026, 12, 9)
    )[::-1]
    assert (first.state, first.received) == ("kept", Decimal("500.00"))
    assert (second.state, second.received) == ("partly_kept", Decimal("100.00"))


DAYS = st.integers(0, 20).map(lambda days: date(2026, 11, 10) + timedelta(days=days))
CENTS = st.integers(1, 100_000).map(lambda cents: Decimal(cents) / 100)
PROMISES = st.lists(
    st.builds(
        Promised,
        promise_id=st.integers(1, 9),
        made=st.just(date(2026, 11, 10)),
        due=DAYS,
        currency=st.sampled_from(["EUR", "USD"]),
        amount=st.none() | CENTS,
        invoices=st.sets(st.sampled_from(["F-1", "F-2"])).map(frozenset),
    ),
    unique_by=lambda one: one.promise_id,
    max_size=4,
)


@st.composite
def payments(draw: st.DrawFn) -> list[Money]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        amount = draw(CENTS)
        share = draw(st.sampled_from([None, amount, amount / 2]))
        named = draw(st.sampled_from(["F-1", "F-2", "X-9"]))
        currency = draw(st.sampled_from(["EUR", "USD"]))
        found.append(Money(f"P{number}", draw(DAYS), currency, amount, {named: share}))
    return found


@given(promises=PROMISES, came=payments(), today=DAYS)
def test_no_cent_counts_twice_and_judgement_follows_the_money(
    promises: list[Promised], came: list[Money], today: date
) -> None:
    results = judge(promises, came, policy=PromisePolicy(), calendar=FRANCE, today=today)
    for payment in came:
        assert sum(part for one in results for ref, part in one.used if ref == payment.reference) <= payment.amount
    for promise, result in zip(promises, results, strict=True):
        assert result.received == sum(part for _, part in result.used)
        assert promise.amount is None or result.received <= promise.amount
        if result.state == "kept":
            assert result.received > 0
            assert result.received >= (promise.amount or Decimal(0)) - 1
        else:
            assert (today <= result.until) == (result.state == "open")
            assert (result.state == "partly_kept") <= (result.received > 0)
