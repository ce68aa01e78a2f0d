"""Waiting for something outside the test's own process: the one place of the tests that waits."""

import threading
import time
from collections.abc import Callable


class StillWaitingError(AssertionError):
    """What was waited for did not come in time."""


def wait_until(happened: Callable[[], object], *, seconds: float = 30.0, every: float = 0.02) -> None:
    """Look again until `happened()` is true. Raises StillWaitingError after `seconds`: a limit, never a measurement."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not happened():
        if time.monotonic() > deadline:
            raise StillWaitingError(f"not within {seconds} s: {getattr(happened, '__qualname__', happened)}")
        pause.wait(every)
