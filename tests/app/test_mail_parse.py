"""amiable mail parse: one object a file, whatever the file (issue 7, mail.md M17, M20-M25)."""

import json
import textwrap
from pathlib import Path
from time import perf_counter

import pytest
from typer.testing import CliRunner

from app.cli import app, mail_parse
from app.cli.mail_parse import summaries
from disputes.documents import start_reading
from disputes.examples import shipped_examples
from disputes.guarded import Guarded
from disputes.language import Table, learn_languages
from disputes.mail_summary import unread_summary
from disputes.mail_worker import summarised

SHARED = Path(__file__).parents[3] / "shared"

REPLY = """\
From: Claire Martin <Claire@Client.example>
To: ar@fr01.example, Bob <bob@fr01.example>
Cc: chef@client.example
Reply-To: compta@client.example
Subject: =?utf-8?q?Re:_Facture_F2026-00417_contest=C3=A9e?=
Date: Mon, 2 Mar 2026 09:30:00 +0100
Message-ID: <b@client.example>
In-Reply-To: <a@fr01.example>
References: <0@client.example> <a@fr01.example>
Content-Type: text/plain; charset=utf-8

Bonjour,

Le prix de la palette n'est pas celui du devis.

--
Claire Martin
Tel. 01 42 00 00 00

Le dim. 1 mars 2026 à 10:00, Vins du Sud <ar@fr01.example> a écrit :
> Votre facture est échue.
"""


@pytest.fixture(scope="module")
def languages() -> Table:
    """What tells the languages apart."""
    return learn_languages(shipped_examples())


def test_a_reply_is_read_into_every_field(languages: Table) -> None:
    read = summarised(REPLY.encode(), languages)
    assert read["message_id"] == "<b@client.example>"
    assert (read["from_name"], read["from_address"]) == ("Claire Martin", "claire@client.example")
    assert read["to"] == ["ar@fr01.example", "bob@fr01.example"]
    assert (read["cc"], read["reply_to"]) == (["chef@client.example"], "compta@client.example")
    assert read["subject"] == "Re: Facture F2026-00417 contestée"
    assert read["date"] == "2026-03-02T09:30:00+01:00"
    assert (read["in_reply_to"], read["references"]) == ("<a@fr01.example>", ["<0@client.example>", "<a@fr01.example>"])
    assert read["new_text"].startswith("Bonjour,")
    assert read["new_text"].endswith("Tel. 01 42 00 00 00")
    assert read["signature"].startswith("--")
    assert read["quoted"] == [
        "Le dim. 1 mars 2026 à 10:00, Vins du Sud <ar@fr01.example> a écrit :\n> Votre facture est échue."
    ]
    assert (read["language"], read["machine"], read["bounce"]) == ("fr", None, None)


def test_a_mail_that_cannot_be_read_gives_the_same_fields_and_the_reason(languages: Table) -> None:
    empty = summarised(b"", languages)
    assert empty.keys() == unread_summary("").keys() == summarised(REPLY.encode(), languages).keys()
    assert empty["warnings"] == ["The mail is empty"]


@pytest.mark.parametrize(
    ("header", "machine"),
    [
        ("Auto-Submitted: auto-replied", "auto_reply"),
        ("Subject: Réponse automatique : absence", "auto_reply"),
        ("List-Id: <news.shop.example>", "list"),
        ("Content-Type: text/calendar; method=REQUEST", "calendar"),
        ("Content-Type: message/disposition-notification", "read_receipt"),
        ("X-Nothing: of the sort", None),
    ],
)
def test_what_machine_wrote_it(header: str, machine: str | None, languages: Table) -> None:
    raw = f"From: a@client.example\nMessage-ID: <1@client.example>\n{header}\n\nBonjour, je suis absent.\n"
    assert summarised(raw.encode(), languages)["machine"] == machine


