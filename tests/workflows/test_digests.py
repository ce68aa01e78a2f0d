"""Digests through the days: one a person and period, in their time, and none where there is nothing to tell."""

import subprocess
import sys
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

from sqlalchemy import select, update

from app.auth import User
from app.core.events import system
from app.core.settings import Settings
from app.reports import owner_day
from app.workflows import digests as job
from app.workflows import runtime
from app.workflows.digests import write_due
from app.workflows.outbox import send
from disputes.actions import digests, outbox
from disputes.digest_tokens import MailTokens
from disputes.digests import DigestMail
from disputes.models import Absence, Case, DigestSent, Outgoing, Task
from disputes.queries.digests import due
from tests.databases import Database
from tests.factories import (
    a_case,
    a_clock,
    a_message,
    a_task,
    a_team,
    a_user,
    an_account,
    an_entity,
    an_invoice,
    in_case,
)
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import Sink, context

MONDAY_SIX = datetime.fromisoformat("2026-03-02T06:00:00+00:00")
"""Seven in Paris."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def an_owners_case(database: Database, now: datetime, *, due_in: timedelta = 3 * DAY, **values: Any) -> tuple[int, int]:
    """Paul, who settles prices at FR01, and a case of his in which his answer is asked: their ids."""
    with database.transaction() as session:
        owner = a_user(session, "Paul Roux", now=now, role="owner", language="fr", entities=("FR01",))
        account = an_account(session, an_entity(session), name="Boulangerie Keller")
        case = a_case(session, account, now=now, owner_id=owner.id, **values)
        invoice = an_invoice(session, account, number="F2026-00417")
        in_case(session, case, invoice, now=now)
        a_message(session, case, now=now, new_text="Bonjour,\nLe prix n'est pas celui convenu.")
        a_task(session, now=now, case=case, kind="owner_answer", assignee_id=owner.id, due_at=now + due_in)
        return owner.id, case.id


def mails(database: Database) -> list[Outgoing]:
    with database.transaction(read_only=True) as session:
        return list(session.scalars(select(Outgoing).order_by(Outgoing.id)))


def periods(database: Database) -> dict[str, bool]:
    """Each period that was looked at, and whether it had a mail."""
    with database.transaction(read_only=True) as session:
        rows = session.scalars(select(DigestSent).order_by(DigestSent.at))
        return {row.period: row.outbox_id is not None for row in rows}


def test_a_week_of_one_owner(database: Database, settings: Settings, clock: FixedClock) -> None:
    clock.moment = MONDAY_SIX
    _, case_id = an_owners_case(database, clock())
    worker = context(database, settings, clock)
    assert write_due(worker) == {}, "it is seven in Paris, and eight was never said otherwise"
    clock.advance(HOUR)
    assert write_due(worker) == {"written": 1}
    assert write_due(worker) == {}, "once a day"
    first = mails(database)[0]
    assert (first.kind, first.to_email, first.from_email) == ("digest", "paul@desk.example", "ar@fr01.example")
    assert f"#{case_id}" in first.body
    assert "Boulangerie Keller" in first.body
    assert "Le prix n'est pas celui convenu." in first.body
    assert "/do/" in (first.html or "")
    assert first.headers["Auto-Submitted"] == "auto-generated"
    assert runtime.unfinished(database.engine) == 1, "it is sent at once"

    clock.advance(DAY)
    assert write_due(worker) == {"nothing": 1}, "Tuesday: nothing new, nothing due, no mail"
    assert write_due(worker) == {}
    clock.advance(2 * DAY)
    assert write_due(worker) == {"written": 1}, "Thursday: it is due"
    clock.advance(2 * DAY)
    assert write_due(worker) == {}, "Saturday"
    assert periods(database) == {"2026-03-02": True, "2026-03-03": False, "2026-03-05": True}


def test_an_answered_case_is_told_no_more_and_a_new_one_is(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    owner_id, first_id = an_owners_case(database, now)
    worker = context(database, settings, clock)
    assert write_due(worker) == {"written": 1}
    with database.transaction() as session:
        session.execute(update(Task).values(state="done", outcome="accepted"))
        case = a_case(
            session,
            None,
            now=now,
            title="Second",
            owner_id=owner_id,
            entity_id=session.get_one(Case, first_id).entity_id,
        )
        second_id = case.id
    clock.advance(DAY)
    assert write_due(worker) == {"written": 1}
    told = mails(database)[1]
    assert f"#{second_id}" in told.body
    assert f"#{first_id} " not in told.body
    with database.transaction(read_only=True) as session:
        assert session.get_one(DigestSent, (owner_id, "2026-03-03")).cases == [second_id]


def test_what_is_asked_anew_in_a_known_case_is_news(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    owner_id, case_id = an_owners_case(database, now)
    worker = context(database, settings, clock)
    assert write_due(worker) == {"written": 1}
    clock.advance(DAY / 2)
    with database.transaction() as session:
        case = session.get_one(Case, case_id)
        a_task(session, now=clock(), case=case, kind="document_arrived", assignee_id=owner_id, due_at=None)
    clock.advance(DAY / 2)
    assert write_due(worker) == {"written": 1}
    assert "Le document qui manquait est arrivé." in mails(database)[1].body


def test_an_urgent_case_is_told_at_once_and_alone(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    clock.moment = datetime.fromisoformat("2026-03-01T21:00:00+00:00")
    _, case_id = an_owners_case(database, now, urgent=True)
    worker = context(database, settings, clock)
    assert write_due(worker) == {"written": 1}, "on a Sunday night"
    assert write_due(worker) == {}
    urgent = mails(database)[0]
    assert urgent.subject == f"Urgent : Boulangerie Keller (dossier n° {case_id})"
    assert next(iter(periods(database))).startswith("urgent-")


def test_rhythms_off_weekly_and_away(database: Database, settings: Settings, clock: FixedClock, now: datetime) -> None:
    owner_id, _ = an_owners_case(database, now)
    worker = context(database, settings, clock)
    with database.transaction() as session:
        session.add(Absence(user_id=owner_id, first_day=now.date(), last_day=now.date()))
    assert write_due(worker) == {}, "the stand-in hears of the cases"
    clock.advance(DAY)
    choose(database, owner_id, rhythm="off")
    assert write_due(worker) == {}
    choose(database, owner_id, rhythm="weekly", weekday=3, hour=10)
    assert write_due(worker) == {}, "Tuesday is not their Thursday"
    clock.advance(2 * DAY)
    assert write_due(worker) == {"written": 1}
    assert list(periods(database)) == ["2026-w10"]


def choose(database: Database, user_id: int, **values: Any) -> None:
    with database.transaction() as session:
        user = session.get_one(User, user_id)
        user.preferences = {"digest": values}


def test_agents_work_in_the_program_and_get_none_unless_they_ask(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    with database.transaction() as session:
        agent = a_user(session, "Ana Silva", now=now)
        case = a_case(session, an_account(session, an_entity(session)), now=now, owner_id=agent.id)
        a_task(session, now=now, case=case, kind="owner_answer", assignee_id=agent.id)
    worker = context(database, settings, clock)
    assert write_due(worker) == {}
    choose(database, agent.id, rhythm="daily", hour=7)
    assert write_due(worker) == {"written": 1}


def test_a_lead_hears_of_load_and_of_what_lies_with_nobody(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    with database.transaction() as session:
        a_user(session, "Lea Brun", now=now, role="lead")
        owner = a_user(session, "Paul Roux", now=now, role="owner")
        account = an_account(session, an_entity(session))
        late = a_case(session, account, now=now, owner_id=owner.id, opened_at=now - 40 * DAY)
        a_clock(session, late, now=now, kind="resolution", due=-DAY)
        a_case(session, account, now=now)
        values = {"kind": "reply", "state": "uncertain", "body": "-", "not_before": now, "created_at": now}
        people = {"from_email": "ar@fr01.example", "to_email": "claire@customer.example", "subject": "Re: price"}
        session.add(Outgoing(dedupe_key="u", rfc_id="<u@fr01.example>", **values, **people))
    choose(database, owner.id, rhythm="off")
    assert write_due(context(database, settings, clock)) == {"written": 1}
    told = next(mail for mail in mails(database) if mail.kind == "digest")
    assert told.to_email == "lea@desk.example"
    assert "Paul Roux: 1 open, 1 late, oldest 40d" in told.body
    assert "Nobody yet: 1 open" in told.body
    assert "claire@customer.example: Re: price" in told.body


def test_trouble_with_one_persons_digest_keeps_no_others_back(
    database: Database, settings: Settings, clock: FixedClock, now: datetime, monkeypatch: Any
) -> None:
    an_owners_case(database, now)
    with database.transaction() as session:
        other = a_user(session, "Rosa Neri", now=now, role="owner")
        a_case(session, None, now=now, owner_id=other.id)
    whole = owner_day.day_of

    def failing(session: Any, *, person: Any, **rest: Any) -> Any:
        if person.user.name == "Paul Roux":
            raise ValueError("something in Paul's cases")
        return whole(session, person=person, **rest)

    monkeypatch.setattr(job, "day_of", failing)
    worker = context(database, settings, clock)
    assert write_due(worker) == {"failed": 1, "written": 1}
    monkeypatch.undo()
    assert write_due(worker) == {"written": 1}, "the failed one is still due, the other stands"


def test_two_schedulers_write_one_digest(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    an_owners_case(database, now)
    inside, go_on = Event(), Event()
    came: list[str] = []

    def slow() -> digests.Told:
        inside.set()
        assert go_on.wait(30)
        return digests.Told([1], DigestMail("first", "first", "first"))

    def first() -> None:
        with database.transaction() as session:
            one = due(session, now=now)[0]
            mail = digests.make(session, due=one, tell=slow, tokens=MailTokens(b"k"), actor=system("digests"), now=now)
            came.append("written" if mail else "nothing")

    def second() -> None:
        came.append(str(dict(write_due(context(database, settings, clock)))))

    threads = [Thread(target=first), Thread(target=second)]
    threads[0].start()
    assert inside.wait(30), "the first has taken the period and not committed"
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert sorted(came) in (["written", "{'nothing': 1}"], ["written", "{}"])
    assert [mail.subject for mail in mails(database)] == ["first"]


def test_a_scheduler_killed_in_the_middle_leaves_it_to_the_next(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    an_owners_case(database, now)
    command = [sys.executable, "-m", "tests.workflows.digest_worker", database.url, str(settings.data_folder)]
    with subprocess.Popen(
        [*command, now.isoformat()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as dying:
        assert dying.stdout is not None
        assert dying.stdout.readline() == "inside\n"
        dying.kill()
    assert periods(database) == {}
    assert write_due(context(database, settings, clock)) == {"written": 1}
    assert len(mails(database)) == 1


def test_s2_a_digest_nobody_is_sure_of_goes_out_again_as_the_same_mail(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    an_owners_case(database, now)
    sink = Sink()
    worker = context(database, settings, clock, mailer=sink)
    write_due(worker)
    with database.transaction() as session:
        session.execute(update(Outgoing).values(state="sending", claimed_by="dead"))
    with database.transaction() as session:
        outbox.abandon(session, workers={"dead"}, now=now)
    send(worker, [])
    assert sink.sent == [mails(database)[0].rfc_id]


def test_a_colleague_asked_for_one_thing_hears_of_it_and_of_nothing_else(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    _, case_id = an_owners_case(database, now)
    with database.transaction() as session:
        depot = a_team(session, "logistics")
        a_user(session, "Rosa Neri", now=now, role="owner", team_id=depot.id)
        task = a_task(session, now=now, case=session.get_one(Case, case_id), kind="check_delivery", team_id=depot.id)
    assert write_due(context(database, settings, clock)) == {"written": 2}
    told = next(mail for mail in mails(database) if mail.to_email == "rosa@desk.example")
    assert "A proof of delivery is needed from you." in told.body
    assert f"/tasks/{task.id}" in told.body
    assert "convenu" not in told.body, "what the customer wrote is not hers to read"
    assert "/do/" not in told.body + (told.html or "")
