"""What a benchmark is asked and what it answers (architecture.md, Commands)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Options:
    """`size` in the benchmark's own unit, a PostgreSQL address if there is one to use, a folder for its files."""

    size: int
    database: str | None
    folder: Path


@dataclass(frozen=True)
class Report:
    """Rows of subject and metrics, and ratios against the peers so that more is better (growth: less)."""

    bench: str
    size: int
    rows: Sequence[Row]
    ratios: Mapping[str, float]

    def as_object(self) -> dict[str, Any]:
        """The one object of --json."""
        return {"bench": self.bench, "size": self.size, "rows": list(self.rows), "ratios": dict(self.ratios)}


@dataclass(frozen=True)
class Bench:
    """A benchmark by name: what it measures, the size it is meant for, and how to run it."""

    about: str
    size: int
    run: Callable[[Options], Report]
