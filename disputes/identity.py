"""Which mail this is: the same bytes by IMAP, HTTP or file are one message (mail.md M2-M4). Pure, bytes only.

Servers add trace headers and change line ends on the way, so identity is taken from what the sender fixed: the
Message-ID, the headers people see, and the body.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parseaddr, parsedate_to_datetime

MOST_IDS = 60
"""So many of the ids a mail names are looked up, the newest."""
_SENDERS_OWN = (b"from", b"to", b"cc", b"subject", b"date")
_MESSAGE_ID = b"message-id"
_LONGEST_ID = 998  # RFC 5322's longest line
_MOST_HEADER_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Identity:
    """`key` is unique to a mail; `rfc_id` its Message-ID, None where it has none that can be used."""

    key: str
    rfc_id: str | None


@dataclass(frozen=True, slots=True)
class ThreadIds:
    """A message's own Message-ID and those it names, newest first; empty ones left out (M7)."""

    own: str | None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Everything the message answers or refers to, newest first, once each."""
        return tuple(dict.fromkeys((*self.in_reply_to, *self.references)))[:MOST_IDS]


def identify(raw: bytes, *, header_bytes: int) -> Identity:
    """The identity of a raw mail; never raises. At most `header_bytes` of headers are read."""
    head, body = _split(raw)
    headers = _headers(head[:header_bytes])
    rfc_id = usable_id(headers.get(_MESSAGE_ID, b"").decode("ascii", "replace"))
    digest = hashlib.sha256((rfc_id or "").encode())
    for name in _SENDERS_OWN:
        digest.update(b"\0" + b" ".join(headers.get(name, b"").split()))
    digest.update(b"\0" + _body(body))
    return Identity(digest.hexdigest(), rfc_id)


def usable_id(text: str) -> str | None:
    """A Message-ID in angle brackets, or None where nothing useful stands: empty and nil ids match nothing (M7)."""
    inner = text.strip().strip("<>").strip()
    if not inner or inner.lower() in {"nil", "null", "none", "@"} or any(char.isspace() for char in inner):
        return None
    return f"<{inner}>"[:_LONGEST_ID]


def _split(raw: bytes) -> tuple[bytes, bytes]:
    unified = raw.replace(b"\r\n", b"\n")
    head, _, body = unified.partition(b"\n\n")
    return head, body


def _headers(head: bytes) -> dict[bytes, bytes]:
    """The first value of each header, unfolded."""
    found: dict[bytes, bytes] = {}
    name = b""
    for line in head.split(b"\n")[:_MOST_HEADER_LINES]:
        if line[:1] in {b" ", b"\t"}:
            if name:
                found[name] += b" " + line.strip()
            continue
        key, colon, value = line.partition(b":")
        name = key.strip().lower() if colon and key.strip().lower() not in found else b""
        if name:
            found[name] = value.strip()
    return found


def _body(body: bytes) -> bytes:
    """Without what transports change: blank ends of lines and of the mail, mbox's quoting of From."""
    lines = (line.rstrip() for line in body.split(b"\n"))
    return b"\n".join(line[1:] if line.startswith(b">From ") else line for line in lines).strip(b"\n")


def sent_at(raw: bytes) -> datetime | None:
    """When a raw mail says it was sent, read from its headers alone; None where no date can be read."""
    written = _headers(_split(raw)[0]).get(b"date", b"").decode("ascii", "replace")
    try:
        found = parsedate_to_datetime(written)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def sender_of(raw: bytes) -> str:
    """The address a raw mail comes from, lower case; "" where there is none."""
    written = _headers(_split(raw)[0]).get(b"from", b"").decode("ascii", "replace")
    return parseaddr(written)[1].lower()
