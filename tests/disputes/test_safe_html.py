"""HTML of mails, made safe on the server (mail.md M25, M26; security.md S5)."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.safe_html import SafeHtml, framed, sanitise

PAYLOADS = Path(__file__).parents[3] / "shared" / "mail" / "html_payloads.json"
LOADING = {"src", "srcset", "background", "poster", "data", "action", "formaction", "xlink:href", "ping", "manifest"}
EXECUTING = {"script", "style", "iframe", "object", "embed", "svg", "math", "form", "input", "base", "meta", "link"}


class Watch(HTMLParser):
    """Collects everything that could run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.dangers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in EXECUTING:
            self.dangers.append(tag)
        for name, value in attrs:
            self._look(tag, name, (value or "").lower())

    def _look(self, tag: str, name: str, value: str) -> None:
        if name in {"title", "alt"}:  # words to read, whatever they say
            return
        squeezed = "".join(value.split())
        if name.startswith("on") or "javascript:" in squeezed or "vbscript:" in squeezed or "url(" in squeezed:
            self.dangers.append(f"{tag} {name}={value}")
        if name in LOADING and not (
            tag == "img" and squeezed.startswith(("data:image/png", "data:image/gif", "/own/"))
        ):
            self.dangers.append(f"{tag} {name}={value}")


def shown(html: str) -> SafeHtml:
    return sanitise(html, inline_url=lambda content_id: f"/own/{content_id}" if content_id == "logo@x" else None)


def dangers(html: str) -> list[str]:
    watch = Watch()
    watch.feed(shown(html).html)
    watch.close()
    return watch.dangers


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the public payloads are kept beside the project")
def test_m26_no_known_payload_passes() -> None:
    payloads = json.loads(PAYLOADS.read_text(encoding="utf-8"))
    assert len(payloads) > 200
    assert {one["title"]: dangers(one["payload"]) for one in payloads if dangers(one["payload"])} == {}


def test_s05_the_watch_sees_what_must_not_pass() -> None:
    watch = Watch()
    watch.feed('<img src="http://x/" onerror=a()><a href="java\nscript:x">x</a><style>x</style>')
    assert len(watch.dangers) == 4


@given(st.text(alphabet="<>/\"'=&;:abcimgsrchefonload \n\t\0", max_size=80))
def test_s05_no_text_becomes_dangerous(text: str) -> None:
    assert dangers(text) == []


def test_what_people_write_stays() -> None:
    html = '<p style="color:red;position:fixed;background:url(http://x/)">Hi <b>Ann</b></p><table><tr><td colspan=2>1'
    safe = shown(html).html
    assert '<p style="color:red">Hi <b>Ann</b></p>' in safe
    assert '<td colspan="2">1</td>' in safe


def test_m25_an_attached_image_is_shown_once_in_place() -> None:
    safe = shown('<img src="cid:logo@x" alt=Logo><img src="cid:other@x">')
    assert safe.html == '<img src="/own/logo@x" alt="Logo"><img>'
    assert safe.shown == {"logo@x"}


def test_m26_images_from_elsewhere_wait_for_a_person_and_then_go_through_us() -> None:
    html = '<img src="https://tracker.example/x.gif">'
    safe = shown(html)
    assert safe.blocked == ("https://tracker.example/x.gif",)
    assert "tracker" not in safe.html
    asked = sanitise(html, inline_url=lambda _: None, remote_url=lambda url: f"/fetch?{len(url)}")
    assert asked.html == '<img src="/fetch?29">'


def test_links_leave_the_frame_without_telling_where_they_come_from() -> None:
    safe = shown('<a href="https://customer.example/x">x</a><a href="data:text/html,x">y</a>').html
    assert 'rel="noopener noreferrer nofollow"' in safe
    assert 'target="_blank"' in safe
    assert "data:" not in safe


@pytest.mark.parametrize("html", ["<div>" * 15_000, "<b>" * 9_000 + "</i>" * 9_000, "<" * 30_000, "x" * 1_100_000])
def test_s10_too_much_html_is_shown_as_text(html: str) -> None:
    assert shown(html).as_text


def test_long_letters_are_no_bombs() -> None:
    assert not shown("<table>" + "<tr><td><p>x<br><img></tr>" * 2_000 + "</table>").as_text


def test_s05_the_frame_has_a_policy_of_its_own() -> None:
    page = framed(SafeHtml("<p>Hi</p>"), images="https://desk.example")
    assert "default-src &#x27;none&#x27;; img-src data: https://desk.example" in page
    assert "script-src" not in page
    assert page.endswith("<body><p>Hi</p></body></html>")
