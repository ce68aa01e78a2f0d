"""S13, M6, M9, M10: only the address we wrote to can use a token, only in time, and nobody can guess one."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.workflows.intake import Tools
from disputes.models import Case, Message, Outgoing
from disputes.reply_tokens import VALID_FOR, ReplyTokens, is_thread_id
from tests.fixtures_pipeline import Deliver

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TOKENS = ReplyTokens(b"the key of the tests")
PRICE = (
    "The chairs on INV-2026-0101 were quoted at 72.00 each and you billed us 80.00. "
    "The price is wrong, please correct it; we will not pay the difference."
)
HINTS = "Thank you. Here is what you asked us for, see below. Regards"


def an_id(tokens: ReplyTokens = TOKENS, *, contact: str = "ann@acme.example") -> str:
    return tokens.message_id(case_id=7, contact=contact, unique="Abc-12", domain="seller.example", now=NOW)


def test_the_address_we_wrote_to_proves_its_case() -> None:
    found = TOKENS.check(an_id(), sender="Ann@Acme.example", now=NOW + timedelta(days=200))
    assert found is not None
    assert (found.case_id, found.verdict) == (7, "valid")
    assert an_id().startswith("<m.abc12.7.")


@pytest.mark.parametrize(
    ("rfc_id", "sender", "at", "verdict"),
    [
        (an_id(), "bob@acme.example", NOW, "forged"),
        (an_id(ReplyTokens(b"another installation")), "ann@acme.example", NOW, "forged"),
        (an_id().replace(".7.", ".8."), "ann@acme.example", NOW, "forged"),
        (an_id(), "ann@acme.example", NOW + VALID_FOR + timedelta(days=1), "expired"),
        (an_id().upper(), "ann@acme.example", NOW, "valid"),
    ],
)
def test_m10_forged_foreign_or_expired(rfc_id: str, sender: str, at: datetime, verdict: str) -> None:
    found = TOKENS.check(rfc_id, sender=sender, now=at)
    assert found is not None
    assert found.verdict == verdict
    assert TOKENS.cases([rfc_id], sender=sender, now=at) == ((7,) if verdict == "valid" else ())


def test_the_last_day_cannot_be_moved() -> None:
    _, _, case_id, last_day, signature = an_id().split("@")[0].split(".")
    later = f"<t.{case_id}.{int(last_day) + 400}.{signature}@seller.example>"
    found = TOKENS.check(later, sender="ann@acme.example", now=NOW)
    assert found is not None
    assert found.verdict == "forged"


def test_s13_a_hundred_thousand_guesses_join_nothing() -> None:
    chance = random.Random(13)  # noqa: S311 - an attacker's dice need not be good
    last_day = an_id().split(".")[3]
    guesses = (f"<m.x.7.{last_day}.{chance.getrandbits(128):032x}@seller.example>" for _ in range(100_000))
    assert TOKENS.cases(guesses, sender="ann@acme.example", now=NOW) == ()


@given(st.text(max_size=120))
def test_any_other_id_is_no_token(text: str) -> None:
    assert TOKENS.check(f"<{text}>", sender="ann@acme.example", now=NOW) is None
    assert TOKENS.check(text, sender=text, now=NOW) is None


@given(case_id=st.integers(1, 2**53), contact=st.emails(), unique=st.text(max_size=80))
def test_every_token_made_is_understood(case_id: int, contact: str, unique: str) -> None:
    made = TOKENS.message_id(case_id=case_id, contact=contact, unique=unique, domain="seller.example", now=NOW)
    thread = TOKENS.thread_id(case_id=case_id, contact=contact, domain="seller.example", now=NOW)
    assert TOKENS.cases([made], sender=contact, now=NOW) == (case_id,)
    assert TOKENS.cases([thread], sender=contact, now=NOW) == (case_id,)
    assert is_thread_id(thread)
    assert not is_thread_id(made)


def acknowledged(session: Session) -> Outgoing:
    return session.scalars(select(Outgoing).where(Outgoing.kind == "acknowledgement")).one()


def of(session: Session, message_id: int) -> Message:
    return session.get_one(Message, message_id)


def test_m6_an_answer_with_a_token_joins_its_case_whatever_it_says(
    session: Session, deliver: Deliver, now: datetime
) -> None:
    first = deliver(PRICE, at=now, subject="Wrong price", message_id="<one@acme.example>")
    sent = acknowledged(session)
    answer = deliver(HINTS, at=now + timedelta(days=30), subject="Papers", replies_to=(sent.rfc_id,))
    assert answer.case_id == first.case_id
    assert of(session, answer.message_id).thread_rule == "reply token"
    assert of(session, answer.message_id).thread_evidence[0]["what"] == "token"


def test_m6_a_rewritten_message_id_is_no_matter_the_references_carry_the_token(
    session: Session, deliver: Deliver, now: datetime
) -> None:
    first = deliver(PRICE, at=now, subject="Wrong price", message_id="<one@acme.example>")
    root = str(acknowledged(session).headers["References"]).split()[0]
    provider = "<0102018f-rewritten@eu-west-1.amazonses.example>"
    answer = deliver(HINTS, at=now + timedelta(days=2), subject="Papers", replies_to=(root, provider))
    assert (answer.case_id, of(session, answer.message_id).thread_rule) == (first.case_id, "reply token")


def test_m9_a_token_from_a_stranger_is_asked_about_and_never_joins(
    session: Session, deliver: Deliver, now: datetime
) -> None:
    first = deliver(PRICE, at=now, subject="Wrong price", message_id="<one@acme.example>")
    sent = acknowledged(session)
    stranger = deliver(
        "Please correct the price as agreed.",
        at=now + timedelta(days=1),
        sender="Eve <eve@elsewhere.example>",
        subject="Re: Wrong price",
        replies_to=(sent.rfc_id,),
    )
    assert stranger.case_id != first.case_id
    assert of(session, stranger.message_id).thread_rule != "reply token"
    assert session.scalar(select(func.count()).select_from(Outgoing)) == 1


def test_m10_an_expired_or_forged_token_in_references_does_nothing(
    deliver: Deliver, tools: Tools, now: datetime
) -> None:
    first = deliver(PRICE, at=now, subject="Wrong price", message_id="<one@acme.example>")
    assert first.case_id is not None
    told = {"case_id": first.case_id, "contact": "cleo@brook.example", "domain": "seller.example"}
    expired = tools.reply_tokens.thread_id(**told, now=now - timedelta(days=800))  # type: ignore[arg-type] # as told
    forged = ReplyTokens(b"guess").thread_id(**told, now=now)  # type: ignore[arg-type] # as told
    for number, root in enumerate((expired, forged)):
        at = now + timedelta(hours=number + 1)
        other = deliver(HINTS, at=at, sender="Cleo <cleo@brook.example>", subject="Papers", replies_to=(root,))
        assert other.case_id != first.case_id


def test_s13_guessed_ids_in_mails_join_nothing(session: Session, deliver: Deliver, now: datetime) -> None:
    first = deliver(PRICE, at=now, subject="Wrong price", message_id="<one@acme.example>")
    last_day = acknowledged(session).rfc_id.split(".")[3]
    chance = random.Random(14)  # noqa: S311 - an attacker's dice need not be good
    for number in range(5):
        guesses = tuple(
            f"<t.{first.case_id}.{last_day}.{chance.getrandbits(128):032x}@seller.example>" for _ in range(100)
        )
        guess = deliver(
            f"A hundred guesses, mail {number}.",
            at=now + timedelta(minutes=number + 1),
            sender=f"Eve <eve{number}@elsewhere.example>",
            subject=f"Guess {number}",
            replies_to=guesses,
        )
        assert guess.case_id != first.case_id
    assert session.get_one(Case, first.case_id).message_count == 1
