import json
from pathlib import Path

from disputes.examples import load_examples
from disputes.training.build import main

MAIL = b"""From: Ann <ann@customer.example>
To: ar@seller.example
Subject: Invoice 4711
Date: Wed, 07 Oct 2026 11:00:00 +0100
Content-Type: text/plain; charset=utf-8

The price is wrong.

On 5 Oct 2026, at 10:00, AR <ar@seller.example> wrote:
> Please pay.
"""


def label(file: str, **more: object) -> str:
    row: dict[str, object] = {
        "file": file,
        "direction": "in",
        "account": "C1",
        "case": "c",
        "kind": "dispute",
        "reason": "price",
    }
    row |= {"sentiment": "calm", "urgent": False, "flags": [], "language": "en", "promise": None}
    return json.dumps(row | {"date": "2026-10-07T11:00:00+01:00"} | more)


def test_a_labelled_corpus_becomes_examples_with_their_accounts_and_threads(tmp_path: Path) -> None:
    (tmp_path / "emails").mkdir()
    for name in ("a.eml", "b.eml", "c.eml"):
        (tmp_path / "emails" / name).write_bytes(MAIL)
    contacts = [{"account": "C1", "entity": "UK01", "contacts": [{"email": "pat@customer.example"}]}]
    entities = [{"id": "UK02", "mailbox": "ar@seller.example"}]
    ledger = json.dumps({"customers": contacts, "entities": entities})
    (tmp_path / "ledger.json").write_text(ledger, encoding="utf-8")
    rows = [
        label("a.eml"),
        label("b.eml", direction="out"),
        label("c.eml", account=None, kind="query", reason="status", promise={"date": "2026-10-09", "amount": None}),
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(rows), encoding="utf-8")

    main([str(tmp_path), str(tmp_path / "out.jsonl")])

    first, then = load_examples(tmp_path / "out.jsonl")
    assert (first.text, first.account, first.earlier) == ("The price is wrong.", "C1", ())
    assert "Please pay" in first.quote
    assert (then.reason, then.account, then.earlier) == ("status", "from:ann@customer.example", ("price",))
    assert then.promises
    assert first.sender_known
    assert first.sent_at.isoformat() == "2026-10-07T11:00:00+01:00"
    sellers = [json.loads(line)["seller"] for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert sellers == ["UK01", "UK02"], "by its account, else by the mailbox"
