"""What hostile HTML is shown in: a plain server, a canary that every name leads to, and a browser that counts."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.architecture_source import ROOT
from tests.e2e.conftest import ARGUMENTS, CHROMIUM

PAYLOADS = ROOT.parent / "shared/mail/html_payloads.json"
BATCH = 45
BROWSERS_OWN = (b".googleapis.com", b".google.com", b".gvt1.com")

PROBES = (
    "<script>alert('probe')</script>",
    "<img src='http://canary.example/a.png' onerror='alert(1)'>",
    "<img src='x' onerror='alert(1)'>",
    "<svg onload='alert(1)'></svg>",
    "<div style='background:url(http://canary.example/b.png)'>b</div>",
    "<link rel='stylesheet' href='http://canary.example/c.css'>",
    "<style>@import 'http://canary.example/d.css'; body{background:url(http://canary.example/e.png)}</style>",
    "<iframe src='http://canary.example/f.html'></iframe>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<object data='http://canary.example/g.swf'></object><embed src='http://canary.example/h.swf'>",
    "<meta http-equiv='refresh' content='0;url=http://canary.example/i'>",
    "<base href='http://canary.example/'><img src='j.png'>",
    "<video poster='http://canary.example/k.png'><source src='http://canary.example/l.mp4'></video>",
    "<a href='javascript:alert(1)'>click</a>",
    "<form action='http://canary.example/m'><button>send</button></form>",
    "<input type='image' src='http://canary.example/n.png'>",
    "<table background='http://canary.example/o.png'><tr><td>o</td></tr></table>",
    "<img srcset='http://canary.example/p.png 1x' src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>",
    "<link rel='dns-prefetch' href='//q.canary.example'><link rel='preconnect' href='http://r.canary.example'>",
)
"""Beside the public set: the ways in which a mail tells its sender that it was read."""

POKE = """
  const kinds = ['click', 'mouseover', 'mousemove', 'focus', 'blur', 'error', 'load', 'toggle', 'submit', 'keydown'];
  const poke = (inner) => {
    for (const element of inner.querySelectorAll('*'))
      for (const kind of kinds)
        if (kind !== 'click' || !element.closest('a[href], button, input'))  // a person who follows a link means to
          try { element.dispatchEvent(new Event(kind, { bubbles: true, cancelable: true })); } catch {}
  };
  addEventListener('load', () => setTimeout(() => {
    for (const frame of document.querySelectorAll('iframe'))
      try { if (frame.contentDocument) poke(frame.contentDocument); } catch {}
    document.title = 'poked';
  }, 300));
"""
"""The page of frames fires the events a mouse and keys would, where it may reach into a frame."""


def payloads() -> list[str]:
    """The public set with our probes; skips the test where the set is not laid."""
    if not PAYLOADS.exists():
        pytest.skip("the public set of hostile HTML is not beside the project")
    return [entry["payload"] for entry in json.loads(PAYLOADS.read_text("utf-8"))] + list(PROBES)


class Canary:
    """A port that every foreign name leads to. Each connection is a hit, whatever is spoken over it.

    The browser's own errands, which no page asked for, do not count.
    """

    def __init__(self) -> None:
        self.hits: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            asked = self._asked(connection)
            connection.close()
            if not any(name in asked for name in BROWSERS_OWN):
                self.hits.append(
                    asked.split(b"\r\n")[0].decode("ascii", "replace") if b"HTTP/" in asked else "connection"
                )

    @staticmethod
    def _asked(connection: socket.socket) -> bytes:
        """A request, or the greeting of TLS, which names its server."""
        connection.settimeout(2)
        try:
            return connection.recv(4000)
        except OSError:
            return b""

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def page_of_frames(request: Request, *, sandboxed: bool, address: Callable[[int], str]) -> HTMLResponse:
    """A page that shows documents `from`..`to` in frames, each at its address."""
    numbers = range(int(request.query_params["from"]), int(request.query_params["to"]))
    sandbox = ' sandbox="allow-popups allow-popups-to-escape-sandbox"' if sandboxed else ""
    frames = "".join(
        f'<iframe{sandbox} src="{address(number)}" width="300" height="60"></iframe>' for number in numbers
    )
    return HTMLResponse(f"<!doctype html><title>frames</title><script>{POKE}</script>{frames}")


def layers(raw: Sequence[str], clean: Callable[[str], str], policy: str) -> Starlette:
    """Each defence alone: /none, /sanitiser, /sandbox, /policy, every one with documents and pages of frames."""

    def document(request: Request) -> HTMLResponse:
        layer, text = request.path_params["layer"], raw[int(request.path_params["number"])]
        content = clean(text) if layer == "sanitiser" else text
        headers = {"content-security-policy": policy} if layer == "policy" else {}
        return HTMLResponse(f"<!doctype html><meta charset=utf-8><body>{content}", headers=headers)

    def frames(request: Request) -> HTMLResponse:
        layer = request.path_params["layer"]
        return page_of_frames(request, sandboxed=layer == "sandbox", address=lambda number: f"/{layer}/{number}")

    return Starlette(routes=[Route("/{layer}/{number:int}", document), Route("/{layer}/frames", frames)])


@contextmanager
def watched(playwright: Playwright) -> Iterator[tuple[Browser, Canary]]:
    """A browser that looks every name up in the canary, this machine's own address aside."""
    canary = Canary()
    rules = f"MAP * 127.0.0.1:{canary.port}, EXCLUDE 127.0.0.1"
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, f"--host-resolver-rules={rules}"])
    try:
        yield browser, canary
    finally:
        browser.close()
        canary.close()


def executions(page: Page, addresses: Sequence[str]) -> list[str]:
    """Open the pages of frames, poke every element of every frame, and list the scripts that ran."""
    ran: list[str] = []
    page.expose_binding("ran", lambda _source, name: ran.append(str(name)))
    page.add_init_script(
        "for (const name of ['alert', 'confirm', 'prompt', 'print', 'open']) window[name] = () => window.ran(name);"
    )
    page.on("dialog", lambda dialog: dialog.dismiss())
    for address in addresses:
        page.goto(address, wait_until="commit")
        expect(page).to_have_title("poked", timeout=60_000)
    return ran


def batches(count: int) -> list[str]:
    """The queries of the pages of frames that show everything."""
    return [f"from={start}&to={min(start + BATCH, count)}" for start in range(0, count, BATCH)]


def mail_with(html: str) -> bytes:
    """A mail whose only body is this HTML."""
    head = b"From: x@y.example\r\nSubject: html\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"
    return head + b"Content-Transfer-Encoding: 8bit\r\n\r\n" + html.encode("utf-8", "surrogatepass")
