"""Cases go on by themselves: dated stories of steps taken, refused, skipped and brought forward, each from rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput
from app.core.events import Actor, Event, system, user_actor
from disputes.actions import cases, life, planning, policies, progress, sent, stepping, tasks
from disputes.clock_events import Happened
from disputes.models import Case, CaseClock, CaseInvoice, CaseStep, Outgoing, Promise, Task
from disputes.queries.progress import plan_of
from disputes.reply_tokens import ReplyTokens
from disputes.rules_in_force import PLAYBOOK
from invoices.models import Account, Allocation, Entity, Invoice
from tests.databases import QueryRecorder
from tests.factories import (
    a_case,
    a_message,
    a_payment,
    a_team,
    a_user,
    an_account,
    an_entity,
    an_invoice,
    in_case,
)

pytestmark = pytest.mark.usefixtures("database_kind")

TOKENS = ReplyTokens(b"k" * 32)
ANA = user_actor(7)
LETTER = {"id": "letter", "action": "letter", "after": {"days": 1}}
STATUS = {"id": "tell_status", "action": "tell_status", "after": {"days": 1}, "template": "status"}
CLOSE = {"id": "close", "action": "close", "counted_from": "resolved", "after": {"days": 1}}


def march(day: int, hour: int = 9) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


@dataclass
class Story:
    """A case of Claire's about an overdue invoice of 1,200.00, of which 200.00 are disputed; it waits on her."""

    session: Session
    entity: Entity
    account: Account
    invoice: Invoice
    case: Case

    def sweep(self, at: datetime) -> None:
        """All that is due then happens."""
        for _ in range(30):
            if not progress.take_due(self.session, now=at, tokens=TOKENS):
                break
        else:
            pytest.fail("the sweep finds no end")
        self.session.refresh(self.case)

    def steps(self) -> list[str]:
        """What became of the steps: "letter refused disputed"."""
        rows = self.session.scalars(select(CaseStep).where(CaseStep.case_id == self.case.id)).all()
        ordered = sorted(rows, key=lambda row: (row.at, row.step, row.cycle))
        return [" ".join(filter(None, (row.step, row.state, row.guard))) for row in ordered]

    def step(self, name: str, cycle: int = 0) -> CaseStep:
        return self.session.get_one(CaseStep, (self.case.id, name, cycle), populate_existing=True)

    def mails(self) -> list[str]:
        return list(self.session.scalars(select(Outgoing.kind).order_by(Outgoing.id)))

    def open_tasks(self) -> list[str]:
        """Kinds of open tasks, those of broken promises (test_clock_rows.py) left out."""
        ours = (Task.case_id == self.case.id, Task.state == "open", Task.dedupe_key.not_like("escalation:%"))
        return list(self.session.scalars(select(Task.kind).where(*ours).order_by(Task.id)))

    def letter(self) -> Mapping[str, Any]:
        """What the task to write a letter says."""
        return self.session.scalars(select(Task).where(Task.kind == "letter")).one().payload

    def events(self, verb: str) -> list[Mapping[str, Any]]:
        found = select(Event).where(Event.case_id == self.case.id, Event.verb == verb).order_by(Event.id)
        return [event.after or {} for event in self.session.scalars(found)]

    def leaves(self, kind: str, at: datetime) -> None:
        """The outbox sends the mail of that kind that waits."""
        mail = self.session.scalars(select(Outgoing).where(Outgoing.kind == kind, Outgoing.state == "queued")).one()
        mail.state, mail.sent_at = "sent", at
        sent.went_out(self.session, mail=mail, actor=system("outbox"), now=at)

    def begin(self, *steps: Mapping[str, Any]) -> None:
        """The case is opened on the 2nd, under a playbook of these steps where any are given."""
        if steps:
            self.save(*steps, at=march(2))
        planning.heard(self.session, case=self.case, what=Happened.OPENED, actor=ANA, now=march(2))

    def save(self, *steps: Mapping[str, Any], at: datetime) -> int:
        """Our own playbook for disputes; gives its version's id."""
        content = {"name": "Ours", "when": {"kind": "dispute"}, "steps": list(steps)}
        return policies.save(self.session, family=PLAYBOOK, key="dispute", content=content, actor=ANA, now=at).id


