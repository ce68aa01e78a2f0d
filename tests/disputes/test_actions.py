"""What people and the program do to messages and cases: every write has its event, and can be told again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.auth import Team, User
from app.core.errors import BadInput, Conflict, NotFound
from app.core.events import Actor, Event, user_actor
from app.workflows.intake import Tools, work_message
from disputes.actions import cases, corrections, links, tasks
from disputes.models import Case, CaseInvoice, Correction, Delivery, Link, Message, Task
from invoices.models import Entity
from tests.factories import a_user, an_account, an_entity
from tests.fixtures_pipeline import Deliver, Ledger, mail, take_in

PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)


@dataclass
class Desk:
    """A desk with one case and one person who works it."""

    case: Case
    message: Message
    actor: Actor
    now: datetime


@pytest.fixture
def desk(session: Session, deliver: Deliver, now: datetime) -> Desk:
    worked = deliver(PRICE, at=now, subject="Wrong price on INV-2026-0101", message_id="<one@acme.example>")
    user = User(email="pat@seller.example", name="Pat", role="agent", created_at=now)
    session.add(user)
    session.flush()
    message = session.get_one(Message, worked.message_id)
    return Desk(session.get_one(Case, worked.case_id), message, user_actor(user.id), now + timedelta(hours=1))


def last_event(session: Session, verb: str) -> Event:
    return session.scalars(select(Event).where(Event.verb == verb).order_by(Event.id.desc()).limit(1)).one()


def count(session: Session, model: type[Message] | type[Delivery] | type[Case] | type[Event]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_m2_one_message_however_often_and_by_whatever_way_it_comes(
    session: Session,
    tools: Tools,
    ledger: Ledger,  # noqa: ARG001 - the entity must be there
    now: datetime,
) -> None:
    raw = mail(PRICE, at=now, message_id="<one@acme.example>")
    first = take_in(session, tools, raw, at=now, ref="inbox/7/1", source="imap")
    again = take_in(session, tools, b"Received: by other\n" + raw, at=now, ref="call-9", source="http")
    repeat = take_in(session, tools, raw, at=now, ref="inbox/7/1", source="imap")
    assert (first.created, again.created, repeat.created) == (True, False, False)
    assert first.message_id == again.message_id == repeat.message_id
    assert (count(session, Message), count(session, Delivery)) == (1, 2)


def test_m3_the_same_id_with_other_content_is_another_message_and_flagged(
    session: Session, tools: Tools, now: datetime
) -> None:
    first = take_in(session, tools, mail(PRICE, at=now, message_id="<one@acme.example>"), at=now)
    second = take_in(session, tools, mail("Other words", at=now, message_id="<one@acme.example>"), at=now)
    assert first.message_id != second.message_id
    assert session.get_one(Message, second.message_id).id_conflict


def test_m1_bytes_are_kept_before_anything_is_read_and_what_cannot_be_read_is_quarantined(
    session: Session, tools: Tools, now: datetime
) -> None:
    received = take_in(session, tools, b"\x00\x01 no mail at all", at=now)
    message = session.get_one(Message, received.message_id)
    assert tools.blobs.get(message.content_hash) == b"\x00\x01 no mail at all"
    worked = work_message(session, message_id=message.id, tools=tools, now=now)
    if worked.state == "quarantined":
        assert message.quarantine_reason
        corrections.requeue(session, message_id=message.id, actor=user_actor(1), now=now)
    assert message.state in {"received", "worked"}


def test_a_message_is_worked_once(session: Session, tools: Tools, desk: Desk) -> None:
    before = count(session, Event)
    assert work_message(session, message_id=desk.message.id, tools=tools, now=desk.now).state == "left"
    assert count(session, Event) == before


def test_only_a_quarantined_message_is_worked_again(session: Session, desk: Desk) -> None:
    with pytest.raises(corrections.NotQuarantined):
        corrections.requeue(session, message_id=desk.message.id, actor=desk.actor, now=desk.now)


def test_a_persons_reason_stands_and_teaches(session: Session, deliver: Deliver, desk: Desk) -> None:
    version = desk.case.version
    cases.correct(session, case_id=desk.case.id, kind="dispute", reason="quality", actor=desk.actor, now=desk.now)
    assert (desk.case.reason, desk.case.reason_by) == ("quality", desk.actor.name)
    assert desk.case.version > version
    event = last_event(session, "reason corrected")
    assert (event.before or {})["reason"] == "price"
    assert (event.after or {})["reason"] == "quality"
    learned = session.scalars(select(Correction)).one()
    assert (learned.field, learned.before, learned.after) == ("reason", "price", "quality")
    deliver(PRICE, at=desk.now, subject="Re: Wrong price on INV-2026-0101", replies_to=("<one@acme.example>",))
    assert (desk.case.reason, desk.case.message_count) == ("quality", 2)


def test_from_dispute_to_query_the_disputed_amount_follows(session: Session, desk: Desk) -> None:
    row = session.scalars(select(CaseInvoice)).one()
    assert row.disputed == Decimal("864.00")
    cases.correct(session, case_id=desk.case.id, kind="query", reason="statement", actor=desk.actor, now=desk.now)
    assert row.disputed == 0


@pytest.mark.parametrize(("kind", "reason"), [("query", "price"), ("dispute", "nonsense"), ("other", "spam")])
def test_a_reason_that_is_none_of_the_kind_is_refused(session: Session, desk: Desk, kind: str, reason: str) -> None:
    with pytest.raises(cases.UnknownReason):
        cases.correct(session, case_id=desk.case.id, kind=kind, reason=reason, actor=desk.actor, now=desk.now)


def test_the_owner_a_person_chose_stays_when_the_reason_changes(session: Session, desk: Desk) -> None:
    team = session.scalars(select(Team).where(Team.key == "quality")).one()
    user = session.scalars(select(User)).one()
    cases.assign(
        session, case_id=desk.case.id, owner_id=user.id, team_id=team.id, actor=desk.actor, now=desk.now
    )  # fmt: skip
    assert (desk.case.owner_by, desk.case.owner_why) == (
        desk.actor.name,
        [{"say": "chosen by %(name)s", "name": "Pat"}],
    )
    cases.correct(session, case_id=desk.case.id, kind="dispute", reason="tax", actor=desk.actor, now=desk.now)
    assert (desk.case.owner_id, desk.case.team_id) == (user.id, team.id)
    owners = session.scalars(select(Task.assignee_id).where(Task.state == "open")).all()
    assert set(owners) == {user.id}


def test_a_case_goes_to_no_one_who_is_not_there(session: Session, desk: Desk) -> None:
    with pytest.raises(cases.Nobody):
        cases.assign(session, case_id=desk.case.id, owner_id=999, team_id=None, actor=desk.actor, now=desk.now)


def test_closing_ends_what_was_to_be_done_and_a_reply_opens_it_again(
    session: Session, deliver: Deliver, desk: Desk
) -> None:
    cases.close(session, case_id=desk.case.id, resolution="credited", actor=desk.actor, now=desk.now)
    assert (desk.case.state, desk.case.next_step, desk.case.closed_at) == ("closed", None, desk.now)
    assert not session.scalars(select(Task.id).where(Task.state == "open")).all()
    with pytest.raises(cases.CaseEnded):
        cases.close(session, case_id=desk.case.id, resolution="credited", actor=desk.actor, now=desk.now)
    deliver(PRICE, at=desk.now, subject="Re: Wrong price on INV-2026-0101", replies_to=("<one@acme.example>",))
    assert (desk.case.state, desk.case.closed_at) == ("in_progress", None)


def test_m16_an_automatic_reply_joins_but_opens_nothing_again(session: Session, deliver: Deliver, desk: Desk) -> None:
    cases.close(session, case_id=desk.case.id, resolution="credited", actor=desk.actor, now=desk.now)
    worked = deliver(
        "I am out of office until Monday.",
        at=desk.now,
        subject="Automatic reply: Wrong price",
        replies_to=("<one@acme.example>",),
        headers={"Auto-Submitted": "auto-replied"},
    )
    assert (worked.case_id, desk.case.state) == (desk.case.id, "closed")
    assert desk.case.reason == "price"


def test_reopening_needs_a_case_that_ended(session: Session, desk: Desk) -> None:
    with pytest.raises(cases.CaseEnded):
        cases.reopen(session, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    cases.close(session, case_id=desk.case.id, resolution="paid", actor=desk.actor, now=desk.now)
    assert cases.reopen(session, case_id=desk.case.id, actor=desk.actor, now=desk.now).state == "in_progress"


def test_a_hold_needs_a_reason_and_a_time_to_come(session: Session, desk: Desk) -> None:
    later = desk.now + timedelta(days=3)
    with pytest.raises(BadInput):
        cases.hold(session, case_id=desk.case.id, until=desk.now, why="audit", actor=desk.actor, now=desk.now)
    with pytest.raises(BadInput):
        cases.hold(session, case_id=desk.case.id, until=later, why=" ", actor=desk.actor, now=desk.now)
    cases.hold(session, case_id=desk.case.id, until=later, why="audit", actor=desk.actor, now=desk.now)
    assert (desk.case.hold_until, desk.case.hold_reason) == (later, "audit")
    cases.release(session, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    assert desk.case.hold_until is None


def test_a_rejected_link_takes_its_invoice_out_of_the_case_and_back_when_confirmed(
    session: Session, desk: Desk
) -> None:
    link = session.scalars(select(Link)).one()
    links.reject(session, link_id=link.id, actor=desk.actor, now=desk.now)
    assert session.scalars(select(CaseInvoice)).all() == []
    links.confirm(session, link_id=link.id, actor=desk.actor, now=desk.now)
    assert (link.state, link.decided_by, link.probability) == ("confirmed", desk.actor.name, 1.0)
    assert session.scalars(select(CaseInvoice.invoice_id)).one() == link.invoice_id
    assert [one.field for one in session.scalars(select(Correction))] == ["link", "link"]


def test_a_person_adds_an_invoice_of_the_account_and_of_no_other(session: Session, desk: Desk, ledger: Ledger) -> None:
    own, foreign = ledger.invoices["INV-2026-0103"], ledger.invoices["INV-2026-0201"]
    links.add(session, message_id=desk.message.id, invoice_id=own.id, actor=desk.actor, now=desk.now)
    assert own.id in session.scalars(select(CaseInvoice.invoice_id)).all()
    with pytest.raises(links.OtherAccount):
        links.add(session, message_id=desk.message.id, invoice_id=foreign.id, actor=desk.actor, now=desk.now)
    with pytest.raises(links.NoInvoice):
        links.add(session, message_id=desk.message.id, invoice_id=999_999, actor=desk.actor, now=desk.now)


def test_a_message_moved_out_gets_a_case_of_its_own_and_can_be_moved_back(
    session: Session, deliver: Deliver, desk: Desk
) -> None:
    reply = deliver(PRICE, at=desk.now, subject="Re: Wrong price on INV-2026-0101", replies_to=("<one@acme.example>",))
    own = corrections.move(session, message_id=reply.message_id, case_id=None, actor=desk.actor, now=desk.now)
    assert own.id != desk.case.id
    assert (own.message_count, desk.case.message_count) == (1, 1)
    back = corrections.move(session, message_id=reply.message_id, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    assert (back.id, back.message_count) == (desk.case.id, 2)
    assert (own.state, own.merged_into_id) == ("merged", desk.case.id)
    assert [one.field for one in session.scalars(select(Correction))] == ["case", "case"]


def test_m28_a_merged_case_takes_no_changes_they_belong_to_its_target(
    session: Session, deliver: Deliver, desk: Desk
) -> None:
    reply = deliver(PRICE, at=desk.now, subject="Re: Wrong price on INV-2026-0101", replies_to=("<one@acme.example>",))
    own = corrections.move(session, message_id=reply.message_id, case_id=None, actor=desk.actor, now=desk.now)
    corrections.move(session, message_id=reply.message_id, case_id=desk.case.id, actor=desk.actor, now=desk.now)
    with pytest.raises(Conflict, match=f"merged into case {desk.case.id}"):
        cases.reopen(session, case_id=own.id, actor=desk.actor, now=desk.now)


def test_m11_a_message_given_to_another_account_loses_links_to_the_first(
    session: Session, desk: Desk, ledger: Ledger
) -> None:
    corrections.set_account(
        session, message_id=desk.message.id, account_id=ledger.brook.id, actor=desk.actor, now=desk.now
    )
    assert (desk.message.account_id, desk.case.account_id) == (ledger.brook.id, ledger.brook.id)
    assert session.scalars(select(Link)).all() == []
    assert session.scalars(select(CaseInvoice)).all() == []
    with pytest.raises(corrections.NoAccount):
        corrections.set_account(session, message_id=desk.message.id, account_id=999, actor=desk.actor, now=desk.now)


def test_who_may_not_open_the_other_accounts_case_does_not_keep_it(session: Session, desk: Desk) -> None:
    limited = a_user(session, "Paul Roy", now=desk.now, entities=(session.get_one(Entity, desk.case.entity_id).code,))
    cases.assign(session, case_id=desk.case.id, owner_id=limited.id, team_id=None, actor=desk.actor, now=desk.now)
    abroad = an_account(session, an_entity(session, "DE01"))
    corrections.set_account(
        session, message_id=desk.message.id, account_id=abroad.id, actor=desk.actor, now=desk.now
    )  # fmt: skip
    assert desk.case.entity_id == abroad.entity_id
    assert desk.case.owner_id != limited.id
    assert limited.id not in session.scalars(select(Task.assignee_id).where(Task.case_id == desk.case.id)).all()


def test_a_task_ends_once(session: Session, desk: Desk) -> None:
    task = session.scalars(select(Task).where(Task.kind == "answer")).one()
    tasks.finish(session, task_id=task.id, outcome="called", actor=desk.actor, now=desk.now)
    assert (task.state, task.outcome, task.done_at) == ("done", "called", desk.now)
    with pytest.raises(tasks.TaskEnded):
        tasks.finish(session, task_id=task.id, outcome="called", actor=desk.actor, now=desk.now)
    with pytest.raises(NotFound):
        tasks.finish(session, task_id=999, outcome="called", actor=desk.actor, now=desk.now)


def test_what_is_not_there_is_not_found(session: Session, desk: Desk) -> None:
    with pytest.raises(NotFound):
        cases.reopen(session, case_id=999, actor=desk.actor, now=desk.now)
    with pytest.raises(NotFound):
        links.confirm(session, link_id=999, actor=desk.actor, now=desk.now)
    with pytest.raises(NotFound):
        corrections.move(session, message_id=999, case_id=None, actor=desk.actor, now=desk.now)
