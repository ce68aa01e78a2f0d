"""The sampling profile of benchmarks: what is slow is seen, and nothing keeps looking afterwards."""

import signal
from time import process_time

import pytest

from benchmarks import sampling

LONG = 0.3
"""Seconds of the processor: some dozens of looks."""


def busy(seconds: float) -> None:
    until = process_time() + seconds
    while process_time() < until:
        pass


def work() -> None:
    busy(LONG)
    idle()


def idle() -> None:
    pass


def test_functions_are_shown_with_the_share_that_they_and_what_they_call_took() -> None:
    found = sampling.shares(work, packages=["tests"])
    named = {name.rpartition(":")[2]: share for name, share in found.items()}
    assert set(found) == {"benchmarks/test_sampling.py:work", "benchmarks/test_sampling.py:busy"}, "who called is not"
    assert named["work"] == pytest.approx(1, abs=0.1)
    assert named["busy"] == pytest.approx(1, abs=0.1)
    assert not sampling.shares(work, packages=["disputes"]), "only our own packages are named"


def test_nobody_looks_any_more_when_the_work_is_over_or_failed() -> None:
    before = signal.getsignal(signal.SIGPROF)
    with pytest.raises(ZeroDivisionError):
        sampling.shares(lambda: 1 / 0, packages=["tests"])
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
