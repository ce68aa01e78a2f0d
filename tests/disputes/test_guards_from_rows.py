"""The guards that make it amiable, each proven by rows."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from disputes.actions import cases, life, outbox, planning, progress, tasks
from disputes.clock_events import Happened
from disputes.models import CaseInvoice, CaseStep, Outgoing, Promise, Task
from invoices.models import Allocation
from tests.factories import (
    a_case,
    a_message,
    a_payment,
    an_invoice,
    in_case,
)
from tests.fixtures_progress import ANA, CLOSE, LETTER, STATUS, TOKENS, Story, march, ours

pytestmark = pytest.mark.usefixtures("database_kind")


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
    a_message(story.session, story.case, now=march(4) + timedelta(hours=2), kind="query", reason="other_query")
    story.sweep(march(5))
    assert story.step("close").guard == "not_settled"
    assert "the customer wrote after the matter was resolved" in story.step("close").why
    assert story.case.state == "resolved"


def _waiting_mail(story: Story, kind: str) -> Outgoing:
    """A mail of the playbook's that the mail server would not take on the 10th."""
    mail = Outgoing(
        dedupe_key=f"step:{kind}", kind=kind, case_id=story.case.id, rfc_id=f"<{kind}@fr01.example>", automatic=True,
        from_email="ar@fr01.example", to_email="claire@customer.example", subject="Re", body="Hello", attempts=3,
        not_before=march(10), created_at=march(10),
    )  # fmt: skip
    story.session.add(mail)
    story.session.flush()
    return mail


def test_overtaken_what_a_playbook_wrote_does_not_leave_after_the_customer_wrote_again(story: Story) -> None:
    status, known = _waiting_mail(story, "status"), _waiting_mail(story, "acknowledgement")
    a_message(story.session, story.case, now=march(11), received_at=march(11), sentiment="angry")
    assert outbox.claim(story.session, worker="w", now=march(12)) is known
    assert (status.state, status.last_error) == ("cancelled", outbox.OVERTAKEN)


@pytest.mark.parametrize(("kind", "leaves"), [("status", False), ("question", False), ("satisfaction", True)])
def test_overtaken_nobody_is_told_how_a_closed_case_stands(story: Story, kind: str, leaves: bool) -> None:
    mail = _waiting_mail(story, kind)
    assert story.case.state == "waiting"
    story.case.state = "closed"
    story.session.flush()
    assert (outbox.claim(story.session, worker="w", now=march(12)) is mail) is leaves


def test_overtaken_what_nothing_came_after_leaves_late(story: Story) -> None:
    mail = _waiting_mail(story, "status")
    a_message(story.session, story.case, now=march(11), received_at=march(11), machine="auto_reply")
    assert outbox.claim(story.session, worker="w", now=march(12), outbox_id=mail.id) is mail


def test_recipient_whoever_wrote_first_is_not_acknowledged_because_somebody_known_wrote_later(story: Story) -> None:
    """Two mails a person put into one case: the guards look at who would be written to, the newest writer."""
    ours(story)
    stranger = a_message(story.session, story.case, now=march(2), from_email="mallory@elsewhere.example")
    stranger.sent_at = stranger.received_at = march(2, 8)
    story.session.flush()
    story.begin({"id": "acknowledge", "action": "acknowledge"})
    story.sweep(march(2, 12))
    assert story.session.scalars(select(Outgoing.to_email)).all() == ["claire@customer.example"]
    assert story.steps() == ["acknowledge taken"]
