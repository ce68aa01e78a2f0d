"""What happens again and again in a worker: its heartbeat, taking over from dead workers, and the sweeps.

The row is the queue and a job is only a nudge, so the sweeps make up for every nudge that was lost: they look for
mail still "received", mail still to be sent, and mailboxes due to be read.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from app.core import db, heartbeat
from app.core.heartbeat import Watch
from app.core.log import logger
from app.core.settings import Background, MailboxSettings
from app.workflows import digests, letters, runtime
from app.workflows.context import Context
from disputes.actions import ledger, mailboxes, outbox, waiting, webhooks
from disputes.queries.due import anything_due


class Jobs(Protocol):
    """What the rounds need of the job engine."""

    def holders(self) -> set[str]:
        """Workers that have jobs in hand, dead or alive."""
        ...

    def recover(self, executor_ids: Collection[str]) -> int:
        """Run the jobs of dead workers again; gives how many."""
        ...

    def tidy(self, *, before: datetime) -> int:
        """Forget jobs that ended before that moment; gives how many."""
        ...


@dataclass
class Rounds:
    """The rounds of one worker, a heartbeat apart."""

    context: Context
    engine: Jobs
    watch: Watch
    count: int = 0
    away: bool = field(default=False, init=False)

    def run(self) -> None:
        """Go round until the process should end."""
        while True:
            self.once()
            if self.context.stopping.wait(self.context.settings.background.heartbeat_seconds):
                return

    def once(self) -> None:
        """One round; a database that is away is told once, and once when it is back."""
        try:
            self._round()
        except db.NoDatabase as error:
            if not self.away:
                logger().warning("the database is away; trying again", reason=error.message)
            self.away = True
            return
        except Exception as error:  # noqa: BLE001 - a worker goes on: its jobs and its next round may fare better
            logger().error("a round failed", kind=type(error).__name__, reason=str(error).partition("\n")[0])
        if self.away:
            logger().info("the database is back")
        self.away = False

    def _round(self) -> None:
        live(self.context, self.engine, self.watch)
        nudge_mailboxes(self.context)
        if self.count % self._rounds_per_sweep() == 0:
            nudge_waiting(self.context)
            digests.nudge(self.context)
            letters.nudge(self.context)
        if self.count % (self._rounds_per_sweep() * 20) == 0:
            nudge_promises(self.context)
            self.engine.tidy(before=self.context.clock() - timedelta(days=self._background.keep_jobs_days))
        self.count += 1

    @property
    def _background(self) -> Background:
        return self.context.settings.background

    def _rounds_per_sweep(self) -> int:
        return max(1, round(self._background.sweep_seconds / self._background.heartbeat_seconds))


def live(context: Context, engine: Jobs, watch: Watch) -> None:
    """Show that this worker lives, and take over from those that do not."""
    with db.transaction(context.sessions) as session:
        heartbeat.beat(session, executor_id=context.worker, now=context.clock())
        beats = heartbeat.beats(session)
        sending = outbox.senders(session)
    dead = watch.dead(beats, {*sending, *engine.holders()})
    if dead:
        take_over(context, engine, dead)


def take_over(context: Context, engine: Jobs, dead: set[str]) -> None:
    """The work of dead workers: mails they were sending become uncertain, their jobs run again."""
    with db.transaction(context.sessions) as session:
        uncertain = outbox.abandon(session, workers=dead, now=context.clock())
    jobs = engine.recover(dead)
    with db.transaction(context.sessions) as session:
        heartbeat.forget(session, executor_ids=dead)
    logger().warning("took over from dead workers", worker=", ".join(sorted(dead)), count=jobs, total=uncertain)


def nudge_waiting(context: Context) -> None:
    """Look for messages, mails and changes that no job may be coming for, and for cases whose time has come."""
    with db.transaction(context.sessions, read_only=True) as session:
        received = waiting.waiting_ids(session, limit=1)
        due = outbox.due_ids(session, now=context.clock())
        untold = webhooks.next_posts(session, now=context.clock())
        ripe = anything_due(session, now=context.clock())
    if received:
        runtime.nudge(context.database, "ingest")
    if due:
        runtime.nudge(context.database, "send")
    if untold:
        runtime.nudge(context.database, "webhooks")
    if ripe:
        runtime.nudge(context.database, "progress")


def nudge_promises(context: Context) -> None:
    """Have promises judged whose day is over: no push may ever come for them."""
    with db.transaction(context.sessions, read_only=True) as session:
        promising = ledger.accounts_promising(session, now=context.clock())
    if promising:
        runtime.nudge(context.database, "recheck")


def nudge_mailboxes(context: Context) -> None:
    """Have those mailboxes read whose time has come; one reader a mailbox, however many workers there are."""
    if not context.settings.mailboxes:
        return
    with db.transaction(context.sessions, read_only=True) as session:
        polled = mailboxes.polled_at(session)
    for mailbox in context.settings.mailboxes:
        if is_due(mailbox, polled.get(mailbox.name), now=context.clock()):
            runtime.nudge(context.database, "poll", mailbox.name)


def is_due(mailbox: MailboxSettings, polled_at: datetime | None, *, now: datetime) -> bool:
    """Whether it is time to read the mailbox again."""
    return polled_at is None or polled_at + timedelta(seconds=mailbox.poll_seconds) <= now
