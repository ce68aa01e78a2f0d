"""Mail as it came: its HTML in a frame that can do nothing, its raw bytes, its attachments as downloads."""

import re
from urllib.parse import quote

from fastapi import APIRouter, Response

from app.web.desk import DeskDep
from disputes.queries import attachment_of, message_of

router = APIRouter()
FRAME_CSP = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline' {origin}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A second wall behind the sanitiser and the frame's own sandbox: no script, no request, no cookie (S5)."""


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
