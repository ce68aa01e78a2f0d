"""Mailboxes read by IMAP: progress is UIDVALIDITY and UID, nothing is marked as read (mail.md M5)."""

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import httpx
import re2
from imap_tools import BaseMailBox, ImapToolsError, MailBox, MailBoxStartTls, MailBoxUnencrypted

from app.connectors.contracts import Fetched
from app.core.errors import Unavailable
from app.core.settings import MailboxSettings, OAuthSettings

UID_WINDOW = 5_000
"""UIDs asked for in one search: an answer stays far below the line length imaplib accepts."""
FETCH_COUNT = 50
FETCH_BYTES = 16_000_000
"""Mails fetched in one command: at most so many, and (from the sizes the server told) about so many bytes."""
TIMEOUT_SECONDS = 60.0

_SIZE = re2.compile(rb"UID (\d+).*RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+).*UID (\d+)")
_UID = re2.compile(rb"UID (\d+)")
_DATE = re2.compile(rb'INTERNALDATE "([^"]+)"')
_FAILURES = (OSError, imaplib.IMAP4.error, ImapToolsError, httpx.HTTPError)


class MailboxUnavailable(Unavailable):
    """The mailbox cannot be read now; the next round tries again. One line says which, where and why."""


class ImapMailbox:
    """One mailbox, as its settings describe it. `tls` replaces the system's certificates, for tests."""

    def __init__(self, settings: MailboxSettings, *, tls: ssl.SSLContext | None = None) -> None:
        self.settings = settings
        self.tls = tls or ssl.create_default_context()

    @contextmanager
    def open(self) -> Iterator["ImapFolder"]:
        """Connect, sign in and open the folder read-only. Raises MailboxUnavailable, also while mails are fetched."""
        box: BaseMailBox | None = None
        try:
            box = self._connected()
            self._sign_in(box)
            yield self._folder(box)
        except _FAILURES as error:
            raise self._unavailable(error) from error
        finally:
            if box is not None:
                with suppress(*_FAILURES):
                    box.logout()

    def _connected(self) -> BaseMailBox:
        host, port, security = self.settings.host, self.settings.port, self.settings.security
        if security == "tls":
            return MailBox(host, port, timeout=TIMEOUT_SECONDS, ssl_context=self.tls)
        if security == "starttls":
            return MailBoxStartTls(host, port, timeout=TIMEOUT_SECONDS, ssl_context=self.tls)
        return MailBoxUnencrypted(host, port, timeout=TIMEOUT_SECONDS)

    def _sign_in(self, box: BaseMailBox) -> None:
        settings = self.settings
        if settings.oauth is not None:
            box.xoauth2(settings.username, access_token(settings.oauth), initial_folder=None)
        else:
            password = settings.password.get_secret_value() if settings.password else ""
            box.login(settings.username, password, initial_folder=None)

    def _folder(self, box: BaseMailBox) -> "ImapFolder":
        """The numbers come with STATUS, before the folder is opened by EXAMINE, which changes no flag."""
        numbers = box.folder.status(self.settings.folder, ["UIDVALIDITY", "UIDNEXT"])
        box.folder.set(self.settings.folder, readonly=True)
        return ImapFolder(box, uidvalidity=numbers["UIDVALIDITY"], uidnext=numbers["UIDNEXT"])

    def _unavailable(self, error: Exception) -> MailboxUnavailable:
        where = f"{self.settings.host}:{self.settings.port}"
        return MailboxUnavailable(f"Mailbox {self.settings.name} ({where}) cannot be read: {_reason(error)}")


def _reason(error: Exception) -> str:
    """Why, on one line."""
    words = getattr(error, "command_result", None) or getattr(error, "strerror", None) or error
    if isinstance(words, tuple):
        words = b" ".join(one for one in words[1] if isinstance(one, bytes)).decode("utf-8", "replace")
    return " ".join(str(words).split())[:300] or type(error).__name__


