"""Who may do what: users, teams, roles, sessions on the server, API tokens. No web code.

Writes here are few and each appends an event, as in an actions.py.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship, selectinload

from app.core.db import Base, BigId
from app.core.errors import BadInput, Forbidden, NotFound, NotSignedIn
from app.core.events import Actor, record

ROLES = ("agent", "owner", "lead", "admin")
SCOPES = ("erp:push", "messages:write", "cases:read", "cases:write", "reasons:write")
MAY = {
    "work cases": {"agent", "owner", "lead", "admin"},
    "see quarantine": {"agent", "lead", "admin"},
    "approve credits": {"owner", "lead", "admin"},
    "check bank details": {"agent", "owner", "lead", "admin"},
    "approve letters": {"agent", "lead", "admin"},
    "approve formal letters": {"lead", "admin"},
    "manage rules": {"lead", "admin"},
    "manage reasons": {"admin"},
    "put models back": {"admin"},
    "manage users": {"admin"},
    "manage webhooks": {"admin"},
}
"""What each role may do; who may see which rows is decided in the queries (S17)."""

MIN_PASSWORD = 10
"""Characters. OWASP ASVS 5.0 V6.2 asks for at least eight and recommends more; no composition rules."""
GUESSES = 10
GUESS_WINDOW = timedelta(minutes=15)
"""After so many failures within the window no further guess for that address or client is evaluated (S16)."""
TOKEN_MARK = "amk_"  # noqa: S105 - the public mark of our tokens, so that leak scanners find them
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""Verified against when the address is unknown, so that answers take as long as for a known one."""


class BadUser(BadInput):
    """A user cannot be made from these values."""


class BadToken(NotSignedIn):
    """The bearer token is unknown, revoked or malformed."""


class WrongScope(Forbidden):
    """The token is good but not for this."""


class Team(Base):
    """People who settle one family of matters (pricing, logistics, ...). `key` is what reasons refer to.

    Above `capacity` open cases a member, new ones go to `overflow_team_id`.
    """

    __tablename__ = "teams"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    capacity: Mapped[int | None]
    overflow_team_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("teams.id"))
    lead_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", use_alter=True))


class User(Base):
    """A person who signs in. `role` is agent, owner, lead or admin; `entities` empty means all of them.

    `skills` narrow what a person is given: {"reasons": [...], "languages": [...], "max_amount": "5000.00"}.
    """

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(20))
    language: Mapped[str | None] = mapped_column(String(5))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    team_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("teams.id"), index=True)
    skills: Mapped[dict[str, Any]] = mapped_column(default=dict)
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]

    team: Mapped[Team | None] = relationship(foreign_keys=[team_id], lazy="raise")
    entities: Mapped[list["UserEntity"]] = relationship(lazy="raise", cascade="all, delete-orphan")


class UserEntity(Base):
    """A legal entity a user is limited to. The code, not the id: auth lies below the ledger."""

    __tablename__ = "user_entities"

    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), primary_key=True)
    entity_code: Mapped[str] = mapped_column(String(40), primary_key=True)


class UserSession(Base):
    """A signed-in browser. Only the SHA-256 of the cookie's secret is stored."""

    __tablename__ = "user_sessions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship(lazy="raise")


class LoginAttempt(Base):
    """A failed sign-in, counted per e-mail address and per client to slow guessing (S16)."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str] = mapped_column(String(400), index=True)
    at: Mapped[datetime]


class ApiToken(Base):
    """A machine's key: shown once, stored as a hash; `scopes` such as erp:push, cases:read (S18)."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("prefix"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    prefix: Mapped[str] = mapped_column(String(20))
    secret_hash: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]]
    entity_code: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignIn(NamedTuple):
    """What a sign-in came to: the cookie's secret, or the reason it was refused."""

    user: User | None
    secret: str | None
    refusal: str | None


def digest(secret: str) -> str:
    """SHA-256 of a high-entropy secret: what we store of session cookies and tokens."""
    return hashlib.sha256(secret.encode()).hexdigest()


def may(user: User, action: str) -> bool:
    """Whether the user's role allows `action` (a key of MAY)."""
    return user.active and user.role in MAY[action]


def entity_codes(user: User) -> tuple[str, ...] | None:
    """Entities the user is limited to; None means all. `user.entities` must be loaded."""
    return tuple(sorted(row.entity_code for row in user.entities)) or None


