"""amiable eval: a small corpus through ledger push and mailroom, with and without labels."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.cli import evaluate
from app.cli.evaluate import NoCorpus, UsedDatabase, ledger, read_corpus, run
from app.cli.folds import NoLabels, Trials, fold_of, key_of, learn, shipped
from app.core import db
from app.core.blobs import FolderStore
from app.core.settings import Settings
from app.workflows.intake import Tools
from disputes.models import Message
from tests.databases import Database
from tests.fixtures_pipeline import MAILBOX, mail, take_in

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEDGER = {
    "today": "2026-03-31",
    "entities": [{"id": "UK01", "name": "Seller Ltd", "country": "GB", "currency": "GBP", "mailbox": MAILBOX}],
    "customers": [
        {
            "account": "C100",
            "entity": "UK01",
            "name": "Acme Interiors",
            "language": "en",
            "country": "GB",
            "terms_days": 30,
            "address": "1 Mill Lane",
            "contacts": [{"name": "Ann Lee", "email": "ann@acme.example", "role": "", "phone": "+44 20 7946 0000"}],
        }
    ],
    "invoices": [
        {
            "number": "INV-2026-0101",
            "kind": "invoice",
            "entity": "UK01",
            "account": "C100",
            "issued": "2026-02-02",
            "due": "2026-03-04",
            "currency": "GBP",
            "net": "720.00",
            "gross": "864.00",
            "open": "864.00",
            "po": None,
            "order": None,
            "delivery": None,
            "lines": [{"sku": "CH-1", "text": "Chair", "quantity": 9, "unit_price": "80.00"}],
        }
    ],
    "payments": [],
}
PRICE = "The chairs on INV-2026-0101 were quoted at 72.00 and billed at 80.00. The price is wrong, please correct it."


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two mails of one matter, named against their order of date."""
    folder = tmp_path / "corpus"
    (folder / "emails").mkdir(parents=True)
    (folder / "ledger.json").write_text(json.dumps(LEDGER))
    first = mail(PRICE, at=MONDAY, subject="Wrong price on INV-2026-0101", message_id="<one@acme.example>")
    later = MONDAY + timedelta(days=9)
    reply = mail("Any news?", at=later, subject="Re: Wrong price", replies_to=("<one@acme.example>",))
    (folder / "emails" / "zz.eml").write_bytes(first)
    (folder / "emails" / "aa.eml").write_bytes(reply)
    return folder


@pytest.fixture
def predictions(
    corpus: Path, settings: Settings, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """What the pipeline makes of the corpus with the small model: the shipped one takes a minute to train."""
    monkeypatch.setattr(evaluate, "build_tools", lambda settings, blobs: replace(tools, settings=settings, blobs=blobs))
    mails = read_corpus(corpus)
    with ledger(settings, corpus) as sessions:
        return run(sessions, mails, settings, learned=shipped(mails), folds=0)


def test_mails_come_in_order_of_date_whatever_their_files_are_called(corpus: Path) -> None:
    assert [one.name for one in read_corpus(corpus)] == ["zz.eml", "aa.eml"]


def test_a_prediction_holds_all_that_the_score_knows(predictions: list[dict[str, Any]]) -> None:
    first, reply = predictions
    assert first["case"] == reply["case"]
    assert (first["file"], first["kind"], first["reason"]) == ("zz.eml", "dispute", "price")
    assert (first["invoices"], first["account"], first["language"]) == (["INV-2026-0101"], "C100", "en")
    assert first["reasons"][0] == "price"
    assert first["ms"] > 0
    keys = {"confidence", "review", "sentiment", "urgent", "flags", "promise"}
    assert keys <= set(first)
    json.dumps(predictions)


def test_it_runs_on_both_databases(database: Database, predictions: list[dict[str, Any]]) -> None:
    with database.transaction(read_only=True) as session:
        cases = session.scalars(select(Message.case_id)).all()
    assert cases == [row["case"] for row in predictions]


def test_a_folder_without_a_corpus_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NoCorpus, match=r"ledger\.json"):
        read_corpus(tmp_path)


def test_a_database_with_mail_in_it_is_refused(corpus: Path, settings: Settings, tools: Tools) -> None:
    with ledger(settings, corpus) as sessions, db.transaction(sessions) as session:
        take_in(session, tools, b"Subject: x\n\nx", at=MONDAY)
    with pytest.raises(UsedDatabase), ledger(settings, corpus):
        pytest.fail("the database was taken")


def test_folds_need_labels(corpus: Path, settings: Settings, tmp_path: Path) -> None:
    sessions = db.session_factory(db.create_engine(settings.database_url))
    with pytest.raises(NoLabels):
        learn(corpus, read_corpus(corpus), 4, Trials(sessions, settings, FolderStore(tmp_path / "blobs")))


def test_an_account_is_always_in_the_same_fold_and_strangers_go_by_their_address() -> None:
    assert fold_of("C100", 4) == fold_of("C100", 4)
    assert {fold_of(f"C{number}", 4) for number in range(100)} == {0, 1, 2, 3}
    raw = mail("x", at=MONDAY, sender="Spam <win@lottery.example>")
    assert key_of(None, raw) == "from:win@lottery.example"
    assert key_of({"account": "C100"}, raw) == "C100"


def test_learning_leaves_the_folds_own_accounts_out(
    corpus: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    label = {"file": "zz.eml", "account": "C100", "kind": "dispute", "reason": "price", "invoices": ["INV-2026-0101"]}
    (corpus / "labels.jsonl").write_text(json.dumps(label))
    left_out: list[frozenset[str]] = []
    monkeypatch.setattr("app.cli.folds.train", lambda examples: examples)
    monkeypatch.setattr("app.cli.folds.shipped_examples", lambda *, exclude_accounts: left_out.append(exclude_accounts))
    with ledger(settings, corpus) as sessions:
        trials = Trials(sessions, settings, FolderStore(tmp_path / "blobs"))
        learned = learn(corpus, read_corpus(corpus), 2, trials)
    own = fold_of("C100", 2)
    assert "C100" in left_out[own]
    assert "C100" not in left_out[1 - own]
    assert learned.folds[own].weights != learned.folds[1 - own].weights
