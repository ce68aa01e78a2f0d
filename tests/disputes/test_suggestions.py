"""What to write, and what was done the last times: nearest settled cases with their outcome."""

from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from disputes.queries.similar import suggested
from disputes.suggestions import Likeness, Settled, Standing, key_words, nearest, suggest
from tests.databases import QueryRecorder
from tests.factories import a_case, a_message, a_user, an_account, an_entity, an_invoice, in_case

OPEN = Likeness(
    case_id=1, reason="price", words=key_words("the pallets cost 12 euros each, not 14"), amount=Decimal(100),
    currency="EUR", account_id=5,
)  # fmt: skip


def settled(
    case_id: int, *, text: str = "", amount: int = 100, resolution: str = "accepted", **told: object
) -> Settled:
    likeness = Likeness(
        **{  # type: ignore[arg-type] # a test's own changes
            "case_id": case_id,
            "reason": "price",
            "words": key_words(text),
            "amount": Decimal(amount),
            "currency": "EUR",
            **told,
        }
    )
    return Settled(likeness=likeness, title=f"Case {case_id}", resolution=resolution)


def test_the_nearest_come_first_and_say_what_they_share() -> None:
    same = settled(2, text="pallets cost more than agreed: 14 euros each", amount=90)
    reason = settled(3, text="nothing alike", amount=9000)
    other = settled(4, text="where is the proof", amount=9000, reason="delivery")
    found = nearest(OPEN, [reason, other, same])
    assert [one.case.likeness.case_id for one in found] == [2, 3]
    assert found[0].shares == ("the same reason", "similar words", "a similar amount")
    assert found[0].nearness > found[1].nearness


def test_an_amount_in_another_currency_is_not_alike() -> None:
    found = nearest(OPEN, [settled(2, currency="USD")])
    assert "a similar amount" not in found[0].shares


@pytest.mark.parametrize(
    ("standing", "kind"),
    [
        (Standing(state="resolved", waiting_on=None, overdue=True, resolution="accepted"), "resolution"),
        (Standing(state="in_progress", waiting_on="us", overdue=True, resolution=None), "apology"),
        (Standing(state="waiting", waiting_on="customer", overdue=False, resolution=None), "question"),
        (Standing(state="in_progress", waiting_on="us", overdue=False, resolution=None), "status"),
    ],
)
def test_the_message_fits_where_the_case_stands(standing: Standing, kind: str) -> None:
    assert suggest(standing, ()).kind == kind


def test_how_near_cases_ended_most_often_is_told() -> None:
    near = nearest(OPEN, [settled(2), settled(3), settled(4, resolution="rejected")])
    standing = Standing(state="in_progress", waiting_on="us", overdue=False, resolution=None)
    assert suggest(standing, near).usual == "accepted"
    assert suggest(standing, ()).usual is None


def test_settled_cases_of_the_ledger_are_found_within_what_a_user_may_see(
    session: Session, now: datetime, queries: QueryRecorder
) -> None:
    entity, foreign = an_entity(session), an_entity(session, "DE01")
    account, other = an_account(session, entity), an_account(session, foreign)
    user = a_user(session, "Ana", now=now, entities=[entity.code])
    case = a_case(session, account, now=now)
    a_message(session, case, now=now, new_text="The pallets cost 12 euros each, not 14.")
    in_case(session, case, an_invoice(session, account), now=now)
    for of_account in (account, other):
        ended = a_case(session, of_account, now=now, state="closed", resolution="accepted")
        a_message(session, ended, now=now, new_text="Pallets at 14 euros each, 12 were agreed.")
        in_case(session, ended, an_invoice(session, of_account), now=now)
    with queries:
        found = suggested(session, user=user, case=case, now=now)
    assert queries.count <= 6
    assert [one.case.resolution for one in found.similar] == ["accepted"]
    assert (found.suggestion.kind, found.suggestion.usual) == ("status", "accepted")
