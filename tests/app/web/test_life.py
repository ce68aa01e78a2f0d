"""Waiting, resolving, merging and money by the forms of the case page."""

from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.core.events import system
from disputes.actions import links, money, planning
from disputes.models import Case, CaseInvoice, CaseStep, Link
from disputes.workdays import due
from invoices.models import Account
from tests.app.web.conftest import Site
from tests.factories import a_case, a_message, an_invoice, in_case


@pytest.fixture
def sure(site: Site) -> Site:
    """Signed in; the case disputes 1,200.00 of its one invoice, with movements kept."""
    site.sign_in()
    with site.database.transaction() as session:
        row = session.scalars(select(CaseInvoice)).one()
        session.delete(row)
        session.flush()
        links.confirm(session, link_id=site.link_id, actor=system("test"), now=site.now)
    return site


def invoice_id(site: Site) -> int:
    with site.database.transaction(read_only=True) as session:
        return session.get_one(Link, site.link_id).invoice_id


def test_a_case_waits_until_a_working_day_and_goes_on(sure: Site) -> None:
    page = sure.get(f"/cases/{sure.case_id}").text
    assert "5 business days" in page
    answer = sure.post(f"/cases/{sure.case_id}/waiting", on="third_party", when="2026-03-06")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{sure.case_id}")
    case = sure.case()
    assert (case.state, case.waiting_on) == ("waiting", "third_party")
    assert case.waiting_until == due(datetime.fromisoformat("2026-03-06T00:00+00:00"), days=0, country="FR")
    page = sure.get(answer.headers["location"]).text
    assert "Case waits." in page
    assert f'action="/cases/{sure.case_id}/resumption"' in page
    sure.post(f"/cases/{sure.case_id}/resumption")
    assert (sure.case().state, sure.case().waiting_on) == ("in_progress", "us")
    assert sure.post(f"/cases/{sure.case_id}/resumption").status_code == 303


def test_going_on_is_undone_by_waiting_exactly_as_before(sure: Site) -> None:
    sure.post(f"/cases/{sure.case_id}/waiting", on="customer", when="2026-03-09")
    before = sure.case().waiting_until
    assert before is not None
    answer = sure.post(f"/cases/{sure.case_id}/resumption")
    page = sure.get(answer.headers["location"]).text
    assert f'<input type="hidden" name="when" value="{before.isoformat()}">' in page
    sure.post(f"/cases/{sure.case_id}/waiting", on="customer", when=before.isoformat())
    assert (sure.case().state, sure.case().waiting_on, sure.case().waiting_until) == ("waiting", "customer", before)


@pytest.mark.parametrize(
    ("when", "day"),
    [("day", ""), ("day", "2026-02-27"), ("day", "2030-01-01"), ("soon", ""), ("2026-03-05T09:00", ""), ("day", "x")],
)
def test_a_day_one_cannot_wait_for_comes_back_with_the_form(sure: Site, when: str, day: str) -> None:
    refused = sure.post(f"/cases/{sure.case_id}/waiting", on="customer", when=when, day=day)
    assert refused.status_code == 422
    assert "Choose a day to come, within a year." in refused.text
    assert 'id="wait-dialog"' in refused.text
    assert 'data-dialog-show-value="true"' in refused.text
    assert sure.case().state == "new"


