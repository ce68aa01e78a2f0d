"""A mail whose reason the model learned from the deployment: routed, threaded and acknowledged like any other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auth import Team
from app.core.events import system
from app.workflows.intake import Tools, work_message
from disputes.actions import own_reasons
from disputes.models import Case, Message, Outgoing, Task
from tests.factories import a_team
from tests.fixtures_pipeline import Ledger, mail, take_in

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
ACTOR = system("test")
PROMOTION = "price.promotion"
PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)
FIRST, SECOND = "<first@acme.example>", "<second@acme.example>"
LABELS = {"en": "Promotion price", "fr": "Prix promotionnel"}


@pytest.fixture
def learned(tools: Tools) -> Tools:
    """As after training on a deployment where every price dispute is about promotions."""
    outputs = tuple(PROMOTION if name == "price" else name for name in tools.model.outputs)
    return replace(tools, model=replace(tools.model, outputs=outputs))


def work(session: Session, tools: Tools, raw: bytes, day: int = 0) -> Message:
    at = MONDAY + timedelta(days=day)
    received = take_in(session, tools, raw, at=at)
    work_message(session, message_id=received.message_id, tools=tools, now=at)
    return session.get_one(Message, received.message_id)


def first() -> bytes:
    return mail(PRICE, at=MONDAY, subject="Wrong price on INV-2026-0101", message_id=FIRST)


def test_a_mail_opens_a_case_of_the_own_reason_for_its_team_and_its_reply_joins(
    session: Session,
    learned: Tools,
    ledger: Ledger,  # noqa: ARG001 - the ledger must be there
) -> None:
    sales = a_team(session, "sales")
    own_reasons.put(session, name=PROMOTION, labels=LABELS, team="sales", actor=ACTOR, now=MONDAY)
    message = work(session, learned, first())
    case = session.get_one(Case, message.case_id)
    assert (message.kind, message.reason) == ("dispute", PROMOTION)
    assert (case.kind, case.reason, case.team_id) == ("dispute", PROMOTION, sales.id)
    assert session.scalars(select(Outgoing.kind)).all() == ["acknowledgement"]
    assert "Answer: Price" in session.scalars(select(Task.title)).all()
    reply = mail(
        "We insist on 72.00 for the chairs; the price of 80.00 is wrong.",
        at=MONDAY + timedelta(days=1),
        subject="Re: Wrong price on INV-2026-0101",
        message_id=SECOND,
        replies_to=(FIRST,),
    )
    assert work(session, learned, reply, day=1).case_id == case.id
    assert case.reason == PROMOTION


@pytest.mark.parametrize("known", [True, False], ids=["retired", "never added"])
def test_a_reason_that_may_not_be_used_is_its_parent(
    session: Session,
    learned: Tools,
    ledger: Ledger,  # noqa: ARG001 - the ledger must be there
    *,
    known: bool,
) -> None:
    if known:
        own_reasons.put(session, name=PROMOTION, labels=LABELS, team="sales", actor=ACTOR, now=MONDAY)
        own_reasons.retire(session, name=PROMOTION, actor=ACTOR, now=MONDAY)
    message = work(session, learned, first())
    case = session.get_one(Case, message.case_id)
    team = session.get_one(Team, case.team_id)
    assert (message.reason, case.reason, team.key) == ("price", "price", "pricing")
    assert all(name != PROMOTION for name, _ in message.ranking)
