"""Why a letter cannot be written or may not go is said in the reader's language, amounts as its readers write them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.core.errors import DomainError
from app.core.i18n import words
from app.web.telling import refusal, said
from disputes.models import CaseInvoice
from invoices.models import Account, Invoice
from letters import instalments
from letters.compose import check
from letters.letter_facts import LetterFacts, Recipient
from letters.models import Letter
from letters.wording import shipped
from tests.app.web.conftest import Site
from tests.letters.letter_cases import french, plain
from tests.letters.stories import ADDRESS

FRENCH = words("fr")


def late(site: Site) -> None:
    with site.database.transaction() as session:
        session.get_one(Account, site.account_id).address = ADDRESS
        for invoice in session.scalars(select(Invoice)):
            invoice.due = date(2026, 1, 5)
        session.scalars(select(CaseInvoice)).one().disputed = Decimal("200.01")


def refused(facts: LetterFacts) -> str:
    with pytest.raises(DomainError) as error:
        check(facts, shipped(facts.kind, facts.language))
    return refusal(error.value, FRENCH)


def test_instalments_that_do_not_add_up_are_told_in_french(site: Site) -> None:
    late(site)
    site.sign_in(language="fr")
    path = f"/accounts/{site.account_id}/letters/payment_plan"
    first = (site.now.date() + timedelta(7)).isoformat()
    page = site.post(path, channel="email", currency="EUR", number="3", first=first, day=first, amount="10,50")
    assert page.status_code == 422
    text = page.text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert "Les échéances font au total 10,50 €, alors que la somme à payer est de 999,99 €" in text
    assert "instalments come to" not in page.text
    page = site.post(path, channel="email", currency="EUR", number="99", first=first)
    assert "Un échéancier compte de 1 à 60 échéances, et non 99" in page.text
    with site.database.transaction(read_only=True) as session:
        assert session.scalars(select(Letter)).all() == []


def test_what_makes_no_letter_is_told_in_french() -> None:
    nowhere = refused(french(recipient=Recipient(name="Durand"), by_post=True))
    assert nowhere.startswith("Le compte ")
    assert "adresse postale" in nowhere
    assert "aucune date" in refused(french(pay_by=None))
    with pytest.raises(DomainError) as error:
        instalments.equal(Decimal("0.02"), "EUR", number=3, first=date(2026, 7, 1), every="month")
    assert "0,02\N{NO-BREAK SPACE}€" in refusal(error.value, FRENCH)
    assert "échéance" in refused(plain("payment_plan", instalments=()))


def test_a_drafted_letter_is_told_in_a_toast(site: Site) -> None:
    late(site)
    site.sign_in(language="fr")
    answer = site.post(f"/accounts/{site.account_id}/letters/statement", channel="email")
    assert answer.status_code == 303
    assert "Courrier rédigé" in site.get(answer.headers["location"]).text


def test_a_reason_without_a_translation_is_still_said() -> None:
    assert said({"say": "said by an older program"}, FRENCH) == "said by an older program"
