"""What owners answer, where cases flowed together and came apart again: no answer is taken for an older one."""

from datetime import datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import user_actor
from disputes.actions import life, owner_answers
from disputes.digest_answers import Command
from disputes.digest_tokens import ACCEPT, NEED, REJECT
from disputes.models import Task
from tests.factories import a_case, a_team, a_user, an_account, an_entity, an_invoice, in_case


@pytest.mark.parametrize(("action", "before", "kind"), [(ACCEPT, REJECT, "owner_answer"), (NEED, NEED, "answer")])
def test_an_answer_after_cases_came_apart_is_a_new_one(
    session: Session, now: datetime, action: str, before: str, kind: str
) -> None:
    account = an_account(session, an_entity(session))
    paula = a_user(session, "Paula Lang", now=now, role="owner", team_id=a_team(session).id)
    actor = user_actor(paula.id)
    case, other = (a_case(session, account, now=now, owner_id=paula.id) for _ in range(2))
    for one in (case, other):
        in_case(session, one, an_invoice(session, account), now=now)

    def answer(case_id: int, action: str) -> set[int]:
        command = Command(case_id=case_id, action=action, text="The signed order")
        owner_answers.answer(session, command=command, limit=Decimal(500), actor=actor, now=now)
        return set(session.scalars(select(Task.id).where(Task.kind == kind)))

    answer(other.id, action)
    life.merge(session, case_id=other.id, target_id=case.id, actor=actor, now=now)
    together = answer(case.id, before)
    life.unmerge(session, case_id=other.id, actor=actor, now=now)
    assert len(answer(case.id, action) - together) == 1
