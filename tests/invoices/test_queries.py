from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from invoices import queries
from invoices.ageing import BUCKETS, age, bucket_of
from invoices.models import Account, Invoice
from tests.databases import QueryRecorder
from tests.invoices.documents import account, apply, credit_note, entity, invoice, payment

TODAY = date(2026, 3, 2)


@pytest.fixture
def recorder() -> QueryRecorder:
    """The `queries` fixture by another name: here `queries` is the module."""
    return QueryRecorder()


def account_id(session: Session, number: str = "C1") -> int:
    return session.scalars(select(Account.id).where(Account.number == number).order_by(Account.id)).first() or 0


@pytest.fixture
def ledger(session: Session) -> Session:
    """An account with an old, a new and a settled invoice, a credit note and a payment; another one in the UK."""
    apply(session, entity(), entity(id="UK01", currency="GBP"), account(), account(entity="UK01"))
    new = invoice(number="B", issued="2026-02-25", due="2026-03-27", open="60.00")
    apply(session, invoice(), new, invoice(number="C", open="0.00"), credit_note())
    apply(session, payment(invoices=["C", "FA-2026-00187"]), payment(reference="V2", received="2026-03-01"))
    session.expunge_all()
    return session


def test_open_items_come_oldest_first(ledger: Session, recorder: QueryRecorder) -> None:
    with recorder:
        items = queries.open_items(ledger, account_id=account_id(ledger))
    assert [item.number for item in items] == ["FA-2026-00187", "FA-2026-00190", "B"]
    assert recorder.count == 2


def test_an_account_is_only_found_by_those_who_may_see_its_entity(ledger: Session) -> None:
    found = queries.account_by_number(ledger, entity="FR01", number="C1", codes={"FR01"})
    assert (found.entity.code, [contact.name for contact in found.contacts]) == ("FR01", ["Ana Ruiz"])
    with pytest.raises(NotFound):
        queries.account_by_number(ledger, entity="FR01", number="C1", codes={"UK01"})
    with pytest.raises(NotFound):
        queries.account_by_id(ledger, account_id=found.id, codes=())
    with pytest.raises(NotFound):
        queries.invoice_by_number(ledger, entity="FR01", number="B", codes={"UK01"})
    assert queries.invoice_by_number(ledger, entity="FR01", number="B").lines[0].sku == "R-1"


def test_totals_of_many_accounts_take_one_query(ledger: Session, recorder: QueryRecorder) -> None:
    everyone = list(ledger.scalars(select(Account.id)))
    with recorder:
        totals = queries.open_totals(ledger, account_ids=everyone)
    [total] = totals[account_id(ledger)]
    assert (total.invoices, total.credit_notes, total.balance) == (Decimal(180), Decimal(-30), Decimal(150))
    assert (total.currency, total.documents, total.oldest_due) == ("EUR", 3, date(2026, 2, 14))
    assert len(totals) == 1


def test_payments_are_found_by_account_and_by_invoice(ledger: Session) -> None:
    found = queries.payments_of(ledger, account_id=account_id(ledger))
    assert [one.reference for one in found] == ["V2", "VIR 1528"]
    settled = ledger.scalars(select(Invoice).where(Invoice.number == "C")).one()
    [one] = queries.payments_for(ledger, invoice=settled)
    assert one.reference == "VIR 1528"


def test_ageing_sums_what_is_late(ledger: Session) -> None:
    found = age(queries.open_items(ledger, account_id=account_id(ledger)), today=TODAY).of("EUR")
    assert found.buckets == {**dict.fromkeys(BUCKETS, Decimal(0)), "not_due": Decimal(60), "1-30": Decimal(90)}
    assert (found.total, found.overdue) == (Decimal(150), Decimal(90))
    assert age([], today=TODAY).of("GBP").total == 0


@pytest.mark.parametrize(
    ("due", "bucket"),
    [
        (date(2026, 3, 3), "not_due"),
        (date(2026, 3, 2), "not_due"),
        (date(2026, 3, 1), "1-30"),
        (date(2026, 1, 31), "1-30"),
        (date(2026, 1, 30), "31-60"),
        (date(2025, 12, 2), "61-90"),
        (date(2025, 12, 1), "over_90"),
    ],
)
def test_buckets_begin_the_day_after_they_end(due: date, bucket: str) -> None:
    assert bucket_of(due, today=TODAY) == bucket


class Item:
    def __init__(self, due: date, currency: str, open_amount: Decimal) -> None:
        self.due, self.currency, self.open_amount = due, currency, open_amount


items = st.builds(
    Item,
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.sampled_from(["EUR", "GBP"]),
    st.decimals(-999, 999, places=2),
)


@given(st.lists(items))
def test_ageing_loses_no_cent_and_mixes_no_currencies(found: list[Item]) -> None:
    ageing = age(found, today=TODAY)
    for currency in ("EUR", "GBP"):
        total = ageing.of(currency)
        assert total.total == sum((item.open_amount for item in found if item.currency == currency), Decimal(0))
        assert total.total == total.overdue + total.buckets["not_due"]
