"""The web server of `amiable serve`, alone or with a worker beside it."""

import socket
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import uvicorn
from sqlalchemy import Engine

from app.core import db, heap
from app.core.blobs import FolderStore
from app.core.clock import system_clock
from app.core.errors import Conflict
from app.core.settings import Settings
from app.edge import Services
from app.main import create_app
from app.worker import real_context, work
from app.workflows import runtime

GRACE_SECONDS = 5
"""Time for open requests, among them pages that listen for updates and would never end by themselves."""


class PortTaken(Conflict):
    """Another program listens there already."""


def serve(settings: Settings, database: Engine, *, stopping: Event, with_worker: bool) -> bool:
    """Serve until a signal comes or the worker fails. False when jobs were left running.

    Raises PortTaken, or what ended the worker.
    """
    listening = listen(settings.host, settings.port)
    app = create_app(services_of(settings, database))
    heap.settle()
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    sys.stdout.write(f"Amiable is served on http://{settings.host}:{settings.port}\n")
    sys.stdout.flush()
    return _run(uvicorn.Server(config), listening, settings, database, stopping=stopping, with_worker=with_worker)


def services_of(settings: Settings, database: Engine) -> Services:
    """What requests need."""
    return Services(
        settings=settings,
        sessions=db.session_factory(database),
        clock=system_clock,
        blobs=FolderStore(settings.blob_folder),
        enqueue=runtime.enqueue,
    )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise PortTaken(f"Cannot listen on {host}:{port} ({error.strerror}); choose another with --port") from error


def _run(
    server: uvicorn.Server,
    listening: socket.socket,
    settings: Settings,
    database: Engine,
    *,
    stopping: Event,
    with_worker: bool,
) -> bool:
    with ThreadPoolExecutor(1, thread_name_prefix="worker") as pool:
        worker: Future[bool] | None = None
        if with_worker:
            worker = pool.submit(work, database, lambda: real_context(settings, database, stopping), stopping=stopping)
            # A worker that cannot go on takes the process with it: whoever started it should see that.
            worker.add_done_callback(lambda _: setattr(server, "should_exit", True))
        try:
            server.run(sockets=[listening])
        finally:
            stopping.set()
        return worker.result() if worker else True
