"""Loads the demo: the ledger through the push code, the mail through the mailroom, then what the team did.

Interrupted, it goes on where it stopped: the day it was begun is kept as an event, everything else repeats
harmlessly, and the end is marked by another event.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from app.connectors.erp import ledger_keys
from app.core.db import transaction
from app.core.errors import Conflict
from app.core.events import Event, record, system
from app.demo.answers import send
from app.demo.ledger import Ledger, make_ledger
from app.demo.mails import DemoMail, make_mails
from app.demo.people import add_people, work_cases
from app.workflows.intake import Tools, work_message
from disputes.actions import intake
from disputes.actions.opening import ensure_teams
from disputes.models import Outgoing
from invoices.actions import apply
from invoices.feed import read
from invoices.models import Entity

SEED = 7
BATCH = 20
BEGUN, LOADED = "demo begun", "demo loaded"
DEMO = system("demo")

Progress = Callable[[int, int], None]
"""Told how many mails of how many are done."""


class NotEmpty(Conflict):
    """The database holds a ledger that is not the demo's."""


def is_wanted(session: Session) -> bool:
    """Whether the demo is yet to be loaded or finished: an empty database, or one where it was begun."""
    verbs = set(session.scalars(select(Event.verb).where(Event.verb.in_((BEGUN, LOADED)))))
    return LOADED not in verbs and (BEGUN in verbs or not session.scalar(select(func.count(Entity.id))))


def load(sessions: sessionmaker[Session], *, tools: Tools, now: datetime, progress: Progress) -> None:
    """Load the whole demo as of `now`. Raises NotEmpty when the database is in use already."""
    begun = _begin(sessions, now)
    random = Random(SEED)  # noqa: S311 - a repeatable demo, not a secret
    ledger = make_ledger(random=random, today=begun.date())
    mails = make_mails(ledger, random=random, now=begun)
    _push(sessions, ledger, begun)
    for done, batch in _batches(mails):
        with transaction(sessions) as session:
            _deliver(session, batch, tools)
        progress(done, len(mails))
    with transaction(sessions) as session:
        work_cases(session, random=random, now=begun, tokens=tools.reply_tokens)
        record(session, actor=DEMO, now=begun, verb=LOADED, subject="demo", subject_id=None)


def _begin(sessions: sessionmaker[Session], now: datetime) -> datetime:
    with transaction(sessions) as session:
        if not is_wanted(session):
            raise NotEmpty("The demo is loaded into an empty database only: set AMIABLE_DATABASE_URL to a new one")
        begun = session.scalar(select(Event.at).where(Event.verb == BEGUN))
        if begun is None:
            record(session, actor=DEMO, now=now, verb=BEGUN, subject="demo", subject_id=None)
        ensure_teams(session)
        add_people(session, actor=DEMO, now=begun or now)
        return begun or now


def _push(sessions: sessionmaker[Session], ledger: Ledger, now: datetime) -> None:
    """Push the ledger; the demo's own documents must all be good, so a refusal is a bug."""
    documents = [read(document) for document in ledger.documents()]
    with transaction(sessions) as session:
        outcomes = apply(session, documents=documents, keys=ledger_keys(), actor=DEMO, now=now)
        refused = [outcome for outcome in outcomes if outcome.status == "refused"]
        if refused:
            raise AssertionError(f"the demo's ledger is refused: {refused[:3]}")


def _batches(mails: Sequence[DemoMail]) -> Iterator[tuple[int, Sequence[DemoMail]]]:
    for start in range(0, len(mails), BATCH):
        batch = mails[start : start + BATCH]
        yield start + len(batch), batch


def _deliver(session: Session, mails: Sequence[DemoMail], tools: Tools) -> None:
    for mail in mails:
        arrived = mail.at + timedelta(minutes=1)
        received = intake.receive(
            session,
            raw=mail.raw,
            source="file",
            source_ref=f"demo:{mail.mailbox}:{mail.at.isoformat()}:{mail.story}",
            mailbox=mail.mailbox,
            blobs=tools.blobs,
            limits=tools.settings.limits,
            received_at=arrived,
            now=arrived,
        )
        work_message(session, message_id=received.message_id, tools=tools, now=arrived)
        _send(session, now=arrived)


def _send(session: Session, *, now: datetime) -> None:
    due = select(Outgoing.id).where(Outgoing.state == "queued")
    for outbox_id in list(session.scalars(due)):
        send(session, outbox_id=outbox_id, now=now)
