"""What the ledger says beside a mail, on both databases."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from disputes.lookups import payment_fits
from invoices.models import Account, Allocation, Invoice
from tests.factories import a_payment, an_account, an_entity, an_invoice

WRITTEN = date(2026, 3, 2)


@pytest.fixture
def invoice(session: Session) -> Invoice:
    """One of 1,200.00."""
    return an_invoice(session, an_account(session, an_entity(session)), number="FA-118", gross=Decimal("1200.00"))


def fits(session: Session, invoice: Invoice) -> bool:
    return payment_fits(session, invoice_ids=[invoice.id], by=WRITTEN)


def test_money_put_against_an_invoice_fits_it_whatever_the_sum(session: Session, invoice: Invoice) -> None:
    account = invoice.account_id
    put = Allocation(entity_id=invoice.entity_id, invoice_number="FA-118")
    payment = a_payment(session, _account(session, account), received=WRITTEN, amount=Decimal(300), allocations=[put])
    assert fits(session, invoice)
    payment.received = WRITTEN + timedelta(days=1)
    session.flush()
    assert not fits(session, invoice), "it came after the mail"


def test_the_accounts_money_of_the_very_sum_fits_and_no_other(session: Session, invoice: Invoice) -> None:
    own, stranger = _account(session, invoice.account_id), an_account(session, an_entity(session, "DE01"))
    a_payment(session, own, received=WRITTEN, amount=Decimal("1199.99"))
    a_payment(session, stranger, received=WRITTEN, amount=Decimal("1200.00"))
    a_payment(session, own, received=WRITTEN - timedelta(days=181), amount=Decimal("1200.00"))
    assert not fits(session, invoice)
    a_payment(session, own, received=WRITTEN - timedelta(days=1), amount=Decimal("1200.00"))
    assert fits(session, invoice)


def _account(session: Session, account_id: int) -> Account:
    return session.get_one(Account, account_id)
