"""Pictures that a mail would load from elsewhere, fetched for a person who asks (M26): the sender sees us, not them.

Only from public addresses: a mail must not make us knock at our own network. The address that was looked at is the one
that is called, whatever the name resolves to a moment later; redirects are not followed.
"""

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpx

MOST_PICTURES, MOST_BYTES, TOGETHER = 20, 2_000_000, 8
SECONDS = 4.0
_KINDS = ((b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))
_AGENT = "Mozilla/5.0 (mail pictures)"
Resolve = Callable[[str, int], Sequence[str]]


def addresses_of(host: str, port: int) -> list[str]:
    """What a name stands for now. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether an address is of the internet at large: not private, local, shared, reserved or multicast."""
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global and not (mapped or found).is_multicast


def fetched(
    urls: Sequence[str], *, resolve: Resolve = addresses_of, public: Callable[[str], bool] = is_public
) -> dict[str, tuple[str, bytes]]:
    """Type and bytes of those of the pictures that could be had in time; the others are left out."""
    wanted = list(dict.fromkeys(urls))[:MOST_PICTURES]
    if not wanted:
        return {}
    with ThreadPoolExecutor(TOGETHER) as threads:
        found = threads.map(lambda url: _picture(url, resolve, public), wanted)
        return {url: picture for url, picture in zip(wanted, found, strict=True) if picture is not None}


def _picture(url: str, resolve: Resolve, public: Callable[[str], bool]) -> tuple[str, bytes] | None:
    try:
        content = _content(url, resolve, public)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return None
    kind = next((kind for begins, kind in _KINDS if content.startswith(begins)), None)
    if kind is None and content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        kind = "image/webp"
    return (kind, content) if kind else None


def _content(url: str, resolve: Resolve, public: Callable[[str], bool]) -> bytes:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    found = resolve(host, port)
    if parts.scheme not in {"http", "https"} or not found or not all(public(one) for one in found):
        raise ValueError("not an address of the internet")
    headers = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": _AGENT, "Accept": "image/*"}
    with (
        httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "GET", _pinned(parts, found[0], port), headers=headers, extensions={"sni_hostname": host}
        ) as answer,
    ):
        return b"".join(_bounded(answer)) if answer.status_code == httpx.codes.OK else b""


def _pinned(parts: SplitResult, address: str, port: int) -> str:
    """The same place by its address."""
    literal = f"[{address}]" if ":" in address else address
    return urlunsplit((parts.scheme, f"{literal}:{port}", parts.path or "/", parts.query, ""))


def _bounded(answer: httpx.Response) -> Iterator[bytes]:
    left = MOST_BYTES
    for chunk in answer.iter_bytes():
        left -= len(chunk)
        if left < 0:
            raise ValueError("the picture is too large")
        yield chunk