def add_user(
    session: Session,
    *,
    email: str,
    name: str,
    role: str,
    password: str | None,
    actor: Actor,
    now: datetime,
    language: str | None = None,
    entities: Sequence[str] = (),
    team_id: int | None = None,
) -> User:
    """Add someone who can sign in. Raises BadUser for a taken address, unknown role or short password."""
    email = email.strip().lower()
    _check_user(session, email=email, role=role, password=password)
    user = User(
        email=email,
        name=name,
        role=role,
        language=language,
        password_hash=_hasher.hash(password) if password else None,
        team_id=team_id,
        preferences={},
        created_at=now,
        entities=[UserEntity(entity_code=code) for code in entities],
    )
    session.add(user)
    session.flush()
    after = {"email": email, "role": role, "entities": list(entities)}
    record(session, actor=actor, now=now, verb="user added", subject="user", subject_id=user.id, after=after)
    return user


def _check_user(session: Session, *, email: str, role: str, password: str | None) -> None:
    if "@" not in email:
        raise BadUser(f"{email!r} is not an e-mail address", fields={"email": "not an e-mail address"})
    if role not in ROLES:
        raise BadUser(f"There is no role {role!r}; use one of {', '.join(ROLES)}", fields={"role": "unknown"})
    if password is not None and len(password) < MIN_PASSWORD:
        raise BadUser(f"The password needs at least {MIN_PASSWORD} characters", fields={"password": "too short"})
    if session.scalar(select(User.id).where(User.email == email)):
        raise BadUser(f"There is already a user {email}", fields={"email": "taken"})


def sign_in(session: Session, *, email: str, password: str, client: str, now: datetime, hours: int) -> SignIn:
    """Check a password and open a server-side session.

    A refusal is returned, not raised: the failed attempt it counts must be committed.
    """
    email = email.strip().lower()
    keys = (f"email:{email}", f"client:{client}")
    if _too_many_guesses(session, keys, now):
        return SignIn(None, None, "too many attempts")
    user = session.scalar(select(User).where(User.email == email, User.active).options(selectinload(User.entities)))
    if not _password_matches(user, password):
        session.add_all(LoginAttempt(key=key, at=now) for key in keys)
        return SignIn(None, None, "wrong address or password")
    return SignIn(user, open_session(session, user=user, now=now, hours=hours), None)  # type: ignore[arg-type] # None never matches


def _password_matches(user: User | None, password: str) -> bool:
    stored = user.password_hash if user and user.password_hash else _NOBODY
    try:
        return _hasher.verify(stored, password) and user is not None and stored is not _NOBODY
    except (VerifyMismatchError, InvalidHashError):
        return False


def _too_many_guesses(session: Session, keys: Sequence[str], now: datetime) -> bool:
    recent = (
        select(func.count())
        .where(LoginAttempt.key.in_(keys), LoginAttempt.at > now - GUESS_WINDOW)
        .group_by(LoginAttempt.key)
    )
    return max(session.scalars(recent), default=0) >= GUESSES


def open_session(session: Session, *, user: User, now: datetime, hours: int) -> str:
    """Open a server-side session and give the cookie's secret; a new secret at every sign-in (no fixation)."""
    secret = secrets.token_urlsafe(32)
    session.add(
        UserSession(
            secret_hash=digest(secret),
            user_id=user.id,
            created_at=now,
            expires_at=now + timedelta(hours=hours),
            last_seen_at=now,
        )
    )
    actor = Actor(f"user:{user.id}")
    record(session, actor=actor, now=now, verb="signed in", subject="user", subject_id=user.id)
    return secret


def sign_out(session: Session, *, secret: str, now: datetime) -> None:
    """End the session the cookie names; an unknown one is left alone."""
    row = session.scalar(select(UserSession).where(UserSession.secret_hash == digest(secret)))
    if row is not None and row.ended_at is None:
        row.ended_at = now
        actor = Actor(f"user:{row.user_id}")
        record(session, actor=actor, now=now, verb="signed out", subject="user", subject_id=row.user_id)


def signed_in_user(session: Session, *, secret: str, now: datetime) -> User | None:
    """The active user of a live session, with entities and team loaded; None when it ended or expired."""
    row = session.scalar(
        select(UserSession)
        .join(User)
        .where(
            UserSession.secret_hash == digest(secret),
            UserSession.ended_at.is_(None),
            UserSession.expires_at > now,
            User.active,
        )
        .options(
            selectinload(UserSession.user).options(selectinload(User.entities), selectinload(User.team)),
        )
    )
    return row.user if row else None


