import email
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from app.demo.ledger import ACCOUNTS, INVOICES, Ledger, make_ledger
from app.demo.mails import MAILS, WEEKS, DemoMail, make_mails, scripts
from disputes.reasons import REASONS

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def made(seed: int = 7) -> tuple[Ledger, list[DemoMail]]:
    random = Random(seed)  # noqa: S311 - a repeatable demo, not a secret
    ledger = make_ledger(random=random, today=NOW.date())
    return ledger, make_mails(ledger, random=random, now=NOW)


@pytest.fixture(scope="module")
def demo() -> tuple[Ledger, list[DemoMail]]:
    return made()


def test_the_same_seed_and_day_give_the_same_company(demo: tuple[Ledger, list[DemoMail]]) -> None:
    again = made()
    assert list(demo[0].documents()) == list(again[0].documents())
    assert [mail.raw for mail in demo[1]] == [mail.raw for mail in again[1]]
    assert list(made(seed=8)[0].documents()) != list(again[0].documents())


def test_it_has_the_size_of_a_living_desk(demo: tuple[Ledger, list[DemoMail]]) -> None:
    ledger, mails = demo
    assert len(ledger.customers) == ACCOUNTS
    assert sum(i["kind"] == "invoice" for i in ledger.invoices) == INVOICES
    assert len(mails) == MAILS
    assert NOW - timedelta(weeks=WEEKS, days=4) < mails[0].at < mails[-1].at < NOW


def test_every_invoice_adds_up_and_every_payment_settles_one(demo: tuple[Ledger, list[DemoMail]]) -> None:
    ledger, _ = demo
    for invoice in ledger.invoices:
        lines = sum(Decimal(line["unit_price"]) * line["quantity"] for line in invoice["lines"])
        assert Decimal(invoice["net"]) == lines
        assert invoice["issued"] <= invoice["due"]
    gross = {(i["entity"], i["number"]): i["gross"] for i in ledger.invoices}
    assert all(gross[p["entity"], p["invoices"][0]] == p["amount"] for p in ledger.payments)


def test_every_mail_reads_as_one_with_its_facts_filled_in(demo: tuple[Ledger, list[DemoMail]]) -> None:
    ids = Counter[str]()
    for mail in demo[1]:
        message = email.message_from_bytes(mail.raw)
        ids[message["Message-ID"]] += 1
        assert message["To"] == mail.mailbox
        assert "{" not in message["Subject"]
    assert max(ids.values()) == 1


def test_every_reason_of_the_product_is_told() -> None:
    told = {script["reason"] for script in scripts()}
    assert set(REASONS) - told <= {"other_dispute", "bounce", "not_ar"}
