"""Who gets a case: stories of teams, load and limits, and nobody ever getting nothing."""

from disputes.routing import Member, RoutingFacts, TeamFacts, route

PRICING = TeamFacts(1, "pricing", "Pricing", lead=Member(9, "Lea Lead", "pricing", 0))
COLLECTIONS = TeamFacts(2, "collections", "Collections")
ANN = Member(1, "Ann", "pricing", 4)
BEN = Member(2, "Ben", "pricing", 2)
FRA = Member(3, "Fra", "pricing", 0, frozenset({"FR01"}))


def facts(reason: str, *members: Member, entity: str | None = "UK01", owner: Member | None = None) -> RoutingFacts:
    team = PRICING if owner else None
    return RoutingFacts(
        reason=reason, entity=entity, teams=(PRICING, COLLECTIONS), members=members, owner=owner, team=team
    )


def test_the_member_with_the_least_open_work_gets_it_and_the_case_says_why() -> None:
    decision = route(facts("price", ANN, BEN))
    assert (decision.team_id, decision.owner_id) == (1, 2)
    assert decision.why == "Pricing settles price; Ben has 2 open cases, the fewest of 2"


def test_nobody_gets_cases_of_an_entity_they_may_not_see() -> None:
    assert route(facts("price", ANN, FRA)).owner_id == ANN.user_id
    assert route(facts("price", ANN, FRA, entity="FR01")).owner_id == FRA.user_id


def test_without_a_free_member_the_lead_gets_it() -> None:
    decision = route(facts("price", FRA))
    assert (decision.owner_id, "lead Lea Lead" in decision.why) == (9, True)


def test_without_a_lead_it_waits_in_the_teams_queue() -> None:
    decision = route(facts("statement", ANN))
    assert (decision.team_id, decision.owner_id) == (2, None)
    assert "queue" in decision.why


def test_a_team_that_does_not_exist_falls_back_to_collections() -> None:
    assert route(facts("tax", ANN)).team_id == COLLECTIONS.team_id


def test_a_chaser_stays_with_whoever_is_chased() -> None:
    decision = route(facts("status", ANN, BEN, owner=ANN))
    assert (decision.owner_id, decision.why) == (ANN.user_id, "stays with Ann, who has the case")


def test_a_chaser_of_nothing_known_still_goes_to_somebody() -> None:
    assert route(facts("status", ANN)).team_id == COLLECTIONS.team_id


def test_among_equals_the_same_facts_give_the_same_owner() -> None:
    twin = Member(5, "Twin", "pricing", 2)
    assert route(facts("price", twin, BEN)).owner_id == route(facts("price", BEN, twin)).owner_id == BEN.user_id
