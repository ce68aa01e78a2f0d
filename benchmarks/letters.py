"""amiable bench letters: N letters printed on two cores, ours against WeasyPrint used plainly, the same pages.

`letters_per_s` is on the clock with two processes each; `cpu_ms` the processor's time for printing one letter, which
the ratio per core is made of, since it does not depend on what else the machine does; composing is counted for neither.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.memory import Watched, watch
from benchmarks.report import Options, Report, Row

_WORKERS = 2


def run(options: Options) -> Report:
    """Ours, then the peer, so that neither disturbs the other."""
    ours = watch([sys.executable, "-m", "benchmarks.our_letters", str(options.size), str(_WORKERS)], {})
    peers = _peer(options.size)
    rows = [_row("amiable", options.size, [ours]), _row("weasyprint, plainly", options.size, peers)]
    ratios = {
        "per_core_vs_plain": round(rows[1]["cpu_ms"] / rows[0]["cpu_ms"], 2),
        "per_s_vs_plain": round(rows[0]["letters_per_s"] / rows[1]["letters_per_s"], 2),
        "memory_growth": ours.growth,
    }
    return Report("letters", options.size, rows, ratios)


def _peer(size: int) -> list[Watched]:
    """Two processes side by side, each with half of the letters."""
    half = size // _WORKERS
    parts = [(0, half), (half, size)]
    commands = [[sys.executable, "-m", "benchmarks.plain_letters", str(first), str(end)] for first, end in parts]
    with ThreadPoolExecutor(_WORKERS) as threads:
        return list(threads.map(lambda command: watch(command, {}), commands))


def _row(subject: str, size: int, runs: Sequence[Watched]) -> Row:
    answers = [one.answer for one in runs]
    return {
        "subject": subject,
        "letters_per_s": round(size / max(answer["seconds"] for answer in answers), 2),
        "cpu_ms": round(1000 * sum(answer["cpu"] for answer in answers) / size, 1),
        "peak_mb": round(sum(one.peak_mb for one in runs), 1),
        "memory_growth": max(one.growth for one in runs),
        "pdf_mb": round(sum(answer["bytes"] for answer in answers) / 1e6, 2),
        "faults": sum(answer.get("faults", 0) for answer in answers),
    }
