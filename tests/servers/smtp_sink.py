"""A mail server that keeps what it gets and fails as it is told."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from ssl import SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.servers.ports import free_port

DROP = "drop"
"""As an answer after the content: the mail is kept, and the connection ends without a word (S2)."""


@dataclass
class SmtpSink:
    """A running sink. Answers are used up one mail each, then everything is taken.

    `at_recipient` and `at_end` hold answers like "550 no such user" or "451 later", or DROP (only at the end).
    """

    port: int = 0
    mails: list[Envelope] = field(default_factory=list)
    at_recipient: deque[str] = field(default_factory=deque)
    at_end: deque[str] = field(default_factory=deque)

    @property
    def messages(self) -> list[Message]:
        """What was taken, parsed."""
        return [message_from_bytes(mail.content) for mail in self.mails if isinstance(mail.content, bytes)]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        if self.at_recipient:
            return self.at_recipient.popleft()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep or refuse the content."""
        answer = self.at_end.popleft() if self.at_end else "250 OK"
        if answer == DROP or answer.startswith("2"):
            self.mails.append(envelope)
        if answer == DROP:
            server.transport.abort()
        return "250 OK" if answer == DROP else answer


@contextmanager
def running_smtp_sink(
    *, tls: SSLContext | None = None, starttls: SSLContext | None = None, login: tuple[str, str] | None = None
) -> Iterator[SmtpSink]:
    """A sink on a free port: plain, TLS from the start, or with STARTTLS; with `login` only for who knows it."""
    sink = SmtpSink(free_port())
    options: dict[str, Any] = {"tls_context": starttls, "require_starttls": starttls is not None}
    if login is not None:
        options |= {"authenticator": _Known(*login), "auth_required": True, "auth_require_tls": False}
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, ssl_context=tls, **options)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


@dataclass(frozen=True)
class _Known:
    """Lets one user in."""

    user: str
    password: str

    def __call__(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and data == LoginPassword(self.user.encode(), self.password.encode())
        return AuthResult(success=known, handled=known)
