"""Interest and compensation, country by country, against figures worked out by hand.

The hand calculation stands above each test: balance x rate x days / 36500, carried to seven decimals; a segment's
amount is the rounded total after it less the rounded total before it.
"""

from datetime import date
from decimal import Decimal

import pytest

from app.core.errors import BadInput
from app.core.money import NotMoney
from letters import laws, rate_tables
from letters.debt import Debt, Reduction
from letters.interest import Began, Claim, claim, known_until
from letters.laws import Customer, Terms, law_of, regime
from letters.rate_tables import RateUnknown

TABLES = rate_tables.shipped()


def d(text: str) -> date:
    return date.fromisoformat(text)


def money(text: str) -> Decimal:
    return Decimal(text)


def debt(
    amount: str,
    due: str,
    *reductions: Reduction,
    number: str = "F1",
    disputed: str = "0",
    notice: str = "",
    currency: str = "EUR",
) -> Debt:
    return Debt(
        number=number,
        due=d(due),
        currency=currency,
        amount=money(amount),
        reductions=reductions,
        disputed=money(disputed),
        notice=d(notice) if notice else None,
    )


def paid(amount: str, day: str) -> Reduction:
    return Reduction(d(day), money(amount), "payment", "P1")


def claimed(
    country: str, *debts: Debt, until: str, customer: Customer = "business", terms: Terms | None = None
) -> Claim:
    found = regime(law_of(laws.shipped(), country, customer), terms)
    return claim(debts, found, tables=TABLES, until=d(until))


def rows(found: Claim, line: int = 0) -> list[tuple[str, int, str, str, str]]:
    """Each segment: first day, days, balance, rate, amount."""
    return [
        (one.first.isoformat(), one.days, str(one.balance), f"{one.rate:.2f}", str(one.amount))
        for one in found.lines[line].segments
    ]


def test_france_floats_with_the_half_year() -> None:
    # June 2025: 1200 x 13.15 x 30 / 36500 = 12.9698630                       -> 12.97
    # July, August: 1200 x 12.15 x 62 / 36500 = 24.7660274; so far 37.7358904 -> 37.74 - 12.97 = 24.77
    found = claimed("FR", debt("1200.00", "2025-05-31"), until="2025-08-31")
    assert rows(found) == [
        ("2025-06-01", 30, "1200.00", "13.15", "12.97"),
        ("2025-07-01", 62, "1200.00", "12.15", "24.77"),
    ]
    assert found.interest == {"EUR": money("37.74")}
    assert found.compensation == {"EUR": money("40.00")}


def test_france_a_payment_begins_a_segment_on_the_day_after_it() -> None:
    # June: 12.9698630 -> 12.97
    # 1 to 15 July: 1200 x 12.15 x 15 / 36500 = 5.9917808; so far 18.9616438 -> 18.96 - 12.97 = 5.99
    # 16 July to 31 August: 700 x 12.15 x 47 / 36500 = 10.9516438; so far 29.9132877 -> 29.91 - 18.96 = 10.95
    found = claimed("FR", debt("1200.00", "2025-05-31", paid("500.00", "2025-07-15")), until="2025-08-31")
    assert rows(found) == [
        ("2025-06-01", 30, "1200.00", "13.15", "12.97"),
        ("2025-07-01", 15, "1200.00", "12.15", "5.99"),
        ("2025-07-16", 47, "700.00", "12.15", "10.95"),
    ]
    assert found.lines[0].segments[2].began == (Began("payment", money("500.00"), "P1"),)


def test_the_day_a_payment_arrives_still_counts_in_full() -> None:
    # June: 12.9698630 -> 12.97
    # 1 July: 1200 x 12.15 x 1 / 36500 = 0.3994521; so far 13.3693151 -> 13.37 - 12.97 = 0.40
    # 2 July: 700 x 12.15 x 1 / 36500 = 0.2330137; so far 13.6023288 -> 13.60 - 13.37 = 0.23
    found = claimed("FR", debt("1200.00", "2025-05-31", paid("500.00", "2025-07-01")), until="2025-07-02")
    assert rows(found) == [
        ("2025-06-01", 30, "1200.00", "13.15", "12.97"),
        ("2025-07-01", 1, "1200.00", "12.15", "0.40"),
        ("2025-07-02", 1, "700.00", "12.15", "0.23"),
    ]


