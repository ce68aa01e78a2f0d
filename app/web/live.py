"""Live updates: which cases changed, by server-sent events, for every tab through one of them (ui.md).

One task per process reads the event log for as long as anybody listens, whichever process wrote the change. Only
ids are sent; each tab fetches its own page, so that permissions and filters hold (U16).
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session, sessionmaker
from sse_starlette import EventSourceResponse

from app.core import db
from app.core.errors import Unavailable
from app.edge import Services, ServicesDep, SessionDep, UserDep
from disputes.queries import Changes, changes_after, newest_change

router = APIRouter()
EVERY = 1.0
"""Seconds between two looks at the event log."""
STREAM = 900.0
"""Seconds a stream lasts; the browser then connects again, and has to be signed in still."""
REMEMBERED = 1000


class Feed:
    """Reads the event log and hands each change to every listener of this process."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._listeners: set[asyncio.Queue[Changes]] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self) -> "asyncio.Queue[Changes]":
        """A queue that gets every change from now on; the first listener starts the reading."""
        queue: asyncio.Queue[Changes] = asyncio.Queue()
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())
        return queue

    def leave(self, queue: "asyncio.Queue[Changes]") -> None:
        """Stop listening; the last one stops the reading."""
        self._listeners.discard(queue)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _read(self) -> None:
        last: int | None = None
        seen: deque[int] = deque([0], maxlen=REMEMBERED)
        while True:
            with suppress(Unavailable):
                if last is None:
                    last = await run_in_threadpool(self._newest)
                changes = await run_in_threadpool(self._after, last, frozenset(seen))
                last = changes.last
                seen.extend(changes.events)
                self._tell(changes)
            await asyncio.sleep(EVERY)

    def _tell(self, changes: Changes) -> None:
        if changes.events:
            for queue in self._listeners:
                queue.put_nowait(changes)

    def _newest(self) -> int:
        with db.transaction(self._sessions, read_only=True) as session:
            return newest_change(session)

    def _after(self, last: int, seen: frozenset[int]) -> Changes:
        with db.transaction(self._sessions, read_only=True) as session:
            return changes_after(session, last=last, seen=seen)


def feed_of(services: Services) -> Feed:
    """The process's feed."""
    found: Feed = services.extras.setdefault("feed", Feed(services.sessions))
    return found


@router.get("/live")
def live(services: ServicesDep, _user: UserDep) -> EventSourceResponse:
    """The stream of changed cases."""
    return EventSourceResponse(_stream(feed_of(services)), ping=15, headers={"cache-control": "no-store"})


async def _stream(feed: Feed) -> AsyncIterator[dict[str, str]]:
    queue = feed.join()
    try:
        async with asyncio.timeout(STREAM):
            while True:
                yield {"event": "changes", "data": _told(await queue.get())}
    except TimeoutError:
        return
    finally:
        feed.leave(queue)


@router.get("/live/changes")
def changes(session: SessionDep, _user: UserDep, after: int = 0) -> JSONResponse:
    """The same for browsers that cannot hold one stream for all tabs: they ask now and then."""
    if after <= 0:
        return JSONResponse({"last": newest_change(session), "cases": []})
    return JSONResponse(json.loads(_told(changes_after(session, last=after))))


def _told(found: Changes) -> str:
    return json.dumps({"last": found.last, "cases": found.cases})
