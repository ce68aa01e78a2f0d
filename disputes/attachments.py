"""What a mail carries: its body as text and HTML, and its files, wherever they hide (M24).

Files of attached mails, of winmail.dat and uuencoded into the text come out like any other.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from tnefparse import TNEF

from disputes.documents import Patience, kind_of, read_document
from disputes.mime import Budget, Part, safe_name, uudecoded
from matching.html_text import html_to_text

MAX_FILES = 100
MAX_TNEF_BYTES = 15_000_000
MAX_BODY_CHARS = 2_000_000
MAX_UUENCODED = 20


@dataclass(frozen=True, slots=True)
class ParsedAttachment:
    """A file of a mail. `text` is what could be read of it for matching; `filename` may be empty, and is no path."""

    filename: str
    content_type: str
    size: int
    sha256: str
    payload: bytes = field(repr=False)
    content_id: str | None
    inline: bool
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Contents:
    """The body, as plain text and (when there is any) HTML, and the files."""

    text: str
    html: str | None
    attachments: tuple[ParsedAttachment, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of body; where both forms are there they say the same."""

    plain: str | None
    html: str | None


@dataclass(slots=True)
class _Found:
    budget: Budget
    documents: bool = False
    patience: Patience = field(default_factory=Patience)
    files: list[ParsedAttachment] = field(default_factory=list)


def read_contents(root: Part, budget: Budget, *, documents: bool) -> Contents:
    """Take body and files out of the tree, and with `documents` the files' text out of the files.

    Never raises on what parts hold; odd things become defects.
    """
    found = _Found(budget, documents)
    pieces = list(_pieces(root, found))
    text = "\n".join(_plain(piece) for piece in pieces)[:MAX_BODY_CHARS]
    text = _without_uuencoded(text, found)
    html = [_marked_up(piece) for piece in pieces] if any(piece.html is not None for piece in pieces) else None
    return Contents(text, "\n".join(html)[:MAX_BODY_CHARS] if html else None, tuple(found.files[:MAX_FILES]))


def _plain(piece: _Piece) -> str:
    if piece.plain is not None and (piece.plain.strip() or piece.html is None):
        return piece.plain
    return html_to_text(piece.html or "")