def test_france_public_buyers_keep_the_rate_of_the_first_half_year() -> None:
    # ECB on 1 January 2025 3.15 + 8 = 11.15; 16 June to 30 September: 15 + 31 + 31 + 30 = 107 days
    # 10000 x 11.15 x 107 / 36500 = 326.8630137 -> 326.86
    found = claimed("FR", debt("10000.00", "2025-06-15"), until="2025-09-30", customer="public")
    assert rows(found) == [("2025-06-16", 107, "10000.00", "11.15", "326.86")]
    assert found.compensation == {"EUR": money("40.00")}


def test_france_consumers_owe_the_legal_rate_from_the_notice_on_and_no_fixed_sum() -> None:
    # 21 to 30 June 2025: 1000 x 3.71 x 10 / 36500 = 1.0164384 -> 1.02
    # 1 to 20 July: 1000 x 2.76 x 20 / 36500 = 1.5123288; so far 2.5287671 -> 2.53 - 1.02 = 1.51
    late = debt("1000.00", "2025-06-01", notice="2025-06-20")
    found = claimed("FR", late, until="2025-07-20", customer="consumer")
    assert rows(found) == [
        ("2025-06-21", 10, "1000.00", "3.71", "1.02"),
        ("2025-07-01", 20, "1000.00", "2.76", "1.51"),
    ]
    assert found.lines[0].segments[0].began == (Began("notice"),)
    assert found.fixed_sums == ()


def test_germany_floats_with_the_base_rate() -> None:
    # 16 to 31 December 2024, base 3.37 + 9: 5000 x 12.37 x 16 / 36500 = 27.1123288 -> 27.11
    # January 2025, base 2.27 + 9: 5000 x 11.27 x 31 / 36500 = 47.8589041; so far 74.9712329 -> 74.97 - 27.11 = 47.86
    found = claimed("DE", debt("5000.00", "2024-12-15"), until="2025-01-31")
    assert rows(found) == [
        ("2024-12-16", 16, "5000.00", "12.37", "27.11"),
        ("2025-01-01", 31, "5000.00", "11.27", "47.86"),
    ]
    assert [(one.amount, one.note) for one in found.fixed_sums] == [
        (money("40.00"), "credited against costs of legal action, BGB 288 (5)")
    ]


def test_germany_consumers_owe_five_points_and_no_fixed_sum() -> None:
    # 2 August to 31 December 2025, base 1.27 + 5: 600 x 6.27 x 152 / 36500 = 15.6664110 -> 15.67
    found = claimed("DE", debt("600.00", "2025-07-01", notice="2025-08-01"), until="2025-12-31", customer="consumer")
    assert rows(found) == [("2025-08-02", 152, "600.00", "6.27", "15.67")]
    assert found.compensation == {}


def test_united_kingdom_is_fixed_at_default() -> None:
    # default on 1 December 2024: Bank Rate of 30 June 2024 5.25 + 8; 31 + 31 + 28 + 31 = 121 days
    # 8000 x 13.25 x 121 / 36500 = 351.3972603 -> 351.40
    found = claimed("GB", debt("8000.00", "2024-11-30", currency="GBP"), until="2025-03-31")
    assert rows(found) == [("2024-12-01", 121, "8000.00", "13.25", "351.40")]
    assert found.compensation == {"GBP": money("70.00")}


@pytest.mark.parametrize(
    ("size", "fixed"), [("0.01", "40"), ("999.99", "40"), ("1000", "70"), ("9999.99", "70"), ("10000", "100")]
)
def test_united_kingdom_fixed_sum_by_the_size_of_the_debt(size: str, fixed: str) -> None:
    found = claimed("GB", debt(size, "2025-01-31", currency="GBP"), until="2025-02-28")
    assert found.compensation == {"GBP": money(fixed)}


def test_united_kingdom_consumers_owe_what_was_agreed() -> None:
    late = debt("800.00", "2025-01-31", currency="GBP")
    assert claimed("GB", late, until="2025-02-28", customer="consumer").interest == {"GBP": money("0")}
    # 800 x 4 x 28 / 36500 = 2.4547945 -> 2.45
    terms = Terms(source="order form", rate=money("4"))
    agreed = claimed("GB", late, until="2025-02-28", customer="consumer", terms=terms)
    assert agreed.interest == {"GBP": money("2.45")}


