"""Running a command while watching the memory of its processes."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from app.core.errors import Unavailable

_EVERY_SECONDS = 0.5
_WARM = 5  # the first fifth of a run fills caches and starts processes


class CommandFailed(Unavailable):
    """The command under measurement did not end well."""


@dataclass(frozen=True)
class Watched:
    """A command's JSON answer, the processor seconds of it and its helpers, and what memory they held over time."""

    answer: Mapping[str, Any]
    cpu_seconds: float
    samples: Sequence[int]

    @property
    def peak_mb(self) -> float:
        """The most memory held at once, all processes together."""
        return round(max(self.samples, default=0) / 1e6, 1)

    @property
    def growth(self) -> float:
        """Memory at the end against memory after the warm-up: 1.0 is flat."""
        warm, tail = self.samples[len(self.samples) // _WARM :], max(1, len(self.samples) // 10)
        return round(median(warm[-tail:]) / median(warm[:tail]), 3) if warm else 1.0


def watch(command: Sequence[str], environment: Mapping[str, str]) -> Watched:
    """Run a command that prints one JSON object. Raises CommandFailed with its last words."""
    before = os.times()
    samples: list[int] = []
    with subprocess.Popen(  # noqa: S603 - our own program
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while True:
            try:
                out, err = process.communicate(timeout=_EVERY_SECONDS)
                break
            except subprocess.TimeoutExpired:
                samples.append(_memory_of(process.pid))
    if process.returncode:
        raise CommandFailed(f"{' '.join(command)} failed: {err.decode(errors='replace').strip()[-500:]}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Watched(json.loads(out), round(used, 2), samples)


def _memory_of(pid: int) -> int:
    """Resident bytes of a process and its children, pages they share counted for each."""
    total = _resident(pid)
    for path in Path(f"/proc/{pid}/task").glob("*/children"):  # any of its threads may have started them
        total += sum(_memory_of(int(child)) for child in _read(path).split())
    return total


def _resident(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if fields else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the process ended between two looks
        return ""
