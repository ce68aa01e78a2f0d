"""The benchmark of letters, small: that both sides print the same letters, not how fast."""

import io
import json
from pathlib import Path

import pytest
from pypdf import PdfReader

from benchmarks import letters
from benchmarks.plain_letters import pdf
from benchmarks.report import Options
from benchmarks.sample_letters import samples
from letters.printer import LetterPrinter


def test_both_sides_print_every_letter_and_are_compared(tmp_path: Path) -> None:
    report = letters.run(Options(8, None, tmp_path))
    ours, peer = report.rows
    assert (ours["subject"], ours["faults"], peer["subject"]) == ("amiable", 0, "weasyprint, plainly")
    assert all(row["letters_per_s"] > 0 and row["cpu_ms"] > 0 for row in report.rows)
    assert report.ratios["per_core_vs_plain"] == round(peer["cpu_ms"] / ours["cpu_ms"], 2)
    assert set(report.ratios) == {"per_core_vs_plain", "per_s_vs_plain", "memory_growth"}
    assert json.loads(json.dumps(report.as_object()))["bench"] == "letters"


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # WeasyPrint leaves its colour profile open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # which is found out later
def test_the_peer_prints_the_same_words() -> None:
    found = list(samples(0, 4))
    with LetterPrinter(workers=1) as printer:
        ours = [printer.print_letter(one.page) for one in found]
    assert [_words(one) for one in ours] == [_words(pdf(one)) for one in found]


def _words(letter: bytes) -> list[str]:
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(letter)).pages).split()
