"""The only reader of the clock. Everything else is given `now`."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the present moment; passed in from the edge so that tests can stop time."""

    def __call__(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...


def system_clock() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)