def _marked_up(piece: _Piece) -> str:
    if piece.html is not None:
        return piece.html
    escaped = (piece.plain or "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<pre>{escaped}</pre>"


def _pieces(part: Part, found: _Found) -> Iterator[_Piece]:
    if part.content_type == "multipart/alternative":
        yield from _alternative(part, found)
    elif part.content_type.startswith("multipart/"):
        for child in part.children:
            yield from _pieces(child, found)
    elif _is_body(part):
        text = part.text
        yield _Piece(None, text) if part.content_type == "text/html" else _Piece(text, None)
    else:
        _add_files(part, found)


def _alternative(part: Part, found: _Found) -> Iterator[_Piece]:
    """The first plain form and the last HTML form of the same words; calendars and the like become files."""
    pieces = [piece for child in part.children for piece in _pieces(child, found)]
    plain = next((piece.plain for piece in pieces if piece.plain is not None), None)
    html = next((piece.html for piece in reversed(pieces) if piece.html is not None), None)
    if plain is not None or html is not None:
        yield _Piece(plain, html)


def _is_body(part: Part) -> bool:
    if part.disposition == "attachment" or part.content_type not in {"text/plain", "text/html", "text/enriched"}:
        return False
    return not part.filename or (part.disposition == "inline" and not part.raw("content-id") and _is_unnamed(part))


def _is_unnamed(part: Part) -> bool:
    """Some programs name the body itself."""
    return part.filename.lower() in {"body.txt", "message.txt", "message.html", "part1.txt", "body.html", "text.txt"}


def _add_files(part: Part, found: _Found) -> None:
    if part.content_type in {"message/rfc822", "message/global"}:
        _add_mail(part, found)
    elif part.content_type in {"application/ms-tnef", "application/vnd.ms-tnef"} or part.filename == "winmail.dat":
        _add_tnef(part, found)
    else:
        content_id = part.header("content-id").strip("<> ")[:300] or None
        inline = part.disposition == "inline" or (content_id is not None and part.disposition != "attachment")
        _add(found, part.filename, part.content_type, part.content, charset=part.charset, content_id=content_id,
             inline=inline)  # fmt: skip


def _add_mail(part: Part, found: _Found) -> None:
    """An attached mail: itself, with its text, and then its own files."""
    inner = part.children[0] if part.children else None
    subject = inner.header("subject") if inner else ""
    name = part.filename or f"{safe_name(subject)[:80] or 'message'}.eml"
    before = len(found.files)
    words = _mail_words(inner, found) if inner else ""
    nested, found.files[before:] = found.files[before:], []
    _add(found, name, part.content_type, part.content, text=words)
    found.files.extend(nested)


def _mail_words(inner: Part, found: _Found) -> str:
    heads = [f"{name}: {inner.header(name.lower())}" for name in ("From", "Date", "Subject") if inner.raw(name.lower())]
    return "\n".join((*heads, "", *(_plain(piece) for piece in _pieces(inner, found))))


def _add_tnef(part: Part, found: _Found) -> None:
    """Outlook's winmail.dat, opened; kept as it is when it cannot be."""
    try:
        items = TNEF(part.content).attachments if len(part.content) <= MAX_TNEF_BYTES else []
        files = [(item.long_filename() or item.name or "", bytes(item.data)) for item in items]
    except Exception:  # noqa: BLE001 - tnefparse raises whatever struct and codecs raise
        files = []
    for name, data in files:
        found.budget.bytes(len(data))
        _add(found, safe_name(str(name)), "application/octet-stream", data)
    if not files:
        found.budget.defect("winmail.dat cannot be opened")
        _add(found, part.filename or "winmail.dat", part.content_type, part.content)


def _add(
    found: _Found,
    filename: str,
    content_type: str,
    payload: bytes,
    *,
    charset: str | None = None,
    content_id: str | None = None,
    inline: bool = False,
    text: str | None = None,
) -> None:
    limit = found.budget.limits.attachment_text_chars
    if len(found.files) >= MAX_FILES:
        found.budget.defect(f"only the first {MAX_FILES} attachments are kept apart")
        return
    words = text[:limit] if text is not None else _words(found, content_type, filename, payload, charset)
    digest = hashlib.sha256(payload).hexdigest()
    found.files.append(
        ParsedAttachment(filename, content_type[:120], len(payload), digest, payload, content_id, inline, words)
    )


def _words(found: _Found, content_type: str, filename: str, payload: bytes, charset: str | None) -> str:
    kind = kind_of(content_type, filename, payload) if found.documents else ""
    if not kind:
        return ""
    limit = found.budget.limits.attachment_text_chars
    read = read_document(kind, payload, charset=charset, limit=limit, patience=found.patience)
    if read.trouble:
        found.budget.defect(f"{filename or kind}: {read.trouble}")
    return read.text


def _without_uuencoded(text: str, found: _Found) -> str:
    """Files written into the text the old way (`begin 644 name` ... `end`) come out of it."""
    if "begin " not in text:
        return text
    kept: list[str] = []
    file: list[str] | None = None
    for line in text.split("\n"):
        if file is None and len(found.files) < MAX_UUENCODED and _begins_uuencoded(line):
            file = [line]
        elif file is None:
            kept.append(line)
        else:
            file.append(line)
            if line.rstrip() == "end":
                _add_uuencoded(file, found)
                file = None
    return "\n".join((*kept, *(file or ())))


def _begins_uuencoded(line: str) -> bool:
    words = line.split(" ", 2)
    return len(words) == 3 and words[0] == "begin" and words[1].isdigit() and 3 <= len(words[1]) <= 4  # noqa: PLR2004 - "begin 644 name", "begin 0644 name"


def _add_uuencoded(lines: list[str], found: _Found) -> None:
    name = safe_name(lines[0].split(" ", 2)[2])
    payload = uudecoded("\n".join(lines).encode("ascii", "replace"))
    _add(found, name, "application/octet-stream", payload)