@pytest.fixture
def story(session: Session) -> Story:
    entity = an_entity(session)
    account = an_account(session, entity)
    account.contacts[0].email = "claire@customer.example"
    invoice = an_invoice(session, account)
    case = a_case(
        session, account, now=march(2), next_step=None, due_at=None, opened_at=march(2), state="waiting",
        waiting_on="customer", waiting_since=march(2),
    )  # fmt: skip
    a_message(session, case, now=march(2) + timedelta(hours=2))
    in_case(session, case, invoice, now=march(2), disputed=Decimal(200))
    return Story(session, entity, account, invoice, case)


def ours(story: Story) -> Story:
    """The case waits on us."""
    story.case.state, story.case.waiting_on, story.case.waiting_since = "in_progress", "us", None
    return story


# --- the shipped playbook, from the first mail on


def test_a_dispute_is_acknowledged_its_owner_asked_and_the_customer_told_before_asking_again(story: Story) -> None:
    ours(story).begin()
    story.sweep(march(2))
    assert story.mails() == ["acknowledgement"]
    assert story.open_tasks() == ["owner_answer"]
    clock = story.session.get_one(CaseClock, (story.case.id, "owner_answer"))
    assert story.session.scalars(select(Task.due_at)).one() == clock.due_at
    assert (story.case.next_step, story.case.due_at) == ("ask_owner_again", march(4))
    story.leaves("acknowledgement", march(2))

    story.sweep(march(4))
    assert story.open_tasks() == ["owner_answer"], "to ask again is the same question"
    assert story.session.get_one(CaseClock, (story.case.id, "owner_answer")).started_at == march(2)
    story.sweep(march(6))
    assert story.mails() == ["acknowledgement", "status"]
    assert story.step("escalate").state == "taken", "the owner's time is over"
    assert story.step("tell_status").actor == "system:progress"
    story.sweep(march(13))
    assert story.mails() == ["acknowledgement", "status", "status"], "and so every five working days"
    assert story.step("tell_status", 1).state == "taken"


def test_silence_is_asked_called_and_only_then_written_to(story: Story) -> None:
    story.begin()
    story.sweep(march(2))
    assert (story.open_tasks(), story.case.next_step) == ([], "ask_customer_again")
    story.sweep(march(9))
    assert story.mails() == ["acknowledgement", "question"]
    story.leaves("question", march(9))
    assert story.case.waiting_since == march(2), "to ask again begins no new wait"
    story.sweep(march(12))
    assert story.open_tasks() == ["courtesy_call"]
    story.sweep(march(23))
    assert story.open_tasks() == ["courtesy_call", "letter"]
    assert (story.letter()["amount"], story.letter()["currency"]) == ("1000.00", "EUR")


def test_a_resolved_case_is_asked_about_and_closed(story: Story) -> None:
    story.begin()
    story.sweep(march(2))
    life.resolve(story.session, case_id=story.case.id, resolution="rejected", note="", actor=ANA, now=march(3))
    assert (story.case.next_step, story.case.due_at) == ("ask_satisfaction", march(4))
    story.sweep(march(4))
    assert story.mails()[-1] == "satisfaction"
    story.sweep(march(10))
    assert (story.case.state, story.case.resolution) == ("closed", "rejected")
    assert story.case.due_at is None
    assert story.case.playbook is None
    story.sweep(march(31))
    assert story.mails().count("satisfaction") == 1


def test_a_case_opened_again_begins_again(story: Story) -> None:
    ours(story).begin()
    story.sweep(march(2))
    cases.close(story.session, case_id=story.case.id, resolution="answered", actor=ANA, now=march(3))
    cases.reopen(story.session, case_id=story.case.id, actor=ANA, now=march(16))
    story.sweep(march(16))
    assert story.step("ask_owner", 1).at == march(16)
    assert story.step("ask_owner", 0).at == march(2)


# --- guards, each proven by rows


