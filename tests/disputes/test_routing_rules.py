"""Who gets a case: skills, load, absences, overflow, and never nobody. Rules are data and can be tried dry."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.conditions import CaseFacts, Condition
from disputes.people import Away, Desks, Person, TeamDesk, person
from disputes.routing_rules import (
    SHIPPED_NAMES,
    Given,
    RoutingRules,
    assign,
    default_routing,
    lead_of,
    read_routing,
    unknown_teams,
)
from disputes.routing_trial import OpenCase, dry_run
from disputes.rulebook import BadPolicy

TODAY = date(2026, 11, 27)
ANN = Person(user_id=1, name="Ann", team="pricing", open_cases=4)
BEN = Person(user_id=2, name="Ben", team="pricing", open_cases=2)
LEA = Person(user_id=9, name="Lea", team="pricing", open_cases=50, level=1)
COLIN = Person(user_id=5, name="Colin", team="collections", open_cases=7, level=1)
PRICING = TeamDesk(team_id=1, key="pricing", name="Pricing", lead_id=9)
COLLECTIONS = TeamDesk(team_id=2, key="collections", name="Collections", lead_id=5)
PRICE = CaseFacts(case_id=7, kind="dispute", reason="price", entity="FR01", amount=Decimal(900), currency="EUR")
CHASER = replace(PRICE, kind="query", reason="status")


def desks(*people: Person, teams: tuple[TeamDesk, ...] = (PRICING, COLLECTIONS), away: tuple[Away, ...] = ()) -> Desks:
    return Desks(teams=teams, people=people, away=away, today=TODAY)


def given_to(case: CaseFacts, at: Desks, rules: RoutingRules | None = None, **kept: Any) -> Given:
    return assign(case, rules or default_routing(), at, **kept)


def away(person: Person, stand_in: Person | None = None) -> Away:
    return Away(person.user_id, TODAY, TODAY, stand_in.user_id if stand_in else None)


def test_the_least_loaded_of_the_reasons_team_gets_it_and_the_case_says_why() -> None:
    given_case = given_to(PRICE, desks(ANN, BEN, LEA))
    assert (given_case.team_id, given_case.owner_id, given_case.level, given_case.rule) == (1, 2, 2, "disputes")
    assert given_case.words == ("Price goes to Pricing (rule: disputes); Ben (open cases: 2, the fewest of 3 people)")
    assert {rule.name for rule in default_routing().rules} == set(SHIPPED_NAMES)


@pytest.mark.parametrize(
    "limits",
    [
        {"reasons": frozenset({"tax"})},
        {"languages": frozenset({"fr"})},
        {"entities": frozenset({"UK01"})},
        {"max_amount": Decimal("899.99")},
    ],
)
def test_nobody_gets_what_they_may_not_or_cannot_do(limits: Any) -> None:
    assert given_to(PRICE, desks(ANN, replace(BEN, **limits))).owner_id == ANN.user_id


def test_a_rule_may_ask_for_a_skill_and_for_a_team_by_amount() -> None:
    rules = read_routing(
        {
            "rules": [
                {
                    "name": "large",
                    "when": {"amount_from": "500", "currency": "EUR"},
                    "team": "pricing",
                    "skills": ["key"],
                },
                {"name": "rest", "team": "collections", "level": 1},
            ]
        }
    )
    keeper = replace(ANN, skills=frozenset({"key"}))
    assert given_to(PRICE, desks(keeper, BEN, COLIN), rules).owner_id == ANN.user_id
    small = replace(PRICE, amount=Decimal(499))
    assert (
        given_to(small, desks(keeper, BEN, COLIN), rules).rule,
        given_to(PRICE, desks(BEN, LEA, COLIN), rules).owner_id,
    ) == (
        "rest",
        LEA.user_id,
    )


def test_an_absent_owner_is_stood_in_for_along_the_chain() -> None:
    at = desks(ANN, BEN, COLIN, away=(away(ANN, BEN), away(BEN, COLIN)))
    given_case = given_to(PRICE, at)
    assert given_case.owner_id == COLIN.user_id
    assert given_case.why[1].english() == "Ben is away until 2026-11-27 and Colin stands in"


def test_stand_ins_in_a_circle_end_at_the_lead() -> None:
    at = desks(
        ANN,
        BEN,
        LEA,
        away=(
            away(ANN, BEN),
            away(BEN, ANN),
        ),
    )
    by_lead = replace(LEA, team="")
    assert given_to(PRICE, replace(at, people=(ANN, BEN, by_lead))).words.endswith(
        "Ann is away until 2026-11-27 and Ben stands in; nobody else is free: Lea, for the lead of Pricing"
    )


def test_a_case_of_another_reason_stays_with_its_owner_where_the_team_stays() -> None:
    at = desks(ANN, BEN, COLIN)
    assert given_to(PRICE, at, owner_id=1, team_key="pricing").owner_id == ANN.user_id  # Ben has less, Ann knows it
    assert given_to(PRICE, at, owner_id=5, team_key="collections").owner_id == BEN.user_id
    unable = replace(ANN, reasons=frozenset({"tax"}))
    assert given_to(PRICE, replace(at, people=(unable, BEN)), owner_id=1, team_key="pricing").owner_id == BEN.user_id


def test_a_case_without_an_entity_goes_to_those_who_see_all() -> None:
    limited = replace(BEN, entities=frozenset({"FR01"}))
    assert given_to(replace(PRICE, entity=None), desks(ANN, limited)).owner_id == ANN.user_id


def test_what_is_escalated_goes_to_the_teams_lead_or_who_stands_in_else_to_any_lead() -> None:
    at = desks(ANN, BEN, LEA, COLIN)
    assert lead_of(PRICE, at, team_key="pricing").owner_id == LEA.user_id
    assert lead_of(PRICE, replace(at, away=(away(LEA, BEN),)), team_key="pricing").owner_id == BEN.user_id
    assert lead_of(PRICE, replace(at, away=(away(LEA),)), team_key="pricing").owner_id == COLIN.user_id
    assert lead_of(PRICE, at, team_key=None).owner_id == LEA.user_id
    assert lead_of(PRICE, desks(ANN, teams=()), team_key="pricing").owner_id is None


def test_who_is_back_tomorrow_or_away_next_week_counts_as_they_are_today() -> None:
    next_week = Away(BEN.user_id, date(2026, 12, 1), date(2026, 12, 8))
    assert given_to(PRICE, desks(ANN, BEN, away=(next_week,))).owner_id == BEN.user_id


def test_a_team_over_its_load_passes_on_and_with_nobody_to_pass_to_the_lead_has_it() -> None:
    full = replace(PRICING, capacity=2, overflow="collections")
    given_case = given_to(PRICE, desks(ANN, BEN, COLIN, teams=(full, COLLECTIONS)))
    assert (given_case.team_id, given_case.owner_id) == (2, COLIN.user_id)
    assert "; Pricing is full (2 cases each); passed on to Collections; " in given_case.words
    circle = (full, replace(COLLECTIONS, capacity=1, overflow="pricing"))
    assert given_to(PRICE, desks(ANN, BEN, LEA, COLIN, teams=circle)).owner_id == LEA.user_id


def test_a_chaser_stays_with_whoever_is_chased_or_their_stand_in() -> None:
    at = desks(ANN, BEN, COLIN)
    assert given_to(CHASER, at, owner_id=1, team_key="pricing").words == "stays with Ann, who has the case"
    covered = replace(at, away=(away(ANN, BEN),))
    assert given_to(CHASER, covered, owner_id=1, team_key="pricing").owner_id == BEN.user_id
    assert given_to(CHASER, at, owner_id=77, team_key="pricing").owner_id == BEN.user_id
    assert given_to(CHASER, at).owner_id == COLIN.user_id


def test_a_team_that_does_not_exist_falls_back_to_collections_and_is_named_to_the_editor() -> None:
    rules = read_routing({"rules": [{"name": "all", "team": "astrology"}]})
    assert "there is no team astrology" in given_to(PRICE, desks(COLIN), rules).words
    assert unknown_teams(rules, ["pricing", "collections"]) == ("astrology",)


def test_what_is_kept_of_a_person_makes_them_able() -> None:
    kept = {"reasons": ["price"], "languages": ["fr"], "max_amount": "5000.00", "tags": ["key"]}
    ann = person(1, "Ann", team="pricing", skills=kept, open_cases=3, entities=frozenset({"FR01"}))
    assert ann.able(replace(PRICE, language="fr"), ["key"])
    assert not ann.able(PRICE, ["key"])
    assert not ann.able(replace(PRICE, language="fr", amount=Decimal("5000.01")), ["key"])
    gus = person(3, "Gus", team="collections", skills={}, open_cases=0, entities=frozenset())
    assert (ann.level, gus.level) == (2, 1)
    with pytest.raises(BadPolicy, match="The skills of Ann cannot be used"):
        person(1, "Ann", team="", skills={"max_amount": "a lot"}, open_cases=0, entities=frozenset())


def test_level_one_goes_to_agents_first() -> None:
    agent = replace(ANN, user_id=3, name="Gus", team="collections", level=1, open_cases=30)
    query = replace(PRICE, kind="query", reason="statement")
    assert given_to(query, desks(agent, replace(BEN, team="collections"))).owner_id == 3


def test_a_dry_run_shows_which_open_cases_would_move_and_leaves_those_given_by_hand() -> None:
    new = read_routing({"rules": [{"name": "all to collections", "team": "collections"}]})
    tax = replace(PRICE, case_id=8, reason="statement", kind="query")
    cases = [
        OpenCase(PRICE, 2, "pricing"),
        OpenCase(replace(PRICE, case_id=9), 2, "pricing", by_hand=True),
        OpenCase(tax, 5, "collections"),
    ]
    moves = dry_run(cases, default_routing(), new, desks(ANN, BEN, COLIN))
    assert [(move.case_id, move.before.owner_id, move.after.owner_id) for move in moves] == [(7, 2, 5)]


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        ({"rules": []}, "rules", "at least 1"),
        ({"rules": [{"name": "a", "team": "x", "when": {"kind": "query"}}]}, "", "must fit every case"),
        ({"rules": [{"name": "a", "team": "case_owner"}]}, "", "name a team"),
        ({"rules": [{"name": "a", "team": "x", "level": 3}]}, "rules.0.level", "1 or 2"),
        ({"rules": [{"name": "a", "team": "x", "when": {"amount_from": 9, "amount_below": 3, "currency": "EUR"}}]},
         "rules.0.when", "must be less"),
        ({"rules": [{"name": "a", "team": "x", "when": {"languages": ["tlh"]}}]}, "rules.0.when.languages", "tlh"),
    ],
)  # fmt: skip
def test_rules_that_cannot_work_are_refused_with_the_place(content: Any, place: str, words: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        read_routing(content)
    assert words in refused.value.fields[place]


def test_a_condition_says_what_a_case_is_not() -> None:
    asked = Condition(kind="query", urgent=True, tags=("vip",), currency="USD", waiting_on=("customer",))
    assert asked.missed(PRICE) == (
        "it is a dispute",
        "the case waits on nobody",
        "not urgent",
        "not tagged vip",
        "the amount is 900 EUR",
    )
    assert Condition(entities=("FR01",), amount_below=Decimal(901), currency="EUR", languages=("en",)).holds(PRICE)


PEOPLE = st.lists(
    st.builds(
        Person,
        user_id=st.integers(1, 6),
        name=st.just("somebody"),
        team=st.sampled_from(["pricing", "collections", ""]),
        open_cases=st.integers(0, 5),
        entities=st.sampled_from([frozenset(), frozenset({"UK01"})]),
    ),
    unique_by=lambda one: one.user_id,
    max_size=6,
)
AWAY = st.lists(
    st.builds(Away, st.integers(1, 6), st.just(TODAY), st.just(TODAY), st.none() | st.integers(1, 6)), max_size=6
)
TEAMS = st.builds(
    lambda cap, lead, over: (
        replace(PRICING, capacity=cap, lead_id=lead, overflow=over),
        replace(COLLECTIONS, capacity=cap, overflow="pricing"),
    ),
    st.none() | st.integers(0, 3),
    st.none() | st.integers(1, 6),
    st.sampled_from([None, "collections", "pricing"]),
)


@given(
    people=PEOPLE, gone=AWAY, teams=TEAMS, owner=st.none() | st.integers(1, 6), case=st.sampled_from([PRICE, CHASER])
)
def test_never_nobody_as_long_as_a_lead_may_see_it_and_nobody_who_may_not(
    people: list[Person], gone: list[Away], teams: tuple[TeamDesk, ...], owner: int | None, case: CaseFacts
) -> None:
    at = Desks(teams=teams, people=people, away=gone, today=TODAY)
    given_case = given_to(case, at, owner_id=owner, team_key="pricing")
    leads = [person for team in teams if (person := at.person(team.lead_id)) and person.may_see(case)]
    assert given_case.team_id is not None
    assert given_case.why
    assert given_case.owner_id is not None or not leads
    chosen = at.person(given_case.owner_id)
    assert chosen is None or chosen.may_see(case)
    assert given_case == given_to(case, at, owner_id=owner, team_key="pricing")
