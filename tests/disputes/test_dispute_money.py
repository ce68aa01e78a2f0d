"""Disputed money: never made, never lost, no cent in two disputes (S25)."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.core.money import NotMoney
from disputes.dispute_money import (
    ChangeKind,
    Claim,
    LedgerChange,
    Movement,
    MovementKind,
    NotPossible,
    Tally,
    apply,
    moved,
    outcome,
    room_of,
    settle,
    tally,
    withdrawn,
)
from disputes.playbook_guards import Standing, dunnable

INVOICE = 1
NOW = datetime(2026, 11, 27, tzinfo=UTC)


def eur(text: str) -> Decimal:
    return Decimal(text)


def settled(claims: list[Claim], kind: ChangeKind, amount: str, *, left: str) -> list[tuple[int, str, Decimal]]:
    change = LedgerChange(kind, eur(amount), f"{kind}:1")
    found = settle(INVOICE, claims, [change], open_amount=eur(left), fallback="open:1")
    return [(one.case_id, one.kind, one.amount) for one in found]


PRICE = Claim(7, "price", eur("250.00"))
QUANTITY = Claim(8, "quantity", eur("100.00"))
PAID = Claim(9, "already_paid", eur("400.00"))


def test_the_undisputed_rest_is_paid_and_the_dispute_stands() -> None:
    assert settled([PRICE], "payment", "750.00", left="250.00") == []


def test_a_full_payment_pays_the_dispute_too() -> None:
    assert settled([PRICE], "payment", "1000.00", left="0") == [(7, "paid", eur("250.00"))]


def test_a_credit_note_settles_the_dispute_first_and_no_more_than_is_disputed() -> None:
    assert settled([PRICE], "credit_note", "120.00", left="880.00") == [(7, "credited", eur("120.00"))]
    assert settled([PRICE], "credit_note", "300.00", left="700.00") == [(7, "credited", eur("250.00"))]


def test_two_disputes_on_one_invoice_never_get_the_same_cent() -> None:
    assert settled([PRICE, QUANTITY], "credit_note", "100.00", left="900.00") == [(8, "credited", eur("100.00"))]
    assert settled([PRICE, QUANTITY], "credit_note", "300.00", left="700.00") == [
        (7, "credited", eur("250.00")),
        (8, "credited", eur("50.00")),
    ]


def test_a_payment_answers_those_who_said_they_had_paid() -> None:
    assert settled([PRICE, PAID], "payment", "400.00", left="250.00") == [(9, "paid", eur("400.00"))]


def test_an_open_amount_that_fell_without_a_document_is_paid_as_far_as_it_must() -> None:
    found = settle(INVOICE, [PRICE], [], open_amount=eur("100"), fallback="open:1")
    assert found == (Movement(7, INVOICE, "paid", eur("150.00"), "open:1"),)


def test_a_document_pushed_again_changes_nothing_again() -> None:
    note = LedgerChange("credit_note", eur("120"), "credit_note:AV1")
    left = Claim(7, "price", eur("130"))
    assert settle(INVOICE, [left], [note], open_amount=eur("880"), known={"credit_note:AV1"}, fallback="x") == ()
    twice = [Movement(7, 1, "disputed", eur("250"), "message:1"), Movement(7, 1, "disputed", eur("250"), "message:1")]
    assert tally(twice).still == eur("250")


@pytest.mark.parametrize(
    ("kind", "amount", "words"),
    [
        ("disputed", "500.01", "only 500.00 is open and in no dispute yet"),
        ("credited", "250.01", "250.00 is in dispute"),
        ("written_off", "250.01", "cannot be written off"),
        ("withdrawn", "0", "above zero"),
        ("paid", "-1", "above zero"),
    ],
)
def test_what_cannot_be_is_refused_in_words(kind: MovementKind, amount: str, words: str) -> None:
    movement = Movement(7, INVOICE, kind, eur(amount), "hand")
    with pytest.raises(NotPossible, match=words):
        apply(Tally(disputed=eur("250.00")), movement, room=eur("500.00"), currency="EUR")


def test_no_fraction_of_a_cent_is_disputed() -> None:
    with pytest.raises(NotMoney):
        apply(Tally(), Movement(7, 1, "disputed", eur("0.001"), "hand"), room=eur("5"), currency="EUR")


@pytest.mark.parametrize(
    ("tallies", "expected"),
    [
        ([Tally(disputed=eur("9"), credited=eur("9"))], "accepted"),
        ([Tally(disputed=eur("9"), credited=eur("4"), withdrawn=eur("5"))], "partly_accepted"),
        ([Tally(disputed=eur("9"), paid=eur("9"))], "paid"),
        ([Tally(disputed=eur("9"), withdrawn=eur("9"))], "withdrawn"),
        ([Tally(disputed=eur("9"), credited=eur("4"))], None),
        ([Tally()], None),
    ],
)
def test_the_money_says_how_the_case_ended(tallies: list[Tally], expected: str | None) -> None:
    assert outcome(tallies) == expected


class LifeOfAnInvoice(RuleBasedStateMachine):
    """One invoice, up to three cases on it, everything the desk and the ERP may do, in any order."""

    cents = st.integers(1, 120_000).map(lambda cents: Decimal(cents) / 100)
    case_ids = st.sampled_from([1, 2, 3])

    def __init__(self) -> None:
        super().__init__()
        self.open = Decimal("1000.00")
        self.movements: list[Movement] = []
        self.changes: dict[str, LedgerChange] = {}
        self.reasons = {1: "price", 2: "quantity", 3: "already_paid"}

    def tally_of(self, case_id: int) -> Tally:
        return tally(one for one in self.movements if one.case_id == case_id)

    def claims(self) -> list[Claim]:
        return [Claim(case_id, reason, self.tally_of(case_id).still) for case_id, reason in self.reasons.items()]

    def book(self, *movements: Movement) -> None:
        for one in movements:
            room = room_of(self.open, self.claims())
            after = apply(self.tally_of(one.case_id), one, room=room, currency="EUR")
            self.movements.append(one)
            assert self.tally_of(one.case_id) == after

    @rule(case_id=case_ids, amount=cents)
    def dispute(self, case_id: int, amount: Decimal) -> None:
        movement = Movement(case_id, INVOICE, "disputed", amount, f"message:{len(self.movements)}")
        if amount > room_of(self.open, self.claims()):
            with pytest.raises(NotPossible):
                self.book(movement)
        else:
            self.book(movement)

    @precondition(lambda self: self.open > 0)
    @rule(kind=st.sampled_from(["credit_note", "payment", "write_off"]), amount=cents)
    def erp_document(self, kind: ChangeKind, amount: Decimal) -> None:
        amount = min(amount, self.open)
        change = LedgerChange(kind, amount, f"{kind}:{len(self.changes)}")
        self.open -= amount
        self.settle(change)
        self.changes[change.source] = change

    @precondition(lambda self: self.changes)
    @rule(data=st.data())
    def erp_document_again(self, data: st.DataObject) -> None:
        before = list(self.movements)
        self.settle(self.changes[data.draw(st.sampled_from(sorted(self.changes)))])
        assert self.movements == before

    @rule(amount=cents)
    def open_amount_changes_without_a_document(self, amount: Decimal) -> None:
        self.open = amount
        self.settle()

    @property
    def fallback(self) -> str:
        return f"open:{len(self.movements)}"

    def settle(self, *changes: LedgerChange) -> None:
        claims, after = self.claims(), self.open
        found = settle(
            INVOICE, claims, changes, open_amount=after, known=set(self.changes), fallback=self.fallback
        )  # fmt: skip
        self.movements += found

    @precondition(lambda self: any(claim.still for claim in self.claims()))
    @rule(to_case=case_ids, data=st.data())
    def merge_or_split(self, to_case: int, data: st.DataObject) -> None:
        claim = data.draw(st.sampled_from([one for one in self.claims() if one.still]))
        part = data.draw(st.integers(1, int(claim.still * 100))) / Decimal(100)
        before = sum(one.still for one in self.claims())
        source = f"merge:{len(self.movements)}"
        self.book(*moved(INVOICE, from_case=claim.case_id, to_case=to_case, amount=part, source=source))
        assert sum(one.still for one in self.claims()) == before

    @rule(case_id=case_ids)
    def give_up(self, case_id: int) -> None:
        source = f"resolution:{len(self.movements)}"
        self.book(*withdrawn(case_id, {INVOICE: self.tally_of(case_id)}, source=source))
        assert self.tally_of(case_id).still == 0

    @invariant()
    def every_case_conserves_its_money(self) -> None:
        for case_id in self.reasons:
            one = self.tally_of(case_id)
            parts = (one.still, one.credited, one.paid, one.written_off, one.withdrawn)
            assert one.disputed == sum(parts)
            assert all(part >= 0 for part in parts)

    @invariant()
    def no_cent_is_in_two_disputes(self) -> None:
        assert sum(claim.still for claim in self.claims()) <= self.open

    @invariant()
    def no_document_settles_more_than_it_is(self) -> None:
        for source, change in self.changes.items():
            assert sum(one.amount for one in self.movements if one.source == source) <= change.amount

    @invariant()
    def what_is_disputed_is_never_dunned(self) -> None:
        disputed = sum((claim.still for claim in self.claims()), Decimal(0))
        asked = dunnable(Standing(overdue=self.open, disputed=disputed), NOW)
        assert asked == room_of(self.open, self.claims()) == self.open - disputed


TestLifeOfAnInvoice = LifeOfAnInvoice.TestCase
