"""Structured logs: one line an event, a correlation id, and only fields on the allow-list (S18)."""

from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

import structlog

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="-")
"""Set by the edge per request and by the runtime per job; every log line carries it."""

ALLOWED = frozenset({
    "event", "level", "timestamp", "correlation_id", "exception", "account", "attempt", "case_id", "count", "database",
    "duration_ms", "entity", "host", "job", "kind", "mailbox", "message_id", "method", "path", "port", "reason",
    "route", "source", "state", "status", "task_id", "user_id", "version", "worker", "outbox_id", "done", "total",
    "case_count", "url", "hint",
})  # fmt: skip
"""Mail text, addresses, names, tokens and passwords never reach the logs: what is not named here is dropped."""


def keep_allowed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the allow-list, and add the correlation id."""
    kept = {key: value for key, value in event.items() if key in ALLOWED}
    kept["correlation_id"] = correlation_id.get()
    return kept


def configure(*, json: bool, stream: TextIO) -> None:
    """Set up structlog once per process; JSON for machines, coloured lines for people."""
    renderer: Any = structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            keep_allowed,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )


def logger() -> Any:
    """The process's logger."""
    return structlog.get_logger()
