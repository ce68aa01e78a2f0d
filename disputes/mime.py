"""The parts of a mail out of its raw bytes: a bounded reader of our own.

The standard library's parser recurses once a level, tests every line against every open boundary
and, with its newer policies, raises on some parameters (mail.md, Known traps). Mail is hostile until
shown otherwise, so that here structure is found by plain searches, each bound has a name, and what
breaks a bound is refused as a whole (M22, S10).
"""

import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from app.core.errors import DomainError
from app.core.settings import Limits
from disputes.charsets import base64_bytes, decode_header, decode_text

MAX_HEADER_LINES = 3_000
MAX_PARAMETERS = 60
MAX_TEXT_BYTES = 8_000_000
"""So much of a part is read as text."""
OWN_HEADERS = "x-amiable-"
"""Headers of our own namespace mean something in mail we made; from outside they are dropped (M29)."""


class Unreadable(DomainError):
    """The mail breaks a bound or is no mail: it goes to quarantine with this message as the reason (M1)."""

    status = 422


@dataclass(frozen=True, slots=True)
class Field:
    """One header field: lower-case name, raw unfolded value."""

    name: str
    raw: bytes


@dataclass(slots=True)
class Part:
    """One node of a mail. `content` is decoded from its transfer encoding; containers have children and no content."""

    fields: tuple[Field, ...]
    content_type: str
    parameters: dict[str, str]
    disposition: str
    filename: str
    content: bytes = b""
    children: list["Part"] = field(default_factory=list)

    def raw(self, name: str) -> bytes:
        """The first value of a header as it came, empty when there is none."""
        return next((one.raw for one in self.fields if one.name == name), b"")

    def header(self, name: str) -> str:
        """The first value of a header, decoded, empty when there is none."""
        return decode_header(self.raw(name))

    @property
    def charset(self) -> str | None:
        """The declared charset."""
        return self.parameters.get("charset")

    @property
    def text(self) -> str:
        """The content as text, of a bounded length."""
        return decode_text(self.content[:MAX_TEXT_BYTES], self.charset)

    def walk(self) -> Iterator["Part"]:
        """This part and all below it, in the order of the mail."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(slots=True)
class Budget:
    """What one mail may still cost; running out raises Unreadable. `defects` says what was odd but readable."""

    limits: Limits
    parts: int = 0
    decoded: int = 0
    defects: list[str] = field(default_factory=list)

    def part(self, depth: int) -> None:
        """Count one more part at a depth."""
        self.parts += 1
        if self.parts > self.limits.mail_parts:
            raise Unreadable(f"More than {self.limits.mail_parts} parts (limit mail_parts)")
        if depth > self.limits.mail_depth:
            raise Unreadable(f"Parts nested more than {self.limits.mail_depth} deep (limit mail_depth)")

    def bytes(self, count: int) -> None:
        """Count decoded bytes."""
        self.decoded += count
        if self.decoded > self.limits.mail_decoded_bytes:
            raise Unreadable(f"More than {self.limits.mail_decoded_bytes:,} bytes decoded (limit mail_decoded_bytes)")

    def defect(self, words: str) -> None:
        """Note something odd, each thing once."""
        if words not in self.defects:
            self.defects.append(words)


def read_mail(raw: bytes, budget: Budget) -> Part:
    """The tree of parts. Raises Unreadable when there is no mail or a bound is broken."""
    if len(raw) > budget.limits.mail_bytes:
        raise Unreadable(f"{len(raw):,} bytes; at most {budget.limits.mail_bytes:,} are read (limit mail_bytes)")
    lines = b"\n" + raw.replace(b"\r\n", b"\n")
    if lines.count(b"\n", 0, 100_000) == 1:
        lines = lines.replace(b"\r", b"\n")
    if not lines.strip(b"\0 \t\n"):
        raise Unreadable("The mail is empty")
    return _read(_Range(lines, 1, len(lines)), budget, depth=0, default="text/plain")


class _Range(NamedTuple):
    """Part of a mail's bytes, not copied: nested parts would hold their bytes once a level. A line feed precedes it."""

    data: bytes
    start: int
    end: int

    def bytes(self) -> bytes:
        """A copy."""
        return self.data[self.start : self.end]