def test_netherlands_a_year_of_interest_bears_interest() -> None:
    # first year, from 1 July 2023:
    #   184 days at 4.00 + 8: 10000 x 12.00 x 184 / 36500 = 604.9315068                       -> 604.93
    #   182 days at 4.50 + 8: 10000 x 12.50 x 182 / 36500 = 623.2876712; so far 1228.2191781  -> 623.29
    # second year, on 10000 + 1228.22:
    #   184 days at 4.25 + 8: 11228.22 x 12.25 x 184 / 36500 = 693.3810378; so far 1921.6002159 -> 693.38
    #   181 days at 3.15 + 8: 11228.22 x 11.15 x 181 / 36500 = 620.8282793; so far 2542.4284952 -> 620.83
    # costs: 15 % of 2500 + 10 % of 2500 + 5 % of 5000 = 375 + 250 + 250
    found = claimed("NL", debt("10000.00", "2023-06-30"), until="2025-06-30")
    assert rows(found) == [
        ("2023-07-01", 184, "10000.00", "12.00", "604.93"),
        ("2024-01-01", 182, "10000.00", "12.50", "623.29"),
        ("2024-07-01", 184, "11228.22", "12.25", "693.38"),
        ("2025-01-01", 181, "11228.22", "11.15", "620.83"),
    ]
    assert found.lines[0].segments[2].began == (Began("year_of_interest", money("1228.22")), Began("rate"))
    assert found.interest == {"EUR": money("2542.43")}
    assert found.compensation == {"EUR": money("875.00")}


@pytest.mark.parametrize(
    ("size", "costs"),
    [
        ("100", "40.00"),  # 15 % = 15, at least 40
        ("2500", "375.00"),
        ("7500", "750.00"),  # 375 + 250 + 125
        ("200000", "2775.00"),  # 375 + 250 + 250 + 1900
        ("1000000", "6775.00"),  # 2775 + 0.5 % of 800000 = 6775
        ("5000000", "6775.00"),
    ],
)
def test_netherlands_scale_of_costs(size: str, costs: str) -> None:
    found = claimed("NL", debt(size, "2025-01-31"), until="2025-02-28")
    assert found.compensation == {"EUR": money(costs)}


def test_netherlands_costs_are_counted_once_on_the_sum_still_owed() -> None:
    # 1000 - 400 paid + 2000 = 2600: 15 % of 2500 + 10 % of 100 = 385
    first, second = debt("1000", "2025-01-31", paid("400", "2025-02-10")), debt("2000", "2025-01-31", number="F2")
    found = claimed("NL", first, second, until="2025-02-28")
    assert [(one.number, one.base, one.amount) for one in found.fixed_sums] == [("", money("2600"), money("385.00"))]


def test_netherlands_consumers_owe_costs_only_after_the_letter() -> None:
    without = claimed("NL", debt("1000", "2024-01-31"), until="2024-02-29", customer="consumer")
    assert without.fixed_sums == ()
    assert without.notes == ("costs may be asked for only after a letter that names them and gives time to pay",)
    warned = claimed("NL", debt("1000", "2024-01-31", notice="2024-02-05"), until="2024-02-29", customer="consumer")
    # 6 to 29 February 2024: 1000 x 7 x 24 / 36500 = 4.6027397 -> 4.60; costs 15 % of 1000
    assert warned.interest == {"EUR": money("4.60")}
    assert warned.compensation == {"EUR": money("150.00")}


def test_belgium_rounds_the_rate_up_to_the_half_point() -> None:
    # 2.15 + 8 = 10.15 -> 10.5; 1 July to 30 September 2025: 2000 x 10.5 x 92 / 36500 = 52.9315068 -> 52.93
    found = claimed("BE", debt("2000.00", "2025-06-30"), until="2025-09-30")
    assert rows(found) == [("2025-07-01", 92, "2000.00", "10.50", "52.93")]
    assert found.compensation == {"EUR": money("40.00")}


@pytest.mark.parametrize(
    ("due", "published"),
    # the rates the Belgian treasury published: 12.5 % in 2024, 11.5 % and 10.5 % in 2025, 10.5 % in 2026
    [
        ("2024-01-15", "12.5"),
        ("2024-07-15", "12.5"),
        ("2025-01-15", "11.5"),
        ("2025-07-15", "10.5"),
        ("2026-01-15", "10.5"),
    ],
)
def test_belgium_comes_to_the_published_rates(due: str, published: str) -> None:
    found = claimed("BE", debt("100.00", due), until=due[:8] + "20")
    assert found.lines[0].segments[0].rate == money(published)


