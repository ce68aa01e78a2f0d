"""S15: changed bank details are released by two people, after a call to a number known before, and not at once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.bank_check import (
    BankCheckPolicy,
    CallBack,
    Check,
    Decision,
    confirm,
    grounds_of,
    mailed,
    opened,
    say,
    send_back,
)

POLICY = BankCheckPolicy()
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = START + POLICY.cooling
ANA, BEN, CEM = 1, 2, 3
ON_FILE = "+33 1 42 00 00 00"
GENUINE = CallBack(
    outcome="genuine",
    number=ON_FILE,
    note="Claire Martin confirms the change",
    on_file=(ON_FILE,),
    mail_text="Our new IBAN is FR76 3000. Questions? Call me: 06-12.34.56.78",
)


def begun() -> Check:
    return opened(POLICY, START).check


def said(call: CallBack = GENUINE, *, person: int = ANA) -> Check:
    decided = say(begun(), call, person=person)
    assert not decided.refused
    return decided.check


def test_one_calls_back_another_confirms_and_the_hold_ends() -> None:
    asked = said()
    assert (asked.state, asked.first, asked.outcome) == ("asked", ANA, "genuine")
    decided = confirm(asked, person=BEN, now=LATER)
    assert decided.refused == ""
    assert (decided.check.state, decided.check.first, decided.check.second) == ("released", ANA, BEN)


def test_who_called_back_cannot_confirm_it() -> None:
    decided = confirm(said(), person=ANA, now=LATER)
    assert (decided.refused, decided.check.state) == ("same_person", "asked")


def test_a_release_waits_for_the_cooling_off_and_a_fraud_does_not() -> None:
    early = LATER - timedelta(seconds=1)
    assert confirm(said(), person=BEN, now=early).refused == "too_early"
    fraud = said(CallBack(outcome="fraud", note="They know nothing of it"))
    assert confirm(fraud, person=BEN, now=START).check.state == "fraud"


@pytest.mark.parametrize(
    ("number", "source", "refused"),
    [
        (ON_FILE, "", ""),
        ("0142000000", "", ""),
        ("06 12 34 56 78", "the mail's signature", "number"),
        ("+33 612345678", "I know them", "number"),
        ("+33 4 99 00 11 22", "", "number"),
        ("+33 4 99 00 11 22", "contract of 2024", ""),
        ("", "", "number"),
        ("call", "contract", "number"),
    ],
)
def test_only_a_number_known_before_the_mail_counts(number: str, source: str, refused: str) -> None:
    decided = say(begun(), replace(GENUINE, number=number, source=source), person=ANA)
    assert decided.refused == refused
    assert decided.check.state == ("open" if refused else "asked")


def test_a_number_on_file_counts_though_the_mail_names_it_too() -> None:
    call = replace(GENUINE, mail_text=f"Regards, Claire Martin, {ON_FILE}")
    assert say(begun(), call, person=ANA).refused == ""


def test_nobody_reached_is_no_answer_and_nothing_said_is_none() -> None:
    assert say(begun(), replace(GENUINE, outcome="not_reached"), person=ANA).check == begun()
    assert say(begun(), replace(GENUINE, note=" "), person=ANA).refused == "note"
    assert confirm(begun(), person=BEN, now=LATER).refused == "nothing_said"


def test_a_second_word_does_not_replace_the_first() -> None:
    assert say(said(), GENUINE, person=BEN).refused == "said_already"


def test_who_disagrees_sends_it_back_with_a_word() -> None:
    assert send_back(said(), note="").refused == "note"
    back = send_back(said(), note="The number is a private one").check
    assert (back.state, back.first, back.outcome) == ("open", None, "")
    assert back.cool_until == LATER


def test_another_such_mail_voids_what_was_said_and_the_time_begins_again() -> None:
    again = mailed(said(), POLICY, LATER).check
    assert (again.state, again.first, again.cool_until) == ("open", None, LATER + POLICY.cooling)


@pytest.mark.parametrize("end", ["genuine", "fraud"])
def test_what_is_decided_stays_so(end: str) -> None:
    call = GENUINE if end == "genuine" else CallBack(outcome="fraud", note="A fraud")
    done = confirm(said(call), person=BEN, now=LATER).check
    tried = (
        say(done, GENUINE, person=CEM),
        confirm(done, person=CEM, now=LATER),
        send_back(done, note="No"),
        mailed(done, POLICY, LATER),
    )
    assert [(one.refused, one.check) for one in tried] == [("ended", done)] * 4


def test_why_a_mail_is_checked() -> None:
    nothing = {"flagged": False, "authentic": True, "known_fraud": False, "machine": False}
    assert grounds_of(**nothing) == ()
    assert grounds_of(**{**nothing, "flagged": True, "authentic": False}) == ("changed_details", "not_authentic")
    assert grounds_of(**{**nothing, "authentic": False, "machine": True}) == ()
    assert grounds_of(**{**nothing, "known_fraud": True}) == ("known_fraud",)


# --- whatever is done, in whatever order

CALLS = st.builds(
    CallBack,
    outcome=st.sampled_from(["genuine", "fraud", "not_reached"]),
    number=st.sampled_from(["", ON_FILE, "0612345678", "+49 30 1234567"]),
    source=st.sampled_from(["", "contract"]),
    note=st.sampled_from(["", "They said so"]),
    on_file=st.just((ON_FILE,)),
    mail_text=st.just(GENUINE.mail_text),
)
NOTES = st.sampled_from(["", "No"])


def deeds(people: Sequence[int]) -> st.SearchStrategy[list[tuple[str, int, object, int]]]:
    """What people do: (deed, who, with what, hours later)."""
    who, hours = st.sampled_from(people), st.integers(0, 30)
    one = st.one_of(
        st.tuples(st.just("say"), who, CALLS, hours),
        st.tuples(st.just("confirm"), who, st.none(), hours),
        st.tuples(st.just("send_back"), who, NOTES, hours),
        st.tuples(st.just("mailed"), who, st.none(), hours),
    )
    return st.lists(one, max_size=25)


def done(check: Check, deed: tuple[str, int, object, int], now: datetime) -> Decision:
    what, person, value, _ = deed
    if what == "say":
        assert isinstance(value, CallBack)
        return say(check, value, person=person)
    if what == "confirm":
        return confirm(check, person=person, now=now)
    if what == "send_back":
        return send_back(check, note=str(value))
    return mailed(check, POLICY, now)


@given(deeds([ANA]))
def test_no_order_of_one_persons_acts_leads_to_a_release_or_a_fraud(acts: list[tuple[str, int, object, int]]) -> None:
    check, now = begun(), START
    for act in acts:
        now += timedelta(hours=act[3])
        check = done(check, act, now).check
        assert check.state in {"open", "asked"}


@given(deeds([ANA, BEN, CEM]))
def test_every_release_has_two_people_a_known_number_and_a_days_patience(
    acts: list[tuple[str, int, object, int]],
) -> None:
    check, now, last_mail = begun(), START, START
    spoke: CallBack | None = None
    for act in acts:
        now += timedelta(hours=act[3])
        before, decided = check, done(check, act, now)
        check = decided.check
        if decided.refused:
            assert check == before, "a refusal changes nothing"
            continue
        if act[0] == "mailed":
            last_mail = now
        if act[0] == "say" and check.state == "asked":
            assert isinstance(act[2], CallBack)
            spoke = act[2]
        if check.state in {"released", "fraud"}:
            assert spoke is not None
            assert check.first is not None
            assert check.second == act[1] != check.first
            assert (check.state == "fraud") == (spoke.outcome == "fraud")
        if check.state == "released":
            assert now - last_mail >= POLICY.cooling
            assert spoke is not None
            assert spoke.number == ON_FILE or spoke.source
            assert spoke.number != "0612345678"