def test_hold_nothing_is_done_before_its_end_and_then_it_is(story: Story) -> None:
    story.begin(STATUS)
    cases.hold(story.session, case_id=story.case.id, until=march(9), why="on holiday", actor=ANA, now=march(2))
    assert (story.case.next_step, story.case.due_at) == ("tell_status", march(9))
    story.sweep(march(6))
    assert story.mails() == []
    verdict = progress.bring_forward(
        story.session, case_id=story.case.id, step="tell_status", tokens=TOKENS, actor=ANA, now=march(6)
    )
    assert (verdict.verdict, verdict.guard, verdict.until) == ("refuse", "hold", march(9))
    story.sweep(march(9))
    assert story.mails() == ["status"]


def test_own_delay_nobody_is_dunned_while_the_case_waits_on_us(story: Story) -> None:
    ours(story).begin(LETTER)
    story.sweep(march(3))
    assert (story.steps(), story.open_tasks()) == (["letter refused own_delay"], [])
    assert story.step("letter").why == "the case waits on us, not on the customer"
    assert (story.case.next_step, story.case.due_at) == ("letter", march(4))
    story.sweep(march(4))
    assert len(story.events("step refused")) == 1, "told once, though it is asked every day"
    life.wait(story.session, case_id=story.case.id, on="customer", until=march(9), actor=ANA, now=march(4))
    story.sweep(march(5))
    assert story.open_tasks() == ["letter"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"email": "other@elsewhere.example"}, "the address is not known as the customer's"),
        ({"email": "noreply@customer.example"}, "a machine would read it"),
        ({"mailbox": None}, "there is no address to write to"),
        ({"mailbox": "claire@customer.example"}, "a machine would read it"),
    ],
    ids=["stranger", "machine", "no mailbox", "our own mailbox"],
)
def test_recipient_nothing_automatic_goes_to_strangers_machines_or_nobody(
    story: Story, change: dict[str, str | None], why: str
) -> None:
    if "mailbox" in change:
        story.entity.mailbox = change["mailbox"]
    else:
        a_message(story.session, story.case, now=march(2) + timedelta(hours=3), from_email=change["email"])
    story.begin(STATUS)
    story.sweep(march(3))
    assert (story.mails(), story.step("tell_status").guard) == ([], "recipient")
    assert story.step("tell_status").why == why


def test_a_colleague_of_a_contact_is_known_and_one_at_a_mail_provider_is_not(story: Story) -> None:
    a_message(story.session, story.case, now=march(2) + timedelta(hours=3), from_email="bob@customer.example")
    story.begin(STATUS)
    story.sweep(march(3))
    assert story.session.scalars(select(Outgoing.to_email)).all() == ["bob@customer.example"]


def test_person_first_changed_bank_details_and_lawyers_are_for_people(story: Story) -> None:
    story.case.flags = ["legal_threat"]
    story.begin(LETTER, STATUS)
    story.sweep(march(3))
    assert story.step("letter").guard == "person_first"
    assert story.step("tell_status").state == "taken"
    story.case.flags = ["payment_diversion"]
    other = {**STATUS, "id": "tell_again", "after": {"days": 2}}
    story.save(LETTER, STATUS, other, at=march(4))
    story.sweep(march(5))
    assert story.step("tell_again").guard == "person_first"


def test_call_first_an_angry_customer_is_called_before_anything_is_written(story: Story) -> None:
    a_message(story.session, story.case, now=march(2) + timedelta(hours=3), sentiment="angry")
    story.case.sentiment = "angry"
    story.begin(STATUS)
    story.sweep(march(2, 12))
    assert (story.mails(), story.open_tasks()) == ([], ["courtesy_call"])
    assert story.case.next_step == "tell_status"
    story.sweep(march(3))
    assert story.step("tell_status").guard == "call_first"
    call = story.session.scalars(select(Task).where(Task.kind == "courtesy_call")).one()
    tasks.finish(story.session, task_id=call.id, outcome="voicemail", actor=ANA, now=march(3, 10))
    story.sweep(march(4))
    assert story.mails() == [], "a message left is no call"
    again = tasks.open_task(
        story.session, kind="courtesy_call", title="Again", dedupe_key="again", actor=ANA, now=march(4), due_at=None,
        case=story.case,
    )  # fmt: skip
    tasks.finish(story.session, task_id=again.id, outcome="reached", actor=ANA, now=march(4, 10))
    story.sweep(march(5))
    assert story.mails() == ["status"]