def _read(whole: _Range, budget: Budget, *, depth: int, default: str) -> Part:
    budget.part(depth)
    fields, body = _split_fields(whole, budget)
    part = _described(fields, default)
    encoding = part.header("content-transfer-encoding").lower()
    if part.content_type.startswith("multipart/"):
        _read_children(part, body, budget, depth)
    elif part.content_type in {"message/rfc822", "message/global"}:
        _read_inner(part, body, encoding, budget, depth)
    else:
        part.content = _transfer_decoded(body, encoding, budget)
    return part


def _read_inner(part: Part, body: _Range, encoding: str, budget: Budget, depth: int) -> None:
    part.content = _transfer_decoded(body, encoding, budget)
    if encoding in _DECODED:
        lines = b"\n" + part.content.replace(b"\r\n", b"\n")
        body = _Range(lines, 1, len(lines))
    if part.content.strip():
        part.children = [_read(body, budget, depth=depth + 1, default="text/plain")]


def _described(fields: tuple[Field, ...], default: str) -> Part:
    values = {one.name: one.raw for one in reversed(fields)}
    content_type, parameters = parameterised(values.get("content-type", b""))
    disposition, disposed = parameterised(values.get("content-disposition", b""))
    filename = disposed.get("filename") or parameters.get("name") or ""
    usable = content_type.count("/") == 1 and not content_type.startswith("/") and len(content_type) <= 120  # noqa: PLR2004 - the column's length
    return Part(fields, content_type if usable else default, parameters, disposition, safe_name(filename))


def _split_fields(whole: _Range, budget: Budget) -> tuple[tuple[Field, ...], _Range]:
    """Header fields and body. A line that can be no header ends the headers, as mail programs do it."""
    data, start, stop = whole
    fields: list[Field] = []
    lines: list[bytes] = []
    position = start
    while position < stop:
        end = data.find(b"\n", position, stop)
        end = stop if end < 0 else end
        line = data[position:end]
        if not line.strip():
            position = min(end + 1, stop)
            break
        if line[:1] in b" \t" and lines:
            lines.append(line)
        elif _is_field(line):
            _add_field(fields, lines)
            lines = [line]
        elif position > start and not line.startswith((b"From ", b">From ")):
            budget.defect("the headers end without a blank line")
            break
        position = min(end + 1, stop)
        _check_headers(position - start, len(fields), budget)
    _add_field(fields, lines)
    return tuple(fields), _Range(data, position, stop)


def _check_headers(position: int, count: int, budget: Budget) -> None:
    most = budget.limits.mail_header_bytes
    if position > most:
        raise Unreadable(f"Headers of more than {most:,} bytes (limit mail_header_bytes)")
    if count > MAX_HEADER_LINES:
        raise Unreadable(f"More than {MAX_HEADER_LINES:,} header fields")


def _is_field(line: bytes) -> bool:
    colon = line.find(b":", 0, 200)
    name = line[:colon].rstrip()
    return colon > 0 and name.isascii() and bool(name) and not any(sign in b" \t\0" for sign in name)


def _add_field(fields: list[Field], lines: list[bytes]) -> None:
    if not lines:
        return
    name, _, first = lines[0].partition(b":")
    lowered = name.strip().decode("ascii").lower()
    if not lowered.startswith(OWN_HEADERS):
        fields.append(Field(lowered, b" ".join(line.strip() for line in (first, *lines[1:])).strip()))


def _read_children(part: Part, body: _Range, budget: Budget, depth: int) -> None:
    default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    boundary = part.parameters.get("boundary", "").encode("utf-8", "surrogateescape").rstrip()
    pieces = _pieces(body, boundary, budget) if boundary else None
    if pieces is None:
        budget.defect("a multipart without its boundary is read as text")
        part.content_type, part.parameters = "text/plain", {}
        part.content = _transfer_decoded(body, "", budget)
        return
    part.children = [_read(piece, budget, depth=depth + 1, default=default) for piece in pieces]


