"""What was just done, told once on the next page, with a way to undo it. Kept in a cookie of the browser."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import Request, Response

COOKIE = "amiable_flash"
N_ = str  # marks a msgid for extraction
MESSAGES: Mapping[str, str] = {
    "closed": N_("Case closed."),
    "reopened": N_("Case open again."),
    "assigned": N_("Owner changed."),
    "corrected": N_("Reason corrected. Thank you: it is learned from."),
    "confirmed": N_("Invoice confirmed."),
    "rejected": N_("Invoice rejected."),
    "added": N_("Invoice added."),
    "moved": N_("Message moved."),
    "held": N_("Case held."),
    "released": N_("Hold ended."),
    "requeued": N_("The message is being read again."),
    "waits": N_("Case waits."),
    "goes_on": N_("The work goes on."),
    "resolved": N_("Case resolved."),
    "merged": N_("Merged: this is the case that goes on."),
    "separated": N_("Cases separated again."),
    "disputed": N_("Disputed amount corrected."),
    "noted": N_("Note saved."),
    "saved": N_("Saved."),
}
_UNDO_PATHS = ("/cases/", "/links/", "/messages/")


@dataclass(frozen=True, slots=True)
class Flash:
    """A code of MESSAGES; `undo` is the path to post `fields` to, "" where there is no undoing."""

    code: str
    undo: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def tell(response: Response, flash: Flash, *, secure: bool) -> None:
    """Keep the flash for the next page."""
    content = json.dumps({"code": flash.code, "undo": flash.undo, "fields": dict(flash.fields)})
    text = base64.urlsafe_b64encode(content.encode()).decode()
    response.set_cookie(COOKIE, text, max_age=60, httponly=True, samesite="lax", secure=secure, path="/")


def told(request: Request) -> Flash | None:
    """The flash kept for this page. Prefetches and live refreshes leave it for the page itself."""
    if COOKIE not in request.cookies or is_background(request):
        return None
    try:
        content = json.loads(base64.urlsafe_b64decode(request.cookies[COOKIE]))
        flash = Flash(str(content["code"]), str(content["undo"]), {k: str(v) for k, v in content["fields"].items()})
    except (binascii.Error, ValueError, KeyError, AttributeError, TypeError):
        return None
    harmless = not flash.undo or flash.undo.startswith(_UNDO_PATHS)
    return flash if flash.code in MESSAGES and harmless else None


def is_background(request: Request) -> bool:
    """Whether nobody asked for this page: Turbo prefetched it on hover, or live updates fetch it again."""
    purpose = request.headers.get("x-sec-purpose", "") + request.headers.get("sec-purpose", "")
    return "prefetch" in purpose or "x-live" in request.headers