def test_italy() -> None:
    # 181 days at 3.15 + 8: 3000 x 11.15 x 181 / 36500 = 165.8753425 -> 165.88
    # 184 days at 2.15 + 8: 3000 x 10.15 x 184 / 36500 = 153.5013699; so far 319.3767123 -> 319.38 - 165.88 = 153.50
    found = claimed("IT", debt("3000.00", "2024-12-31"), until="2025-12-31")
    assert rows(found) == [
        ("2025-01-01", 181, "3000.00", "11.15", "165.88"),
        ("2025-07-01", 184, "3000.00", "10.15", "153.50"),
    ]
    assert found.compensation == {"EUR": money("40.00")}


def test_spain_the_fixed_sum_is_for_each_invoice() -> None:
    # 16 to 31 December 2023 at 4.00 + 8: 1500 x 12 x 16 / 36500 = 7.8904110 -> 7.89
    # 1 January to 14 February 2024 at 4.50 + 8: 1500 x 12.5 x 45 / 36500 = 23.1164384; so far 31.0068493 -> 23.12
    small = debt("3.00", "2024-01-31", number="F2")
    found = claimed("ES", debt("1500.00", "2023-12-15"), small, until="2024-02-14")
    assert rows(found)[0] == ("2023-12-16", 16, "1500.00", "12.00", "7.89")
    assert rows(found)[1] == ("2024-01-01", 45, "1500.00", "12.50", "23.12")
    assert found.compensation == {"EUR": money("80.00")}


def test_ireland_keeps_the_rate_of_the_due_day() -> None:
    # due on 30 June 2024, so the rate of 1 January 2024: 4.50 + 8; 184 days from 1 July
    # 1000 x 12.5 x 184 / 36500 = 63.0136986 -> 63.01
    found = claimed("IE", debt("1000.00", "2024-06-30"), until="2024-12-31")
    assert rows(found) == [("2024-07-01", 184, "1000.00", "12.50", "63.01")]
    assert found.compensation == {"EUR": money("40.00")}


def test_other_countries_of_the_euro_area_get_the_least_the_directive_gives() -> None:
    # 16 to 30 June 2025 at 3.15 + 8: 1000 x 11.15 x 15 / 36500 = 4.5821918 -> 4.58
    # July at 2.15 + 8: 1000 x 10.15 x 31 / 36500 = 8.6205479; so far 13.2027397 -> 13.20 - 4.58 = 8.62
    small = debt("0.01", "2025-06-30", number="F2")
    found = claimed("PT", debt("1000.00", "2025-06-15"), small, until="2025-07-31")
    assert rows(found) == [
        ("2025-06-16", 15, "1000.00", "11.15", "4.58"),
        ("2025-07-01", 31, "1000.00", "10.15", "8.62"),
    ]
    # for each invoice (C-585/20), however small (C-279/23)
    assert found.compensation == {"EUR": money("80.00")}
    assert "at least 8 points" in found.lines[0].segments[0].source
    assert claimed("PT", small, until="2025-07-31", customer="consumer").compensation == {}


@pytest.mark.parametrize(
    ("country", "margin", "rate"),
    [("FR", "5", "11.15"), ("FR", "9", "12.15"), ("BE", "8.2", "11.50"), ("IT", "8", "11.15"), ("IT", "8.5", "11.65")],
)
def test_public_buyers_cannot_agree_on_fewer_points_than_the_law_gives(country: str, margin: str, rate: str) -> None:
    terms = Terms(source="market 2025-12", margin=money(margin))
    found = claimed(country, debt("10000.00", "2025-06-15"), until="2025-06-30", customer="public", terms=terms)
    assert rows(found)[0][3] == rate


def test_points_agreed_in_france_are_held_against_three_times_the_legal_rate() -> None:
    # 3.15 + 5 = 8.15, three times the legal rate of the half-year is 11.13; 3.15 + 9 = 12.15 is enough
    few = claimed("FR", debt("1200.00", "2025-05-31"), until="2025-06-30", terms=Terms(source="GTC", margin=money("5")))
    assert few.lines[0].notes == ("the agreed 8.15 % is below the least the law allows, 3 x 3.71 = 11.13 %",)
    enough = Terms(source="GTC", margin=money("9"))
    assert claimed("FR", debt("1200.00", "2025-05-31"), until="2025-06-30", terms=enough).lines[0].notes == ()


def test_netherlands_a_consumer_can_avoid_the_costs_for_fourteen_days() -> None:
    # letter of 5 February, up to three days of post: 14 days from the 9th on end on the 22nd
    late = debt("1000", "2024-01-31", notice="2024-02-05")
    early = claimed("NL", late, until="2024-02-22", customer="consumer")
    assert early.fixed_sums == ()
    assert early.notes == ("costs may be asked for after 2024-02-22: until then they can be avoided",)
    assert claimed("NL", late, until="2024-02-23", customer="consumer").compensation == {"EUR": money("150.00")}
    agreed = Terms(source="GTC", fixed_sum=money("90"))
    assert claimed("NL", late, until="2024-02-10", customer="consumer", terms=agreed).compensation == {}


