"""Mails from files through the mailroom, in batches: stored in one transaction, then worked here or by the workers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.connectors.mail_files import FoundMail
from app.core import db
from app.workflows import runtime
from app.workflows.context import Context
from app.workflows.mail_jobs import work_one
from disputes.actions import waiting
from disputes.actions.intake import Received, receive


@dataclass
class MailImport:
    """One import. It may be killed and repeated: what was stored is known again, what was not worked is worked.

    `wait` works the mails in this process; without it jobs are left for the workers. `totals` counts mails, new,
    duplicates, and what became of the new ones.
    """

    context: Context
    mailbox: str | None = None
    wait: bool = True
    totals: Counter[str] = field(default_factory=Counter)

    def take(self, mails: Sequence[FoundMail]) -> None:
        """Store a batch, and work it or leave the jobs that will."""
        with db.transaction(self.context.sessions) as session:
            stored = [self._store(session, mail) for mail in mails]
            ids = waiting.waiting_ids(session, limit=len(stored), among=[one.message_id for one in stored])
            if not self.wait:
                runtime.enqueue(session, "ingest", *ids)
        for message_id in ids if self.wait else ():
            work_one(self.context, message_id)
        created = {one.message_id for one in stored if one.created}
        self.totals.update(mails=len(mails), new=len(created), duplicates=len(mails) - len(created))
        self.totals += self._became({*created, *ids})

    def _became(self, ids: set[int]) -> Counter[str]:
        """What became of messages, whoever worked them."""
        with db.transaction(self.context.sessions, read_only=True) as session:
            return waiting.states(session, message_ids=ids)

    def _store(self, session: Session, mail: FoundMail) -> Received:
        now = self.context.clock()
        return receive(
            session,
            raw=mail.raw,
            source="file",
            source_ref=mail.ref,
            mailbox=self.mailbox,
            blobs=self.context.blobs,
            limits=self.context.settings.limits,
            received_at=now,
            now=now,
        )
