"""amiable bench classify on a handful of mails: what its figures are made of."""

import pytest

from benchmarks.classify import ALONE, OURS, PEER, _fold, _mails, _ratios, _row


def test_no_account_is_in_two_folds_and_each_fold_has_mails() -> None:
    mails = _mails()
    folds = {mail.account: _fold(mail) for mail in mails}
    assert all(_fold(mail) == folds[mail.account] for mail in mails)
    assert set(folds.values()) == {0, 1, 2, 3}


def test_the_figures_are_of_each_mail_and_the_ratios_of_both_sides() -> None:
    first, second, *_ = _mails()
    ours = _row(OURS, [(first, first.reason, 0.001), (second, second.reason, 0.003)])
    peer = _row(PEER, [(first, first.reason, 0.016), (second, "bounce", 0.016)])
    assert (ours["ms"], ours["reason_accuracy"], peer["reason_accuracy"]) == (2.0, 1.0, 0.5)
    alone = _row(ALONE, [(first, first.reason, 0.004), (second, "bounce", 0.004)])
    assert _ratios(ours, peer, alone) == {
        "speed_vs_tfidf": pytest.approx(8),
        "speed_vs_reason_alone": pytest.approx(2),
        "accuracy_minus_tfidf": pytest.approx(0.5),
    }