def test_switzerland_owes_five_per_cent_from_the_reminder_on() -> None:
    # 1 March to 31 May 2025: 4000 x 5 x 92 / 36500 = 50.4109589 -> 50.41
    late = debt("4000.00", "2025-01-31", notice="2025-02-28", currency="CHF")
    found = claimed("CH", late, until="2025-05-31")
    assert rows(found) == [("2025-03-01", 92, "4000.00", "5.00", "50.41")]
    assert found.fixed_sums == ()
    quiet = claimed("CH", debt("4000.00", "2025-01-31", currency="CHF"), until="2025-05-31")
    assert quiet.interest == {"CHF": money("0")}
    assert quiet.lines[0].notes == ("interest runs from a notice to pay, and none was sent",)


@pytest.mark.parametrize(("agreed", "applied"), [("3", "5.00"), ("8", "8.00")])
def test_switzerland_an_agreed_rate_counts_when_it_is_higher(agreed: str, applied: str) -> None:
    late = debt("4000.00", "2025-01-31", notice="2025-02-28", currency="CHF")
    found = claimed("CH", late, until="2025-05-31", terms=Terms(source="GTC 7", rate=money(agreed)))
    assert rows(found)[0][3] == applied


def test_a_contract_replaces_the_rate_and_says_so() -> None:
    # 1200 x 8 x 92 / 36500 = 24.1972603 -> 24.20, one segment over the change of the half-year
    terms = Terms(source="framework contract 2024, 9.2", rate=money("8"))
    found = claimed("FR", debt("1200.00", "2025-05-31"), until="2025-08-31", terms=terms)
    assert rows(found) == [("2025-06-01", 92, "1200.00", "8.00", "24.20")]
    assert found.notes == ("8 % a year by contract (framework contract 2024, 9.2)",)
    # three times the legal rate of the half-year, 3 x 3.71 = 11.13
    assert found.lines[0].notes == ("the agreed 8 % is below the least the law allows, 3 x 3.71 = 11.13 %",)


def test_a_contract_may_agree_on_points_over_the_reference_rate() -> None:
    terms = Terms(source="GTC", margin=money("5"))
    found = claimed("BE", debt("2000.00", "2025-06-30"), until="2025-09-30", terms=terms)
    assert rows(found)[0][3] == "7.15"


def test_in_the_united_kingdom_a_contract_takes_the_place_of_the_whole_act() -> None:
    terms = Terms(source="GTC 12", rate=money("6"))
    found = claimed("GB", debt("8000.00", "2024-11-30", currency="GBP"), until="2025-03-31", terms=terms)
    assert found.fixed_sums == ()
    assert "takes the place of the whole law" in " ".join(found.notes)
    kept = Terms(source="GTC 12", rate=money("6"), fixed_sum=money("25"))
    agreed = claimed("GB", debt("8000.00", "2024-11-30", currency="GBP"), until="2025-03-31", terms=kept)
    assert agreed.compensation == {"GBP": money("25.00")}


def test_a_seller_may_ask_for_nothing() -> None:
    terms = Terms(source="key account agreement", no_interest=True, no_compensation=True)
    found = claimed("FR", debt("1200.00", "2025-05-31"), until="2025-08-31", terms=terms)
    assert found.interest == {"EUR": money("0")}
    assert found.compensation == {}
    assert found.notes == (
        "no interest is asked for (key account agreement)",
        "no fixed sum is asked for (key account agreement)",
    )


def test_the_basis_is_a_choice_and_may_be_the_length_of_each_year() -> None:
    # 31 December 2023: 1000 x 10 / 36500 = 0.2739726; 1 January 2024: 1000 x 10 / 36600 = 0.2732240; 0.5471967 -> 0.55
    late = debt("1000.00", "2023-12-30")
    actual = Terms(source="GTC", rate=money("10"), basis="actual")
    found = claimed("FR", late, until="2024-01-01", terms=actual)
    assert [(one.basis, one.amount) for one in found.lines[0].segments] == [(365, money("0.27")), (366, money("0.28"))]
    # 1000 x 10 x 36 / 36000 = 10.00
    bank = Terms(source="GTC", rate=money("10"), basis=360)
    assert claimed("FR", debt("1000.00", "2024-12-31"), until="2025-02-05", terms=bank).interest == {
        "EUR": money("10.00")
    }


