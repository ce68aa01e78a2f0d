"""When a mail is acknowledged by the program alone, when a person looks first, and never (M15, M16, M18, M19)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from disputes.acknowledgement import Acknowledged, AcknowledgeFacts, AcknowledgePolicy, decide, words

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
POLICY = AcknowledgePolicy(per_day=3, quiet=timedelta(hours=24))
GOOD = AcknowledgeFacts(
    direction="in",
    new_case=True,
    review=False,
    kind="dispute",
    reason="price",
    sentiment="calm",
    urgent=False,
    flags=frozenset(),
    sender="ann@acme.example",
    from_mailbox="ar@seller.example",
    known_sender=True,
    machine=False,
    null_return=False,
    own_address=False,
    authentic=True,
    sent_at=NOW - timedelta(minutes=5),
)


def test_a_calm_dispute_of_a_known_customer_is_acknowledged() -> None:
    assert decide(GOOD, POLICY, NOW).send


def test_an_imported_archive_says_nothing_to_anybody() -> None:
    assert decide(replace(GOOD, sent_at=NOW - timedelta(days=3)), POLICY, NOW).send
    late = decide(replace(GOOD, sent_at=NOW - timedelta(days=5)), POLICY, NOW)
    assert (late.send, late.why) == (False, "the mail was written too long ago")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"machine": True}, "M18"),
        ({"null_return": True}, "M18"),
        ({"own_address": True}, "M18"),
        ({"sender": "no-reply@acme.example"}, "M18"),
        ({"from_mailbox": None}, "M18"),
        ({"known_sender": False}, "M19"),
        ({"direction": "out"}, "our own"),
        ({"new_case": False}, "stands already"),
        ({"kind": "other", "reason": "spam"}, "asks for nothing"),
        ({"kind": "query", "reason": "acknowledgement"}, "asks for nothing"),
    ],
)
def test_m18_m19_never(change: dict[str, object], said: str) -> None:
    decision = decide(replace(GOOD, **change), POLICY, NOW)  # type: ignore[arg-type] # a table of changes
    assert not decision.send
    assert not decision.held
    assert said in decision.why


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"flags": frozenset({"payment_diversion"})}, "M15"),
        ({"authentic": False}, "M15"),
        ({"review": True}, "not sure"),
        ({"sentiment": "angry"}, "call"),
        ({"urgent": True}, "call"),
    ],
)
def test_m15_a_person_looks_first(change: dict[str, object], said: str) -> None:
    decision = decide(replace(GOOD, **change), POLICY, NOW)  # type: ignore[arg-type] # a table of changes
    assert (decision.send, decision.held) == (False, True)
    assert said in decision.why


def test_m18_at_most_so_many_to_one_address_a_day() -> None:
    three = tuple(NOW - timedelta(hours=hours) for hours in (2, 8, 20))
    assert not decide(replace(GOOD, automatic=three), replace(POLICY, quiet=timedelta(0)), NOW).send
    assert decide(replace(GOOD, automatic=three[:2]), replace(POLICY, quiet=timedelta(0)), NOW).send


def test_no_second_automatic_mail_within_the_quiet_period() -> None:
    assert not decide(replace(GOOD, automatic=(NOW - timedelta(hours=23),)), POLICY, NOW).send
    assert decide(replace(GOOD, automatic=(NOW - timedelta(hours=25),)), POLICY, NOW).send


ABOUT = Acknowledged(
    case_id=12,
    reason="price",
    subject="Wrong price",
    name="Ann Lee",
    invoices=("INV-1", "INV-2"),
    due=date(2026, 3, 4),
    seller="Seller Ltd",
)


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("en", "Wednesday 4 March 2026"),
        ("fr", "mercredi 4 mars 2026"),
        ("de", "Mittwoch, 4. März 2026"),
        ("es", "miércoles, 4 de marzo de 2026"),
        ("it", "mercoledì 4 marzo 2026"),
        ("nl", "woensdag 4 maart 2026"),
    ],
)
def test_it_names_case_invoices_and_day_in_the_customers_language(language: str, day: str) -> None:
    subject, body = words(ABOUT, language)
    assert "12" in subject
    for named in ("12", "INV-1, INV-2", "Ann Lee", day.replace(",", ""), "Seller Ltd"):
        assert named in body.replace(",", "") or named in body


def test_a_language_we_do_not_write_gets_english() -> None:
    assert words(ABOUT, "pl") == words(ABOUT, "en")


def test_s12_foreign_words_begin_no_header_and_fill_no_template() -> None:
    hostile = replace(ABOUT, subject="Hi\r\nBcc: all@acme.example {case}", name="{seller}\nX")
    subject, body = words(hostile, "en")
    assert "\n" not in subject
    assert "\r" not in subject
    assert "{case}" in subject
    assert "{seller} X" in body


def test_an_address_is_no_name() -> None:
    assert words(replace(ABOUT, name="ann@acme.example"), "en")[1].startswith("Hello,\n")