def test_three_calls_without_an_answer_are_enough_and_so_is_a_call_a_person_skips(story: Story) -> None:
    story.case.sentiment = "angry"
    a_message(story.session, story.case, now=march(2) + timedelta(hours=3), sentiment="angry")
    story.begin(STATUS)
    for number, day in enumerate((2, 3, 3)):
        task = tasks.open_task(
            story.session, kind="courtesy_call", title="Call", dedupe_key=f"call {number}", actor=ANA, now=march(day),
            due_at=None, case=story.case,
        )  # fmt: skip
        tasks.finish(story.session, task_id=task.id, outcome="unreachable", actor=ANA, now=march(day, 9 + number))
    story.sweep(march(3, 12))
    assert story.mails() == ["status"]
    a_message(story.session, story.case, now=march(9) + timedelta(hours=2), sentiment="angry")
    planning.look_again(story.case, now=march(9))
    story.save(STATUS, {**STATUS, "id": "more", "after": {"days": 6}}, at=march(9))
    story.sweep(march(10))
    assert story.step("more").guard == "call_first"
    progress.skip(
        story.session, case_id=story.case.id, step="courtesy_call", why="met them at the fair", actor=ANA, now=march(10)
    )
    story.sweep(march(11))
    assert story.step("more").state == "taken"


def test_disputed_what_all_cases_dispute_is_not_dunned_and_the_rest_is_to_the_cent(story: Story) -> None:
    other = a_case(story.session, story.account, now=march(1), due_at=None, next_step=None)
    row = in_case(story.session, other, story.invoice, now=march(1), disputed=Decimal(1000))
    story.begin(LETTER)
    story.sweep(march(3))
    assert (story.step("letter").guard, story.step("letter").why) == ("disputed", "all that is overdue is in dispute")
    row.disputed = Decimal("899.99")
    story.sweep(march(4))
    assert story.letter()["amount"] == "100.01"


def _a_payment(story: Story) -> None:
    a_payment(story.session, story.account, amount=Decimal(1000), received=date(2026, 3, 2))


def _a_credit_note(story: Story) -> None:
    note = {"kind": "credit_note", "gross": Decimal(-1000), "net": Decimal(-1000), "open_amount": Decimal(-1000)}
    an_invoice(story.session, story.account, number="CN-1", credits=story.invoice.number, **note)


def _a_promise(story: Story) -> None:
    promise = Promise(
        case_id=story.case.id, account_id=story.account.id, date=date(2026, 3, 6), amount=Decimal(1000),
        currency="EUR", created_at=march(2),
    )  # fmt: skip
    story.session.add(promise)


@pytest.mark.parametrize(
    ("cover", "why", "until"),
    [
        (_a_payment, "a payment covers what is due", march(4)),
        (_a_credit_note, "a credit covers what is due", march(4)),
        (_a_promise, "a promise covers what is due", datetime(2026, 3, 10, 23, tzinfo=UTC)),
    ],
    ids=["payment", "credit note", "promise"],
)
def test_covered_money_on_its_way_stops_the_letter(
    story: Story, cover: Callable[[Story], None], why: str, until: datetime
) -> None:
    cover(story)
    story.begin(LETTER)
    story.sweep(march(3))
    row = story.step("letter")
    assert (row.guard, row.why, row.until, story.open_tasks()) == ("covered", why, until, [])
    assert story.case.due_at == until


def test_money_put_elsewhere_or_long_ago_covers_nothing(story: Story) -> None:
    a_payment(story.session, story.account, amount=Decimal(5000), received=date(2025, 12, 1))
    spent = a_payment(story.session, story.account, amount=Decimal(900), received=date(2026, 3, 1))
    story.session.add(Allocation(payment_id=spent.id, invoice_number="F-OTHER", entity_id=story.entity.id,
                                 amount=Decimal(900)))  # fmt: skip
    unknown = a_payment(story.session, story.account, amount=Decimal(900), received=date(2026, 3, 1))
    story.session.add(Allocation(payment_id=unknown.id, invoice_number="F-OTHER", entity_id=story.entity.id))
    a_payment(story.session, story.account, amount=Decimal(5000), currency="USD", received=date(2026, 3, 1))
    part = a_payment(story.session, story.account, amount=Decimal(300), received=date(2024, 3, 1))
    story.session.add(Allocation(payment_id=part.id, invoice_number="F-OLD", entity_id=story.entity.id,
                                 amount=Decimal(250)))  # fmt: skip
    story.begin(LETTER)
    story.sweep(march(3))
    assert story.letter()["amount"] == "950.00", "but for 50.00 put nowhere"


