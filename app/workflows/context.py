"""What jobs need, made once per process and passed down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from app.connectors.contracts import Mailbox, Mailer
from app.core.blobs import BlobStore
from app.core.clock import Clock
from app.core.settings import MailboxSettings, Settings


class Pipeline(Protocol):
    """Works one stored message in the caller's transaction: parse, match, thread, understand, route, write."""

    def __call__(self, session: Session, *, message_id: int) -> object:
        """Work the message; one that is not in state "received" is left as it is."""
        ...


@dataclass(frozen=True)
class Context:
    """What jobs need. `worker` is this process's executor id; `stopping` is set when the process should end."""

    settings: Settings
    database: Engine
    sessions: sessionmaker[Session]
    clock: Clock
    blobs: BlobStore
    pipeline: Pipeline
    mailer: Mailer
    open_mailbox: Callable[[MailboxSettings], Mailbox]
    worker: str
    stopping: Event = field(default_factory=Event)
