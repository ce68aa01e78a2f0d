"""Cases as rules see them, from rows."""

from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from disputes.case_facts import fact_of_case, facts_of_cases, main_currency
from disputes.conditions import CaseFacts
from tests.databases import QueryRecorder
from tests.factories import a_case, an_account, an_entity, an_invoice, in_case

pytestmark = pytest.mark.usefixtures("database_kind")


def test_a_dispute_is_about_what_it_disputes(session: Session, now: datetime) -> None:
    account = an_account(session, an_entity(session), number="C0815")
    case = a_case(session, account, now=now, sentiment="angry", urgent=True, flags=["legal_threat"], language="fr")
    in_case(session, case, an_invoice(session, account), now=now, disputed=Decimal("120.50"))
    in_case(session, case, an_invoice(session, account), now=now, disputed=Decimal(30))
    assert fact_of_case(session, case=case) == CaseFacts(
        case_id=case.id, kind="dispute", reason="price", state="new", waiting_on="us", entity="FR01", account="C0815",
        amount=Decimal("150.50"), currency="EUR", language="fr", sentiment="angry", urgent=True,
        tags=frozenset({"legal_threat"}),
    )  # fmt: skip


def test_a_query_is_about_what_is_open_and_credit_notes_do_not_lower_it(session: Session, now: datetime) -> None:
    account = an_account(session, an_entity(session))
    case = a_case(session, account, now=now, reason="copy_invoice")
    in_case(session, case, an_invoice(session, account), now=now, disputed=Decimal(0))
    note = an_invoice(session, account, kind="credit_note", open_amount=Decimal(-200))
    in_case(session, case, note, now=now, disputed=Decimal(0))
    assert fact_of_case(session, case=case).amount == 1200


def test_a_case_of_nobody_known_about_nothing_has_facts_too(session: Session, now: datetime) -> None:
    found = fact_of_case(session, case=a_case(session, None, now=now))
    assert found.entity is None
    assert found.account is None
    assert (found.amount, found.currency) == (Decimal(0), "")


def test_many_cases_take_two_queries(session: Session, now: datetime, queries: QueryRecorder) -> None:
    account = an_account(session, an_entity(session))
    cases = [a_case(session, account, now=now) for _ in range(7)]
    for case in cases:
        in_case(session, case, an_invoice(session, account), now=now)
    session.flush()
    with queries:
        found = facts_of_cases(session, case_ids=[*(case.id for case in cases), 10**9])
    assert queries.count == 2
    assert set(found) == {case.id for case in cases}


def test_amounts_of_several_currencies_are_never_added() -> None:
    assert main_currency(["USD", "EUR", "CHF"], own="EUR") == "EUR"
    assert main_currency(["USD", "GBP"], own="EUR") == "GBP"
    assert main_currency([], own="EUR") == "EUR"
    assert main_currency([], own=None) == ""
