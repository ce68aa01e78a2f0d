"""A changed playbook times the cases that are on it again."""

import pytest

from disputes.actions import cases, planning, policies, progress
from disputes.clock_events import Happened
from disputes.queries.progress import plan_of
from disputes.rules_in_force import PLAYBOOK
from tests.factories import (
    a_case,
)
from tests.fixtures_progress import ANA, LETTER, STATUS, Story, march

pytestmark = pytest.mark.usefixtures("database_kind")


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
