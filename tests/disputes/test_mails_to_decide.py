"""Mail that failed or may have gone out waits for a person, who decides once (S2)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import user_actor
from disputes.actions import outbox
from disputes.models import Case, Outgoing, Task
from disputes.queries.outbox import NoSuchMail, mails_to_decide, mails_to_decide_count, outgoing_of
from tests.databases import QueryRecorder
from tests.factories import a_case, a_user, an_account, an_entity


def a_mail(session: Session, case: Case | None, *, now: datetime, key: str = "reply:1", **values: object) -> Outgoing:
    """A mail that a worker took to send."""
    given: dict[str, object] = {"case_id": case.id, "entity_id": case.entity_id} if case else {}
    given["subject"] = "Re: Wrong price"
    mail = Outgoing(
        dedupe_key=key,
        kind="reply",
        rfc_id=f"<{key}@fr01.example>",
        from_email="ar@fr01.example",
        to_email="claire@customer.example",
        body="We look into it.",
        not_before=now,
        created_at=now,
        **{**given, **values},
    )
    session.add(mail)
    session.flush()
    assert outbox.claim(session, worker="w", now=now, outbox_id=mail.id)
    return mail


@pytest.fixture
def case(session: Session, now: datetime) -> Case:
    return a_case(session, an_account(session, an_entity(session)), now=now)


def tasks_of(session: Session, state: str) -> list[tuple[str, str | None]]:
    rows = session.execute(select(Task.kind, Task.outcome).where(Task.state == state).order_by(Task.id))
    return [(kind, outcome) for kind, outcome in rows]


@pytest.mark.parametrize(("decision", "state", "outcome"), [
    ("went out", "sent", "it went out"), ("again", "queued", "sent again"), ("drop", "cancelled", "let be"),
])  # fmt: skip
def test_an_uncertain_mail_is_settled_once_and_its_question_with_it(
    session: Session, case: Case, now: datetime, decision: str, state: str, outcome: str
) -> None:
    actor = user_actor(a_user(session, now=now).id)
    mail = a_mail(session, case, now=now)
    outbox.record_uncertain(session, outbox_id=mail.id, error="the line broke", now=now)
    assert tasks_of(session, "open") == [("check_sending", None)]

    def decide() -> Outgoing:
        if decision == "went out":
            return outbox.settle(session, outbox_id=mail.id, sent=True, actor=actor, now=now)
        act = outbox.send_again if decision == "again" else outbox.drop
        return act(session, outbox_id=mail.id, actor=actor, now=now)

    assert decide().state == state
    assert tasks_of(session, "done") == [("check_sending", outcome)]
    with pytest.raises(outbox.Decided):
        decide()


def test_a_refused_mail_can_be_sent_again_but_not_said_to_have_gone_out(
    session: Session, case: Case, now: datetime
) -> None:
    actor = user_actor(a_user(session, now=now).id)
    mail = a_mail(session, case, now=now)
    outbox.record_failure(session, outbox_id=mail.id, error="550 no such user", now=now)
    with pytest.raises(outbox.Decided):
        outbox.settle(session, outbox_id=mail.id, sent=True, actor=actor, now=now)
    assert outbox.send_again(session, outbox_id=mail.id, actor=actor, now=now).state == "queued"
    assert tasks_of(session, "done") == [("mail_failed", "sent again")]
    assert outbox.claim(session, worker="w", now=now + timedelta(seconds=1), outbox_id=mail.id)


def test_people_see_what_waits_in_their_cases_and_leads_mail_to_our_own_people(
    session: Session, case: Case, now: datetime, queries: QueryRecorder
) -> None:
    foreign = a_case(session, an_account(session, an_entity(session, "DE01")), now=now)
    mails = [a_mail(session, one, now=now, key=f"reply:{at}") for at, one in enumerate((case, foreign, None))]
    for mail in mails:
        outbox.record_uncertain(session, outbox_id=mail.id, error="the line broke", now=now)
    ours, theirs, digest = mails
    agent = a_user(session, "Ana", now=now, entities=["FR01"])
    lead = a_user(session, "Lea", now=now, role="lead", entities=["FR01"])
    owner = a_user(session, "Otto", now=now, role="owner")
    session.flush()
    with queries:
        assert [(one.mail.id, one.case_title) for one in mails_to_decide(session, user=agent)] == [
            (ours.id, case.title)
        ]
    assert queries.count == 1
    assert [one.mail.id for one in mails_to_decide(session, user=lead)] == [ours.id, digest.id]
    assert [mails_to_decide_count(session, user=user) for user in (agent, lead, owner)] == [1, 2, 0]
    assert outgoing_of(session, user=agent, outbox_id=ours.id) is ours
    for user, hidden in ((agent, theirs), (agent, digest), (owner, ours)):
        with pytest.raises(NoSuchMail):
            outgoing_of(session, user=user, outbox_id=hidden.id)
