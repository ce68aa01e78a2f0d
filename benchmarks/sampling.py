"""Where the processor's time goes, by looking at the stack again and again: counting every call slows code fourfold.

The system's timer looks every few milliseconds at most: shares of short runs are rough.
"""

import signal
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from types import CodeType, FrameType
from typing import Any

_EVERY = 0.001
"""Seconds of the processor between looks."""


def shares(work: Callable[[], Any], *, packages: Collection[str]) -> Mapping[str, float]:
    """Functions of our packages -> the share of the time of `work` that each and all it called took, the most first.

    Only in the main thread, whose signals interrupt nothing else.
    """
    looks = 0
    seen: Counter[str] = Counter()

    def look(_signal: int, frame: FrameType | None) -> None:
        nonlocal looks
        looks += 1
        seen.update(set(_named(frame, packages)))

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return {name: count / looks for name, count in seen.most_common()}


def _named(frame: FrameType | None, packages: Collection[str]) -> Iterator[str]:
    """The functions below `shares` that stand on the stack."""
    while frame is not None and frame.f_code is not shares.__code__:
        path = frame.f_code.co_filename
        if "site-packages" not in path and any(f"/{package}/" in path for package in packages):
            yield _name(frame.f_code)
        frame = frame.f_back


def _name(code: CodeType) -> str:
    return f"{'/'.join(code.co_filename.split('/')[-2:])}:{code.co_qualname}"
