"""What the workflows need of the outside world; mailbox.py and mailer.py give it, tests and the demo may as well."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from app.core.errors import DomainError


class Refused(DomainError):
    """The receiving side said no for good: sending the same again will not help."""

    status = 502


class Unknown(DomainError):
    """The connection ended after the mail was handed over and before the answer: it may have gone out (S2)."""

    status = 502


class Sendable(Protocol):
    """A mail of the outbox, ready to go."""

    @property
    def rfc_id(self) -> str:
        """Its Message-ID, which never changes."""
        ...

    @property
    def from_email(self) -> str:
        """The sender's address."""
        ...

    @property
    def from_name(self) -> str:
        """The sender's name, may be empty."""
        ...

    @property
    def to_email(self) -> str:
        """The one receiver."""
        ...

    @property
    def subject(self) -> str:
        """The subject, any characters."""
        ...

    @property
    def body(self) -> str:
        """The text."""
        ...

    @property
    def headers(self) -> Mapping[str, Any]:
        """Further headers."""
        ...


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file that goes with a mail."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A mail with its copies and files in hand: a Sendable that carries more than words. `html` may say the same."""

    rfc_id: str
    from_email: str
    from_name: str
    to_email: str
    subject: str
    body: str
    headers: Mapping[str, Any]
    cc: tuple[str, ...] = ()
    files: tuple[AttachedFile, ...] = ()
    html: str = ""


def packed(mail: Sendable, *, cc: tuple[str, ...], files: tuple[AttachedFile, ...], html: str = "") -> Packed:
    """The mail with copies, files and the same words as HTML."""
    return Packed(
        rfc_id=mail.rfc_id,
        from_email=mail.from_email,
        from_name=mail.from_name,
        to_email=mail.to_email,
        subject=mail.subject,
        body=mail.body,
        headers=mail.headers,
        cc=cc,
        files=files,
        html=html,
    )


class Mailer(Protocol):
    """Sends mail."""

    def send(self, mail: Sendable) -> None:
        """Send one mail.

        Raises Unavailable when it certainly did not go out and may later, Refused when it never will, Unknown when
        nobody can tell.
        """
        ...


class Fetched(NamedTuple):
    """A mail as the mailbox holds it."""

    uid: int
    raw: bytes
    received_at: datetime | None


class OpenMailbox(Protocol):
    """An open folder of a mailbox, read-only."""

    @property
    def uidvalidity(self) -> int:
        """Changes when the server numbers the folder anew."""
        ...

    def after(self, uid: int) -> Iterator[Fetched]:
        """Mails with a higher UID, in order, read or not."""
        ...


class Mailbox(Protocol):
    """A mailbox to fetch from."""

    def open(self) -> AbstractContextManager[OpenMailbox]:
        """Connect and select the folder. Raises Unavailable in one clear line."""
        ...
