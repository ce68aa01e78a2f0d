"""amiable bench letter_run on few letters: each customer's letter is printed once."""

from pathlib import Path

from benchmarks import letter_run
from benchmarks.report import Options


def test_every_customer_gets_one_letter(tmp_path: Path) -> None:
    report = letter_run.run(Options(size=6, database=None, folder=tmp_path))
    [row] = report.rows
    assert (row["doubled"], row["missing"]) == (0, 0)
    assert report.ratios["letters_per_s"] > 0
