"""Reading mailboxes: progress is UIDVALIDITY and UID, stored with the mails themselves (M5)."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.core.settings import Settings
from app.workflows import runtime
from app.workflows.context import Context
from app.workflows.mail_jobs import poll
from app.workflows.schedule import is_due
from disputes.models import Delivery, MailboxCursor, Message
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import Folder, context, mail, mailbox_settings


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"mailboxes": (mailbox_settings(),)})


def counts(database: Database) -> tuple[int, int]:
    with database.transaction(read_only=True) as session:
        messages = session.scalar(select(func.count()).select_from(Message))
        deliveries = session.scalar(select(func.count()).select_from(Delivery))
        return messages or 0, deliveries or 0


def cursor(database: Database) -> MailboxCursor:
    with database.transaction(read_only=True) as session:
        return session.get_one(MailboxCursor, "billing")


def polled(context: Context) -> int:
    return poll(context, ["billing"])


def test_new_mails_are_stored_with_the_jobs_to_work_them(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    folder = Folder(uidvalidity=7, mails={uid: mail(uid) for uid in range(1, 6)})
    assert polled(context(database, settings, clock, mailbox=folder)) == 5
    assert counts(database) == (5, 5)
    assert runtime.unfinished(database.engine) == 2, "portions of three"
    found = cursor(database)
    assert (found.uidvalidity, found.last_uid, found.polled_at, found.error) == (7, 5, now, None)


def test_the_next_poll_asks_only_for_what_is_new(database: Database, settings: Settings, clock: FixedClock) -> None:
    folder = Folder(mails={1: mail(1)})
    work = context(database, settings, clock, mailbox=folder)
    polled(work)
    folder.mails[4] = mail(4)
    assert polled(work) == 1
    assert polled(work) == 0
    assert folder.asked == [0, 1, 4]


def test_a_folder_numbered_anew_is_read_again_without_duplicates(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    folder = Folder(uidvalidity=1, mails={10: mail(1), 11: mail(2)})
    work = context(database, settings, clock, mailbox=folder)
    polled(work)
    folder.uidvalidity, folder.mails = 2, {1: mail(1), 2: mail(2), 3: mail(3)}
    assert polled(work) == 3
    assert counts(database) == (3, 5)
    assert (cursor(database).uidvalidity, cursor(database).last_uid) == (2, 3)


def test_a_server_that_is_away_is_told_in_one_line_and_shown(
    database: Database, settings: Settings, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(mails={1: mail(1)}, away="imap.seller.example:993 refuses the connection")
    work = context(database, settings, clock, mailbox=folder)
    assert polled(work) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert cursor(database).error == "imap.seller.example:993 refuses the connection"
    folder.away = ""
    assert polled(work) == 1
    assert cursor(database).error is None


def test_a_mailbox_that_is_no_longer_configured_is_not_read(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    assert poll(context(database, settings, clock), ["closed"]) == 0


def test_a_mailbox_is_due_when_it_was_never_read_or_its_time_has_come(now: datetime) -> None:
    mailbox = mailbox_settings()
    assert is_due(mailbox, None, now=now)
    assert not is_due(mailbox, now - timedelta(seconds=59), now=now)
    assert is_due(mailbox, now - timedelta(seconds=60), now=now)
