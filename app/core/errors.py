"""Errors that are expected: each knows the words and the HTTP status it answers with."""

from collections.abc import Mapping


class DomainError(Exception):
    """Something a user or a caller can put right. The message says what, where and what to do.

    `status` is the HTTP status the edge answers with; `fields` names the inputs at fault.
    Modules raise their own small subclasses; anything else that escapes is a bug.
    """

    status = 400

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class NotFound(DomainError):
    """The thing does not exist, or the caller may not see it (the two look alike on purpose)."""

    status = 404


class Conflict(DomainError):
    """The thing changed since the caller read it, or the action does not fit its state."""

    status = 409


class Forbidden(DomainError):
    """The caller is known but may not do this."""

    status = 403


class NotSignedIn(DomainError):
    """No valid session or token came with the request."""

    status = 401


class BadInput(DomainError):
    """A value cannot be accepted; `fields` says which and why."""

    status = 422


class Unavailable(DomainError):
    """A server we depend on (database, SMTP, IMAP) cannot be reached; trying again later is right."""

    status = 503