def test_a_dispute_is_accepted_in_part_and_its_money_told(sure: Site) -> None:
    number = str(invoice_id(sure))
    answer = sure.post(
        f"/cases/{sure.case_id}/resolution",
        resolution="partly_accepted", note="Two of ten were wrong", invoice=number, amount="200,00",
    )  # fmt: skip
    assert answer.status_code == 303
    case = sure.case()
    assert (case.state, case.resolution, case.resolution_note) == (
        "resolved",
        "partly_accepted",
        "Two of ten were wrong",
    )
    page = sure.get(answer.headers["location"]).text
    assert "€200.00" in page
    assert "To be paid after all" in page
    assert "€1,000.00" in page
    assert sure.post(f"/cases/{sure.case_id}/resolution", resolution="accepted").status_code == 303
    assert sure.case().resolution == "partly_accepted"
    sure.post(f"/cases/{sure.case_id}/reopening")
    with sure.database.transaction(read_only=True) as session:
        assert money.tallies(session, case_id=sure.case_id)[int(number)].still == Decimal(1200)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("1300", "More is accepted than is in dispute."),
        ("1200", "Partly accepted is more than nothing and less than all that is in dispute."),
        ("", "Partly accepted is more than nothing and less than all that is in dispute."),
        ("half", "Write each amount in figures, 0 for nothing."),
    ],
)
def test_amounts_that_cannot_be_come_back_with_what_was_typed(sure: Site, amount: str, words: str) -> None:
    fields = {"resolution": "partly_accepted", "note": "As agreed", "invoice": str(invoice_id(sure)), "amount": amount}
    refused = sure.post(f"/cases/{sure.case_id}/resolution", **fields)
    assert refused.status_code == 422
    assert words in refused.text
    assert "As agreed</textarea>" in refused.text
    assert f'value="{amount}"' in refused.text
    assert (sure.case().state, sure.case().version) == ("new", sure.case().version)


def test_another_case_s_invoice_is_not_settled_with_it(sure: Site) -> None:
    with sure.database.transaction() as session:
        account = session.get_one(Account, sure.account_id)
        other = a_case(session, account, now=sure.now)
        foreign = an_invoice(session, account)
        in_case(session, other, foreign, now=sure.now)
    fields = {"resolution": "partly_accepted", "invoice": str(foreign.id), "amount": "100"}
    assert sure.post(f"/cases/{sure.case_id}/resolution", **fields).status_code == 422


def test_the_disputed_amount_is_put_right_and_back(sure: Site) -> None:
    number = invoice_id(sure)
    path = f"/cases/{sure.case_id}/invoices/{number}/disputed"
    assert sure.post(path, amount="450,50").status_code == 303
    with sure.database.transaction(read_only=True) as session:
        tally = money.tallies(session, case_id=sure.case_id)[number]
        assert (tally.disputed, tally.withdrawn, tally.still) == (Decimal(1200), Decimal("749.50"), Decimal("450.50"))
    for amount, words in (("5000", "That is more than is open and in no other dispute."), ("a lot", "in figures")):
        refused = sure.post(path, amount=amount)
        assert refused.status_code == 422
        assert words in refused.text
        assert f'value="{amount}"' in refused.text
    page = sure.get(f"/cases/{sure.case_id}").text
    assert 'value="1200.0000"' not in page
    assert sure.post(path, amount="1200.0000").status_code == 303
    assert sure.post(f"/cases/{sure.case_id}/invoices/999999/disputed", amount="1").status_code == 404


def test_two_cases_flow_together_and_apart(sure: Site) -> None:
    with sure.database.transaction() as session:
        account = session.get_one(Account, sure.account_id)
        other = a_case(session, account, now=sure.now, title="Pallets again", reason="delivery")
        a_message(session, other, now=sure.now, new_text="Where are the pallets of F2026-00417?")
        invoice = session.get_one(Link, sure.link_id).invoice_id
        session.add(CaseInvoice(case_id=other.id, invoice_id=invoice, disputed=Decimal(0), added_at=sure.now))
    page = sure.get(f"/cases/{sure.case_id}/merger").text
    assert "Pallets again" in page
    assert "1 invoice in common" in page
    answer = sure.post(f"/cases/{sure.case_id}/merger", target=str(other.id))
    assert answer.headers["location"] == f"/cases/{other.id}"
    assert (sure.case().state, sure.case().merged_into_id) == ("merged", other.id)
    assert sure.message().case_id == other.id
    page = sure.get(answer.headers["location"]).text
    assert f'action="/cases/{sure.case_id}/separation"' in page
    assert f"#{sure.case_id}" in page
    assert sure.post(f"/cases/{sure.case_id}/merger", target=str(other.id)).status_code == 303

    merged = sure.get(f"/cases/{sure.case_id}").text
    assert f"Goes on in case #{other.id}" in merged
    answer = sure.post(f"/cases/{sure.case_id}/separation")
    assert answer.headers["location"] == f"/cases/{sure.case_id}"
    assert (sure.case().state, sure.message().case_id) == ("new", sure.case_id)
    assert sure.post(f"/cases/{sure.case_id}/separation").status_code == 303
    with sure.database.transaction(read_only=True) as session:
        assert money.tallies(session, case_id=sure.case_id)[invoice].still == Decimal(1200)