def set_language(session: Session, *, user: User, language: str, actor: Actor, now: datetime) -> None:
    """The language the user reads the desk in."""
    before, user.language = user.language, language
    record(
        session,
        actor=actor,
        now=now,
        verb="language chosen",
        subject="user",
        subject_id=user.id,
        before={"language": before},
        after={"language": language},
    )


CALENDAR = "calendar"
"""The preference that holds the number of a user's calendar address: without one there is no calendar."""


def renew_calendar(session: Session, *, user: User, given: bool = True, actor: Actor, now: datetime) -> None:
    """Give the user's calendar a new address, so that the old one is dead; or (`given` False) take it away."""
    kept = {name: value for name, value in user.preferences.items() if name != CALENDAR}
    had = CALENDAR in user.preferences
    user.preferences = {**kept, CALENDAR: secrets.token_hex(16)} if given else kept
    # The log says that the address changed; whoever reads it must not learn the address.
    record(
        session,
        actor=actor,
        now=now,
        verb="calendar address renewed" if given else "calendar ended",
        subject="user",
        subject_id=user.id,
        before={"calendar": had},
        after={"calendar": given},
    )


def calendar_address(user: User, *, key: bytes) -> str | None:
    """The secret part of the address of the user's calendar; None where they have none."""
    number = user.preferences.get(CALENDAR)
    return f"{user.id}-{_calendar_proof(user.id, str(number), key)}" if number else None


def calendar_user(session: Session, *, address: str, key: bytes) -> User | None:
    """Whose calendar an address opens: an active user's with exactly this address, entities and team loaded."""
    number, _, proof = address.partition("-")
    if not number.isdecimal() or len(number) > MAX_DIGITS:
        return None
    whole = (selectinload(User.entities), selectinload(User.team))
    user = session.scalar(select(User).where(User.id == int(number), User.active).options(*whole))
    told = str(user.preferences.get(CALENDAR, "")) if user else ""
    known = _calendar_proof(int(number), told, key)
    return user if told and hmac.compare_digest(known.encode(), proof.encode()) else None


MAX_DIGITS = 18
"""Ids are 64-bit."""


def _calendar_proof(user_id: int, number: str, key: bytes) -> str:
    mac = hmac.digest(key, f"calendar {user_id} {number}".encode(), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def add_token(
    session: Session, *, name: str, scopes: Sequence[str], entity: str | None, actor: Actor, now: datetime
) -> str:
    """Make an API token and give its text, which is shown once. Raises BadInput for an unknown scope."""
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise BadInput(f"There is no scope {unknown[0]!r}; use {', '.join(SCOPES)}", fields={"scopes": "unknown"})
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = ApiToken(
        name=name,
        prefix=prefix,
        secret_hash=digest(secret),
        scopes=list(scopes),
        entity_code=entity,
        created_at=now,
    )
    session.add(token)
    session.flush()
    after = {"name": name, "scopes": list(scopes), "entity": entity}
    record(session, actor=actor, now=now, verb="token added", subject="token", subject_id=token.id, after=after)
    return f"{TOKEN_MARK}{prefix}.{secret}"


def token_for(session: Session, *, text: str, scope: str) -> ApiToken:
    """The token a machine presents, if it is good for `scope`. Raises BadToken (401) or WrongScope (403)."""
    prefix, _, secret = text.removeprefix(TOKEN_MARK).partition(".")
    token = session.scalar(select(ApiToken).where(ApiToken.prefix == prefix, ApiToken.revoked_at.is_(None)))
    known = token.secret_hash if token else ""
    if token is None or not text.startswith(TOKEN_MARK) or not hmac.compare_digest(known, digest(secret)):
        raise BadToken("The API token is not known here: make one with `amiable token add`")
    if scope not in token.scopes:
        raise WrongScope(f"The API token {token.name!r} may not {scope}; its scopes are {', '.join(token.scopes)}")
    return token


def revoke_token(session: Session, *, prefix: str, actor: Actor, now: datetime) -> None:
    """End a token at once. Raises NotFound when no live token has that prefix."""
    token = session.scalar(select(ApiToken).where(ApiToken.prefix == prefix, ApiToken.revoked_at.is_(None)))
    if token is None:
        raise NotFound(f"There is no live API token {prefix}")
    token.revoked_at = now
    record(session, actor=actor, now=now, verb="token revoked", subject="token", subject_id=token.id)
