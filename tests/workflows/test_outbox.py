"""Sending is claim, send, record; a mail nobody knows about is uncertain, never silently repeated or dropped (S2)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.connectors.contracts import Refused, Sendable, Unknown
from app.core.errors import Conflict, DomainError, Unavailable
from app.core.settings import Settings
from app.workflows.outbox import send
from disputes.actions import outbox
from disputes.actions.outbox import MOST_ATTEMPTS, pause
from disputes.models import Outgoing, Task
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import ACTOR, Sink, context, queued


def mails(database: Database) -> list[Outgoing]:
    with database.transaction(read_only=True) as session:
        return list(session.scalars(select(Outgoing).order_by(Outgoing.id)))


def answering(error: DomainError) -> Sink:
    def answer(_: Sendable) -> None:
        raise error

    return Sink(answer=answer)


def test_due_mails_are_sent_once(database: Database, settings: Settings, clock: FixedClock, now: datetime) -> None:
    queued(database, now, count=3)
    sink = Sink()
    work = context(database, settings, clock, mailer=sink)
    assert send(work, []) == {"sent": 3}
    assert not send(work, [])
    assert sink.sent == [mail.rfc_id for mail in mails(database)]
    assert {(mail.state, mail.sent_at, mail.attempts, mail.claimed_by) for mail in mails(database)} == {
        ("sent", now, 1, None)
    }


def test_only_the_given_mails_are_sent(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    first, second, third = queued(database, now, count=3)
    work = context(database, settings, clock)
    assert send(work, [third, first, 999]) == {"sent": 2}
    assert [mail.id for mail in mails(database) if mail.state == "queued"] == [second]


def test_a_mail_for_later_waits(database: Database, settings: Settings, clock: FixedClock, now: datetime) -> None:
    queued(database, now + timedelta(hours=1))
    work = context(database, settings, clock)
    assert not send(work, [])
    clock.advance(timedelta(hours=1))
    assert send(work, []) == {"sent": 1}


def test_an_outage_is_told_in_one_line_and_ridden_out(
    database: Database, settings: Settings, clock: FixedClock, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    queued(database, now, count=2)
    away = context(database, settings, clock, mailer=answering(Unavailable("mail.seller.example:587 refuses")))
    assert not send(away, [])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert "mail.seller.example:587 refuses" in lines[0]
    assert [(mail.state, mail.attempts, mail.last_error) for mail in mails(database)] == [
        ("queued", 1, "mail.seller.example:587 refuses"),
        ("queued", 0, None),
    ]
    clock.advance(timedelta(minutes=1))
    assert send(context(database, settings, clock), []) == {"sent": 2}


def test_the_pauses_grow_to_an_hour() -> None:
    assert [pause(attempts).total_seconds() for attempts in (1, 2, 3, 8, 80)] == [30, 60, 120, 3600, 3600]


def test_three_days_of_outage_are_enough(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    queued(database, now)
    away = context(database, settings, clock, mailer=answering(Unavailable("away")))
    for _ in range(MOST_ATTEMPTS):
        send(away, [])
        clock.advance(timedelta(hours=1))
    assert [(mail.state, mail.last_error) for mail in mails(database)] == [("failed", "away")]
    assert clock() - now >= timedelta(days=3)


def test_a_refusal_is_for_good(database: Database, settings: Settings, clock: FixedClock, now: datetime) -> None:
    queued(database, now)
    refusing = context(database, settings, clock, mailer=answering(Refused("550 no such user")))
    assert send(refusing, []) == {"failed": 1}
    assert [(mail.state, mail.last_error) for mail in mails(database)] == [("failed", "550 no such user")]


def test_an_unknown_outcome_is_asked_of_a_person(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    (outbox_id,) = queued(database, now)
    unknown = context(database, settings, clock, mailer=answering(Unknown("the line broke before the answer")))
    assert send(unknown, []) == {"uncertain": 1}
    assert not send(context(database, settings, clock), [])
    with database.transaction() as session:
        task = session.scalars(select(Task)).one()
        assert (task.kind, task.state, task.payload) == ("check_sending", "open", {"outbox_id": outbox_id})
        outbox.settle(session, outbox_id=outbox_id, sent=False, actor=ACTOR, now=now)
    assert send(context(database, settings, clock), []) == {"sent": 1}
    with database.transaction() as session, pytest.raises(Conflict):
        outbox.settle(session, outbox_id=outbox_id, sent=True, actor=ACTOR, now=now)


@pytest.mark.parametrize(("kind", "state"), [("letter", "uncertain"), ("digest", "queued")])
def test_what_a_dead_worker_was_sending_is_uncertain_or_repeated_by_its_kind(
    database: Database, settings: Settings, clock: FixedClock, now: datetime, kind: str, state: str
) -> None:
    queued(database, now, count=2, kind=kind)

    class Killed(BaseException):
        """What SIGKILL does between the server's answer and our record."""

    def accept_and_die(_: Sendable) -> None:
        raise Killed

    with pytest.raises(Killed):
        send(context(database, settings, clock, mailer=Sink(answer=accept_and_die)), [])
    assert [mail.state for mail in mails(database)] == ["sending", "queued"]
    with database.transaction() as session:
        assert outbox.senders(session) == {"worker-1"}
        assert outbox.abandon(session, workers={"another"}, now=now) == 0
        assert outbox.abandon(session, workers={"worker-1"}, now=now) == 1
    assert [mail.state for mail in mails(database)] == [state, "queued"]
