"""Live updates: which cases changed, by server-sent events, for every tab through one of them (ui.md).

One task per process reads the event log for as long as anybody listens, whichever process wrote the change, and who
is at which case (U17). Only ids are sent; each tab fetches its own page, so that permissions and filters hold (U16).
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session, sessionmaker
from sse_starlette import EventSourceResponse

from app.core import db, presence
from app.core.clock import Clock
from app.core.errors import Unavailable
from app.edge import Services, ServicesDep, SessionDep, UserDep
from disputes.queries import Changes, changes_after, newest_change

router = APIRouter()
EVERY = 1.0
"""Seconds between two looks at the event log."""
STREAM = 900.0
"""Seconds a stream lasts; the browser then connects again, and has to be signed in still."""
REMEMBERED = 1000


class Told(NamedTuple):
    """What listeners get: the name of an event of the stream, and its content."""

    event: str
    data: str


class Feed:
    """Reads the event log and hands each change to every listener of this process."""

    def __init__(self, sessions: sessionmaker[Session], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._listeners: set[asyncio.Queue[Told]] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self) -> "asyncio.Queue[Told]":
        """A queue that gets every change from now on; the first listener starts the reading."""
        queue: asyncio.Queue[Told] = asyncio.Queue()
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())
        return queue

    def leave(self, queue: "asyncio.Queue[Told]") -> None:
        """Stop listening; the last one stops the reading."""
        self._listeners.discard(queue)
        if not self._listeners and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _read(self) -> None:
        last: int | None = None
        seen: deque[int] = deque([0], maxlen=REMEMBERED)
        there: set[tuple[str, int, str]] = set()
        while True:
            with suppress(Unavailable):
                if last is None:
                    last = await run_in_threadpool(self._newest)
                changes = await run_in_threadpool(self._after, last, frozenset(seen))
                last = changes.last
                seen.extend(changes.events)
                if changes.events:
                    self._tell(Told("changes", _told(changes)))
                before, there = there, await run_in_threadpool(self._there)
                if before != there:
                    self._tell(Told("presence", _places(before ^ there)))
            await asyncio.sleep(EVERY)

    def _tell(self, told: Told) -> None:
        for queue in self._listeners:
            queue.put_nowait(told)

    def _there(self) -> set[tuple[str, int, str]]:
        with db.transaction(self._sessions, read_only=True) as session:
            return presence.everybody(session, now=self._clock())

    def _newest(self) -> int:
        with db.transaction(self._sessions, read_only=True) as session:
            return newest_change(session)

    def _after(self, last: int, seen: frozenset[int]) -> Changes:
        with db.transaction(self._sessions, read_only=True) as session:
            return changes_after(session, last=last, seen=seen)


def feed_of(services: Services) -> Feed:
    """The process's feed."""
    found: Feed = services.extras.setdefault("feed", Feed(services.sessions, services.clock))
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
                yield dict((await queue.get())._asdict())
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


def _places(there: set[tuple[str, int, str]]) -> str:
    """The cases where somebody came, went or does something else."""
    cases = {int(number) for place, _, _ in there if (number := place.removeprefix("case:")).isdecimal()}
    return json.dumps({"cases": sorted(cases)})
