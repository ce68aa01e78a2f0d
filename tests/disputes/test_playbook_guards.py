"""The guards that make it amiable: each as a story, and all of them against whatever may come."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.conditions import CaseFacts
from disputes.playbook import GuardSettings, Progress, Step, written
from disputes.playbook_guards import Cover, CoverKind, Judgement, Recipient, Standing, dunnable, judge
from disputes.workhours import calendar_of

PARIS = calendar_of("FR")
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
WAITING = CaseFacts(kind="dispute", reason="price", state="waiting", waiting_on="customer")
FACTS = Progress(case=WAITING, since={"opened": NOW - timedelta(days=20)})
OWES = Standing(overdue=Decimal("1000.00"), disputed=Decimal("250.00"), last_automatic=NOW - timedelta(days=5))
LETTER = Step(id="letter", action="letter")
STATUS = Step(id="tell", action="tell_status")
TO_CUSTOMER = Step(id="escalate", action="escalate", to="customer")
CLOSE = Step(id="close", action="close")


def judged(step: Step, facts: Progress = FACTS, standing: Standing = OWES) -> Judgement:
    return judge(step, facts, standing, settings=GuardSettings(), calendar=PARIS, now=NOW)


def about(**changes: Any) -> Progress:
    return replace(FACTS, case=replace(WAITING, **changes))


def test_the_undisputed_rest_is_asked_for_with_the_exact_balance() -> None:
    assert judged(LETTER) == Judgement("take", "due, and no guard is against it", amount=Decimal("750.00"))
    assert judged(STATUS).amount is None


@pytest.mark.parametrize("step", [LETTER, TO_CUSTOMER])
def test_no_letter_while_the_case_waits_on_us(step: Step) -> None:
    verdict = judged(step, about(waiting_on="us"))
    assert (verdict.verdict, verdict.guard, verdict.why) == (
        "refuse",
        "own_delay",
        "the case waits on us, not on the customer",
    )
    assert verdict.until == NOW + timedelta(days=1)


def test_the_customer_is_still_told_how_it_stands_and_the_lead_is_still_asked() -> None:
    assert judged(STATUS, about(waiting_on="us")).verdict == "take"
    assert judged(Step(id="up", action="escalate"), about(waiting_on="us")).verdict == "take"


def test_what_is_disputed_is_never_dunned() -> None:
    verdict = judged(LETTER, standing=replace(OWES, disputed=Decimal(1000)))
    assert (verdict.verdict, verdict.guard) == ("refuse", "disputed")


@pytest.mark.parametrize("kind", ["payment", "credit", "promise"])
def test_money_on_its_way_stops_the_letter_that_was_about_to_go(kind: CoverKind) -> None:
    cover = Cover(kind, Decimal("750.00"), NOW + timedelta(days=3) if kind == "promise" else None)
    verdict = judged(LETTER, standing=replace(OWES, covers=[cover]))
    assert (verdict.guard, verdict.why) == ("covered", f"a {kind} covers what is due")
    assert verdict.until == (cover.until or NOW + timedelta(days=1))


def test_a_promise_that_has_passed_covers_nothing_and_a_part_covers_a_part() -> None:
    passed = Cover("promise", Decimal(750), NOW - timedelta(minutes=1))
    part = Cover("payment", Decimal("100.10"))
    assert judged(LETTER, standing=replace(OWES, covers=[passed, part])).amount == Decimal("649.90")


def test_nothing_overdue_no_letter() -> None:
    assert judged(LETTER, standing=Standing()).why == "nothing is due"


@pytest.mark.parametrize("step", [LETTER, STATUS, TO_CUSTOMER, Step(id="ask", action="acknowledge")])
def test_somebody_angry_is_called_before_anything_is_written(step: Step) -> None:
    angry = about(sentiment="angry")
    assert judged(step, angry).guard == "call_first"
    assert judged(step, replace(angry, called_at=NOW)).verdict == "take"
    assert judged(step, replace(angry, upset_at=NOW, called_at=NOW - timedelta(days=1))).guard == "call_first"


def test_within_the_quiet_period_nothing_automatic_follows() -> None:
    verdict = judged(STATUS, standing=replace(OWES, last_automatic=NOW - timedelta(hours=23)))
    assert (verdict.guard, verdict.until) == ("quiet", NOW + timedelta(hours=1))


@pytest.mark.parametrize("recipient", ["machine", "stranger", "none"])
def test_machines_and_strangers_get_nothing_automatic(recipient: Recipient) -> None:
    verdict = judged(STATUS, standing=replace(OWES, recipient=recipient))
    assert (verdict.verdict, verdict.guard) == ("refuse", "recipient")
    calling = Step(id="call", action="courtesy_call")
    assert judged(calling, standing=replace(OWES, recipient=recipient)).verdict == "take"


def test_talk_of_changed_bank_details_or_lawyers_waits_for_a_person() -> None:
    assert judged(STATUS, about(tags=frozenset({"payment_diversion"}))).guard == "person_first"
    assert judged(LETTER, about(tags=frozenset({"legal_threat"}))).guard == "person_first"
    assert judged(STATUS, about(tags=frozenset({"legal_threat"}))).verdict == "take"


def test_a_held_case_takes_no_step_and_says_until_when() -> None:
    held = replace(FACTS, hold_until=NOW + timedelta(days=2), hold_reason="merger talks")
    verdict = judged(STATUS, held)
    assert (verdict.guard, verdict.why, verdict.until) == ("hold", "the case is held: merger talks", held.hold_until)


def test_a_step_that_is_not_for_the_case_any_more_is_skipped_not_refused() -> None:
    assert judged(STATUS, about(state="closed")).verdict == "skip"
    assert judged(STATUS, about(state="closed")).why == "not for this case: the case is closed"


def test_a_case_is_not_closed_over_money_in_dispute_or_an_unread_answer() -> None:
    resolved = replace(about(state="resolved"), since={"opened": NOW - timedelta(9), "resolved": NOW - timedelta(5)})
    assert judged(CLOSE, resolved).verdict == "take"
    assert judged(CLOSE, resolved, replace(OWES, still_disputed=Decimal(5))).guard == "not_settled"
    wrote = replace(resolved, since={**resolved.since, "customer_wrote": NOW})
    assert judged(CLOSE, wrote).guard == "not_settled"


CENTS = st.decimals(0, 10_000, places=2)
STANDINGS = st.builds(
    Standing,
    overdue=CENTS,
    disputed=CENTS,
    covers=st.lists(
        st.builds(
            Cover,
            kind=st.sampled_from(["payment", "credit", "promise"]),
            amount=CENTS,
            until=st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)]),
        ),
        max_size=3,
    ),
    still_disputed=CENTS,
    recipient=st.sampled_from(["known", "stranger", "machine", "none"]),
    last_automatic=st.sampled_from([None, NOW - timedelta(hours=1), NOW - timedelta(days=9)]),
)
STEPS = st.sampled_from([LETTER, STATUS, TO_CUSTOMER, CLOSE, Step(id="call", action="courtesy_call")])
CASES = st.builds(
    CaseFacts,
    kind=st.just("dispute"),
    reason=st.just("price"),
    state=st.sampled_from(["new", "in_progress", "waiting", "resolved", "closed", "merged"]),
    waiting_on=st.sampled_from([None, "us", "customer", "third_party"]),
    sentiment=st.sampled_from(["calm", "annoyed", "angry"]),
    urgent=st.booleans(),
)


@given(step=STEPS, case=CASES, standing=STANDINGS, called=st.booleans())
def test_whatever_comes_the_guards_hold(step: Step, case: CaseFacts, standing: Standing, called: bool) -> None:
    facts = Progress(case=case, since=FACTS.since, called_at=NOW if called else None)
    verdict = judged(step, facts, standing)
    assert verdict.why
    assert (verdict.verdict == "refuse") == bool(verdict.guard) == (verdict.until is not None)
    if verdict.verdict != "take":
        return
    assert case.state not in {"closed", "merged"}
    if written(step):
        assert standing.recipient == "known"
        assert called or not (case.urgent or case.sentiment == "angry")
        assert standing.last_automatic is None or standing.last_automatic <= NOW - timedelta(hours=24)
    if step.action in {"letter", "escalate"}:
        assert case.waiting_on not in {"us", "third_party"}
        assert verdict.amount == dunnable(standing, NOW)
        assert 0 < verdict.amount <= standing.overdue - standing.disputed