def _pieces(body: _Range, boundary: bytes, budget: Budget) -> list[_Range] | None:
    """What stands between the boundary lines; None when there is no such line."""
    data, first, stop = body
    mark = b"\n--" + boundary
    pieces: list[_Range] = []
    start: int | None = None
    at = data.find(mark, first - 1, stop)
    while at >= 0 and len(pieces) <= budget.limits.mail_parts:
        behind = at + len(mark)
        end = data.find(b"\n", behind, stop)
        end = stop if end < 0 else end
        rest = data[behind : min(end, behind + 200)].strip()
        if rest in {b"", b"--"}:  # anything else is the boundary of another multipart, which begins like this one
            if start is not None:
                pieces.append(_Range(data, start, max(start, at)))
            if rest:
                return pieces if start is not None else None
            start = min(end + 1, stop)
        at = data.find(mark, end, stop)
    if start is None:
        return None
    budget.defect("a multipart ends without its last boundary")
    return [*pieces, _Range(data, start, stop)]


_UU = ("x-uuencode", "uuencode", "x-uue", "uue")
_DECODED = frozenset(("base64", "quoted-printable", *_UU))


def _transfer_decoded(body: _Range, encoding: str, budget: Budget) -> bytes:
    content = body.bytes()
    budget.bytes(len(content))
    if encoding == "base64":
        return base64_bytes(content)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(content)
    return uudecoded(content) if encoding in _UU else content


def uudecoded(body: bytes) -> bytes:
    """What a uuencoded file holds; lines that cannot be decoded are skipped, as mail programs do."""
    decoded: list[bytes] = []
    for line in body.split(b"\n"):
        if line.startswith((b"begin ", b"end")) or not line.strip():
            continue
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:
            continue
    return b"".join(decoded)


def parameterised(value: bytes) -> tuple[str, dict[str, str]]:
    """`text/plain; charset=x; name*0*=...` as a lower-case value and its parameters (RFC 2045, 2231)."""
    head, *rest = _sections(value)
    pairs: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for section in rest[:MAX_PARAMETERS]:
        name, equals, text = section.partition("=")
        if not equals:
            continue
        name, text = name.strip().lower(), _unquoted(text.strip())
        if "*" in name:
            _collect_piece(pieces, name, text)
        else:
            pairs.setdefault(name, decode_header(text.encode("utf-8", "surrogateescape")))
    return head.strip().lower(), pairs | {name: _assembled(parts) for name, parts in pieces.items()}


def _sections(value: bytes) -> list[str]:
    """Cut at semicolons that stand outside quotes."""
    text = value.decode("utf-8", "surrogateescape")
    sections: list[str] = []
    start, quoted, escaped = 0, False, False
    for at, character in enumerate(text):
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif character == ";" and not quoted:
            sections.append(text[start:at])
            start = at + 1
    return [*sections, text[start:]]


def _unquoted(text: str) -> str:
    if text[:1] != '"':
        return text
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return inner.replace('\\"', '"').replace("\\\\", "\\")


def _collect_piece(pieces: dict[str, dict[int, tuple[bool, str]]], name: str, text: str) -> None:
    base, _, order = name.partition("*")
    encoded = order.endswith("*") or order == ""
    number = order.rstrip("*")
    if number.isdigit() and len(number) < 4:  # noqa: PLR2004 - more pieces than a file name can have
        pieces.setdefault(base, {})[int(number)] = (encoded, text)
    elif not number:
        pieces.setdefault(base, {})[0] = (True, text)


def _assembled(parts: dict[int, tuple[bool, str]]) -> str:
    charset = ""
    content = b""
    for order in sorted(parts):
        encoded, text = parts[order]
        if encoded and order == min(parts) and text.count("'") > 1:
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "surrogateescape")
        content += unquote_to_bytes(raw) if encoded else raw
    return " ".join(decode_text(content, charset or None).split())


def safe_name(name: str) -> str:
    """A file name to show and to offer for download, never a path (M27): the last step of it, no control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(character for character in last if character.isprintable()).strip(" .")
    return kept[:200]