def test_a_bounce_says_whose_mail_did_not_arrive_and_whether_for_good(languages: Table) -> None:
    raw = textwrap.dedent("""\
        From: MAILER-DAEMON@mx.example
        Subject: Undelivered Mail Returned to Sender
        Content-Type: multipart/report; report-type=delivery-status; boundary=b

        --b
        Content-Type: text/plain

        It could not be delivered.
        --b
        Content-Type: message/delivery-status

        Reporting-MTA: dns; mx.example

        Final-Recipient: rfc822; ann@client.example
        Action: {action}
        Status: {status}
        --b
        Content-Type: text/rfc822-headers

        Message-ID: <ours@fr01.example>
        --b--
        """)
    lasting = summarised(raw.format(action="failed", status="5.1.1").encode(), languages)["bounce"]
    passing = summarised(raw.format(action="delayed", status="4.4.1").encode(), languages)["bounce"]
    assert lasting == {
        "recipients": ["ann@client.example"],
        "original_message_id": "<ours@fr01.example>",
        "permanent": True,
        "complaint": False,
    }
    assert passing["permanent"] is False


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two mails, and a reader that hangs on the first: a module of its own, as the real one is."""
    (tmp_path / "slow_reader.py").write_text(
        textwrap.dedent("""\
            import sys, time
            from disputes.guarded import write_frame
            write_frame(sys.stdout.buffer, "ready")
            while line := sys.stdin.buffer.readline():
                raw = sys.stdin.buffer.read(int(line))
                time.sleep(60 if b"hang" in raw else 0)
                write_frame(sys.stdout.buffer, '{"subject": "read"}')
            """)
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(mail_parse, "Guarded", lambda _module: Guarded("slow_reader"))
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "1.eml").write_text("Subject: hang\n\nhang\n")
    (folder / "2.eml").write_text("Subject: fine\n\nfine\n")
    return folder


def test_m22_a_mail_that_hangs_the_reader_costs_two_seconds_and_the_next_is_read(
    hanging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_parse, "SECONDS_A_MAIL", 0.3)
    (_, slow), (_, fine) = summaries(hanging)
    assert "more than 0.3 s" in slow["warnings"][0]
    assert fine["subject"] == "read"


def test_a_folder_gives_a_line_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_text(REPLY, encoding="utf-8")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "odd").write_bytes(b"\x00\xff\xfe")
    told = CliRunner().invoke(app, ["mail", "parse", str(tmp_path), "--json"])
    rows = [json.loads(line) for line in told.stdout.splitlines()]
    assert [row["file"] for row in rows] == ["a.eml", "b/odd"]
    assert rows[0]["subject"] == "Re: Facture F2026-00417 contestée"
    people = CliRunner().invoke(app, ["mail", "parse", str(tmp_path / "a.eml")])
    assert "claire@client.example" in people.stdout


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["mail", "parse", str(tmp_path / "none")])
    assert told.exit_code != 0
    assert "There is no file or folder" in str(told.exception)


@pytest.mark.skipif(not SHARED.exists(), reason="the public mail samples are kept beside the project")
def test_every_odd_file_of_the_public_set_is_read_within_two_seconds(languages: Table) -> None:
    start_reading()
    for file in sorted((SHARED / "mail" / "odd").iterdir()):
        started = perf_counter()
        read = summarised(file.read_bytes(), languages)
        assert read.keys() == unread_summary("").keys(), file.name
        assert perf_counter() - started < mail_parse.SECONDS_A_MAIL, file.name


@pytest.mark.skipif(not SHARED.exists(), reason="the public mail samples are kept beside the project")
def test_m17_public_bounces_are_recognised_abuse_reports_and_automatic_replies_told_apart(languages: Table) -> None:
    read = {file.name: summarised(file.read_bytes(), languages) for file in (SHARED / "mail" / "bounces").glob("*.eml")}
    reports = [one for name, one in read.items() if not name.startswith("rfc3834")]
    assert sum(one["machine"] == "bounce" for one in reports) >= 0.98 * len(reports)
    assert sum(bool(one["bounce"] and one["bounce"]["original_message_id"]) for one in reports) >= 0.88 * len(reports)
    assert all(one["bounce"]["complaint"] for name, one in read.items() if name.startswith("arf"))
    assert all(one["machine"] == "auto_reply" for name, one in read.items() if name.startswith("rfc3834"))


@pytest.mark.skipif(not SHARED.exists(), reason="the corpus is kept beside the project")
def test_m20_unquoted_mails_of_the_corpus_lose_nothing(languages: Table) -> None:
    files = sorted((SHARED / "corpus" / "dev" / "emails").glob("*.eml"))[:200]
    read = [summarised(file.read_bytes(), languages) for file in files]
    unquoted = [one for one in read if not one["quoted"]]
    assert unquoted
    assert [one["new_text"].split() for one in unquoted] == [one["text"].split() for one in unquoted]


def test_summary_of_keeps_html_safe(languages: Table) -> None:
    raw = b"From: a@client.example\nContent-Type: text/html\n\n<p onclick=x()>Hi<script>x()</script></p>"
    assert summarised(raw, languages)["html"] == "<p>Hi</p>"
