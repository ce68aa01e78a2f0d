"""Notes: colleagues are told when they are mentioned and may see the case, and nobody else."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import Event, user_actor
from disputes.actions.notes import EmptyNote, add_note
from disputes.models import Case, Task
from tests.factories import a_case, a_team, a_user, an_account, an_entity


@pytest.fixture
def case(session: Session, now: datetime) -> Case:
    return a_case(session, an_account(session, an_entity(session)), now=now)


def test_whoever_is_mentioned_gets_a_task_of_their_own(session: Session, case: Case, now: datetime) -> None:
    ana = a_user(session, "Ana Silva", now=now)
    bea = a_user(session, "Bea Roux", now=now, team_id=a_team(session).id)
    carl = a_user(session, "Carl Ott", now=now)
    version = case.version
    note = add_note(
        session,
        case_id=case.id,
        text="Please look, @bea. and @CarlOtt; not bob@bea or @nobody, nor @ana (me)",
        actor=user_actor(ana.id),
        now=now,
    )
    assert set(note.mentions) == {ana.id, bea.id, carl.id}
    tasks = session.scalars(select(Task).where(Task.kind == "mention").order_by(Task.assignee_id)).all()
    assert [task.assignee_id for task in tasks] == [bea.id, carl.id]
    assert tasks[0].team_id == bea.team_id
    assert case.version == version + 1
    event = session.scalars(select(Event).where(Event.verb == "note written")).one()
    assert "look" not in str(event.after)


def test_who_may_not_see_the_case_is_not_told(session: Session, case: Case, now: datetime) -> None:
    ana = a_user(session, "Ana", now=now)
    a_user(session, "Owen Elsewhere", now=now, role="owner")
    note = add_note(session, case_id=case.id, text="@owen what do you think?", actor=user_actor(ana.id), now=now)
    assert note.mentions == []
    assert session.scalars(select(Task)).all() == []


def test_a_handle_that_means_two_people_means_neither(session: Session, case: Case, now: datetime) -> None:
    ana = a_user(session, "Ana", now=now)
    one = a_user(session, "Sam One", now=now, email="sam@desk.example")
    a_user(session, "Sam Two", now=now, email="sam@other.example")
    assert add_note(session, case_id=case.id, text="@sam?", actor=user_actor(ana.id), now=now).mentions == []
    exact = add_note(session, case_id=case.id, text="@sam@desk.example?", actor=user_actor(ana.id), now=now)
    assert exact.mentions == [one.id]


@pytest.mark.parametrize("text", ["", "   \n", "x" * 20_001])
def test_a_note_has_words_and_an_end(session: Session, case: Case, now: datetime, text: str) -> None:
    with pytest.raises(EmptyNote):
        add_note(session, case_id=case.id, text=text, actor=user_actor(1), now=now)
