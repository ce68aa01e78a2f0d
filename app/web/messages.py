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

from app.connectors.pictures import fetched
from app.core.errors import NotFound
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
_PICTURES = ((b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
PDF_CSP = "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'self'"
"""The browser's own viewer is a plug-in to it; nothing else may be in the page."""
PICTURE_CSP = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
MAX_INLINE = 6_000_000
"""Bytes of attached images shown in place; the rest can be downloaded."""


@router.get("/messages/{message_id}/html")
def html(desk: DeskDep, message_id: int, *, pictures: bool = False) -> Response:
    """The mail as its sender laid it out, for the sandboxed frame of the case page (M26).

    With `pictures`, which a person asked for, those from elsewhere are fetched by us and put in place.
    """
    message = message_of(desk.session, user=desk.user, message_id=message_id)
    raw = desk.services.blobs.get(message.content_hash)
    parsed = parse(raw, limits=desk.services.settings.limits, documents=False)
    safe = sanitise(parsed.html or "", inline_url=_pictures(parsed.attachments))
    missing = len(safe.blocked)
    if pictures and safe.blocked:
        found = {url: _as_data(*picture) for url, picture in fetched(safe.blocked).items()}
        safe = sanitise(parsed.html or "", inline_url=_pictures(parsed.attachments), remote_url=found.get)
        missing -= len(found)
    content = f"<style>{_style()}</style>{_notice(desk, missing)}{safe.html}"
    document = framed(replace(safe, html=content), images="")
    return HTMLResponse(document, headers={"content-security-policy": FRAME_CSP})


def _pictures(files: Sequence[ParsedAttachment]) -> Callable[[str], str | None]:
    """Attached pictures by content id, as data: the frame has no cookie to fetch them with (M25)."""
    left, found = MAX_INLINE, {}
    for file in files:
        if file.content_id and file.content_type in SHOWN_TYPES and file.size <= left:
            left -= file.size
            found[file.content_id.strip("<>")] = _as_data(file.content_type, file.payload)
    return found.get


def _as_data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


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


@router.get("/attachments/{attachment_id}/preview")
def preview(desk: DeskDep, attachment_id: int) -> Response:
    """A picture or PDF to look at, by what its bytes say it is; anything else is for download alone (M27)."""
    file = attachment_of(desk.session, user=desk.user, attachment_id=attachment_id)
    content = desk.services.blobs.get(file.content_hash)
    if content[:1024].find(b"%PDF-") >= 0:
        return shown(content, "preview.pdf")
    kind = next((kind for begins, kind in _PICTURES if content.startswith(begins)), None)
    if kind is None:
        raise NotFound("This file can be downloaded, not looked at here")
    headers = {"content-security-policy": PICTURE_CSP, "content-disposition": "inline"}
    return Response(content, media_type=kind, headers=headers)


@router.get("/messages/{message_id}/raw")
def raw(desk: DeskDep, message_id: int) -> Response:
    """The message as it was received, as a download."""
    message = message_of(desk.session, user=desk.user, message_id=message_id)
    return download(desk.services.blobs.get(message.content_hash), f"message-{message.id}.eml")


def shown(content: bytes, name: str) -> Response:
    """A PDF for the browser's own viewer."""
    headers = {"content-security-policy": PDF_CSP, "content-disposition": f'inline; filename="{name}"'}
    return Response(content, media_type="application/pdf", headers=headers)


def download(content: bytes, name: str) -> Response:
    """Bytes to keep, never to show: whatever they are, the browser is told they are a file."""
    safe = re.sub(r'[\x00-\x1f\x7f"\\/]', "_", name)[:200]
    ascii_name = safe.encode("ascii", "replace").decode().replace("?", "_")
    headers = {
        "content-disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(safe, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type="application/octet-stream", headers=headers)