def test_the_disputed_part_bears_nothing() -> None:
    found = claimed("FR", debt("1200.00", "2025-05-31", disputed="1200.00"), until="2025-08-31")
    assert found.interest == {"EUR": money("0")}
    assert found.fixed_sums == ()
    part = claimed("FR", debt("1200.00", "2025-05-31", disputed="200.00"), until="2025-08-31")
    assert {row[2] for row in rows(part)} == {"1000.00"}


def test_a_credit_for_what_was_never_owed_bears_nothing_from_the_start() -> None:
    wrong = Reduction(d("2025-07-20"), money("200.00"), "credit", "AV1", from_start=True)
    goodwill = Reduction(d("2025-07-20"), money("200.00"), "credit", "AV2")
    put_right = claimed("FR", debt("1200.00", "2025-05-31", wrong), until="2025-08-31")
    assert {row[2] for row in rows(put_right)} == {"1000.00"}
    later = claimed("FR", debt("1200.00", "2025-05-31", goodwill), until="2025-08-31")
    assert [row[2] for row in rows(later)] == ["1200.00", "1200.00", "1000.00"]


def test_what_is_not_late_yet_bears_nothing() -> None:
    found = claimed("FR", debt("1200.00", "2025-05-31"), until="2025-05-31")
    assert found.lines[0].segments == ()
    assert found.fixed_sums == ()


def test_what_was_paid_in_time_bears_nothing_what_was_paid_late_the_days_of_lateness() -> None:
    in_time = claimed("FR", debt("1200.00", "2025-05-31", paid("1200.00", "2025-05-31")), until="2025-08-31")
    assert (in_time.interest, in_time.compensation) == ({"EUR": money("0")}, {})
    late = claimed("FR", debt("1200.00", "2025-05-31", paid("1200.00", "2025-06-10")), until="2025-08-31")
    assert [row[:2] for row in rows(late)] == [("2025-06-01", 10)]


def test_a_scale_in_pounds_is_not_guessed_for_a_debt_in_euros() -> None:
    found = claimed("GB", debt("8000.00", "2024-11-30"), until="2025-03-31")
    assert found.fixed_sums == ()
    assert found.notes == ("F1: the scale is in GBP, the debt in EUR: no fixed sum",)


def test_nothing_is_guessed_past_the_end_of_a_table() -> None:
    late = debt("1200.00", "2025-05-31")
    with pytest.raises(RateUnknown, match="known until 2026-06-30, not for 2026-07-01") as caught:
        claimed("FR", late, until="2026-07-01")
    assert "ecb_refinancing.toml" in caught.value.message
    assert caught.value.known_until == d("2026-06-30")
    france = regime(law_of(laws.shipped(), "FR", "business"))
    last = known_until(france, tables=TABLES, today=d("2026-11-27"))
    assert last == d("2026-06-30")
    assert claimed("FR", late, until=last.isoformat()).until == last


def test_a_rate_fixed_at_default_needs_no_later_one() -> None:
    britain = regime(law_of(laws.shipped(), "GB", "business"))
    assert known_until(britain, tables=TABLES, today=d("2026-11-27")) == d("2026-11-27")
    found = claimed("GB", debt("100.00", "2026-06-29", currency="GBP"), until="2026-11-27")
    # Bank Rate of 31 December 2025 3.75 + 8; 30 June to 27 November: 151 days; 100 x 11.75 x 151 / 36500 = 4.8609589
    assert found.interest == {"GBP": money("4.86")}
    with pytest.raises(RateUnknown):
        claimed("GB", debt("100.00", "2026-06-30", currency="GBP"), until="2026-11-27")


def test_a_debt_that_was_paid_before_the_table_ends_needs_no_later_rate() -> None:
    found = claimed("FR", debt("1200.00", "2026-05-31", paid("1200.00", "2026-06-10")), until="2026-11-27")
    assert [row[:2] for row in rows(found)] == [("2026-06-01", 10)]


def test_amounts_that_cannot_be_are_refused_in_words() -> None:
    with pytest.raises(BadInput, match="below zero"):
        debt("-5.00", "2025-05-31")
    with pytest.raises(NotMoney):
        debt("5.001", "2025-05-31")
    with pytest.raises(BadInput, match="No law on late payment is known for PL"):
        claimed("PL", debt("5.00", "2025-05-31"), until="2025-06-30")
