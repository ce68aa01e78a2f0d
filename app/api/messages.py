"""POST /api/v1/messages: mail in by HTTP, as raw MIME under a signature (M29)."""

import hashlib
import hmac
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel

from app.core.errors import BadInput, NotSignedIn
from app.core.settings import Intake, Limits
from app.edge import ServicesDep, SessionDep, TooLarge
from disputes.actions.intake import receive

SCHEME = "v1"
LONGEST_FIELD = 300

router = APIRouter(prefix="/api/v1", tags=["messages"])


class BadSignature(NotSignedIn):
    """The signature is missing, wrong or too old."""


class Accepted(BaseModel):
    """The message stored; `created` is false when it was here already, by whatever way (M2)."""

    message_id: int
    created: bool


async def raw_body(request: Request) -> bytes:
    """The request's body as it came, for its signature covers every byte."""
    return await request.body()


@router.post("/messages", status_code=HTTPStatus.ACCEPTED)
def take_message(
    services: ServicesDep,
    session: SessionDep,
    raw: Annotated[bytes, Depends(raw_body)],
    *,
    x_amiable_signature: Annotated[str, Header(description="t=UNIX_TIME,v1=HEX_HMAC_SHA256")] = "",
    x_amiable_source_ref: Annotated[str, Header(max_length=LONGEST_FIELD)] = "",
    x_amiable_mailbox: Annotated[str, Header(max_length=LONGEST_FIELD)] = "",
) -> Accepted:
    """Store one mail (`message/rfc822`) and have it worked. The same mail again changes nothing but its deliveries."""
    now = services.clock()
    labels = (x_amiable_source_ref, x_amiable_mailbox)
    check_signature(services.settings.intake, x_amiable_signature, labels=labels, raw=raw, now=now)
    _check_size(raw, services.settings.limits)
    received = receive(
        session,
        raw=raw,
        source="http",
        source_ref=x_amiable_source_ref or hashlib.sha256(raw).hexdigest(),
        mailbox=x_amiable_mailbox or None,
        blobs=services.blobs,
        limits=services.settings.limits,
        received_at=now,
        now=now,
    )
    if received.created:
        services.enqueue(session, "ingest", received.message_id)
    return Accepted(message_id=received.message_id, created=received.created)


def check_signature(intake: Intake, header: str, *, labels: tuple[str, str], raw: bytes, now: datetime) -> None:
    """Raise BadSignature unless `header` signs these labels and bytes, not long ago."""
    if intake.webhook_secret is None:
        raise BadSignature("Mail by HTTP is not switched on: set intake.webhook_secret")
    at, given = _parsed(header)
    expected = signature(intake.webhook_secret.get_secret_value(), at=at, labels=labels, raw=raw)
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise BadSignature("The signature in X-Amiable-Signature is missing or wrong: t=UNIX_TIME,v1=HEX")
    if abs(now.timestamp() - at) > timedelta(seconds=intake.webhook_max_age_seconds).total_seconds():
        raise BadSignature(f"The signature is older or newer than {intake.webhook_max_age_seconds} seconds: sign anew")


def signature(secret: str, *, at: int, labels: tuple[str, str], raw: bytes) -> str:
    """HMAC-SHA256 in hex over time, source reference and mailbox, each with a line feed, then the mail's bytes."""
    head = "".join(f"{part}\n" for part in (at, *labels))
    return hmac.new(secret.encode(), head.encode() + raw, hashlib.sha256).hexdigest()


def _parsed(header: str) -> tuple[int, str]:
    """Time and signature of the header; a time of 0 for one that cannot be read, which no clock comes near."""
    fields = dict(part.strip().split("=", 1) for part in header.split(",") if "=" in part)
    at = fields.get("t", "")
    readable = at.isascii() and at.isdigit() and len(at) <= len("9999999999")
    return (int(at) if readable else 0), fields.get(SCHEME, "")


def _check_size(raw: bytes, limits: Limits) -> None:
    if not raw.strip():
        raise BadInput("The body is empty: send the mail as it came, message/rfc822", fields={"body": "empty"})
    if len(raw) > limits.mail_bytes:
        raise TooLarge(f"The mail has {len(raw)} bytes, at most {limits.mail_bytes} are taken (limit mail_bytes)")
