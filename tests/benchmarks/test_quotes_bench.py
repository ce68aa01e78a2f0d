"""amiable bench quotes on few replies: what its figures are made of."""

from pathlib import Path

import pytest

from benchmarks import quotes
from benchmarks.report import Options
from benchmarks.sample_replies import every_head, hostile_bodies, sample_replies
from matching.quotes import split_body


@pytest.mark.parametrize(("language", "head"), every_head())
@pytest.mark.parametrize("history", ["> Please pay.\n> Regards", "Please pay the invoice.\nRegards"])
def test_m20_every_way_to_head_a_quote_ends_the_new_text(language: str, head: str, history: str) -> None:
    assert split_body(f"We do not agree.\n\n{head}\n\n{history}\n").new_text == "We do not agree.", language


def test_both_splitters_see_the_same_replies_and_ours_is_right_more_often(tmp_path: Path) -> None:
    report = quotes.run(Options(size=60, database=None, folder=tmp_path))
    ours, theirs = report.rows
    assert (ours["subject"], theirs["subject"]) == ("amiable", "quotequail")
    assert ours["exact"] > theirs["exact"] > 0
    assert report.ratios["exact_vs_quotequail"] > 1


def test_replies_are_the_same_each_time_and_hold_what_was_written() -> None:
    once, again = list(sample_replies(40)), list(sample_replies(40))
    assert once == again
    assert all(reply.text.startswith(reply.signed) and reply.signed.startswith(reply.written) for reply in once)
    assert {reply.language for reply in once} == {"fr", "en", "de", "es", "it", "nl", "pt", "pl"}


def test_m21_hostile_bodies_are_of_the_size_asked_for() -> None:
    assert all(len(body) == 1_000 for _, body in hostile_bodies(1_000))
