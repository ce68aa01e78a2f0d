"""Pictures that mails would load from elsewhere: only from the internet at large, bounded, and by their bytes (M26)."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from app.connectors.pictures import MOST_BYTES, fetched, is_public

PNG = b"\x89PNG\r\n\x1a\n a picture"


class Pictures(BaseHTTPRequestHandler):
    """Answers by path, and keeps what it was asked with."""

    asked: list[tuple[str, str | None]]
    answers: ClassVar = {"/a.png": PNG, "/b": b"<script>x()</script>", "/large": PNG + b"x" * MOST_BYTES}

    def do_GET(self) -> None:
        """Answer."""
        self.asked.append((self.path, self.headers["Host"]))
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Location", "/a.png")
        self.end_headers()
        self.wfile.write(self.answers.get(self.path, b""))

    def log_message(self, *_words: object) -> None:
        """Quietly."""


@contextmanager
def serving() -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
    asked: list[tuple[str, str | None]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Kept", (Pictures,), {"asked": asked}))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()


def here(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


def test_m26_a_picture_comes_by_its_bytes_and_only_by_the_address_that_was_looked_at() -> None:
    with serving() as (port, asked):
        shop = f"http://shop.example:{port}"
        urls = [f"{shop}/a.png", f"{shop}/b", f"{shop}/moved", f"{shop}/large", "ftp://shop.example/x", "http://[bad"]
        found = fetched(urls, resolve=here, public=lambda _address: True)
    assert found == {f"{shop}/a.png": ("image/png", PNG)}
    assert ("/a.png", f"shop.example:{port}") in asked
    assert len([path for path, _ in asked if path == "/a.png"]) == 1, "a redirect is not followed"


def test_m26_nothing_is_asked_of_our_own_network() -> None:
    with serving() as (port, asked):
        assert fetched([f"http://intranet.example:{port}/a.png"], resolve=here) == {}
        mixed = fetched([f"http://rebound.example:{port}/a.png"], resolve=lambda *_: ["93.184.216.34", "127.0.0.1"])
        assert mixed == {}
        assert asked == []


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.9", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
     "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254"],
)  # fmt: skip
def test_m26_addresses_that_are_not_of_the_internet(address: str) -> None:
    assert not is_public(address)
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1::1")


def test_no_more_than_twenty_are_fetched_and_a_name_that_leads_nowhere_is_left_out() -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    assert fetched([f"http://x{number}.example/a.png" for number in range(100)], resolve=nowhere) == {}
    assert fetched([]) == {}
