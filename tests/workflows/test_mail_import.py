"""Bringing mails in from files: counted, resumable, worked here or left to the workers."""

from datetime import datetime

import pytest

from app.connectors.mail_files import FoundMail
from app.core.settings import Limits, Settings
from app.workflows import runtime
from app.workflows.mail_import import MailImport
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import Failing, context, mail, received


def found(*numbers: int) -> list[FoundMail]:
    return [FoundMail(mail(number), f"archive.mbox#{number}", 100) for number in numbers]


def test_mails_are_worked_here_and_counted(database: Database, settings: Settings, clock: FixedClock) -> None:
    work = MailImport(context(database, settings, clock))
    work.take(found(1, 2))
    work.take(found(2, 3))
    assert work.totals == {"mails": 4, "new": 3, "duplicates": 1, "worked": 3}
    assert runtime.unfinished(database.engine) == 0


def test_mails_can_be_left_to_the_workers(database: Database, settings: Settings, clock: FixedClock) -> None:
    work = MailImport(context(database, settings, clock), wait=False)
    work.take(found(1, 2))
    assert work.totals == {"mails": 2, "new": 2, "received": 2}
    assert runtime.unfinished(database.engine) == 1


def test_an_import_that_was_killed_is_taken_up_again(
    database: Database, settings: Settings, clock: FixedClock, now: datetime
) -> None:
    received(database, settings, now, count=2)
    again = MailImport(context(database, settings, clock))
    again.take([FoundMail(mail(number), f"archive.mbox#{number}", 100) for number in range(3)])
    assert again.totals == {"mails": 3, "new": 1, "duplicates": 2, "worked": 3}


def test_a_mail_that_cannot_be_worked_is_counted_as_quarantined(
    database: Database, settings: Settings, clock: FixedClock
) -> None:
    work = MailImport(context(database, settings, clock, pipeline=Failing({2})))
    work.take(found(1, 2, 3))
    assert (work.totals["worked"], work.totals["quarantined"]) == (2, 1)


@pytest.mark.parametrize("wait", [True, False])
def test_so_is_one_that_is_too_large_to_be_read(
    database: Database, settings: Settings, clock: FixedClock, *, wait: bool
) -> None:
    small = settings.model_copy(update={"limits": Limits(mail_bytes=1_000)})
    work = MailImport(context(database, small, clock), wait=wait)
    work.take([FoundMail(mail(1, words="x" * 2_000), "large.eml", 2_000)])
    assert work.totals == {"mails": 1, "new": 1, "quarantined": 1}
