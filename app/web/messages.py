"""Mail as it came: its HTML in a frame that can do nothing, its raw bytes, its attachments as downloads."""

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from urllib.parse import quote

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from app.web.desk import Desk, DeskDep
from app.web.rendering import built
from disputes.attachments import ParsedAttachment
from disputes.parsing import parse
from disputes.queries import attachment_of, message_of
from disputes.safe_html import framed, sanitise

router = APIRouter()
FRAME_CSP = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A wall of its own behind the sanitiser and the frame's sandbox: no script, no request, no cookie (S5)."""
SHOWN_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MAX_INLINE = 6_000_000
"""Bytes of attached images shown in place; the rest can be downloaded."""


@router.get("/messages/{message_id}/html")
def html(desk: DeskDep, message_id: int) -> Response:
    """The mail as its sender laid it out, for the sandboxed frame of the case page (M26)."""
    message = message_of(desk.session, user=desk.user, message_id=message_id)
    raw = desk.services.blobs.get(message.content_hash)
    parsed = parse(raw, limits=desk.services.settings.limits, documents=False)
    safe = sanitise(parsed.html or "", inline_url=_pictures(parsed.attachments))
    content = f"<style>{_style()}</style>{_notice(desk, len(safe.blocked))}{safe.html}"
    document = framed(replace(safe, html=content), images="")
    return HTMLResponse(document, headers={"content-security-policy": FRAME_CSP})


def _pictures(files: Sequence[ParsedAttachment]) -> Callable[[str], str | None]:
    """Attached pictures by content id, as data: the frame has no cookie to fetch them with (M25)."""
    left, found = MAX_INLINE, {}
    for file in files:
        if file.content_id and file.content_type in SHOWN_TYPES and file.size <= left:
            left -= file.size
            content = base64.b64encode(file.payload).decode()
            found[file.content_id.strip("<>")] = f"data:{file.content_type};base64,{content}"
    return found.get


@cache
def _style() -> str:
    return built("mail.css")


def _notice(desk: Desk, blocked: int) -> str:
    if not blocked:
        return ""
    words = desk.words.ngettext(
        "%(num)s picture from elsewhere is not loaded: its sender would see who reads.",
        "%(num)s pictures from elsewhere are not loaded: their sender would see who reads.",
        blocked,
    )
    return f'<p class="notice">{escape(words)}</p>'


@router.get("/attachments/{attachment_id}")
def attachment(desk: DeskDep, attachment_id: int) -> Response:
    """The file, always as a download (M27)."""
    file = attachment_of(desk.session, user=desk.user, attachment_id=attachment_id)
    return download(desk.services.blobs.get(file.content_hash), file.filename or f"attachment-{file.id}")


@router.get("/messages/{message_id}/raw")
def raw(desk: DeskDep, message_id: int) -> Response:
    """The message as it was received, as a download."""
    message = message_of(desk.session, user=desk.user, message_id=message_id)
    return download(desk.services.blobs.get(message.content_hash), f"message-{message.id}.eml")


def download(content: bytes, name: str) -> Response:
    """Bytes to keep, never to show: whatever they are, the browser is told they are a file."""
    safe = re.sub(r'[\x00-\x1f\x7f"\\/]', "_", name)[:200]
    ascii_name = safe.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "content-disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(safe, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)
