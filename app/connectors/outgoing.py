"""A mail of the outbox as bytes, the same for every way of sending.

Written by hand, line by line: the standard library's newer policies encode long Message-IDs in References,
and its older ones let line breaks in values become header fields (S12).
"""

import binascii
import hashlib
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from urllib.parse import quote

import re2

from app.connectors.contracts import AttachedFile, Packed, Refused, Sendable

_HEADER_NAME = re2.compile(r"^[A-Za-z][A-Za-z0-9-]{0,60}$")
_ADDRESS = re2.compile(r"^[^\s<>()\[\],;:\\\"@]+@[^\s<>()\[\],;:\\\"@]+$")
_OURS = frozenset(("from", "to", "subject", "date", "message-id", "mime-version", "content-type", "cc", "bcc", "sender",
                   "content-transfer-encoding", "return-path", "received"))  # fmt: skip
_MEDIA_TYPE = re2.compile(r"^(?i:application|audio|font|image|text|video)/[A-Za-z0-9!#$&^_.+-]{1,100}$")
MAX_LINE = 76
LONGEST_NAME = 150


def rendered(mail: Sendable, *, now: datetime) -> bytes:
    """The mail's bytes with CRLF line ends. Raises Refused when an address or a header cannot be written.

    Message-ID is the row's own and never changes, so that a repeat can be recognised (S2).
    """
    kind, body = _content(mail)
    lines = [
        f"From: {_mailbox(mail.from_name, mail.from_email)}",
        f"To: {ascii_address(mail.to_email)}",
        *_copies(mail),
        _folded("Subject", _words(mail.subject)),
        f"Date: {format_datetime(now)}",
        f"Message-ID: {_identifier(mail.rfc_id)}",
        *(_extra(name, str(value)) for name, value in mail.headers.items()),
        "MIME-Version: 1.0",
        *kind,
    ]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def recipients(mail: Sendable) -> list[str]:
    """Everyone the mail goes to, as SMTP writes them, once each."""
    copies = mail.cc if isinstance(mail, Packed) else ()
    return list(dict.fromkeys(ascii_address(one) for one in (mail.to_email, *copies)))


def _copies(mail: Sendable) -> list[str]:
    others = recipients(mail)[1:]
    return [f"Cc: {(',' + NEW_LINE).join(others)}"] if others else []


NEW_LINE = "\r\n "
"""A header goes on in the next line."""


def _content(mail: Sendable) -> tuple[tuple[str, ...], bytes]:
    """The headers that say what the body is, and the body: the text alone, with its HTML, with its files."""
    words: tuple[tuple[str, ...], bytes] = (_TEXT, _quoted(mail.body))
    if not isinstance(mail, Packed):
        return words
    if mail.html:
        words = _several("alternative", mail, [words, (_HTML, _quoted(mail.html))])
    files = [(_file_headers(one), _base64(one.content)) for one in mail.files]
    return _several("mixed", mail, [words, *files]) if files else words


def _several(kind: str, mail: Sendable, parts: list[tuple[tuple[str, ...], bytes]]) -> tuple[tuple[str, ...], bytes]:
    """Parts as one multipart. "=_" stands in no quoted-printable and no base64 line, so that none holds a boundary."""
    boundary = f"=_{hashlib.sha256(f'{kind} {mail.rfc_id}'.encode()).hexdigest()[:40]}"
    written = b"".join(f"--{boundary}\r\n".encode() + _part(*part) for part in parts)
    return (f'Content-Type: multipart/{kind}; boundary="{boundary}"',), written + f"--{boundary}--\r\n".encode()


def _quoted(words: str) -> bytes:
    text = words.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    return binascii.b2a_qp(text.encode("utf-8", "replace"), istext=True).replace(b"\n", b"\r\n")


_HTML = ('Content-Type: text/html; charset="utf-8"', "Content-Transfer-Encoding: quoted-printable")
_TEXT = ('Content-Type: text/plain; charset="utf-8"', "Content-Transfer-Encoding: quoted-printable")


def _part(headers: tuple[str, ...], body: bytes) -> bytes:
    return "\r\n".join(headers).encode("ascii") + b"\r\n\r\n" + body.rstrip(b"\r\n") + b"\r\n"


def _file_headers(file: AttachedFile) -> tuple[str, ...]:
    """Its kind and its name; a name is words, never a path (M27), and any script's (RFC 2231)."""
    kind = file.content_type.lower() if _MEDIA_TYPE.search(file.content_type) else "application/octet-stream"
    name = _words(file.name).replace("\\", "/").rpartition("/")[2][:LONGEST_NAME] or "file"
    return (
        f"Content-Type: {kind}",
        f"Content-Disposition: attachment;\r\n filename*=utf-8''{quote(name.encode('utf-8', 'replace'), safe='')}",
        "Content-Transfer-Encoding: base64",
    )


def _base64(content: bytes) -> bytes:
    chunks = (content[start : start + 57] for start in range(0, len(content), 57))
    return b"\r\n".join(binascii.b2a_base64(chunk, newline=False) for chunk in chunks)


def ascii_address(address: str) -> str:
    """The address for SMTP, its domain in IDNA; raises Refused when it is none or needs SMTPUTF8."""
    local, _, domain = address.rpartition("@")
    try:
        written = f"{local.encode('ascii').decode()}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as error:
        raise Refused(f"{address!r} cannot be written to: not an ASCII address") from error
    if _ADDRESS.search(written) is None:
        raise Refused(f"{address!r} is no mail address")
    return written


def _mailbox(name: str, address: str) -> str:
    words = _words(name)
    if not words:
        return ascii_address(address)
    if words.isascii():
        escaped = words.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{ascii_address(address)}>'
    encoded = Header(words, "utf-8", maxlinelen=MAX_LINE, header_name="From").encode(linesep="\r\n")
    return f"{encoded}\r\n <{ascii_address(address)}>"


def _identifier(rfc_id: str) -> str:
    if not rfc_id.isascii() or any(character.isspace() or not character.isprintable() for character in rfc_id):
        raise Refused(f"{rfc_id!r} is no Message-ID")
    return rfc_id


def _extra(name: str, value: str) -> str:
    if _HEADER_NAME.search(name) is None or name.lower() in _OURS:
        raise Refused(f"the header {name!r} may not be set")
    return _folded(name, _words(value))


def _words(value: str) -> str:
    """One line, no control characters: what is left of an attempt to start another header."""
    return " ".join("".join(one if one.isprintable() else " " for one in value).split())


def _folded(name: str, value: str) -> str:
    """A header field, folded at blanks; words that are not ASCII encoded (RFC 2047)."""
    if not value.isascii():
        return f"{name}: " + Header(value, "utf-8", maxlinelen=MAX_LINE, header_name=name).encode(linesep="\r\n")
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + len(word) >= MAX_LINE and len(lines[-1]) > len(name) + 1:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines)
