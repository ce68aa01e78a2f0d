"""Cases go on by themselves: dated stories of steps taken, skipped and brought forward, each from rows."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.core.errors import BadInput
from app.core.events import Actor
from disputes.actions import cases, life, planning, progress, stepping
from disputes.clock_events import Happened
from disputes.models import CaseClock, CaseStep, Task
from disputes.queries.progress import plan_of
from tests.databases import QueryRecorder
from tests.factories import (
    a_case,
    a_message,
    a_team,
    a_user,
    an_invoice,
    in_case,
)
from tests.fixtures_progress import ANA, CLOSE, LETTER, STATUS, TOKENS, Story, march, ours

pytestmark = pytest.mark.usefixtures("database_kind")


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
