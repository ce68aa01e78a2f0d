"""Same mail, other way: which mails are one message (M2-M4), and ids that mean nothing (M7)."""

from datetime import UTC, datetime

import pytest

from disputes.identity import ThreadIds, identify, sender_of, sent_at, usable_id

MAIL = (
    b"From: Ann <ann@acme.example>\nTo: ar@seller.example\nSubject: Invoice\nDate: Mon, 02 Mar 2026 09:00:00 +0100\n"
    b"Message-ID: <one@acme.example>\n\nHello\nFrom here on\n"
)


def key(raw: bytes) -> str:
    return identify(raw, header_bytes=64_000).key


def test_m2_what_transports_add_and_change_makes_no_other_mail() -> None:
    other_way = b"Return-Path: <ann@acme.example>\nReceived: from a by b;\n\tlater\n" + MAIL
    assert key(other_way) == key(MAIL)
    assert key(MAIL.replace(b"\n", b"\r\n")) == key(MAIL)
    assert key(MAIL.replace(b"\nFrom here", b"\n>From here")) == key(MAIL)
    assert key(MAIL + b"\n\n") == key(MAIL)


@pytest.mark.parametrize(
    ("was", "became"),
    [(b"Hello", b"Goodbye"), (b"Subject: Invoice", b"Subject: Other"), (b"<one@", b"<two@"), (b"09:00", b"10:00")],
)
def test_m3_what_the_sender_changed_is_another_mail(was: bytes, became: bytes) -> None:
    assert key(MAIL.replace(was, became)) != key(MAIL)


def test_m4_without_a_message_id_the_content_is_the_identity() -> None:
    bare = MAIL.replace(b"Message-ID: <one@acme.example>\n", b"")
    assert identify(bare, header_bytes=64_000).rfc_id is None
    assert key(bare) == key(b"Received: x\n" + bare)
    assert key(bare) != key(MAIL)


@pytest.mark.parametrize("written", ["", "<>", "< >", "<nil>", "<null>", "nil", "<a b@c>", "<@>"])
def test_m7_an_empty_or_nil_id_is_no_id(written: str) -> None:
    assert usable_id(written) is None


def test_an_id_without_brackets_gets_them() -> None:
    assert usable_id(" one@acme.example ") == "<one@acme.example>"


def test_any_bytes_have_an_identity() -> None:
    for raw in (b"", b"\n\n", b"\xff\xfe", b":\n:", b" folded first\nSubject: x", b"a" * 100_000):
        assert len(key(raw)) == 64


def test_the_newest_id_named_comes_first() -> None:
    ids = ThreadIds("<own>", ("<new>",), ("<new>", "<old>"))
    assert ids.named == ("<new>", "<old>")


def test_date_and_sender_are_read_without_parsing_the_mail() -> None:
    assert sent_at(MAIL) == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert sender_of(MAIL) == "ann@acme.example"
    assert sent_at(b"Date: yesterday\n\n") is None
