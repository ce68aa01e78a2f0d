"""A token service on the loopback interface: gives access tokens, and tells dovecot whose they are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit


@dataclass
class TokenService:
    """What the service knows: users by token; `refresh` maps refresh tokens to the access tokens they buy."""

    port: int = 0
    users: dict[str, str] = field(default_factory=dict)
    refresh: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    @property
    def token_url(self) -> str:
        """Where access tokens are bought."""
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def info_url(self) -> str:
        """Where dovecot asks; it appends the token."""
        return f"http://127.0.0.1:{self.port}/info?token="


class _Handler(BaseHTTPRequestHandler):
    service: TokenService

    def do_GET(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
        user = self.service.users.get(token)
        self._answer(200 if user else 401, {"active": user is not None, "username": user})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.service.asked.append(form)
        token = self.service.refresh.get(form.get("refresh_token", ""))
        self._answer(200 if token else 400, {"access_token": token} if token else {"error": "invalid_grant"})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: tests read what was asked."""


@contextmanager
def running_token_service() -> Iterator[TokenService]:
    """Serve until the block ends."""
    service = TokenService()
    handler = type("Handler", (_Handler,), {"service": service})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        service.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
