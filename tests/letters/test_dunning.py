"""Reminders: who gets which letter about what, and in words why not the rest."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.core.errors import BadInput
from disputes.rulebook import BadPolicy
from letters.balance import Cover, Hold, Item, Matter
from letters.dunning import Decision, decide, stopped
from letters.facts import AccountFacts, Sent
from letters.procedure import Assignment, Procedure, choose, read_procedure, shipped

FR = shipped()["fr"]
TODAY = date(2026, 6, 1)


def eur(text: str) -> Decimal:
    return Decimal(text)


def ago(days: int) -> date:
    return TODAY - timedelta(days)


def item(number: str, amount: str, late: int, **more: Any) -> Item:  # a table of what may differ
    return Item(**{"number": number, "due": ago(late), "currency": "EUR", "open_amount": eur(amount), **more})


def cover(kind: Any, amount: str | None, *invoices: str, until: date | None = None) -> Cover:  # one of three literals
    return Cover(
        kind=kind,
        source=f"{kind}-1",
        currency="EUR",
        amount=None if amount is None else eur(amount),
        invoices=frozenset(invoices),
        until=until,
    )


def decided(*items: Item, procedure: Procedure = FR, today: date = TODAY, **more: Any) -> Decision:
    return decide(AccountFacts(account="C-1", items=items, **more), procedure, today=today)


def asked(found: Decision) -> list[tuple[str, str, int]]:
    """Number, amount and position of each item of the letter."""
    assert found.letter is not None, found.refusal
    return [(one.item.number, str(one.amount), one.position) for one in found.letter.asked]


def left_out(found: Decision) -> list[tuple[str, str, str]]:
    return [(part.number, str(part.amount), part.reason) for part in found.left_out]


def refused(found: Decision) -> str:
    assert found.letter is None
    assert found.refusal is not None
    return found.refusal.code


def reminded(days: int, level: str = "rappel", **positions: int) -> Sent:
    return Sent(ago(days), level, positions)


def test_one_letter_for_all_that_is_late() -> None:
    found = decided(item("F1", "100.00", 30), item("F2", "250.50", 9), item("F3", "80.00", -5))
    assert asked(found) == [("F1", "100.00", 1), ("F2", "250.50", 1)]
    assert found.letter is not None
    assert found.letter.level.id == "rappel"
    assert found.letter.totals == {"EUR": eur("350.50")}
    assert found.letter.pay_by == TODAY + timedelta(8)
    assert (found.letter.channel, found.letter.cycle) == ("email", 0)
    assert left_out(found) == [("F3", "80.00", "not_late")]


def test_the_disputed_part_is_left_out_and_the_exact_rest_is_asked_for() -> None:
    found = decided(item("F1", "1000.00", 30, disputed=eur("250.40")), item("F2", "90.00", 30, disputed=eur("90.00")))
    assert asked(found) == [("F1", "749.60", 1)]
    assert left_out(found) == [("F1", "250.40", "disputed"), ("F2", "90.00", "disputed")]


def test_all_in_dispute_means_no_letter() -> None:
    found = decided(item("F1", "1000.00", 30, disputed=eur("1000.00")))
    assert refused(found) == "disputed"


def test_credit_notes_and_payments_not_yet_used_are_taken_off() -> None:
    credit = Item(number="AV1", due=ago(3), currency="EUR", open_amount=eur("-40.00"), credits="F2")
    found = decided(item("F1", "100.00", 30), item("F2", "60.00", 20), credit, covers=[cover("payment", "30.00")])
    assert asked(found) == [("F1", "70.00", 1), ("F2", "20.00", 1)]
    assert left_out(found) == [("F2", "40.00", "credited"), ("F1", "30.00", "paid")]


def test_what_is_left_of_a_credit_for_one_invoice_lowers_the_oldest_other() -> None:
    credit = Item(number="AV1", due=ago(3), currency="EUR", open_amount=eur("-80.00"), credits="F2")
    found = decided(item("F1", "100.00", 30), item("F2", "60.00", 20), credit)
    assert asked(found) == [("F1", "80.00", 1)]


def test_money_of_one_currency_never_lowers_another() -> None:
    dollars = Cover(kind="payment", source="P9", currency="USD", amount=eur("500"))
    assert asked(decided(item("F1", "100.00", 30), covers=[dollars])) == [("F1", "100.00", 1)]


@pytest.mark.parametrize("kind", ["payment", "credit", "promise"])
def test_what_covers_the_debt_stops_the_letter(kind: str) -> None:
    found = decided(item("F1", "100.00", 30), covers=[cover(kind, "100.00", until=TODAY)])
    assert refused(found) == "covered"
    assert found.refusal is not None
    assert f"{kind}-1" in found.refusal.why


def test_a_promise_covers_its_invoices_until_its_last_day_and_a_call_comes_before_the_letter() -> None:
    promise = cover("promise", None, "F1", until=TODAY)
    debts = item("F1", "100.00", 30), item("F2", "60.00", 20)
    assert asked(decided(*debts, covers=[promise])) == [("F2", "60.00", 1)]
    broken = decided(debts[0], covers=[promise], today=TODAY + timedelta(1))
    assert refused(broken) == "too_early"
    assert broken.again == TODAY + timedelta(4)
    assert asked(decided(debts[0], covers=[promise], today=TODAY + timedelta(4))) == [("F1", "100.00", 1)]


def test_a_promise_for_part_leaves_the_rest() -> None:
    found = decided(item("F1", "100.00", 30), covers=[cover("promise", "40.00", until=TODAY)])
    assert asked(found) == [("F1", "60.00", 1)]


def test_small_sums_are_left_alone() -> None:
    assert left_out(decided(item("F1", "4.99", 30), item("F2", "60.00", 30)))[0] == ("F1", "4.99", "too_small")
    small = decided(item("F1", "6.00", 30), item("F2", "8.00", 30))
    assert refused(small) == "too_small"
    assert asked(decided(item("F1", "7.00", 30), item("F2", "8.00", 30))) == [("F1", "7.00", 1), ("F2", "8.00", 1)]


def test_held_and_blocked_and_waiting_items_are_left_out_with_words() -> None:
    waiting = Matter(case_id=7, waiting_on="us", invoices=frozenset({"F2"}))
    held = item("F1", "100.00", 30, hold=Hold("checked by sales", TODAY))
    found = decided(held, item("F2", "60.00", 30), item("F3", "20.00", 30), matters=[waiting])
    assert asked(found) == [("F3", "20.00", 1)]
    assert [part.why for part in found.left_out] == ["case 7 waits on us", "held: checked by sales"]
    assert [row[0] for row in asked(decided(held, today=TODAY + timedelta(1)))] == ["F1"]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"matters": [Matter(case_id=7, waiting_on="us")]}, "own_delay"),
        ({"matters": [Matter(case_id=7, waiting_on="third_party")]}, "own_delay"),
        ({"matters": [Matter(case_id=7, upset=True)]}, "call_first"),
        ({"matters": [Matter(case_id=7, tags=frozenset({"insolvency"}))]}, "person_first"),
        ({"block": Hold("key account")}, "blocked"),
        ({"block": Hold("year end", TODAY)}, "blocked"),
        ({"last_automatic": TODAY}, "quiet"),
        ({"reachable": frozenset()}, "unreachable"),
        ({"sent": [reminded(3, F9=1)]}, "quiet"),
        ({"sent": [reminded(0, F9=1)]}, "sent_today"),
    ],
)
def test_guards_of_the_account(facts: dict[str, Any], code: str) -> None:
    assert refused(decided(item("F1", "100.00", 30), **facts)) == code


@pytest.mark.parametrize(
    "facts",
    [
        {"matters": [Matter(case_id=7, waiting_on="customer")]},
        {"block": Hold("year end", ago(1))},
        {"last_automatic": ago(1)},
        {"sent": [reminded(7, F9=1)]},
    ],
)
def test_guards_that_do_not_apply(facts: dict[str, Any]) -> None:
    assert asked(decided(item("F1", "100.00", 30), **facts)) == [("F1", "100.00", 1)]


def test_levels_are_climbed_one_by_one_however_late_it_is() -> None:
    old = item("F1", "500.00", 300)
    sent: list[Sent] = []
    levels = []
    for day in range(100):
        today = TODAY + timedelta(day)
        found = decide(AccountFacts(account="C-1", items=[old], sent=sent), FR, today=today)
        if found.letter:
            levels.append((day, found.letter.level.id))
            sent.append(Sent(today, found.letter.level.id, found.letter.positions))
    assert levels == [(0, "rappel"), (12, "relance"), (26, "derniere_relance"), (40, "mise_en_demeure")]
    last = decided(old, sent=sent, today=TODAY + timedelta(100))
    assert refused(last) == "all_said"


def test_a_formal_notice_names_the_letters_before_it_and_what_was_reminded_of() -> None:
    sent = [reminded(60, "rappel", F1=1), reminded(40, "relance", F1=2), reminded(20, "derniere_relance", F1=3, F2=1)]
    found = decided(item("F1", "500.00", 90), item("F2", "70.00", 30), item("F3", "20.00", 3), sent=sent)
    assert asked(found) == [("F1", "500.00", 4), ("F2", "70.00", 2)]
    letter = found.letter
    assert letter is not None
    assert letter.level.kind == "formal_notice"
    assert [one.day for one in letter.earlier] == [ago(60), ago(40), ago(20)]
    assert (letter.channel, letter.level.approval) == ("registered", "lead")
    assert [(part.number, part.reason) for part in found.left_out] == [("F3", "too_early")]


def test_what_was_reminded_of_is_listed_again_without_climbing() -> None:
    sent = [reminded(9, "rappel", F1=1)]
    found = decided(item("F1", "500.00", 30), item("F2", "70.00", 30), sent=sent)
    assert found.letter is not None
    assert [(one.item.number, one.position, one.raised) for one in found.letter.asked] == [
        ("F1", 1, False),
        ("F2", 1, True),
    ]


def test_nothing_new_to_say_means_no_letter_and_says_when() -> None:
    found = decided(item("F1", "500.00", 30), sent=[reminded(9, "rappel", F1=1)])
    assert refused(found) == "too_early"
    assert found.again == ago(9) + timedelta(12)


def test_after_our_answer_to_a_dispute_there_is_time() -> None:
    answered = item("F1", "500.00", 30, answered=ago(6))
    assert refused(decided(answered)) == "too_early"
    assert asked(decided(answered, today=TODAY + timedelta(1))) == [("F1", "500.00", 1)]


def test_a_debt_that_was_settled_and_is_owed_again_begins_at_the_first_level() -> None:
    sent = [reminded(90, "rappel", F1=1), reminded(70, "relance", F1=2)]
    assert asked(decided(item("F1", "500.00", 200), sent=sent)) == [("F1", "500.00", 3)]
    found = decided(item("F1", "500.00", 200, reopened=ago(20)), sent=sent)
    assert asked(found) == [("F1", "500.00", 1)]
    assert found.letter is not None
    assert found.letter.cycle == 1, "the key (account, level, cycle) is a new one"


def test_a_level_needs_its_minimum() -> None:
    sent = [reminded(60, "rappel", F1=1), reminded(40, "relance", F1=2), reminded(20, "derniere_relance", F1=3)]
    found = decided(item("F1", "99.99", 90), sent=sent)
    assert refused(found) == "too_small"
    assert found.refusal is not None
    assert found.refusal.why == "less than 100 EUR, the least for mise_en_demeure"
    assert asked(decided(item("F1", "100.00", 90), sent=sent)) == [("F1", "100.00", 4)]


def test_no_formal_notice_about_small_change_whatever_else_is_late() -> None:
    sent = [reminded(60, "rappel", F1=1), reminded(40, "relance", F1=2), reminded(20, "derniere_relance", F1=3)]
    found = decided(item("F1", "60.00", 90), item("F2", "900.00", 9), sent=sent)
    assert asked(found) == [("F1", "60.00", 3), ("F2", "900.00", 1)]
    assert found.letter is not None
    assert found.letter.level.id == "rappel"


def test_the_channel_is_the_first_that_reaches_them() -> None:
    found = decided(item("F1", "100.00", 30), reachable=frozenset({"post"}))
    assert found.letter is not None
    assert found.letter.channel == "post"


def test_other_currencies_are_listed_with_a_total_of_their_own_and_no_fee() -> None:
    level = {**FR.levels[0].model_dump(), "fee": "3.00", "fee_source": "GTC 8"}
    charging = read_procedure({"name": "fee", "currency": "EUR", "levels": [level]})
    both = decided(item("F1", "100.00", 30), item("F2", "2.00", 30, currency="USD"), procedure=charging)
    assert both.letter is not None
    assert both.letter.totals == {"EUR": eur("100.00"), "USD": eur("2.00")}
    assert both.letter.fees == {"EUR": eur("3.00")}
    foreign = decided(item("F2", "2.00", 30, currency="USD"), procedure=charging)
    assert foreign.letter is not None
    assert foreign.letter.fees == {}


BEFORE = (item("F1", "100.00", 30), item("F2", "60.00", 30))


@pytest.mark.parametrize(
    ("now", "code", "words"),
    [
        ({"items": BEFORE[:1]}, "changed", "F2 asks for 60.00, 0 may be: the rest is settled"),
        ({"items": (BEFORE[0], item("F2", "20.00", 30))}, "changed", "F2 asks for 60.00, 20.00 may be"),
        ({"items": (BEFORE[0], item("F2", "60.00", 30, disputed=eur("1.00")))}, "changed", "59.00 may be: in dispute"),
        ({"covers": [cover("payment", "0.01")]}, "changed", "F1 asks for 100.00, 99.99 may be: covered by payment"),
        ({"covers": [cover("promise", None, "F2", until=TODAY)]}, "changed", "promised"),
        (
            {"matters": [Matter(case_id=7, waiting_on="us", invoices=frozenset({"F1"}))]},
            "changed",
            "case 7 waits on us",
        ),
        ({"matters": [Matter(case_id=7, upset=True)]}, "call_first", "a call comes before"),
        ({"block": Hold("key account")}, "blocked", "key account"),
    ],
)
def test_what_arrives_before_sending_stops_the_letter(now: dict[str, Any], code: str, words: str) -> None:
    letter = decided(*BEFORE).letter
    assert letter is not None
    facts = AccountFacts(account="C-1", **{"items": BEFORE, "sent": [Sent(TODAY, "rappel", letter.positions)], **now})
    found = stopped(letter, facts, FR, today=TODAY)
    assert found is not None
    assert found.code == code
    assert words in found.why


def test_what_became_due_since_does_not_stop_it() -> None:
    letter = decided(*BEFORE).letter
    assert letter is not None
    more = AccountFacts(account="C-1", items=[*BEFORE, item("F3", "900.00", 30)])
    assert stopped(letter, more, FR, today=TODAY + timedelta(2)) is None


def test_nothing_late_is_nothing_due() -> None:
    found = decided(item("F1", "100.00", 0))
    assert refused(found) == "nothing_due"
    assert found.again == TODAY + timedelta(1)
    assert decided().again is None


ASSIGNED = (
    Assignment(procedure="fr"),
    Assignment(procedure="de", entity="BERLIN"),
    Assignment(procedure="gb", group="exporters"),
    Assignment(procedure="", entity="BERLIN", account="C-9"),
)


@pytest.mark.parametrize(
    ("entity", "account", "groups", "key", "why"),
    [
        ("PARIS", "C-1", (), "fr", "set for everybody"),
        ("BERLIN", "C-1", (), "de", "set for BERLIN"),
        ("BERLIN", "C-1", ("exporters",), "gb", "set for the group exporters"),
        ("BERLIN", "C-9", ("exporters",), "", "set for account C-9"),
        ("PARIS", "C-9", (), "fr", "set for everybody"),
    ],
)
def test_the_most_exact_assignment_wins(entity: str, account: str, groups: Sequence[str], key: str, why: str) -> None:
    found = choose(ASSIGNED, shipped(), entity=entity, account=account, groups=frozenset(groups))
    assert (found.key, found.why) == (key, why)
    assert found.procedure == shipped().get(key)


def test_without_assignment_the_countrys_procedure_applies() -> None:
    assert choose((), shipped(), entity="X", account="C", country="CH").key == "ch"
    none = choose((), shipped(), entity="X", account="C", country="PL")
    assert (none.procedure, none.why) == (None, "no procedure is set, and none ships for PL")
    with pytest.raises(BadInput, match="no dunning procedure 'mild'"):
        choose([Assignment(procedure="mild")], shipped(), entity="X", account="C")


def test_every_country_ships_a_procedure_that_ends_in_a_formal_notice_somebody_approves() -> None:
    assert set(shipped()) == {"fr", "de", "gb", "be", "nl", "es", "it", "ch"}
    for procedure in shipped().values():
        last = procedure.levels[-1]
        assert (last.kind, last.approval) == ("formal_notice", "lead")
        assert last.days_to_pay
        assert not any(level.fee for level in procedure.levels), (
            "no law here lets a seller ask for a fee nobody agreed to"
        )


BASE = FR.model_dump(mode="json")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"levels": []}, "levels"),
        ({"currency": "EURO"}, "EURO is no currency"),
        ({"levels": [{**BASE["levels"][0], "fee": "5"}]}, "fee_source"),
        ({"levels": [BASE["levels"][0], BASE["levels"][0]]}, "rappel comes twice"),
        ({"levels": [BASE["levels"][1], BASE["levels"][0]]}, "rappel must be later than relance"),
        ({"levels": [BASE["levels"][0], {**BASE["levels"][1], "days_after_previous": 0}]}, "two levels at once"),
        ({"dun_disputed": True}, "dun_disputed"),
    ],
)
def test_a_procedure_that_cannot_be_is_refused_in_words(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(BadPolicy, match=words):
        read_procedure({**BASE, **changed})


def test_a_shorter_procedure_than_before_stays_on_its_last_level() -> None:
    short = replace_levels(FR, 2)
    found = decided(item("F1", "500.00", 300), sent=[reminded(20, "derniere_relance", F1=3)], procedure=short)
    assert refused(found) == "all_said"


def replace_levels(procedure: Procedure, count: int) -> Procedure:
    return procedure.model_copy(update={"levels": procedure.levels[:count]})


def test_decisions_are_values() -> None:
    found = decided(item("F1", "100.00", 30))
    assert found == decided(item("F1", "100.00", 30))
    assert replace(found, today=ago(1)) != found