def test_quiet_nobody_gets_two_automatic_mails_within_the_period_not_even_about_two_cases(story: Story) -> None:
    other = a_case(
        story.session, story.account, now=march(2), due_at=None, next_step=None, waiting_on="customer",
        opened_at=march(2), state="waiting",
    )  # fmt: skip
    a_message(story.session, other, now=march(2))
    story.begin(STATUS)
    planning.heard(story.session, case=other, what=Happened.OPENED, actor=ANA, now=march(2))
    story.sweep(march(3))
    assert story.mails() == ["status"], "both were due in the same sweep"
    told = {case.id: story.session.get_one(CaseStep, (case.id, "tell_status", 0)) for case in (story.case, other)}
    assert sorted(row.state for row in told.values()) == ["refused", "taken"]
    refused = next(row for row in told.values() if row.state == "refused")
    assert (refused.guard, refused.until) == ("quiet", march(4))
    story.sweep(march(4))
    assert story.mails() == ["status", "status"]


def test_not_settled_no_case_is_closed_over_money_in_dispute_or_words_nobody_read(story: Story) -> None:
    story.begin(CLOSE)
    life.resolve(story.session, case_id=story.case.id, resolution="accepted", note="", actor=ANA, now=march(3))
    story.sweep(march(4))
    assert story.step("close").why == "200.00 is still in dispute"
    story.session.get_one(CaseInvoice, (story.case.id, story.invoice.id)).disputed = Decimal(0)
    a_message(story.session, story.case, now=march(4) + timedelta(hours=2), kind="query", reason="acknowledgement")
    story.sweep(march(5))
    assert story.step("close").guard == "not_settled"
    assert "the customer wrote after the matter was resolved" in story.step("close").why
    assert story.case.state == "resolved"


# --- people


def test_a_step_is_skipped_with_a_reason_and_the_next_one_comes(story: Story) -> None:
    story.begin(STATUS, CLOSE)
    with pytest.raises(BadInput, match="Say why"):
        progress.skip(story.session, case_id=story.case.id, step="tell_status", why=" ", actor=ANA, now=march(2))
    after = progress.skip(
        story.session, case_id=story.case.id, step="tell_status", why="told by phone", actor=ANA, now=march(2)
    )
    assert after is None
    assert story.events("step skipped") == [
        {"step": "tell_status", "action": "tell_status", "cycle": 0, "why": "told by phone"}
    ]
    story.sweep(march(31))
    assert story.mails() == []
    with pytest.raises(progress.NotNow, match="it was done"):
        progress.skip(story.session, case_id=story.case.id, step="tell_status", why="again", actor=ANA, now=march(3))
    with pytest.raises(progress.NoStep, match="'letter' is planned"):
        progress.skip(story.session, case_id=story.case.id, step="letter", why="no", actor=ANA, now=march(3))


def test_a_step_brought_forward_is_taken_now_and_never_again(story: Story) -> None:
    story.begin(STATUS)
    verdict = progress.bring_forward(
        story.session, case_id=story.case.id, step="tell_status", tokens=TOKENS, actor=ANA, now=march(2, 10)
    )
    assert (verdict.verdict, story.mails()) == ("take", ["status"])
    assert (story.step("tell_status").actor, story.step("tell_status").why) == ("user:7", "brought forward")
    story.sweep(march(3))
    assert story.mails() == ["status"]
    with pytest.raises(progress.NotNow):
        progress.bring_forward(
            story.session, case_id=story.case.id, step="tell_status", tokens=TOKENS, actor=ANA, now=march(3)
        )


# --- waits


