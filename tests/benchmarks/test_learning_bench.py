"""amiable bench learning: whose mails are revealed, whose are asked, and what its figures are made of."""

import pytest

from benchmarks import learning
from benchmarks.learning import NOTHING, OTHERS, Tally, mails_by_seller
from benchmarks.report import Options
from disputes.classifier import Example, Model, shipped_examples
from tests.workflows.test_classifier_training import few

__all__ = ["few"]


def test_a_start_knows_no_mail_of_the_seller() -> None:
    mails = mails_by_seller()
    assert {seller: len(theirs) > 90 for seller, theirs in mails.items()} == {"FR01": True, "UK01": True, "DE01": True}
    for seller, theirs in mails.items():
        accounts = {mail.account for mail in theirs}
        without_seller = learning._left_out(mails, seller, OTHERS)
        assert accounts <= without_seller
        assert without_seller < learning._left_out(mails, seller, NOTHING)
        assert not accounts & {mail.account for mail in shipped_examples(without_seller)}


def test_nobody_is_asked_about_what_was_revealed() -> None:
    theirs = mails_by_seller()["FR01"]
    for revealed, asked in learning._draws(theirs, 200):
        assert (len(revealed), len(asked)) == (200, len(theirs) - 200)
        assert not {id(one) for one in revealed} & {id(one) for one in asked}
    few_mails = theirs[:90]
    assert [len(part) for part in learning._split(few_mails, 200)] == [45, 45], "half, where there are few"


def test_a_row_tells_the_share_of_errors_left() -> None:
    row = Tally(revealed=400, asked=200, before=50, after=30).row("all", draws=2)
    assert (row["revealed"], row["errors_before"], row["errors_after"], row["left"]) == (200, 0.25, 0.15, 0.6)


def test_the_report_counts_both_starts(monkeypatch: pytest.MonkeyPatch, few: Model, tmp_path: object) -> None:
    first = {seller: theirs[:6] for seller, theirs in mails_by_seller().items()}
    learned: list[int] = []

    def train(_examples: list[Example], *, own: list[Example] | None = None) -> Model:
        learned.append(len(own or ()))
        return few

    monkeypatch.setattr(learning, "mails_by_seller", lambda: first)
    monkeypatch.setattr(learning, "train", train)
    report = learning.run(Options(4, None, tmp_path))  # type: ignore[arg-type] # no file is written
    assert [row["subject"] for row in report.rows][3:5] == [f"all from {NOTHING}", f"all by date, from {NOTHING}"]
    assert set(report.ratios) == {
        "errors_down_new",
        "errors_down_new_by_date",
        "errors_down_new_full_size",
        "errors_down_known",
        "errors_down_known_by_date",
        "errors_down_known_full_size",
    }
    assert set(report.ratios.values()) == {0.0}, "the same model is wrong as often"
    assert sorted(set(learned)) == [0, 4]
