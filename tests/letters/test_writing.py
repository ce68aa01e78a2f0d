"""Letters that a person starts: amounts to the cent, nothing disputed asked for, one of each."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core.errors import BadInput
from app.core.events import user_actor
from disputes.actions import life as cases
from disputes.models import Case
from letters.actions import life, writing
from letters.actions.writing import Plan
from letters.compose import compose
from letters.kinds import Kind
from letters.letter_facts import LetterFacts
from letters.models import Letter
from letters.payment_help import to_pay
from letters.rules import letter_rules
from letters.writing_facts import Wording, offered
from tests.factories import a_case, a_payment, an_invoice, in_case
from tests.letters.stories import Arrears, in_arrears, march

D = Decimal
BY_MAIL = Wording(
    channel="email", reasons="The note BL-5521 shows 40 boxes.\n\nThe rest came.", pay_by=date(2026, 3, 20)
)


@pytest.fixture
def story(session: Session) -> Arrears:
    return in_arrears(session)


@pytest.fixture
def case(story: Arrears) -> Case:
    """400.00 of the 1,200.00 are in dispute."""
    made = a_case(story.session, story.account, now=march(2))
    in_case(story.session, made, story.invoice, now=march(2), disputed=D(400))
    return made


def about(story: Arrears, case: Case, kind: Kind, wording: Wording = BY_MAIL) -> Letter:
    return writing.draft_for_case(
        story.session, case=case, kind=kind, wording=wording, user=story.ana, rules=letter_rules(story.session),
        actor=user_actor(story.ana.id), now=march(3),
    )  # fmt: skip


def statement(story: Arrears) -> Letter:
    return writing.draft_statement(
        story.session, account_id=story.account.id, wording=BY_MAIL, user=story.ana,
        rules=letter_rules(story.session), actor=user_actor(story.ana.id), now=march(3),
    )  # fmt: skip


def plan(story: Arrears, **agreed: Any) -> Letter:
    given: dict[str, Any] = {"currency": "EUR", "number": 3, "first": date(2026, 3, 31), **agreed}
    return writing.draft_plan(
        story.session, account_id=story.account.id, plan=Plan(**given), wording=BY_MAIL, user=story.ana,
        rules=letter_rules(story.session), actor=user_actor(story.ana.id), now=march(3),
    )  # fmt: skip


def facts_of(letter: Letter) -> LetterFacts:
    facts = LetterFacts.from_json(letter.facts)
    assert compose(facts).html
    return facts


def resolve(story: Arrears, case: Case, resolution: str, amount: int = 0) -> None:
    cases.resolve(
        story.session, case_id=case.id, resolution=resolution, note="",
        amounts={story.invoice.id: D(amount)} if amount else None, actor=user_actor(story.ana.id), now=march(3),
    )  # fmt: skip


def test_an_acknowledgement_goes_by_post_and_asks_for_nothing(story: Arrears, case: Case) -> None:
    letter = about(
        story, case, "acknowledgement", Wording(channel="post", matter="40 boxes", answer_by=date(2026, 3, 9))
    )
    facts = facts_of(letter)
    assert (letter.state, letter.channel, letter.approval, letter.totals) == ("drafted", "post", "agent", {})
    assert (facts.rows[0].disputed, facts.rows[0].asked, to_pay(facts)) == (D(400), None, {})
    assert (facts.reference, facts.signature.name, facts.subject_matter) == (
        f"L{letter.id:06d}",
        "Ana Silva",
        "40 boxes",
    )
    assert [one["kind"] for one in story.events("letter drafted")] == ["acknowledgement"]


def test_a_double_click_makes_one_and_a_rejected_one_can_be_written_again(story: Arrears, case: Case) -> None:
    first = about(story, case, "apology")
    assert about(story, case, "apology").id == first.id
    life.reject(story.session, letter_id=first.id, why="I call them", actor=user_actor(story.ana.id), now=march(3))
    again = about(story, case, "apology")
    assert (again.id != first.id, again.cycle) == (True, 1)
    assert len(story.events("letter drafted")) == 2


@pytest.mark.parametrize(
    ("resolution", "amount", "kind", "credited", "asked"),
    [
        ("accepted", 0, "dispute_accepted", "400", None),
        ("partly_accepted", 250, "dispute_partly_accepted", "250", "150"),
        ("rejected", 0, "dispute_rejected", "0", "400"),
    ],
)
def test_an_answer_has_the_amounts_of_the_decision(
    story: Arrears, case: Case, resolution: str, amount: int, kind: Kind, credited: str, asked: str | None
) -> None:
    resolve(story, case, resolution, amount)
    assert offered(case)[0] == kind
    letter = about(story, case, kind)
    facts = facts_of(letter)
    row = facts.rows[0]
    assert (row.disputed, row.credited, row.asked) == (D(400), D(credited), D(asked) if asked else None)
    assert to_pay(facts) == ({"EUR": D(asked)} if asked else {})
    assert facts.reasons == ("The note BL-5521 shows 40 boxes.", "The rest came.")
    if asked:
        assert letter.totals == {"EUR": f"{asked}.00"}
        a_payment(story.session, story.account, amount=D(1200), received=date(2026, 3, 3))
        assert life.against(story.session, letter, now=march(4)) is not None, "the money came before it left"


def test_what_a_case_is_not_ready_for_is_refused_in_words(story: Arrears, case: Case) -> None:
    with pytest.raises(BadInput, match="while the case is new"):
        about(story, case, "dispute_rejected")
    with pytest.raises(BadInput, match="owes the customer reasons"):
        about(story, case, "apology", Wording(channel="email"))
    with pytest.raises(BadInput, match="no address is known"):
        about(story, case, "acknowledgement", Wording(channel="pigeon"))
    resolve(story, case, "rejected")
    with pytest.raises(BadInput, match="still to be paid"):
        about(story, case, "closing")
    story.invoice.open_amount = D(100)
    with pytest.raises(BadInput, match="is still to be paid: the letter would ask"):
        about(story, case, "dispute_rejected")
    assert story.letters() == []


def test_a_closing_letter_tells_what_was_settled(story: Arrears, case: Case) -> None:
    resolve(story, case, "accepted")
    assert facts_of(about(story, case, "closing")).rows[0].disputed == D(400)


@pytest.mark.usefixtures("case")
def test_a_statement_shows_what_is_disputed_and_does_not_ask_for_it(story: Arrears) -> None:
    an_invoice(story.session, story.account, number="A1", kind="credit_note", gross=D(-50), open_amount=D(-50))
    a_payment(story.session, story.account, reference="VIR 8", amount=D("100.10"), received=date(2026, 3, 2))
    letter = statement(story)
    facts = facts_of(letter)
    rows = {row.number: (row.kind, row.amount, row.open_amount, row.disputed) for row in facts.rows}
    assert rows == {
        "F1": ("invoice", D(1200), D(1200), D(400)),
        "A1": ("credit_note", D(-50), D(-50), None),
        "VIR 8": ("payment", D("-100.10"), None, None),
    }
    assert to_pay(facts) == {"EUR": D("649.90")}
    assert [(one.amount, one.reason) for one in facts.left_out] == [(D(400), "disputed")]
    assert (statement(story).id, letter.totals) == (letter.id, {})


@pytest.mark.usefixtures("case")
def test_a_plan_is_about_what_is_undisputed_and_adds_up(story: Arrears) -> None:
    later = an_invoice(story.session, story.account, number="F2", due=date(2026, 5, 1), open_amount=D("99.99"))
    facts = facts_of(plan(story))
    assert facts.totals == {"EUR": D(800)}
    assert [(one.day, one.amount) for one in facts.instalments] == [
        (date(2026, 3, 31), D("266.67")), (date(2026, 4, 30), D("266.67")), (date(2026, 5, 31), D("266.66")),
    ]  # fmt: skip
    assert to_pay(facts) == {"EUR": D("266.67")}
    assert [(one.number, one.amount, one.reason) for one in facts.left_out] == [("F1", D(400), "disputed")]
    story.letter().state = "cancelled"
    rows = [(date(2026, 4, 1), D(800)), (date(2026, 3, 20), D("99.99"))]
    whole = facts_of(plan(story, not_due=True, rows=rows))
    assert (later.number in {row.number for row in whole.rows}, whole.pay_by) == (True, date(2026, 3, 20))


@pytest.mark.parametrize(
    ("agreed", "why"),
    [
        ({"rows": [(date(2026, 4, 1), D(700))]}, "come to 700.00 EUR, what is to be paid to 800.00 EUR"),
        ({"first": None}, "when the first instalment"),
        ({"first": date(2026, 3, 2)}, "not in the past"),
        ({"number": 0}, "1 to 60 instalments"),
        ({"currency": "CHF"}, "Nothing is to be paid"),
    ],
)
def test_a_plan_that_cannot_be_leaves_nothing_behind(
    story: Arrears, case: Case, agreed: dict[str, object], why: str
) -> None:
    assert case.account_id == story.account.id
    with pytest.raises(BadInput, match=why):
        plan(story, **agreed)
    assert story.letters() == []
