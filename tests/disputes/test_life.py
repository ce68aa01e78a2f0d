"""The life of a case and its money, as people and the ERP move them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput, Conflict
from app.core.events import Actor, Event, user_actor
from disputes.actions import cases, life, links, money
from disputes.dispute_money import NotPossible
from disputes.models import Case, CaseInvoice, Change, DisputeMovement, Link, Message, Task
from invoices.models import Account, Invoice
from tests.factories import a_case, a_link, a_message, a_user, an_account, an_entity, an_invoice


@dataclass(frozen=True)
class Desk:
    """An account with an invoice of 1,200.00 in a price dispute."""

    session: Session
    account: Account
    invoice: Invoice
    case: Case
    actor: Actor
    now: datetime

    def dispute(self, *invoices: Invoice, **values: object) -> Case:
        case = a_case(self.session, self.account, now=self.now, **values)  # type: ignore[arg-type] # as a_case takes them
        for invoice in invoices:
            message = a_message(self.session, case, now=self.now, new_text=f"{invoice.number} is wrong.")
            link = a_link(self.session, message, invoice, now=self.now)
            links.confirm(self.session, link_id=link.id, actor=self.actor, now=self.now)
        return case

    def disputed(self, case: Case, invoice: Invoice) -> Decimal:
        return self.session.get_one(CaseInvoice, (case.id, invoice.id)).disputed

    def told(self, invoice: Invoice) -> dict[str, object]:
        last = select(Change.payload).where(Change.invoice_id == invoice.id).order_by(Change.id.desc()).limit(1)
        return dict(self.session.scalars(last).one())


@pytest.fixture
def desk(session: Session, now: datetime) -> Desk:
    actor = user_actor(a_user(session, now=now).id)
    account = an_account(session, an_entity(session))
    invoice = an_invoice(session, account)
    empty = Desk(session, account, invoice, Case(), actor, now)
    return Desk(session, account, invoice, empty.dispute(invoice), actor, now)


def assert_conserved(session: Session) -> None:
    """disputed = still disputed + credited + paid + written off + withdrawn, and no more than is open."""
    for row in session.scalars(select(CaseInvoice)):
        standing = money.tallies(session, case_id=row.case_id)[row.invoice_id]
        assert row.disputed == standing.still >= 0
    for invoice in session.scalars(select(Invoice)):
        claimed = sum(one.still for one in money.claims(session, invoice_id=invoice.id))
        assert claimed <= money.open_of(session, invoice=invoice)


def test_a_disputed_invoice_is_in_dispute_once_however_many_cases_name_it(session: Session, desk: Desk) -> None:
    second = desk.dispute(desk.invoice, reason="delivery")
    assert [desk.disputed(case, desk.invoice) for case in (desk.case, second)] == [Decimal(1200), Decimal(0)]
    link = session.scalars(select(Link)).first()
    assert link is not None
    links.reject(session, link_id=link.id, actor=desk.actor, now=desk.now)
    kept = session.scalars(select(DisputeMovement).where(DisputeMovement.case_id == desk.case.id)).all()
    assert [(one.kind, one.amount) for one in kept] == [("disputed", Decimal(1200)), ("withdrawn", Decimal(1200))]
    assert_conserved(session)


def test_a_case_given_to_someone_is_in_progress(session: Session, desk: Desk) -> None:
    user = a_user(session, "Bo Berg", now=desk.now)
    cases.assign(session, case_id=desk.case.id, owner_id=user.id, team_id=None, actor=desk.actor, now=desk.now)
    assert desk.case.state == "in_progress"


def test_a_case_waits_and_goes_on(session: Session, desk: Desk) -> None:
    until = desk.now + timedelta(days=4)
    life.wait(session, case_id=desk.case.id, on="customer", until=until, actor=desk.actor, now=desk.now)
    assert (desk.case.state, desk.case.waiting_on, desk.case.waiting_until) == ("waiting", "customer", until)
    life.resume(session, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    assert (desk.case.state, desk.case.waiting_on, desk.case.waiting_until) == ("in_progress", "us", None)
    with pytest.raises(Conflict, match="does not wait: it is in progress"):
        life.resume(session, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    with pytest.raises(BadInput):
        life.wait(session, case_id=desk.case.id, on="nobody", until=until, actor=desk.actor, now=desk.now)
    with pytest.raises(BadInput):
        life.wait(session, case_id=desk.case.id, on="us", until=desk.now, actor=desk.actor, now=desk.now)


def test_a_price_dispute_accepted_in_part(session: Session, desk: Desk) -> None:
    life.resolve(
        session,
        case_id=desk.case.id,
        resolution="partly_accepted",
        note="Two pallets were dear.",
        amounts={desk.invoice.id: Decimal("200.00")},
        actor=desk.actor,
        now=desk.now,
    )
    assert (desk.case.state, desk.case.resolution, desk.case.resolved_at) == ("resolved", "partly_accepted", desk.now)
    assert desk.disputed(desk.case, desk.invoice) == Decimal("200.00")
    told = desk.told(desk.invoice)
    assert (told["status"], told["disputed_amount"], told["dunning_block"]) == ("partly_accepted", "200.00", True)
    assert_conserved(session)


@pytest.mark.parametrize(
    ("resolution", "left"), [("accepted", 1200), ("paid", 1200), ("rejected", 0), ("withdrawn", 0), ("duplicate", 0)]
)
def test_what_is_rejected_may_be_dunned_and_what_is_granted_may_not(
    session: Session, desk: Desk, resolution: str, left: int
) -> None:
    life.resolve(session, case_id=desk.case.id, resolution=resolution, note="", actor=desk.actor, now=desk.now)
    assert desk.disputed(desk.case, desk.invoice) == left
    assert desk.told(desk.invoice)["dunning_block"] is bool(left)
    with pytest.raises(Conflict, match="open it again first"):
        life.resolve(session, case_id=desk.case.id, resolution="paid", note="", actor=desk.actor, now=desk.now)
    cases.reopen(session, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    assert desk.disputed(desk.case, desk.invoice) == 1200
    assert desk.case.resolution is None
    assert_conserved(session)


def test_partly_accepted_needs_its_amounts(session: Session, desk: Desk) -> None:
    def resolve(amounts: dict[int, Decimal], resolution: str = "partly_accepted") -> None:
        life.resolve(
            session, case_id=desk.case.id, resolution=resolution, note="", amounts=amounts, actor=desk.actor,
            now=desk.now,
        )  # fmt: skip

    attempts: list[Callable[[], None]] = [
        lambda: resolve({}),
        lambda: resolve({desk.invoice.id: Decimal(1200)}),
        lambda: resolve({desk.invoice.id: Decimal(10)}, "rejected"),
        lambda: resolve({}, "forgotten"),
    ]
    for attempt in attempts:
        with pytest.raises(BadInput):
            attempt()
    assert desk.case.state == "new"


def test_an_amount_a_person_set_stands(session: Session, desk: Desk) -> None:
    def set_to(amount: str) -> None:
        money.set_disputed(
            session, case_id=desk.case.id, invoice_id=desk.invoice.id, amount=Decimal(amount), actor=desk.actor,
            now=desk.now,
        )  # fmt: skip

    set_to("300.00")
    assert desk.disputed(desk.case, desk.invoice) == 300
    with pytest.raises(NotPossible):
        set_to("1200.01")
    cases.correct(session, case_id=desk.case.id, kind="query", reason="statement", actor=desk.actor, now=desk.now)
    assert desk.disputed(desk.case, desk.invoice) == 300
    assert_conserved(session)


def snapshot(session: Session, *every: Case) -> list[object]:
    """All that a merge touches, but the versions."""
    session.flush()
    found: list[object] = [life._values(case) for case in every]
    rows = select(CaseInvoice.case_id, CaseInvoice.invoice_id, CaseInvoice.disputed, CaseInvoice.claimed)
    found.append(sorted(map(repr, session.execute(rows))))
    found += [session.execute(select(model.id, model.case_id).order_by(model.id)).all() for model in (Message, Task)]
    return found


def test_a_merge_is_undone_exactly(session: Session, desk: Desk) -> None:
    other = an_invoice(session, desk.account)
    second = desk.dispute(other, desk.invoice, reason="quantity")
    before = snapshot(session, desk.case, second)
    life.merge(session, case_id=second.id, target_id=desk.case.id, actor=desk.actor, now=desk.now)
    assert (second.state, second.merged_into_id, desk.case.message_count) == ("merged", desk.case.id, 3)
    assert desk.disputed(desk.case, other) == 1200
    assert desk.told(other)["case"] == desk.case.id
    assert_conserved(session)
    with pytest.raises(Conflict, match="merged into case"):
        life.resume(session, case_id=second.id, actor=desk.actor, now=desk.now)
    life.unmerge(session, case_id=second.id, actor=desk.actor, now=desk.now)
    assert snapshot(session, desk.case, second) == before
    assert_conserved(session)
    with pytest.raises(Conflict, match="merged into no other"):
        life.unmerge(session, case_id=second.id, actor=desk.actor, now=desk.now)


def test_what_happened_to_the_target_since_stands_when_the_cases_part(session: Session, desk: Desk) -> None:
    second = desk.dispute(an_invoice(session, desk.account), reason="quantity")
    life.merge(session, case_id=second.id, target_id=desk.case.id, actor=desk.actor, now=desk.now)
    late = a_message(session, desk.case, now=desk.now, new_text="One more thing.")
    cases.hold(
        session, case_id=desk.case.id, until=desk.now + timedelta(days=1), why="audit", actor=desk.actor, now=desk.now
    )
    life.unmerge(session, case_id=second.id, actor=desk.actor, now=desk.now)
    assert (late.case_id, desk.case.hold_reason, second.merged_into_id) == (desk.case.id, "audit", None)
    assert (desk.case.message_count, second.message_count) == (2, 1)
    assert_conserved(session)


def test_two_matters_of_two_accounts_never_flow_together(session: Session, desk: Desk) -> None:
    foreign = an_account(session, an_entity(session, "DE01"))
    case = a_case(session, foreign, now=desk.now)
    with pytest.raises(life.CannotMerge):
        life.merge(session, case_id=case.id, target_id=desk.case.id, actor=desk.actor, now=desk.now)
    with pytest.raises(life.CannotMerge):
        life.merge(session, case_id=case.id, target_id=case.id, actor=desk.actor, now=desk.now)


def test_the_timeline_tells_who_moved_the_money(session: Session, desk: Desk) -> None:
    life.resolve(session, case_id=desk.case.id, resolution="rejected", note="", actor=desk.actor, now=desk.now)
    event = session.scalars(select(Event).where(Event.verb == "disputed money moved")).one()
    number = str(desk.invoice.id)
    assert (event.actor, (event.before or {})[number], (event.after or {})[number]) == (
        desk.actor.name,
        "1200.00",
        "0.00",
    )


def test_the_erp_hears_whose_turn_it_is_also_for_a_query(session: Session, desk: Desk) -> None:
    invoice = an_invoice(session, desk.account)
    query = desk.dispute(invoice, reason="copy_invoice")
    assert desk.told(invoice)["dunning_block"] is True
    until = desk.now + timedelta(days=3)
    given: dict[str, Any] = {"case_id": query.id, "until": until, "actor": desk.actor, "now": desk.now}
    for on, blocked in (("customer", False), ("third_party", True), ("customer", False), ("us", True)):
        life.wait(session, on=on, **given)
        told = desk.told(invoice)
        assert (told["status"], told["reason"], told["disputed_amount"]) == ("query", "copy_invoice", "0.00")
        assert told["dunning_block"] is blocked
