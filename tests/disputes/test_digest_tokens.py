"""Tokens of digests: 128 bits that serve one person, one digest or one action, for a while (S13)."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.digest_tokens import (
    ACTIONS,
    ANSWERED_FOR,
    LINKED_FOR,
    LinkTokens,
    MailTokens,
    NamedDigest,
    is_digest_id,
)
from disputes.reply_tokens import ReplyTokens, is_thread_id

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MAIL, LINK = MailTokens(b"key of the mails"), LinkTokens(b"key of the links")
PAUL = "paul@seller.example"
GUESSES = 100_000
periods = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-w[0-9]{2}|urgent-[0-9]{1,18}", fullmatch=True)


def an_id(period: str = "2026-03-02", user_id: int = 7) -> str:
    return MAIL.message_id(user_id=user_id, address=PAUL, period=period, domain="seller.example", now=NOW)


@given(user_id=st.integers(1, 10**17), period=periods)
def test_the_person_it_went_to_may_answer_whatever_becomes_of_the_case_of_letters(user_id: int, period: str) -> None:
    for make in (MAIL.message_id, MAIL.thread_id):
        rfc_id = make(user_id=user_id, address="Paul@Seller.example", period=period, domain="seller.example", now=NOW)
        assert is_digest_id(rfc_id)
        for written in (rfc_id, rfc_id.upper()):
            found = MAIL.check(written, sender=PAUL.upper(), now=NOW)
            assert found == NamedDigest(user_id, period, "valid")


def test_from_anybody_else_and_changed_it_is_forged_and_in_the_end_expired() -> None:
    rfc_id = an_id()
    assert MAIL.check(rfc_id, sender="eve@evil.example", now=NOW) == NamedDigest(7, "2026-03-02", "forged")
    other = MAIL.check(rfc_id.replace("<d.7.", "<d.8."), sender=PAUL, now=NOW)
    assert other is not None
    assert other.verdict == "forged"
    late = MAIL.check(rfc_id, sender=PAUL, now=NOW + ANSWERED_FOR + timedelta(days=1))
    assert late is not None
    assert late.verdict == "expired"
    assert MailTokens(b"another key").check(rfc_id, sender=PAUL, now=NOW) == NamedDigest(7, "2026-03-02", "forged")


def test_the_best_of_several_ids_counts() -> None:
    forged = an_id().replace("2026-03-02", "2026-03-03")
    named = MAIL.named(["<x@y.example>", forged, an_id()], sender=PAUL, now=NOW)
    assert named == NamedDigest(7, "2026-03-02", "valid")
    assert MAIL.named(["<x@y.example>", "<d.x@y>"], sender=PAUL, now=NOW) is None


def test_tokens_of_customers_and_of_digests_are_not_each_others() -> None:
    replies = ReplyTokens(MAIL.key)
    theirs = replies.thread_id(case_id=7, contact=PAUL, domain="seller.example", now=NOW)
    assert not is_digest_id(theirs)
    assert not is_thread_id(an_id())
    assert replies.check(an_id(), sender=PAUL, now=NOW) is None
    assert MAIL.check(theirs, sender=PAUL, now=NOW) is None


def test_s13_guesses_find_nothing() -> None:
    dice = random.Random(13)  # noqa: S311 - the guesser of a test
    prefix = an_id().rpartition(".")[0].rpartition(".")[0]
    found = 0
    for _ in range(GUESSES):
        guess = f"{prefix}.{dice.getrandbits(128):032x}@seller.example>"
        named = MAIL.check(guess, sender=PAUL, now=NOW)
        found += named is not None and named.verdict == "valid"
    assert found == 0


@pytest.mark.parametrize("action", ACTIONS)
@given(user_id=st.integers(1, 10**17), case_id=st.integers(1, 10**17), period=periods)
def test_a_link_means_what_it_was_made_for(action: str, user_id: int, case_id: int, period: str) -> None:
    token = LINK.token(user_id=user_id, case_id=case_id, action=action, period=period, now=NOW)
    linked = LINK.check(token, now=NOW + LINKED_FOR)
    assert linked is not None
    told = (linked.user_id, linked.case_id, linked.action, linked.period, linked.verdict)
    assert told == (user_id, case_id, action, period, "valid")
    expired = LINK.check(token, now=NOW + LINKED_FOR + timedelta(days=1))
    assert expired is not None
    assert expired.verdict == "expired"
    assert len(linked.nonce) == 64


def test_every_part_of_a_link_is_signed() -> None:
    token = LINK.token(user_id=7, case_id=12, action="accept", period="2026-03-02", now=NOW)
    user, case, action, period, day, mac = token.split(".")
    changed = [
        f"8.{case}.{action}.{period}.{day}.{mac}",
        f"{user}.13.{action}.{period}.{day}.{mac}",
        f"{user}.{case}.reject.{period}.{day}.{mac}",
        f"{user}.{case}.{action}.2026-03-03.{day}.{mac}",
        f"{user}.{case}.{action}.{period}.{int(day) + 1}.{mac}",
        f"{user}.{case}.{action}.{period}.{day}.{'0' * 32}",
    ]
    for one in changed:
        linked = LINK.check(one, now=NOW)
        assert linked is not None
        assert linked.verdict == "forged", one
    for broken in ("", "7.12.accept", token[:-1], token + "0", token.replace("accept", "delete"), f"{token}\n"):
        assert LINK.check(broken, now=NOW) is None


def test_each_action_of_a_digest_has_a_nonce_of_its_own() -> None:
    linked = LINK.check(LINK.token(user_id=7, case_id=12, action="accept", period="2026-03-02", now=NOW), now=NOW)
    assert linked is not None
    others = [
        replace(linked, action="reject"),
        replace(linked, case_id=13),
        replace(linked, user_id=8),
        replace(linked, period="2026-03-03"),
    ]
    assert len({linked.nonce, *(one.nonce for one in others)}) == 5