class ImapFolder:
    """An open folder. `uidnext` bounds what is there; mails that arrive meanwhile wait for the next round."""

    def __init__(self, box: BaseMailBox, *, uidvalidity: int, uidnext: int) -> None:
        self._client: imaplib.IMAP4 = box.client
        self.uidvalidity = uidvalidity
        self.uidnext = uidnext

    def after(self, uid: int) -> Iterator[Fetched]:
        """Mails with a higher UID, in order, read or not, a few at a time."""
        for start in range(uid + 1, self.uidnext, UID_WINDOW):
            sizes = self._sizes(start, min(start + UID_WINDOW, self.uidnext) - 1)
            for group in _groups(sizes):
                yield from self._fetch(group)

    def _sizes(self, first: int, last: int) -> list[tuple[int, int]]:
        """UID and size of the mails in a range of UIDs, in order."""
        found: dict[int, int] = {}
        for line in self._command("FETCH", f"{first}:{last}", "(UID RFC822.SIZE)"):
            matched = _SIZE.search(line if isinstance(line, bytes) else line[0])
            if matched is not None:
                uid, size, size_first, uid_last = matched.groups()
                found[int(uid or uid_last)] = int(size or size_first)
        return sorted((uid, size) for uid, size in found.items() if first <= uid <= last)

    def _fetch(self, uids: list[int]) -> Iterator[Fetched]:
        """The mails' bytes; BODY.PEEK leaves the Seen flag as it is."""
        answer = self._command("FETCH", ",".join(map(str, uids)), "(UID INTERNALDATE BODY.PEEK[])")
        found: dict[int, Fetched] = {}
        for line, behind in zip(answer, [*answer[1:], b""], strict=True):
            if isinstance(line, tuple):
                described = line[0] + (behind if isinstance(behind, bytes) else b"")
                if matched := _UID.search(described):
                    found[int(matched.group(1))] = Fetched(int(matched.group(1)), line[1], _internal_date(described))
        for uid in uids:
            if uid in found:  # a mail deleted meanwhile is not
                yield found[uid]

    def _command(self, *words: str) -> list[bytes | tuple[bytes, bytes]]:
        status, answer = self._client.uid(*words)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{words[0]}: {answer[0]!r}")
        return [line for line in answer if line is not None]


def _groups(sizes: list[tuple[int, int]]) -> Iterator[list[int]]:
    group: list[int] = []
    total = 0
    for uid, size in sizes:
        if group and (len(group) >= FETCH_COUNT or total + size > FETCH_BYTES):
            yield group
            group, total = [], 0
        group.append(uid)
        total += size
    if group:
        yield group


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _internal_date(described: bytes) -> datetime | None:
    """`17-Jul-2026 02:44:25 +0200`, the server's date of arrival (RFC 9051); None when it is none."""
    matched = _DATE.search(described)
    try:
        day, month, rest = (matched.group(1).decode("ascii") if matched else "").strip().split("-", 2)
        number = _MONTHS.index(month.title()) + 1
        return datetime.strptime(f"{day}-{number}-{rest}", "%d-%m-%Y %H:%M:%S %z").astimezone(UTC)
    except ValueError:
        return None


def access_token(oauth: OAuthSettings) -> str:
    """A fresh access token by refresh token, or by client credentials where there is none (RFC 6749).

    Raises httpx.HTTPError and ConnectionError; neither shows a secret.
    """
    form = {"client_id": oauth.client_id, "grant_type": "client_credentials"}
    if oauth.refresh_token is not None:
        form |= {"grant_type": "refresh_token", "refresh_token": oauth.refresh_token.get_secret_value()}
    if oauth.scope:
        form["scope"] = oauth.scope
    form["client_secret"] = oauth.client_secret.get_secret_value()
    answer = httpx.post(oauth.token_url, data=form, timeout=TIMEOUT_SECONDS, follow_redirects=False)
    try:
        token = answer.raise_for_status().json()["access_token"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConnectionError(f"{oauth.token_url} answers without an access token") from error
    except httpx.HTTPStatusError as error:
        raise ConnectionError(f"{oauth.token_url} refuses a token: HTTP {error.response.status_code}") from error
    return str(token)
