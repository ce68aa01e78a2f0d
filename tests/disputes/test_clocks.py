"""Promises kept in office time: what is due, what waits on the customer, who is told when it is late."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.clock_events import Happened, after, chip, promised_anew
from disputes.clocks import Clock, check, default_levels, meet, next_alarm, promise_of, read_levels, retime, start
from disputes.conditions import CaseFacts
from disputes.rulebook import BadPolicy
from disputes.workhours import add_business_time, business_seconds_between, calendar_of

PARIS = calendar_of("FR")
CALM = CaseFacts(kind="dispute", reason="price", amount=Decimal(900), currency="EUR")
ANGRY = CaseFacts(kind="dispute", reason="price", sentiment="angry")
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)  # opening time in Paris


def at(hours: float) -> datetime:
    """A moment so many office hours after Monday's opening."""
    return add_business_time(MONDAY, timedelta(hours=hours), PARIS)


def told(*story: tuple[float, Happened], case: CaseFacts = CALM) -> dict[str, Clock]:
    clocks: dict[str, Clock] = {}
    for hours, happened in story:
        clocks = after(clocks, happened, case=case, levels=default_levels(), calendar=PARIS, now=at(hours))
    return clocks


def dues(clocks: dict[str, Clock]) -> dict[str, datetime | None]:
    return {kind: clock.due_at for kind, clock in clocks.items()}


def test_an_angry_customer_is_promised_a_quicker_answer() -> None:
    assert dues(told((0, Happened.OPENED)))["first_answer"] == at(8)
    assert dues(told((0, Happened.OPENED), case=ANGRY))["first_answer"] == at(2)
    assert promise_of("resolution", ANGRY, default_levels()).rule == "angry customers"


def test_the_clocks_stand_still_while_the_customer_has_the_word() -> None:
    waiting = told((0, Happened.OPENED), (4, Happened.WE_ANSWERED), (10, Happened.WAITS_ON_CUSTOMER))
    shown = chip(waiting.values(), at(30))
    assert shown
    assert (shown.state, shown.kind, shown.paused_why) == ("paused", "next_update", "waiting on the customer")
    assert shown.left_seconds == 34 * 3600
    again = told(
        (0, Happened.OPENED),
        (4, Happened.WE_ANSWERED),
        (10, Happened.WAITS_ON_CUSTOMER),
        (60, Happened.CUSTOMER_WROTE),
    )
    assert (again["next_update"].due_at, again["resolution"].due_at) == (at(94), at(170))


def test_a_first_answer_is_owed_even_while_the_case_waits() -> None:
    waiting = told((0, Happened.OPENED), (1, Happened.WAITS_ON_CUSTOMER))
    assert waiting["first_answer"].running
    assert not waiting["resolution"].running


def test_an_automatic_acknowledgement_is_no_answer_unless_the_policy_says_so() -> None:
    assert told((0, Happened.OPENED), (0, Happened.ACKNOWLEDGED))["first_answer"].met_at is None
    generous = default_levels().model_copy(update={"acknowledgement_counts": True})
    opened = told((0, Happened.OPENED))
    clocks = after(opened, Happened.ACKNOWLEDGED, case=CALM, levels=generous, calendar=PARIS, now=at(0))
    assert clocks["first_answer"].met_at == at(0)


def test_each_answer_promises_the_next_one() -> None:
    clocks = told((0, Happened.OPENED), (4, Happened.WE_ANSWERED), (20, Happened.WE_ANSWERED))
    assert clocks["first_answer"].met_at == at(4)
    assert clocks["next_update"].due_at == at(60)


def test_the_owner_is_asked_answers_and_the_matter_is_settled() -> None:
    clocks = told(
        (0, Happened.OPENED), (1, Happened.OWNER_ASKED), (9, Happened.OWNER_ANSWERED), (20, Happened.RESOLVED)
    )
    assert clocks["owner_answer"].met_at == at(9)
    assert all(clock.met_at for clock in clocks.values())
    shown = chip(clocks.values(), at(50))
    assert shown
    assert (shown.state, shown.missed) == ("met", 1)  # the first answer came with the resolution, after 20 hours


def test_nobody_answers_the_owner_is_warned_then_the_lead_is_told_each_once() -> None:
    clock = told((0, Happened.OPENED))["first_answer"]
    heard: list[tuple[float, str, str]] = []
    for hours in range(12):
        clock, alarm = check(clock, now=at(hours))
        if alarm:
            heard.append((hours, alarm.level, alarm.to))
    assert heard == [(6, "warn", "owner"), (8, "breach", "lead")]
    assert clock.breached_at == clock.due_at == at(8)
    assert next_alarm(clock) is None


@pytest.mark.parametrize(("hours", "state"), [(1, "due"), (6, "soon"), (9, "late")])
def test_the_chip_says_how_near_it_is(hours: float, state: str) -> None:
    shown = chip(told((0, Happened.OPENED)).values(), at(hours))
    assert shown
    assert (shown.state, shown.label, shown.due_at) == (state, "First answer", at(8))


