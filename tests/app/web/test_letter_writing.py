"""A person starts a letter from the case and the account, and finds it among those to check."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from disputes.models import Case, CaseInvoice
from invoices.models import Account, Invoice
from letters.letter_facts import LetterFacts
from letters.models import Letter
from tests.app.web.conftest import Site
from tests.letters.stories import ADDRESS


def late(site: Site) -> None:
    with site.database.transaction() as session:
        session.get_one(Account, site.account_id).address = ADDRESS
        for invoice in session.scalars(select(Invoice)):
            invoice.due = date(2026, 1, 5)


def letters(site: Site) -> list[Letter]:
    with site.database.transaction(read_only=True) as session:
        return list(session.scalars(select(Letter).order_by(Letter.id)))


def test_an_acknowledgement_is_started_from_the_case(site: Site) -> None:
    late(site)
    site.sign_in()
    path = f"/cases/{site.case_id}/letters/acknowledgement"
    assert f'href="{path}"' in site.get(f"/cases/{site.case_id}").text
    page = site.get(path)
    assert page.status_code == 200
    assert page.text.index('value="post"') < page.text.index('value="email"'), "by post, unless somebody chooses"
    refused = site.post(path, channel="post", matter="Boxes", answer_by="2020-01-01")
    assert (refused.status_code, "in the past" in refused.text, 'value="Boxes"' in refused.text) == (422, True, True)
    assert letters(site) == []
    answers = [site.post(path, channel="post", matter="Boxes") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    (letter,) = letters(site)
    assert {answer.headers["location"] for answer in answers} == {f"/letters/{letter.id}"}
    assert site.enqueued == [("letters", "written")] * 2
    assert site.get(f"/letters/{letter.id}").status_code == 200
    assert site.get(f"/cases/{site.case_id}/letters/closing").status_code == 404, "the case is open"
    assert site.get(f"/cases/{site.case_id}/letters/statement").status_code == 404


def test_a_refusal_shows_what_was_refused_before_it_is_drafted(site: Site) -> None:
    late(site)
    site.sign_in()
    assert site.post(f"/cases/{site.case_id}/resolution", resolution="rejected").status_code == 303
    path = f"/cases/{site.case_id}/letters/dispute_rejected"
    assert 'name="pay_by"' in site.get(path).text
    assert site.post(path, channel="email").status_code == 422, "without reasons"
    assert site.post(path, channel="email", reasons="As ordered.").status_code == 303


def test_a_plan_is_agreed_on_the_account_page(site: Site) -> None:
    late(site)
    with site.database.transaction() as session:
        session.scalars(select(CaseInvoice)).one().disputed = Decimal("200.01")
    site.sign_in()
    path = f"/accounts/{site.account_id}/letters/payment_plan"
    assert f'href="{path}"' in site.get(f"/accounts/{site.account_id}").text
    first = (site.now.date() + timedelta(7)).isoformat()
    for wrong in ({"number": "many"}, {"first": ""}, {"first": "soon"}, {"day": first, "amount": "x"}):
        fields = {"channel": "email", "currency": "EUR", "number": "3", "first": first, **wrong}
        assert site.post(path, **fields).status_code == 422, wrong
    fields = {"channel": "email", "currency": "EUR", "number": "3", "first": first, "every": "week"}
    assert site.post(path, **fields).status_code == 303
    (letter,) = letters(site)
    amounts = [one.amount for one in LetterFacts.from_json(letter.facts).instalments]
    assert sum(amounts) == Decimal(letter.totals["EUR"]) == Decimal("999.99")
    assert site.post(f"/accounts/{site.account_id}/letters/statement", channel="post").status_code == 303
    assert [one.kind for one in letters(site)] == ["payment_plan", "statement"]


def test_a_finance_owner_starts_no_letter(site: Site) -> None:
    late(site)
    owner = site.sign_in("Olga Weiss", role="owner")
    with site.database.transaction() as session:
        session.get_one(Case, site.case_id).owner_id = owner.id
    assert "case-letters" not in site.get(f"/cases/{site.case_id}").text
    assert site.post(f"/cases/{site.case_id}/letters/acknowledgement", channel="post").status_code == 403