def test_a_third_party_had_until_then_and_the_owner_is_asked(story: Story) -> None:
    ours(story).begin(LETTER)
    life.wait(story.session, case_id=story.case.id, on="third_party", until=march(4), actor=ANA, now=march(2))
    story.sweep(march(3))
    assert story.case.state == "waiting"
    story.sweep(march(4))
    assert (story.case.state, story.case.waiting_on) == ("in_progress", "us")
    assert story.open_tasks() == ["owner_answer"]
    story.sweep(march(5))
    assert story.open_tasks() == ["owner_answer"]


def test_the_customers_silence_counts_from_the_day_they_were_given(story: Story) -> None:
    ours(story).begin()
    story.sweep(march(2))
    life.wait(story.session, case_id=story.case.id, on="customer", until=march(16), actor=ANA, now=march(2))
    story.sweep(march(13))
    assert "question" not in story.mails(), "they have until the 16th"
    story.sweep(march(16))
    assert (story.case.state, story.case.waiting_on, story.case.waiting_since) == ("waiting", "customer", march(16))
    assert len(story.events("no answer in time")) == 1
    story.sweep(march(23))
    assert "question" in story.mails()


# --- changed playbooks


def test_a_changed_playbook_times_its_cases_again_and_holds_stand(story: Story) -> None:
    story.begin(STATUS)
    held = a_case(story.session, story.account, now=march(2), opened_at=march(2), due_at=None, waiting_on="us")
    planning.heard(story.session, case=held, what=Happened.OPENED, actor=ANA, now=march(2))
    cases.hold(story.session, case_id=held.id, until=march(20), why="asked to", actor=ANA, now=march(2))
    story.save({**STATUS, "after": {"days": 5}}, at=march(2))
    assert progress.retime_all(story.session, key="dispute", actor=ANA, now=march(2)) == 1
    story.session.refresh(story.case)
    assert story.case.due_at == march(9)
    story.sweep(march(3))
    assert (story.mails(), story.case.due_at) == ([], march(9))
    story.session.refresh(held)
    assert held.due_at == march(20)


def test_a_step_put_before_the_others_comes_first_though_the_others_were_only_timed_again(story: Story) -> None:
    story.begin(STATUS)
    sooner = {"id": "ask_owner", "action": "ask_owner", "after": {"hours": 2}}
    policy_id = story.save(STATUS, sooner, at=march(2))
    progress.retime_all(story.session, key="dispute", actor=ANA, now=march(2))
    story.session.refresh(story.case)
    assert story.case.next_step == "tell_status"
    story.sweep(march(2))
    assert (story.case.next_step, story.case.due_at) == ("ask_owner", march(2, 11))
    assert story.case.policy_id == policy_id


def test_a_step_that_is_gone_is_decided_anew_and_what_had_ended_may_go_on(story: Story) -> None:
    story.begin(STATUS)
    story.sweep(march(3))
    assert plan_of(story.session, case=story.case, now=march(3)).next is None, "nothing is left to do"
    story.save({**STATUS, "repeat": {"every": {"days": 2}, "at_most": 3}}, at=march(3))
    progress.retime_all(story.session, key="dispute", actor=ANA, now=march(3))
    story.sweep(march(3))
    assert (story.case.next_step, story.case.due_at) == ("tell_status", march(5))


def test_a_further_playbook_draws_the_cases_it_speaks_of(story: Story) -> None:
    story.begin(STATUS)
    vip = {"name": "VIP", "when": {"accounts": [story.account.number]}, "steps": [LETTER]}
    policies.save(story.session, family=PLAYBOOK, key="vip", content=vip, actor=ANA, now=march(2))
    assert progress.retime_all(story.session, key="vip", actor=ANA, now=march(2)) == 1
    story.sweep(march(2))
    assert (story.case.playbook, story.case.next_step) == ("vip", "letter")
    policies.drop(story.session, family=PLAYBOOK, key="vip", actor=ANA, now=march(2, 10))
    progress.retime_all(story.session, key="vip", actor=ANA, now=march(2, 10))
    story.sweep(march(2, 10))
    assert [story.case.playbook, story.case.next_step] == ["dispute", "tell_status"]


# --- many, and trouble


