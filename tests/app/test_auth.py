from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import auth
from app.core.errors import BadInput
from app.core.events import Actor, Event, system

PASSWORD = "correct horse battery"
ADMIN = system("test")


def add(session: Session, now: datetime, email: str = "Ana@Seller.example", role: str = "agent") -> auth.User:
    return auth.add_user(session, email=email, name="Ana", role=role, password=PASSWORD, actor=ADMIN, now=now)


def attempt(session: Session, now: datetime, password: str = PASSWORD, client: str = "192.0.2.1") -> auth.SignIn:
    return auth.sign_in(session, email="ana@seller.example", password=password, client=client, now=now, hours=12)


def test_signing_in_gives_a_session_that_ends_by_itself(session: Session, now: datetime) -> None:
    ana = add(session, now)
    secret = attempt(session, now).secret
    assert secret
    assert auth.signed_in_user(session, secret=secret, now=now + timedelta(hours=11)) is ana
    assert auth.signed_in_user(session, secret=secret, now=now + timedelta(hours=13)) is None


def test_a_session_secret_is_never_stored_and_never_reused(session: Session, now: datetime) -> None:
    add(session, now)
    first, second = attempt(session, now).secret, attempt(session, now).secret
    assert first
    assert second
    assert first != second
    stored = set(session.scalars(select(auth.UserSession.secret_hash)))
    assert stored == {auth.digest(first), auth.digest(second)}


def test_signing_out_ends_the_session_at_once(session: Session, now: datetime) -> None:
    add(session, now)
    secret = attempt(session, now).secret
    assert secret
    auth.sign_out(session, secret=secret, now=now)
    session.flush()
    assert auth.signed_in_user(session, secret=secret, now=now) is None


def test_of_a_thousand_guesses_ten_are_evaluated(session: Session, now: datetime) -> None:
    """S16: the eleventh guess is refused unread, even with the right password, until the window has passed."""
    add(session, now)
    refusals = [attempt(session, now, password=f"guess {n}", client=f"192.0.2.{n % 200}").refusal for n in range(20)]
    assert refusals.count("wrong address or password") == auth.GUESSES
    assert attempt(session, now).refusal == "too many attempts"
    assert attempt(session, now + auth.GUESS_WINDOW + timedelta(seconds=1)).user is not None


def test_one_client_cannot_guess_many_addresses(session: Session, now: datetime) -> None:
    for n in range(auth.GUESSES):
        auth.sign_in(session, email=f"u{n}@x.example", password="guess", client="192.0.2.9", now=now, hours=1)
    last = auth.sign_in(session, email="u99@x.example", password="guess", client="192.0.2.9", now=now, hours=1)
    assert last.refusal == "too many attempts"


def test_someone_who_left_cannot_sign_in_and_is_signed_out(session: Session, now: datetime) -> None:
    ana = add(session, now)
    secret = attempt(session, now).secret
    assert secret
    ana.active = False
    session.flush()
    assert auth.signed_in_user(session, secret=secret, now=now) is None
    assert attempt(session, now).refusal == "wrong address or password"


@pytest.mark.parametrize(
    ("email", "role", "password", "field"),
    [
        ("ana@seller.example", "agent", PASSWORD, "email"),
        ("no address", "agent", PASSWORD, "email"),
        ("bob@seller.example", "king", PASSWORD, "role"),
        ("bob@seller.example", "agent", "short", "password"),
    ],
)
def test_a_user_that_cannot_be_is_refused_with_the_field(
    session: Session, now: datetime, email: str, role: str, password: str, field: str
) -> None:
    add(session, now)
    with pytest.raises(auth.BadUser) as refusal:
        auth.add_user(session, email=email, name="B", role=role, password=password, actor=ADMIN, now=now)
    assert field in refusal.value.fields


def test_every_change_leaves_an_event_with_its_actor(session: Session, now: datetime) -> None:
    ana = add(session, now)
    attempt(session, now)
    session.flush()
    told = session.execute(select(Event.verb, Event.actor).order_by(Event.id)).all()
    assert told == [("user added", "system:test"), ("signed in", f"user:{ana.id}")]


def token(session: Session, now: datetime, *scopes: str) -> str:
    return auth.add_token(session, name="erp", scopes=scopes, entity=None, actor=Actor("user:1"), now=now)


def test_a_token_is_good_for_its_scopes_only_until_revoked(session: Session, now: datetime) -> None:
    """S18: prefixed, hashed, scoped, shown once."""
    text = token(session, now, "erp:push")
    found = auth.token_for(session, text=text, scope="erp:push")
    assert text.startswith("amk_")
    assert found.secret_hash not in text
    assert text.split(".")[1] not in found.secret_hash
    with pytest.raises(auth.WrongScope):
        auth.token_for(session, text=text, scope="cases:read")
    auth.revoke_token(session, prefix=found.prefix, actor=ADMIN, now=now)
    session.flush()
    with pytest.raises(auth.BadToken):
        auth.token_for(session, text=text, scope="erp:push")


@pytest.mark.parametrize("change", [lambda t: t + "x", lambda t: t[4:], lambda _: "", lambda t: t.split(".")[0] + "."])
def test_a_token_changed_in_any_way_is_unknown(session: Session, now: datetime, change: "type[str]") -> None:
    text = token(session, now, "erp:push")
    with pytest.raises(auth.BadToken):
        auth.token_for(session, text=change(text), scope="erp:push")


def test_an_unknown_scope_cannot_be_given(session: Session, now: datetime) -> None:
    with pytest.raises(BadInput, match="scope"):
        token(session, now, "everything")


@pytest.mark.parametrize(
    ("role", "action", "allowed"),
    [("agent", "work cases", True), ("owner", "see quarantine", False), ("lead", "manage users", False)],
)
def test_a_role_says_what_a_person_may_do(
    session: Session, now: datetime, role: str, action: str, *, allowed: bool
) -> None:
    assert auth.may(add(session, now, role=role), action) is allowed
