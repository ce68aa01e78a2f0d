"""amiable bench quotes: new text told from history, ours against quotequail, the one public splitter that never hangs.

`exact` is the share of replies whose new text is found to the word, with or without its signature (white space
normalised); `exact_public` the same on the public set beside the project, where it is, whose gold has no signatures.
`worst_2mb_s` is the slowest of the hostile bodies of two million characters.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import quantiles
from time import process_time

import quotequail

from benchmarks.report import Options, Report, Row
from benchmarks.sample_replies import Reply, hostile_bodies, sample_replies
from matching.quotes import split_body

PUBLIC = Path(__file__).parents[2] / "shared" / "mail" / "quotes.jsonl"
HOSTILE_CHARS = 2_000_000

Splitter = Callable[[str], str]


def run(options: Options) -> Report:
    """Both over the same replies, each reply by both before the next."""
    replies = list(sample_replies(options.size))
    public = _public()
    subjects: dict[str, Splitter] = {"amiable": _ours, "quotequail": _quotequail}
    times: dict[str, list[float]] = {name: [] for name in subjects}
    exact = dict.fromkeys(subjects, 0)
    for reply in replies:
        for name, splitter in subjects.items():
            started = process_time()
            found = splitter(reply.text)
            times[name].append(process_time() - started)
            exact[name] += _is_exact(found, reply)
    rows = [_row(name, splitter, times[name], exact[name], public) for name, splitter in subjects.items()]
    return Report("quotes", options.size, rows, _ratios(*rows))


def _row(name: str, splitter: Splitter, times: Sequence[float], exact: int, public: Sequence[Reply]) -> Row:
    row = {
        "subject": name,
        "exact": round(exact / len(times), 4),
        "cpu_ms_p50": _milliseconds(times, 50),
        "cpu_ms_p95": _milliseconds(times, 95),
        "worst_2mb_s": round(max(_seconds(splitter, body) for _, body in hostile_bodies(HOSTILE_CHARS)), 3),
    }
    if public:
        right = sum(_is_exact(splitter(one.text), one) for one in public)
        row["exact_public"] = round(right / len(public), 4)
    return row


def _ratios(ours: Row, theirs: Row) -> dict[str, float]:
    measured = "exact_public" if "exact_public" in ours else "exact"
    return {
        "exact_vs_quotequail": round(ours[measured] / theirs[measured], 2),
        "exact_made_vs_quotequail": round(ours["exact"] / theirs["exact"], 2),
    }


def _ours(text: str) -> str:
    return split_body(text).new_text


def _quotequail(text: str) -> str:
    return "\n".join(part for shown, part in quotequail.quote(text, quote_intro_line=True) if shown)


def _public() -> list[Reply]:
    if not PUBLIC.exists():
        return []
    samples = [json.loads(line) for line in PUBLIC.read_text(encoding="utf-8").splitlines()]
    return [Reply("", sample["text"], sample["new_text"], sample["new_text"]) for sample in samples]


def _is_exact(found: str, reply: Reply) -> bool:
    return found.split() in (reply.written.split(), reply.signed.split())


def _seconds(splitter: Splitter, body: str) -> float:
    started = process_time()
    splitter(body)
    return process_time() - started


def _milliseconds(times: Sequence[float], percent: int) -> float:
    return round(1000 * quantiles(times, n=100, method="inclusive")[percent - 1], 3)
