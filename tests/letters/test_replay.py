"""The replay of a procedure: the letters it would have sent last quarter, day by day, and to whom in dispute."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from letters.balance import Cover, Hold, Item, Matter
from letters.dunning import decide
from letters.facts import AccountFacts, Sent
from letters.procedure import shipped
from letters.replay import BlockStood, CoverStood, Happened, ItemStood, MatterStood, Past, replay, stood

FR = shipped()["fr"]
FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
ONE = Item(number="F1", due=date(2025, 12, 15), currency="EUR", open_amount=Decimal("500.00"))


def day(month: int, number: int) -> date:
    return date(2026, month, number)


def past(*events: Happened, account: str = "C-1", really: tuple[Sent, ...] = (), items: tuple[Item, ...] = ()) -> Past:
    return Past(start=AccountFacts(account=account, items=items), events=events, really_sent=really)


def sent(*pasts: Past) -> list[tuple[str, str, str]]:
    found = replay(pasts, FR, first=FIRST, last=LAST)
    return [(one.account, one.day.isoformat(), one.level) for one in found.letters]


def test_an_invoice_nobody_pays_climbs_the_levels() -> None:
    # due on 15 December: 22 days late is 6 January, but the first level comes first (17 days late on 1 January)
    assert sent(past(items=(ONE,))) == [
        ("C-1", "2026-01-01", "rappel"),
        ("C-1", "2026-01-13", "relance"),
        ("C-1", "2026-01-27", "derniere_relance"),
        ("C-1", "2026-02-10", "mise_en_demeure"),
    ]


def test_a_payment_stops_it_and_an_invoice_begins_when_it_was_there() -> None:
    later = replace(ONE, number="F2", due=day(2, 1))
    events = [ItemStood(day(1, 20), later), ItemStood(day(1, 20), replace(ONE, open_amount=Decimal(0)))]
    assert sent(past(*events, items=(ONE,))) == [
        ("C-1", "2026-01-01", "rappel"),
        ("C-1", "2026-01-13", "relance"),
        ("C-1", "2026-02-09", "rappel"),
        ("C-1", "2026-02-23", "relance"),
        ("C-1", "2026-03-11", "derniere_relance"),
        ("C-1", "2026-03-28", "mise_en_demeure"),
    ]


def test_a_dispute_rests_and_a_week_after_its_end_the_next_level_comes() -> None:
    disputed = ItemStood(day(1, 5), replace(ONE, disputed=Decimal("500.00")))
    settled = ItemStood(day(2, 1), ONE)
    letters = sent(past(disputed, settled, items=(ONE,)))
    assert letters[:2] == [("C-1", "2026-01-01", "rappel"), ("C-1", "2026-02-08", "relance")]


def test_letters_to_somebody_in_dispute_are_counted_beside_those_really_sent() -> None:
    disputed = replace(ONE, number="F9", disputed=Decimal("120.00"))
    in_dispute = past(
        ItemStood(day(1, 5), disputed),
        items=(ONE,),
        really=(Sent(day(1, 3), "L1", {"F1": 1}), Sent(day(1, 6), "L1", {"F9": 1}), Sent(date(2025, 12, 1), "L1", {})),
    )
    found = replay([in_dispute, past(account="C-2", items=(ONE,))], FR, first=FIRST, last=LAST)
    assert found.accounts == 2
    assert found.by_account["C-1"] > found.by_account["C-2"]
    assert found.to_somebody_in_dispute[0].day == day(1, 8)
    assert {one.account for one in found.to_somebody_in_dispute} == {"C-1"}
    assert found.to_somebody_in_dispute[0].disputed == {"EUR": Decimal("120.00")}
    assert (found.really_sent, found.really_in_dispute) == (2, 1)
    assert found.by_level["rappel"] == 3


def test_why_nothing_went_is_counted_in_days() -> None:
    blocked = past(BlockStood(day(1, 1), Hold("key account")), BlockStood(day(1, 11), None), items=(ONE,))
    found = replay([blocked], FR, first=FIRST, last=day(1, 12))
    assert found.refusals == {"blocked": 10, "quiet": 1}
    assert found.asked == {"EUR": Decimal("500.00")}
    assert sent(past()) == []


amounts = st.decimals(min_value=0, max_value=200, places=2)
some_days = st.dates(min_value=FIRST - timedelta(10), max_value=LAST)


@st.composite
def histories(draw: st.DrawFn) -> Past:
    events: list[Happened] = []
    for _ in range(draw(st.integers(1, 8))):
        at, amount = draw(some_days), draw(amounts)
        number = draw(st.sampled_from(["F1", "F2"]))
        kind = draw(st.sampled_from(["item", "promise", "payment", "matter", "block"]))
        if kind == "item":
            due = date(2026, 1, 10) if number == "F1" else date(2025, 12, 1)
            disputed = draw(st.sampled_from([Decimal(0), Decimal(0), amount]))
            hold = draw(st.sampled_from([None, Hold("asked", at + timedelta(9))]))
            made = Item(number=number, due=due, currency="EUR", open_amount=amount, disputed=disputed, hold=hold)
            events.append(ItemStood(at, made))
        elif kind == "promise":
            until = at + timedelta(draw(st.integers(0, 20)))
            events.append(
                CoverStood(at, "M1", Cover(kind="promise", source="M1", currency="EUR", amount=None, until=until))
            )
        elif kind == "payment":
            payment = Cover(kind="payment", source="P1", currency="EUR", amount=amount)
            events.append(CoverStood(at, "P1", draw(st.sampled_from([payment, None]))))
        elif kind == "matter":
            matter = Matter(case_id=1, waiting_on="us", upset=draw(st.booleans()))
            events.append(MatterStood(at, 1, draw(st.sampled_from([matter, None]))))
        else:
            events.append(BlockStood(at, draw(st.sampled_from([Hold("x"), Hold("x", at + timedelta(5)), None]))))
    return past(*events, items=(ONE,))


def stood_naively(history: Past, on: date) -> AccountFacts:
    """Every event up to the day, sorted anew for each day asked for."""
    facts = history.start
    items, covers = {one.number: one for one in facts.items}, dict[str, Cover]()
    matters, block = dict[int, Matter](), facts.block
    for event in sorted((one for one in history.events if one.day <= on), key=lambda one: one.day):
        if isinstance(event, ItemStood):
            old, new = items.get(event.item.number), event.item
            if old is not None and old.disputed > 0 and new.disputed == 0:
                new = replace(new, answered=event.day)
            elif old is not None:
                new = replace(new, answered=new.answered or old.answered)
            if old is not None:
                again = old.open_amount <= 0 < new.open_amount
                new = replace(new, reopened=event.day if again else new.reopened or old.reopened)
            items[new.number] = new
        elif isinstance(event, CoverStood):
            covers = {k: v for k, v in covers.items() if k != event.source or event.cover}
            covers |= {event.source: event.cover} if event.cover else {}
        elif isinstance(event, MatterStood):
            matters = {k: v for k, v in matters.items() if k != event.case_id or event.matter}
            matters |= {event.case_id: event.matter} if event.matter else {}
        else:
            block = event.block
    return replace(
        facts,
        items=tuple(items.values()),
        covers=tuple(covers.values()),
        matters=tuple(matters.values()),
        block=block,
    )


@given(history=histories(), really=st.lists(some_days, max_size=5))
def test_walking_once_finds_what_sorting_for_each_day_did(history: Past, really: list[date]) -> None:
    history = replace(history, really_sent=[Sent(one, "L1", {}) for one in really])
    found = replay([history], FR, first=FIRST, last=LAST)
    for one in found.letters:
        facts = stood_naively(history, one.day)
        assert stood(history, one.day) == facts
        assert one.in_dispute == any(item.open_amount > 0 and item.disputed > 0 for item in facts.items)
    within = [stood_naively(history, one) for one in really if FIRST <= one <= LAST]
    disputed = [any(item.open_amount > 0 and item.disputed > 0 for item in facts.items) for facts in within]
    assert (found.really_sent, found.really_in_dispute) == (len(within), sum(disputed))


@given(history=histories())
def test_looking_only_where_something_changes_finds_what_every_day_would(history: Past) -> None:
    letters, refusals = [], Counter[str]()
    found = replay([history], FR, first=FIRST, last=LAST)
    from_day = FIRST
    gone: list[Sent] = []
    while from_day <= LAST:
        facts = replace(stood_naively(history, from_day), sent=tuple(gone))
        decision = decide(facts, FR, today=from_day)
        if decision.letter is not None:
            letters.append((from_day, decision.letter.level.id, dict(decision.letter.totals)))
            gone.append(Sent(from_day, decision.letter.level.id, decision.letter.positions))
        elif decision.refusal is not None:
            refusals[decision.refusal.code] += 1
        from_day += timedelta(1)
    assert [(one.day, one.level, dict(one.totals)) for one in found.letters] == letters
    assert found.refusals == dict(refusals)
