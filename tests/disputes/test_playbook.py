"""What happens next in a case, told as the days of one: playbooks as data, holds, reopening, edits."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.conditions import CaseFacts
from disputes.playbook import (
    Done,
    NextDue,
    Playbook,
    Progress,
    cycle_of,
    default_playbooks,
    next_due,
    playbook_for,
    read_playbook,
    retimed,
)
from disputes.playbook_simulation import simulate
from disputes.rulebook import BadPolicy
from disputes.workhours import add_business_days, calendar_of

PARIS = calendar_of("FR")
MONDAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
DISPUTE = default_playbooks()["dispute"]
PRICE = CaseFacts(case_id=7, kind="dispute", reason="price", amount=Decimal(900), currency="EUR", waiting_on="us")
NEW = Progress(case=PRICE, since={"opened": MONDAY, "customer_wrote": MONDAY})


def day(count: int) -> datetime:
    return add_business_days(MONDAY, count, PARIS)


def coming(facts: Progress, playbook: Playbook = DISPUTE) -> NextDue:
    found = next_due(facts, playbook, calendar=PARIS)
    assert found is not None
    return found


def did(facts: Progress, *steps: str, at: datetime = MONDAY, state: str = "taken", **since: datetime) -> Progress:
    rows = [Done(step, cycle_of(step, facts.done), state, at) for step in steps]
    return replace(facts, done=[*facts.done, *rows], since={**facts.since, **since})


def test_a_new_dispute_is_acknowledged_then_its_owner_is_asked_at_once() -> None:
    first = coming(NEW)
    assert (first.step, first.due_at, first.why) == ("acknowledge", MONDAY, "as soon as the case was opened")
    assert coming(did(NEW, "acknowledge")).step == "ask_owner"


def test_the_customer_hears_from_us_every_few_days_while_we_work() -> None:
    working = did(NEW, "acknowledge", "ask_owner", "ask_owner_again", we_wrote=MONDAY, owner_asked=MONDAY)
    told = coming(working)
    assert (told.step, told.due_at, told.why) == ("tell_status", day(4), "4 working days after we last wrote")
    again = coming(did(working, "tell_status", at=day(4), we_wrote=day(4)))
    assert (again.step, again.due_at, again.cycle) == ("tell_status", day(9), 1)
    answered_between = coming(did(working, "tell_status", at=day(4), we_wrote=day(6)))
    assert answered_between.due_at == day(11)


def test_a_broken_promise_of_the_owner_goes_to_the_lead() -> None:
    late = did(NEW, "acknowledge", "ask_owner", "ask_owner_again", we_wrote=day(3), owner_asked=MONDAY)
    assert coming(late).step == "tell_status"
    broken = replace(late, breached=frozenset({"owner_answer"}))
    assert (coming(broken).step, coming(broken).due_at) == ("escalate", day(3))


def test_a_silent_customer_is_asked_again_called_and_only_then_written_a_letter() -> None:
    waiting = replace(NEW, case=replace(PRICE, state="waiting", waiting_on="customer"))
    facts = did(waiting, "acknowledge", "ask_owner", waiting=day(1), we_wrote=day(1))
    story = []
    for _ in range(3):
        due = coming(facts)
        story.append((due.step, due.due_at))
        facts = did(facts, due.step, at=due.due_at)
    assert story == [("ask_customer_again", day(6)), ("call_the_silent", day(9)), ("letter", day(16))]
    assert next_due(facts, DISPUTE, calendar=PARIS) is None


def test_an_angry_customer_is_called_before_anything_written_even_where_the_playbook_forgot_it() -> None:
    forgetful = read_playbook({"name": "Short", "steps": [{"id": "tell", "action": "tell_status"}]})
    angry = replace(NEW, case=replace(PRICE, sentiment="angry"), upset_at=MONDAY)
    first = coming(angry, forgetful)
    assert (first.step, first.why) == ("courtesy_call", "angry or urgent: a call comes before anything written")
    assert coming(did(angry, "courtesy_call"), forgetful).step == "tell"
    again = replace(did(angry, "courtesy_call"), upset_at=day(3), called_at=day(1))
    assert (coming(again, forgetful).step, coming(again, forgetful).cycle) == ("courtesy_call", 1)
    assert coming(replace(angry, called_at=day(1)), forgetful).step == "tell"


def test_a_hold_puts_everything_off_and_is_shown() -> None:
    held = replace(NEW, hold_until=day(6), hold_reason="the customer asked for time")
    assert (coming(held).due_at, coming(held).held) == (day(6), "the customer asked for time")


def test_a_refused_step_is_tried_again_on_the_next_working_day_or_when_the_refusal_ends() -> None:
    refused = did(NEW, "acknowledge", "ask_owner", "ask_owner_again", state="refused")
    assert coming(refused).due_at == day(1)
    until = replace(
        NEW, done=[Done("acknowledge", 0, "refused", MONDAY, until=day(2)), Done("ask_owner", 0, "taken", MONDAY)]
    )
    assert coming(until).due_at == day(2)


def test_a_resolved_case_is_asked_how_it_went_and_closed() -> None:
    resolved = replace(
        NEW, case=replace(PRICE, state="resolved", waiting_on=None), since={"opened": MONDAY, "resolved": day(2)}
    )
    assert (coming(resolved).step, coming(resolved).due_at) == ("ask_satisfaction", day(3))
    assert (coming(did(resolved, "ask_satisfaction")).step) == "close"
    assert next_due(did(resolved, "ask_satisfaction", "close", at=day(8)), DISPUTE, calendar=PARIS) is None


def test_a_reopened_case_goes_through_its_steps_again_in_a_new_cycle() -> None:
    before = did(NEW, "acknowledge", "ask_owner")
    again = replace(before, since={**before.since, "opened": day(20)})
    assert (coming(again).step, coming(again).cycle) == ("acknowledge", 1)


def test_each_kind_has_its_playbook() -> None:
    query = replace(PRICE, kind="query", reason="statement")
    assert (playbook_for(PRICE, default_playbooks()), playbook_for(query, default_playbooks())) == ("dispute", "query")


def edited(**changes: Any) -> Playbook:
    content = DISPUTE.model_dump(mode="json")
    for step in content["steps"]:
        step.update(changes.get(step["id"], {}))
    content["steps"] = [step for step in content["steps"] if changes.get(step["id"], {}) is not None]
    return read_playbook(content)


def test_an_edit_is_shown_on_the_open_cases_before_it_is_saved() -> None:
    working = did(NEW, "acknowledge", "ask_owner", "ask_owner_again", we_wrote=MONDAY, owner_asked=MONDAY)
    sooner = edited(tell_status={"after": {"days": 1}})
    result = simulate([NEW, working], DISPUTE, sooner, calendar=PARIS, now=day(2))
    assert (result.cases, result.counts) == (2, {"earlier": 1, "at_once": 1})
    assert (result.effects[0].before, result.effects[0].after) == (coming(working), coming(working, sooner))
    without = simulate([working], DISPUTE, edited(tell_status={"when": {"kind": "query"}}), calendar=PARIS, now=day(2))
    assert without.counts == {"nothing_left": 1, "at_once": 0}
    assert simulate([NEW, working], DISPUTE, DISPUTE, calendar=PARIS, now=day(2)).effects == ()


def test_an_edit_times_running_cases_again_from_where_their_step_began() -> None:
    sooner = edited(tell_status={"after": {"days": 1}})
    assert retimed(sooner, "tell_status", step_from=MONDAY, cycle=0, calendar=PARIS) == day(1)
    assert retimed(sooner, "tell_status", step_from=MONDAY, cycle=2, calendar=PARIS) == day(5)
    assert retimed(sooner, "dance", step_from=MONDAY, cycle=0, calendar=PARIS) is None


def with_step(**step: Any) -> dict[str, Any]:
    return {"name": "Mine", "steps": [{"id": "one", "action": "tell_status", **step}]}


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ({"name": "Empty", "steps": []}, "steps", "at least 1 item"),
        (with_step(action="threaten"), "steps.0.action", "'acknowledge'"),
        (with_step(id="Not an id"), "steps.0.id", "pattern"),
        (with_step(after={"days": -1}), "steps.0.after.days", "greater than or equal to 0"),
        (with_step(repeat={"every": {}, "at_most": 3}), "steps.0.repeat.every", "needs time between"),
        (with_step(action="close", repeat={"every": {"days": 1}, "at_most": 3}), "steps.0", "cannot be repeated"),
        (with_step(to="customer"), "steps.0", "only an escalation"),
        (with_step(when={"mood": "bad"}), "steps.0.when.mood", "not permitted"),
        ({"name": "Twice", "steps": [with_step()["steps"][0]] * 2}, "", "one comes twice"),
        ({**with_step(), "guards": {"quiet_hours": 0}}, "guards.quiet_hours", "greater than or equal to 1"),
    ],
)
def test_a_playbook_that_cannot_work_is_refused_with_the_place(content: Any, place: str, words: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        read_playbook(content)
    assert words in refused.value.fields[place]


CASES = st.builds(
    CaseFacts,
    kind=st.sampled_from(["dispute", "query"]),
    reason=st.just("price"),
    state=st.sampled_from(["new", "in_progress", "waiting", "resolved", "closed"]),
    waiting_on=st.sampled_from([None, "us", "customer", "third_party"]),
    sentiment=st.sampled_from(["calm", "angry"]),
    urgent=st.booleans(),
)


@given(case=CASES, playbook=st.sampled_from(sorted(default_playbooks())), waited=st.integers(0, 9))
def test_every_case_comes_to_an_end_and_no_step_comes_twice_in_a_cycle(
    case: CaseFacts, playbook: str, waited: int
) -> None:
    since = {"opened": MONDAY, "waiting": day(waited), "resolved": day(waited), "owner_asked": MONDAY}
    facts = Progress(case=case, since=since, breached=frozenset({"owner_answer"}))
    taken: list[tuple[str, int]] = []
    while (due := next_due(facts, default_playbooks()[playbook], calendar=PARIS)) is not None:
        taken.append((due.step, due.cycle))
        assert due.due_at >= MONDAY
        facts = did(facts, due.step, at=due.due_at)
    assert len(taken) == len(set(taken)) <= 60
    assert not taken or case.state != "closed"
