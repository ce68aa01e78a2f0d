"""A customer rates us by a signed link: once, changed for a week, and a poor rating makes somebody call."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import BadInput
from app.core.events import Event, user_actor
from disputes.actions import life, satisfaction
from disputes.actions.satisfaction import AnswerStands
from disputes.models import Case, Task
from disputes.satisfaction import LINKED_FOR, Asked, RatingLinks, rated_by_mail
from tests.factories import a_case, a_user, an_account, an_entity

LINKS = RatingLinks(b"k" * 32, "https://desk.example/")


@pytest.fixture
def case(session: Session, now: datetime) -> Case:
    return a_case(session, an_account(session, an_entity(session)), now=now, state="resolved", resolution="accepted")


def test_a_link_asks_about_its_case_until_it_ends(now: datetime) -> None:
    link = LINKS.link(case_id=7, now=now)
    assert link.startswith("https://desk.example/rating/7.")
    token = link.rpartition("/")[2]
    assert LINKS.check(token, now=now) == Asked(7, ended=False)
    assert LINKS.check(token, now=now + LINKED_FOR + timedelta(days=1)) == Asked(7, ended=True)
    assert RatingLinks(b"other" * 8).check(token, now=now) is None


@given(st.text(max_size=80))
def test_what_is_no_link_of_ours_asks_nothing(text: str) -> None:
    now = datetime.fromisoformat("2026-03-02T09:00+00:00")
    genuine = LINKS.link(case_id=7, now=now).rpartition("/")[2]
    assert LINKS.check(text, now=now) is None
    assert LINKS.check(genuine.replace("7.", "8.", 1), now=now) is None


@pytest.mark.parametrize(
    ("text", "rated"),
    [
        ("5", (5, "")),
        ("4/5\n\nQuick, thank you", (4, "Quick, thank you")),
        ("Note : 3 sur 5.", (3, "")),
        ("2 out of 5!", (2, "")),
        ("6", None),
        ("0/5", None),
        ("5 chairs are still missing", None),
        ("3 out of 5 chairs arrived", None),
        ("12", None),
        ("Thank you", None),
        ("", None),
    ],
)
def test_a_number_alone_on_the_first_line_is_a_rating(text: str, rated: tuple[int, str] | None) -> None:
    assert rated_by_mail(text) == rated


def test_an_answer_is_kept_once_and_may_change_for_a_week(session: Session, case: Case, now: datetime) -> None:
    satisfaction.rate(session, case_id=case.id, rating=5, now=now)
    satisfaction.rate(session, case_id=case.id, rating=5, now=now)
    satisfaction.rate(session, case_id=case.id, rating=4, comment=" Quick, thank you ", now=now + timedelta(days=6))
    assert case.satisfaction == 4
    told = session.scalars(select(Event).where(Event.verb == satisfaction.VERB).order_by(Event.id)).all()
    assert [event.after for event in told] == [
        {"satisfaction": 5},
        {"satisfaction": 4, "comment": "Quick, thank you"},
    ]
    with pytest.raises(AnswerStands):
        satisfaction.rate(session, case_id=case.id, rating=1, now=now + timedelta(days=8))
    satisfaction.rate(session, case_id=case.id, rating=4, now=now + timedelta(days=8))
    for rating in (0, 6, -1):
        with pytest.raises(BadInput):
            satisfaction.rate(session, case_id=case.id, rating=rating, now=now)
    assert case.satisfaction == 4


def test_nobody_fills_the_log_with_their_mind_changing(session: Session, case: Case, now: datetime) -> None:
    for number in range(20):
        satisfaction.rate(session, case_id=case.id, rating=number % 2 + 3, now=now)
    with pytest.raises(AnswerStands):
        satisfaction.rate(session, case_id=case.id, rating=5, now=now)
    assert len(session.scalars(select(Event).where(Event.verb == satisfaction.VERB)).all()) == 20


def test_a_poor_rating_makes_one_call(session: Session, case: Case, now: datetime) -> None:
    for rating in (1, 2, 1):
        satisfaction.rate(session, case_id=case.id, rating=rating, now=now)
    tasks = session.scalars(select(Task).where(Task.case_id == case.id)).all()
    assert [(task.kind, task.payload) for task in tasks] == [("courtesy_call", {"rating": 1})]


def test_the_rating_of_a_merged_case_goes_where_it_lives_on(session: Session, case: Case, now: datetime) -> None:
    account_id = case.account_id
    target = a_case(session, None, now=now, account_id=account_id, entity_id=case.entity_id)
    actor = user_actor(a_user(session, now=now).id)
    life.merge(session, case_id=case.id, target_id=target.id, actor=actor, now=now)
    satisfaction.rate(session, case_id=case.id, rating=3, now=now)
    assert (target.satisfaction, case.satisfaction) == (3, None)
