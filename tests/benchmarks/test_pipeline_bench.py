"""amiable bench pipeline: what it sends through the mailroom, and that it is worked."""

from datetime import timedelta

from app.core.settings import Limits
from benchmarks import pipeline
from benchmarks.ledger_mails import made_up_mails
from benchmarks.numbered_ledgers import Ledger
from disputes.parsing import parse


def test_mails_are_29_kb_and_half_of_them_answer_one_before() -> None:
    raws = pipeline.made_up_raws(list(made_up_mails(Ledger(600), 60)))
    parsed = [parse(raw, limits=Limits()) for raw in raws]
    assert all(28_000 < len(raw) < 30_000 for raw in raws)
    answers = [one for one in parsed if one.thread_ids.in_reply_to]
    assert 15 < len(answers) < 45
    assert all("any news" in one.new_text and "any news" not in one.quoted_text for one in answers)
    assert all(one.sent_at and pipeline.NOW - one.sent_at < timedelta(days=1) for one in parsed)