def test_a_case_never_flows_into_one_of_another_account_or_entity(sure: Site) -> None:
    with sure.database.transaction() as session:
        stranger = a_case(session, None, now=sure.now, entity_id=sure.case().entity_id)
    assert sure.post(f"/cases/{sure.case_id}/merger", target=str(stranger.id)).status_code == 409
    assert sure.post(f"/cases/{sure.case_id}/merger", target="999999").status_code == 404
    assert "No other open case" in sure.get(f"/cases/{sure.case_id}/merger").text


def test_a_resolved_case_is_closed_as_it_was_resolved(sure: Site) -> None:
    sure.post(f"/cases/{sure.case_id}/resolution", resolution="rejected")
    assert '<input type="hidden" name="resolution" value="rejected">' in sure.get(f"/cases/{sure.case_id}").text
    sure.post(f"/cases/{sure.case_id}/closure", resolution="rejected")
    assert (sure.case().state, sure.case().resolution) == ("closed", "rejected")


@pytest.fixture
def planned(site: Site) -> Site:
    """Signed in; the case is on the playbook of disputes, opened yesterday."""
    site.sign_in()
    with site.database.transaction() as session:
        case = session.get_one(Case, site.case_id)
        case.playbook = "dispute"
        planning.replan(session, case=case, now=site.now)
    return site


def test_the_page_says_what_happens_next_by_which_rule_and_what_comes_after(planned: Site) -> None:
    page = planned.get(f"/cases/{planned.case_id}").text
    assert "What happens next" in page
    assert "as soon as the case is opened" in page
    assert "working days after" in page
    assert "to come" in page
    assert 'data-key="b"' in page
    with planned.database.transaction() as session:
        session.get_one(Case, planned.case_id).state = "closed"
    assert 'data-key="b"' not in planned.get(f"/cases/{planned.case_id}").text


def test_a_step_is_skipped_with_its_why(planned: Site) -> None:
    path = f"/cases/{planned.case_id}/skipping"
    step = str(planned.case().next_step)
    assert planned.post(path, step=step, why="They know already").status_code == 303
    with planned.database.transaction(read_only=True) as session:
        row = session.scalars(select(CaseStep)).one()
        assert (row.step, row.state, row.why) == (step, "skipped", "They know already")
    page = planned.get(f"/cases/{planned.case_id}").text
    assert "Step skipped." in page
    assert "They know already" in page
    assert planned.post(path, step=step, why="  ").status_code == 422
    assert planned.post(path, step="no_such_step", why="x").status_code == 404


def test_a_step_brought_forward_is_taken_or_says_which_guard_refused_it(planned: Site) -> None:
    path = f"/cases/{planned.case_id}/bringing-forward"
    assert planned.post(path, step="tell_status").status_code == 303
    page = planned.get(f"/cases/{planned.case_id}").text
    assert "A guard refused the step" in page
    assert "Refused: Nobody to read it" in page
    assert "where no address is known" in page
    assert planned.post(path, step="ask_owner").status_code == 303
    assert "The step is taken." in planned.get(f"/cases/{planned.case_id}").text
    with planned.database.transaction(read_only=True) as session:
        rows = session.execute(select(CaseStep.step, CaseStep.state).order_by(CaseStep.step)).all()
        assert [tuple(row) for row in rows] == [("ask_owner", "taken"), ("tell_status", "refused")]
