"""A letter's interest and fixed sums: on what it asks for, where the level says so, as far as rates are known."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from letters import laws, procedure, rate_tables
from letters.balance import Cover, Item
from letters.claiming import claim_for
from letters.debt import Debt
from letters.dunning import Letter, decide
from letters.facts import AccountFacts, Sent
from letters.interest import Claim
from letters.laws import law_of, regime

TABLES = rate_tables.shipped()
FR = procedure.shipped()["fr"]
TODAY = date(2026, 3, 31)


def eur(text: str) -> Decimal:
    return Decimal(text)


def written(*items: Item, today: date = TODAY, covers: tuple[Cover, ...] = ()) -> Letter:
    """The letter of an account whose F1 was reminded of twice, so that it reaches the third level, with interest."""
    sent = [Sent(today - timedelta(40), "rappel", {"F1": 1}), Sent(today - timedelta(20), "relance", {"F1": 2})]
    found = decide(AccountFacts(account="C-1", items=items, sent=sent, covers=covers), FR, today=today)
    assert found.letter is not None, found.refusal
    return found.letter


def item(number: str, amount: str, *, due: date = date(2025, 12, 31), disputed: str = "0") -> Item:
    return Item(number=number, due=due, currency="EUR", open_amount=eur(amount), disputed=eur(disputed))


def claimed(letter: Letter, *debts: Debt, country: str = "FR", today: date = TODAY) -> Claim:
    found = regime(law_of(laws.shipped(), country, "business"))
    return claim_for(letter, {one.number: one for one in debts}, found, FR, tables=TABLES, today=today)


def debt(number: str, amount: str, *, due: date = date(2025, 12, 31), disputed: str = "0") -> Debt:
    return Debt(number=number, due=due, currency="EUR", amount=eur(amount), disputed=eur(disputed))


def test_only_items_whose_own_level_says_so_bear_interest() -> None:
    # 1 January to 31 March 2026: 1000 x 12.15 x 90 / 36500 = 29.9589041 -> 29.96
    letter = written(item("F1", "1000.00"), item("F2", "500.00"))
    found = claimed(letter, debt("F1", "1000.00"), debt("F2", "500.00"))
    assert [(line.debt.number, line.interest) for line in found.lines] == [("F1", eur("29.96"))]
    assert [(one.number, one.amount) for one in found.fixed_sums] == [("F1", eur("40.00"))]
    assert found.notes == ()


def test_what_the_letter_leaves_out_bears_nothing() -> None:
    # 1000 - 300 disputed - 200 of a payment put nowhere yet: 500 x 12.15 x 90 / 36500 = 14.9794521 -> 14.98
    payment = Cover(kind="payment", source="P1", currency="EUR", amount=eur("200.00"))
    letter = written(item("F1", "1000.00", disputed="300.00"), covers=(payment,))
    assert letter.totals == {"EUR": eur("500.00")}
    found = claimed(letter, debt("F1", "1000.00", disputed="300.00"))
    assert found.interest == {"EUR": eur("14.98")}


def test_past_the_last_known_rate_the_claim_stops_and_says_so() -> None:
    today = date(2026, 8, 31)
    letter = written(item("F1", "1000.00"), today=today)
    found = claimed(letter, debt("F1", "1000.00"), today=today)
    assert found.until == date(2026, 6, 30)
    # 181 days: 1000 x 12.15 x 181 / 36500 = 60.2506849 -> 60.25
    assert found.interest == {"EUR": eur("60.25")}
    assert found.notes == (
        "interest is computed up to 2026-06-30: the rate after it is not known yet, and more runs until payment",
    )


def test_a_debt_whose_rate_nobody_knows_bears_none_and_the_letter_goes_all_the_same() -> None:
    today = date(2026, 11, 27)
    due = date(2026, 8, 1)
    letter = written(item("F1", "1000.00", due=due), today=today)
    found = claimed(letter, debt("F1", "1000.00", due=due), country="IE", today=today)
    assert found.interest == {}
    assert "F1: no interest is asked for. ECB main refinancing" in found.notes[0]
    assert found.compensation == {"EUR": eur("40.00")}
    floating = claimed(letter, debt("F1", "1000.00", due=due), today=today)
    assert floating.interest == {"EUR": eur("0")}
    assert "up to 2026-06-30" in floating.notes[0]


@given(
    amount=st.decimals(min_value=100, max_value=5000, places=2),
    disputed=st.decimals(min_value=0, max_value=90, places=2),
    paid=st.decimals(min_value=0, max_value=5000, places=2),
)
def test_no_interest_on_more_than_the_letter_asks_for(amount: Decimal, disputed: Decimal, paid: Decimal) -> None:
    one = Item(number="F1", due=date(2025, 12, 31), currency="EUR", open_amount=amount, disputed=disputed)
    cover = Cover(kind="payment", source="P1", currency="EUR", amount=paid)
    sent = [Sent(TODAY - timedelta(40), "rappel", {"F1": 1}), Sent(TODAY - timedelta(20), "relance", {"F1": 2})]
    facts = AccountFacts(account="C-1", items=[one], sent=sent, covers=[cover] if paid else [])
    decision = decide(facts, FR, today=TODAY)
    if decision.letter is None:
        return
    whole = Debt(number="F1", due=one.due, currency="EUR", amount=amount, disputed=disputed)
    for line in claimed(decision.letter, whole).lines:
        assert all(segment.balance == decision.letter.totals["EUR"] for segment in line.segments)