def test_trouble_with_one_case_is_told_put_off_and_stops_no_other(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = a_case(story.session, story.account, now=march(2), opened_at=march(2), due_at=None, waiting_on="us")
    asking = {"id": "ask_owner", "action": "ask_owner"}
    story.begin(asking)
    planning.heard(story.session, case=other, what=Happened.OPENED, actor=ANA, now=march(2))

    def fails(doing: stepping.Doing) -> str:
        doing.case.title = "half done"
        if doing.case.id == story.case.id:
            raise ValueError("no such thing")
        return ""

    monkeypatch.setattr(stepping, "do", fails)
    story.sweep(march(2))
    assert story.step("ask_owner").state == "refused"
    assert "no such thing" in story.step("ask_owner").why
    assert story.case.title != "half done"
    assert story.case.due_at == march(2, 10)
    assert story.session.get_one(CaseStep, (other.id, "ask_owner", 0)).state == "taken"


def test_to_plan_many_takes_as_many_queries_as_to_plan_one(story: Story, queries: QueryRecorder) -> None:
    story.begin({**STATUS, "after": {"days": 9}})

    def cost(count: int) -> int:
        for _ in range(count):
            case = a_case(story.session, story.account, now=march(2), opened_at=march(2), waiting_on="us")
            case.due_at = march(2)
        story.session.flush()
        with queries:
            assert progress.take_due(story.session, now=march(2), tokens=TOKENS) == count
            story.session.flush()
        return queries.count

    assert cost(3) == cost(40)


def test_the_lead_of_the_team_hears_what_its_owner_left_undone(story: Story) -> None:
    team = a_team(story.session)
    lead = a_user(story.session, "Lea Lead", now=march(1), role="lead")
    team.lead_id, story.case.team_id = lead.id, team.id
    ours(story).begin({"id": "up", "action": "escalate", "after": {"days": 1}})
    story.sweep(march(3))
    task = story.session.scalars(select(Task).where(Task.kind == "escalation")).one()
    assert task.assignee_id == lead.id


# --- what is shown


def test_the_plan_shows_what_comes_when_what_was_refused_and_why_the_rest_does_not(story: Story) -> None:
    story.begin()
    story.sweep(march(2))
    plan = plan_of(story.session, case=story.case, now=march(2))
    assert plan.next is not None
    assert (plan.playbook, plan.next.step, plan.next.due_at) == ("dispute", "ask_customer_again", march(9))
    stands = {one.step: one.stand for one in plan.steps}
    assert stands["acknowledge"] == "done"
    assert (stands["letter"], stands["ask_owner"], stands["close"]) == ("coming", "not_now", "not_now")
    assert {one.step: one.why for one in plan.steps}["close"] == "the case is waiting"
    in_case(story.session, story.case, an_invoice(story.session, story.account, due=date(2027, 1, 1)), now=march(2))
    story.session.flush()
    story.invoice.open_amount = Decimal(200)
    story.sweep(march(31))
    refused = next(one for one in plan_of(story.session, case=story.case, now=march(31)).steps if one.step == "letter")
    assert refused.refused is not None
    assert (refused.refused.guard, refused.can_skip) == ("disputed", True)


def test_a_case_on_no_playbook_has_no_plan(story: Story) -> None:
    assert plan_of(story.session, case=story.case, now=march(2)).steps == ()


def test_an_old_mail_starts_nothing(story: Story) -> None:
    message = a_message(story.session, story.case, now=march(2) - timedelta(days=30))
    planning.heard_mail(
        story.session, message=message, case=story.case, opened=True, actor=Actor("system:intake"), now=march(2)
    )
    assert story.case.due_at is None
    assert story.session.scalars(select(CaseClock)).all() == []


def test_talk_of_changed_bank_details_holds_the_case_for_a_person(story: Story) -> None:
    message = a_message(story.session, story.case, now=march(2), flags=["payment_diversion"])
    planning.heard_mail(
        story.session, message=message, case=story.case, opened=True, actor=Actor("system:intake"), now=march(2)
    )
    assert story.case.hold_until == march(16)
    story.sweep(march(2))
    assert (story.mails(), story.case.due_at) == ([], march(16))
