"""Telling another system by HTTP, signed so that it knows who speaks (HMAC-SHA256 over time and body)."""

import hashlib
import hmac
from datetime import datetime
from http import HTTPStatus

import httpx

from app.connectors.contracts import Refused
from app.core.errors import Unavailable

SIGNATURE = "X-Amiable-Signature"
TIMEOUT_SECONDS = 10.0
_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class ReceiverUnavailable(Unavailable):
    """The receiver cannot be reached or will not take it now; trying later is right."""


def post(url: str, *, secret: str, body: bytes, now: datetime) -> None:
    """Send a JSON body. Raises ReceiverUnavailable, or Refused where the same again will not help.

    A redirect is not followed: it would carry what we say to a place nobody configured.
    """
    headers = {"Content-Type": "application/json", SIGNATURE: signature(secret, body=body, now=now)}
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=TIMEOUT_SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise ReceiverUnavailable(f"The webhook's receiver cannot be reached ({type(error).__name__})") from error
    if answer.is_success:
        return
    words = f"The webhook's receiver answered {answer.status_code}"
    if answer.is_server_error or answer.status_code in _TRY_AGAIN:
        raise ReceiverUnavailable(words)
    raise Refused(words)


def signature(secret: str, *, body: bytes, now: datetime) -> str:
    """`t=UNIX_TIME,v1=HEX`: the receiver computes the HMAC-SHA256 of "UNIX_TIME.BODY" and refuses old times."""
    at = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