def test_a_case_without_clocks_has_no_chip() -> None:
    assert chip([], MONDAY) is None


def test_a_late_answer_is_met_but_stays_broken() -> None:
    late = meet(told((0, Happened.OPENED))["first_answer"], now=at(9))
    assert (late.met_at, late.breached_at) == (at(9), at(8))


def test_another_reason_changes_the_promise_not_the_time_used() -> None:
    levels = default_levels()
    slow, fast = (promise_of("resolution", case, levels) for case in (CALM, ANGRY))
    clock = start("resolution", slow, now=at(0), calendar=PARIS)
    assert retime(clock, fast, now=at(10), calendar=PARIS).due_at == at(80)
    opened = told((0, Happened.OPENED), (4, Happened.WE_ANSWERED), (10, Happened.WAITS_ON_CUSTOMER))
    anew = promised_anew(opened, case=ANGRY, levels=levels, calendar=PARIS, now=at(30))
    assert anew["first_answer"] == opened["first_answer"]
    assert (anew["next_update"].left_seconds, anew["resolution"].left_seconds) == (10 * 3600, 70 * 3600)


def test_a_late_clock_stays_late_by_a_shorter_promise_and_gets_the_rest_of_a_longer_one() -> None:
    levels = default_levels()
    slow, fast = (promise_of("resolution", case, levels) for case in (CALM, ANGRY))
    late = start("resolution", fast, now=at(0), calendar=PARIS)
    assert retime(late, slow, now=at(90), calendar=PARIS).due_at == at(120)
    slower = start("resolution", slow, now=at(0), calendar=PARIS)
    assert retime(slower, fast, now=at(130), calendar=PARIS).due_at == at(120)
    sooner = retime(late, replace(fast, warn_left=8 * 3600), now=at(10), calendar=PARIS)
    assert (sooner.due_at, sooner.warn_at) == (at(80), at(72))


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ({"rules": []}, "rules", "at least 1 item"),
        ({"rules": [{"name": "a", "hours": {"lunch": 1}}]}, "rules.0.hours.lunch.[key]", "first_answer"),
        ({"rules": [{"name": "a", "hours": {"first_answer": -1}}]}, "rules.0", "between 0 and 2000"),
        ({"rules": [{"name": "a", "hours": {"first_answer": 1}}]}, "", "must give hours for next_update"),
        ({"rules": [{"name": "a", "when": {"kind": "dispute"}, "hours": {"first_answer": 1}}]}, "", "must fit every"),
        ({"rules": [{"name": "a", "when": {"reasons": ["mood"]}, "hours": {"first_answer": 1}}]},
         "rules.0.when.reasons", "no reason mood"),
        ({"rules": [{"name": "a", "when": {"amount_from": "5"}, "hours": {"first_answer": 1}}]},
         "rules.0.when", "needs its currency"),
        ({"rules": [], "warn_at": 1}, "warn_at", "less than 1"),
    ],
)  # fmt: skip
def test_levels_that_cannot_be_kept_are_refused_with_the_place(content: Any, place: str, words: str) -> None:
    with pytest.raises(BadPolicy, match="The service levels cannot be used") as refused:
        read_levels(content)
    assert words in refused.value.fields[place]


HAPPENINGS = st.lists(st.tuples(st.integers(0, 300), st.sampled_from(Happened)), max_size=12)


@given(HAPPENINGS)
def test_whatever_happens_a_clock_is_running_paused_or_met(story: Sequence[tuple[int, Happened]]) -> None:
    steps = sorted(story, key=lambda one: one[0])
    clocks = told((0, Happened.OPENED), *((minutes / 6, happened) for minutes, happened in steps))
    for clock in clocks.values():
        assert [clock.met_at is not None, clock.paused_at is not None, clock.running].count(True) == 1
        assert (clock.due_at is not None) or clock.paused_at or clock.met_at
        assert clock.warn_at is None or clock.due_at is None or clock.warn_at <= clock.due_at


@given(st.integers(0, 8 * 3600), st.integers(0, 40 * 3600), st.integers(0, 8 * 3600))
def test_a_pause_costs_the_customer_nothing_and_us_nothing(before: int, length: int, rest: int) -> None:
    first, back = at(before / 3600), at((before + length) / 3600)
    levels, clocks = default_levels(), told((0, Happened.OPENED))
    for happened, now in ((Happened.WAITS_ON_CUSTOMER, first), (Happened.CUSTOMER_WROTE, back)):
        clocks = after(clocks, happened, case=CALM, levels=levels, calendar=PARIS, now=now)
    due = clocks["resolution"].due_at
    assert due is not None
    used = business_seconds_between(MONDAY, due, PARIS)
    assert abs(used - 120 * 3600 - length) <= 2  # whole seconds are kept
    assert check(clocks["resolution"], now=back + timedelta(seconds=rest))[1] is None
