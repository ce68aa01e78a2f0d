"""What the ERP pushes and what it means for cases: money moves once, settled disputes resolve, promises are judged."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.connectors.erp import ledger_keys
from app.core.events import Event, system, user_actor
from disputes.actions import ledger, life, links, money
from disputes.actions.ledger import Rechecked
from disputes.models import Case, CaseInvoice, Change, DisputeMovement, Outgoing, Promise, Task
from invoices import actions
from invoices.actions import changed
from invoices.feed import read
from invoices.models import Account, Entity, Invoice
from tests.factories import a_case, a_link, a_message, a_user
from tests.invoices.documents import Raw, account, apply, credit_note, entity, invoice, payment

NUMBER = "FA-2026-00187"
ACTOR = system("ledger")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 7, 9, tzinfo=UTC)
"""When the ERP pushes: it tells of no document from days to come."""


@dataclass
class Story:
    """A case about FA-2026-00187 (120.00 EUR), the ERP that pushes, and the days going by."""

    session: Session
    account: Account
    invoice: Invoice
    case: Case
    now: datetime = NOW

    def push(self, *documents: Raw) -> Rechecked:
        outcomes = actions.apply(
            self.session, documents=map(read, documents), keys=ledger_keys(), actor=system("test"), now=LATER
        )
        assert [one.reason for one in outcomes if one.status not in {"created", "updated", "unchanged"}] == []
        self.session.expire_all()
        assert changed(outcomes).accounts in ({self.account.id}, set())
        return self.look()

    def look(self) -> Rechecked:
        return ledger.recheck(self.session, account_id=self.account.id, actor=ACTOR, now=self.now)

    def opened(self, reason: str) -> Case:
        case = a_case(self.session, self.account, now=self.now, reason=reason)
        message = a_message(self.session, case, now=self.now, new_text=f"{NUMBER} is wrong.")
        link = a_link(self.session, message, self.invoice, now=self.now)
        actor = user_actor(a_user(self.session, f"{reason} agent", now=self.now).id)
        links.confirm(self.session, link_id=link.id, actor=actor, now=self.now)
        return case

    def moved(self, case: Case | None = None) -> list[tuple[str, Decimal, str]]:
        of_case = DisputeMovement.case_id == (case or self.case).id
        every = self.session.scalars(select(DisputeMovement).where(of_case).order_by(DisputeMovement.id))
        return [(one.kind, one.amount, one.source) for one in every][1:]

    def disputed(self) -> Decimal:
        return sum(
            self.session.scalars(select(CaseInvoice.disputed).where(CaseInvoice.case_id == self.case.id)), Decimal(0)
        )

    def promise(self, day: date, amount: str | None = None) -> Promise:
        promise = Promise(
            case_id=self.case.id,
            account_id=self.account.id,
            date=day,
            amount=None if amount is None else Decimal(amount),
            currency="EUR",
            created_at=self.now,
        )
        self.session.add(promise)
        self.session.flush()
        return promise


@pytest.fixture
def story(session: Session) -> Story:
    apply(session, entity(), account(), invoice())
    found = session.scalars(select(Invoice)).one()
    story = Story(session, session.scalars(select(Account)).one(), found, Case())
    story.case = story.opened("price")
    return story


def test_a_credit_note_for_all_of_it_resolves_the_case_as_accepted(session: Session, story: Story) -> None:
    credited = credit_note(net="-100.00", gross="-120.00", open="0", issued="2026-03-03", due="2026-04-01")
    found = story.push(credited, invoice(open="0"))
    assert found == Rechecked(1, (story.case.id,), ())
    assert story.moved() == [("credited", Decimal(120), "credit_note:FA-2026-00190")]
    assert (story.case.state, story.case.resolution) == ("resolved", "accepted")
    assert story.case.next_step == "ask_satisfaction"
    told = session.scalars(select(Change.payload).order_by(Change.id.desc())).first()
    assert told is not None
    assert (told["status"], told["disputed_amount"], told["dunning_block"]) == ("accepted", "0.00", False)


def test_the_same_push_again_moves_nothing_again(session: Session, story: Story) -> None:
    documents = (
        credit_note(open="-30.00", issued="2026-03-03", due="2026-04-01"),
        payment(amount="10.00", received="2026-03-03"),
    )
    story.push(*documents)
    counts = select(func.count()).select_from
    before = [session.scalar(counts(model)) for model in (DisputeMovement, Change)]
    assert story.disputed() == 90
    for _ in range(3):
        assert story.push(*documents) == Rechecked(0, (), ())
    assert story.disputed() == 90
    assert [session.scalar(counts(model)) for model in (DisputeMovement, Change)] == before


def test_a_credit_note_from_before_the_dispute_is_no_answer_to_it(story: Story) -> None:
    assert story.push(credit_note(open="0", issued="2026-02-20", due="2026-04-01")).movements == 0
    assert story.disputed() == 120
    assert story.case.state == "new"


def test_a_payment_pays_what_is_not_disputed_first(session: Session, story: Story) -> None:
    money.set_disputed(
        session, case_id=story.case.id, invoice_id=story.invoice.id, amount=Decimal(50), actor=ACTOR, now=NOW
    )
    assert story.push(payment(amount="70.00", received="2026-03-03"), invoice(open="50.00")).movements == 0
    last = payment(reference="VIR 2", amount="50.00", received="2026-03-04")
    assert story.push(last, invoice(open="0")).resolved == (story.case.id,)
    assert story.moved()[-1] == ("paid", Decimal(50), "payment:VIR 2")
    assert story.case.resolution == "paid"


def test_an_invoice_closed_without_a_document_is_told_by_what_is_open(story: Story) -> None:
    assert story.push(invoice(open="0")).resolved == (story.case.id,)
    (kind, amount, source) = story.moved()[-1]
    assert (kind, amount, source.partition(":")[0]) == ("paid", Decimal(120), "ledger")


def test_what_was_accepted_stays_undunned_until_its_credit_note_comes(session: Session, story: Story) -> None:
    life.resolve(
        session,
        case_id=story.case.id,
        resolution="partly_accepted",
        note="",
        amounts={story.invoice.id: Decimal(30)},
        actor=ACTOR,
        now=NOW,
    )
    assert story.disputed() == 30
    story.push(credit_note(open="-30.00", issued="2026-03-05", due="2026-04-01"))
    assert story.moved()[-1] == ("credited", Decimal(30), "credit_note:FA-2026-00190")
    assert story.disputed() == 0
    assert (story.case.state, story.case.resolution) == ("resolved", "partly_accepted")


def test_a_kept_promise_needs_no_call(session: Session, story: Story) -> None:
    promise = story.promise(date(2026, 3, 6), "120.00")
    found = story.push(payment(received="2026-03-06"), invoice(open="0"))
    assert (found.promises, promise.state) == ((promise.id,), "kept")
    assert session.scalar(select(Task.id).where(Task.kind == "courtesy_call")) is None


@pytest.mark.parametrize(("paid", "state"), [(None, "broken"), ("40.00", "partly_kept")])
def test_a_promise_not_kept_makes_one_call_and_no_letter(
    session: Session, story: Story, paid: str | None, state: str
) -> None:
    promise = story.promise(date(2026, 3, 6), "120.00")
    if paid:
        story.push(payment(amount=paid, received="2026-03-06"), invoice(open="80.00"))
    story.now = datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert ledger.accounts_promising(session, now=story.now) == [story.account.id]
    story.look()
    assert promise.state == "open", "two working days of grace"
    story.now += timedelta(days=2)
    for _ in range(3):
        story.look()
    assert promise.state == state
    call = session.scalars(select(Task).where(Task.kind == "courtesy_call")).one()
    assert (call.case_id, call.payload["promise_id"]) == (story.case.id, promise.id)
    assert session.scalar(select(Outgoing.id)) is None
    assert ledger.accounts_promising(session, now=story.now) == []
    events = session.scalars(select(Event.verb).where(Event.subject == "promise")).all()
    assert events == [f"promise {state.replace('_', ' ')}"]


def test_only_accounts_with_cases_need_another_look(session: Session, story: Story) -> None:
    apply(session, account(account="C2"))
    every = session.scalars(select(Account.id)).all()
    assert ledger.accounts_with_cases(session, account_ids=every) == [story.account.id]


def test_a_case_of_an_archive_is_settled_in_silence(session: Session, story: Story) -> None:
    story.case.due_at = story.case.next_step = None  # what an old mail leaves (test_progress.py)
    session.flush()
    story.push(credit_note(net="-100.00", gross="-120.00", open="0", issued="2026-03-03", due="2026-04-01"))
    assert (story.case.state, story.case.next_step, story.case.due_at) == ("resolved", None, None)


def test_a_promise_is_judged_by_the_day_it_is_at_the_entity(session: Session, story: Story) -> None:
    """Two days of grace after Wednesday the 4th: Friday is not over in New York when it is in UTC."""
    session.scalars(select(Entity)).one().country = "US"
    promise = story.promise(date(2026, 3, 4))
    story.now = datetime(2026, 3, 7, 1, tzinfo=UTC)
    assert story.look().promises == ()
    story.now += timedelta(hours=5)
    assert story.look().promises == (promise.id,)
