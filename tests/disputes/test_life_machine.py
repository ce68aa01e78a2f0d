"""Whatever people and the ERP do to cases, in whatever order: no cent is lost, doubled or dunned in dispute (S25)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import DomainError
from app.core.events import Event, user_actor
from disputes.actions import cases, ledger, life, links, money
from disputes.models import Case, CaseInvoice, Change, Link
from disputes.workdays import due
from invoices.models import Invoice
from tests.factories import a_case, a_link, a_message, a_user, an_account, an_entity, an_invoice

CASES, INVOICES = 3, 2
ENDINGS = st.sampled_from(["accepted", "rejected", "paid", "withdrawn", "duplicate"])
numbers = st.integers(0, CASES - 1)
which = st.integers(0, INVOICES - 1)
amounts = st.decimals(min_value=0, max_value=1300, places=2)


class Desk(RuleBasedStateMachine):
    """One account with three cases about the same two invoices. Refused moves change nothing; the invariants hold."""

    session: Session
    begun: datetime

    def __init__(self) -> None:
        super().__init__()
        self.point = self.session.begin_nested()
        self.now = self.begun
        self.actor = user_actor(a_user(self.session, now=self.now).id)
        account = an_account(self.session, an_entity(self.session))
        self.account_id = account.id
        self.invoices = [an_invoice(self.session, account) for _ in range(INVOICES)]
        self.cases = [a_case(self.session, account, now=self.now).id for _ in range(CASES)]
        for number in self.cases:
            for invoice in self.invoices:
                message = a_message(self.session, self.session.get_one(Case, number), now=self.now)
                link = a_link(self.session, message, invoice, now=self.now)
                links.confirm(self.session, link_id=link.id, actor=self.actor, now=self.now)

    def teardown(self) -> None:
        self.session.expunge_all()
        self.point.rollback()

    def moved(self, act: Any, **values: Any) -> None:
        """Do it, in a savepoint; what cannot be is refused and leaves no trace."""
        self.now += timedelta(minutes=1)
        try:
            with self.session.begin_nested():
                act(self.session, actor=self.actor, now=self.now, **values)
        except DomainError:
            self.session.expire_all()

    @rule(number=numbers, resolution=ENDINGS)
    def resolve(self, number: int, resolution: str) -> None:
        self.moved(life.resolve, case_id=self.cases[number], resolution=resolution, note="")

    @rule(number=numbers, invoice=which, amount=amounts)
    def resolve_in_part(self, number: int, invoice: int, amount: Decimal) -> None:
        given = {self.invoices[invoice].id: amount}
        self.moved(life.resolve, case_id=self.cases[number], resolution="partly_accepted", note="", amounts=given)

    @rule(number=numbers)
    def reopen(self, number: int) -> None:
        self.moved(cases.reopen, case_id=self.cases[number])

    @rule(number=numbers, resolution=st.sampled_from(["paid", "credited", "no_action"]))
    def close(self, number: int, resolution: str) -> None:
        self.moved(cases.close, case_id=self.cases[number], resolution=resolution)

    @rule(number=numbers, on=st.sampled_from(["customer", "us", "third_party"]))
    def wait(self, number: int, on: str) -> None:
        until = due(self.now, days=3, country="FR")
        self.moved(life.wait, case_id=self.cases[number], on=on, until=until)

    @rule(number=numbers, other=numbers)
    def merge(self, number: int, other: int) -> None:
        self.moved(life.merge, case_id=self.cases[number], target_id=self.cases[other])

    @rule(number=numbers)
    def unmerge(self, number: int) -> None:
        self.moved(life.unmerge, case_id=self.cases[number])

    @rule(number=numbers, invoice=which, amount=amounts)
    def put_right(self, number: int, invoice: int, amount: Decimal) -> None:
        chosen = self.invoices[invoice].id
        self.moved(money.set_disputed, case_id=self.cases[number], invoice_id=chosen, amount=amount)

    @rule(number=numbers, reason=st.sampled_from(["copy_invoice", "price", "delivery"]))
    def correct(self, number: int, reason: str) -> None:
        kind = "query" if reason == "copy_invoice" else "dispute"
        self.moved(cases.correct, case_id=self.cases[number], kind=kind, reason=reason)

    @rule(link=st.integers(0, CASES * INVOICES - 1), confirm=st.booleans())
    def decide(self, link: int, confirm: bool) -> None:
        found = self.session.scalars(select(Link.id).order_by(Link.id)).all()[link]
        self.moved(links.confirm if confirm else links.reject, link_id=found)

    @rule(invoice=which, open_amount=st.decimals(min_value=0, max_value=1200, places=2))
    def the_erp_tells(self, invoice: int, open_amount: Decimal) -> None:
        row = self.invoices[invoice]
        row.open_amount = min(row.open_amount, open_amount)
        self.session.flush()
        self.moved(ledger.recheck, account_id=self.account_id)

    @invariant()
    def conserved(self) -> None:
        """disputed = still disputed + credited + paid + written off + withdrawn; never more than is open."""
        for row in self.session.scalars(select(CaseInvoice)):
            tally = money.tallies(self.session, case_id=row.case_id)[row.invoice_id]
            assert row.disputed == tally.still >= 0
        for invoice in self.session.scalars(select(Invoice)):
            claims = money.claims(self.session, invoice_id=invoice.id)
            assert sum(one.still for one in claims) <= money.open_of(self.session, invoice=invoice)

    @invariant()
    def told(self) -> None:
        """What the ERP heard last of an invoice is what is true."""
        for invoice in self.invoices:
            last = select(Change.payload).where(Change.invoice_id == invoice.id).order_by(Change.id.desc())
            heard = self.session.scalar(last.limit(1))
            claimed = sum((one.still for one in money.claims(self.session, invoice_id=invoice.id)), Decimal(0))
            assert Decimal((heard or {"disputed_amount": "0"})["disputed_amount"]) == claimed
            assert claimed == 0 or (heard or {})["dunning_block"]

    @invariant()
    def merged_cases_hold_nothing(self) -> None:
        """All a merged case held is where it went, and its state has its event."""
        for case in self.session.scalars(select(Case).where(Case.state == "merged")):
            still = money.tallies(self.session, case_id=case.id).values()
            assert not any(one.still for one in still)
            verbs = self.session.scalars(select(Event.verb).where(Event.case_id == case.id))
            assert "case merged" in set(verbs)


def test_no_order_of_moves_loses_or_doubles_a_cent(session: Session, now: datetime) -> None:
    run_state_machine_as_test(
        type("ThisDesk", (Desk,), {"session": session, "begun": now}),
        settings=settings(
            max_examples=10, stateful_step_count=10, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
