"""S6: printing reads no file and no network, and one bad letter costs itself alone."""

import io
import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from pypdf import PdfReader

from letters.compose import compose
from letters.letter_facts import Recipient
from letters.page import Page
from letters.printer import LetterPrinter, Limits, NotPrinted
from tests.letters.letter_cases import LETTERS, french, plain

SECRET = "canary-7f3a91"


@pytest.fixture(scope="module")
def printer() -> Iterator[LetterPrinter]:
    with LetterPrinter(workers=1) as found:
        yield found


class _Canary(BaseHTTPRequestHandler):
    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(SECRET.encode())

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def canary() -> Iterator[tuple[str, list[str]]]:
    """An HTTP server on loopback that notes who asks."""
    heard: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Canary", (_Canary,), {"heard": heard}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    thread.join()
    server.server_close()


def page(html: str, **pictures: bytes) -> Page:
    return Page(html, ("letter", "right"), "#000000", "t", "en", date(2026, 6, 15), "{}", pictures)


VECTORS = (
    '<img src="{file}"/>',
    '<img src="{web}/a.png"/>',
    '<object data="{file}"></object>',
    '<embed src="{web}/b"/>',
    '<iframe src="{file}"></iframe>',
    '<link rel="attachment" href="{file}"/>',
    '<a rel="attachment" href="{file}">x</a>',
    '<link rel="stylesheet" href="{web}/c.css"/>',
    '<style>@import url("{web}/d.css");</style>',
    '<style>@import url("{file}");</style>',
    '<style>p {{ background: url("{web}/e.png") }}</style><p>x</p>',
    '<style>p::before {{ content: url("{file}") }}</style><p>x</p>',
    '<style>li {{ list-style-image: url("{web}/f.png") }}</style><ul><li>x</li></ul>',
    '<style>@font-face {{ font-family: x; src: url("{web}/g.ttf") }} p {{ font-family: x }}</style><p>x</p>',
    '<style>@font-face {{ font-family: x; src: url("{file}") }} p {{ font-family: x }}</style><p>x</p>',
    '<style>@page {{ background: url("{web}/h.png") }}</style><p>x</p>',
    '<p style="background: url({web}/i.png)">x</p>',
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:l="http://www.w3.org/1999/xlink"><image l:href="{file}"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="{web}/j.png" width="9" height="9"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><use href="{web}/k.svg#a"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><style>@import url("{web}/l.css");</style></svg>',
    '<base href="{web}/"/><img src="m.png"/>',
    '<img src="data:image/svg+xml;utf8,&lt;svg xmlns=%22http://www.w3.org/2000/svg%22/&gt;"/>',
    '<img src="letter:elsewhere"/>',
    '<img src="ftp://127.0.0.1/n.png"/>',
)


@pytest.mark.parametrize("vector", VECTORS)
def test_nothing_from_outside_is_read(
    printer: LetterPrinter, canary: tuple[str, list[str]], tmp_path: Path, vector: str
) -> None:
    web, heard = canary
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    body = vector.format(file=secret.as_uri(), web=web)
    [found] = printer.print_letters([page(f"<html><head></head><body>{body}<p>kept</p></body></html>")])
    assert heard == []
    if not found.fault:
        reader = PdfReader(io.BytesIO(found.pdf))
        assert SECRET not in "".join(one.extract_text() for one in reader.pages)
        assert [name for name, _ in reader.attachments.items()] == ["letter.json"]
        assert SECRET.encode() not in found.pdf


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">{}</svg>'
LOGOS = (
    SVG.format('<image href="{file}" width="9" height="9"/>'),
    SVG.format('<image href="{web}/o.png" width="9" height="9"/>'),
    '<!DOCTYPE s [<!ENTITY x SYSTEM "{file}">]>' + SVG.format("<text>&x;</text>"),
    '<!DOCTYPE s [<!ENTITY a "' + "a" * 999 + '"><!ENTITY b "' + "&a;" * 9999 + '">]>' + SVG.format("<text>&b;</text>"),
    "no picture",
)


@pytest.mark.parametrize("logo", LOGOS)
def test_a_logo_reads_nothing_either(
    printer: LetterPrinter, canary: tuple[str, list[str]], tmp_path: Path, logo: str
) -> None:
    web, heard = canary
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    content = logo.replace("{file}", secret.as_uri()).replace("{web}", web).encode()
    html = '<html><head></head><body><img src="letter:logo"/><p>kept</p></body></html>'
    [found] = printer.print_letters([page(html, logo=content)])
    assert heard == []
    if not found.fault:
        assert SECRET not in PdfReader(io.BytesIO(found.pdf)).pages[0].extract_text()
        assert SECRET.encode() not in found.pdf


def test_what_a_page_asks_for_is_named_in_the_refusal(printer: LetterPrinter) -> None:
    with pytest.raises(NotPrinted, match=r"the page asks for 'file:///etc/passwd'"):
        printer.print_letter(page('<html><body><img src="file:///etc/passwd"/></body></html>'))


@pytest.mark.parametrize(
    "html",
    [
        '<!DOCTYPE a [<!ENTITY b "bb">]><html><body>&b;</body></html>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><html><body>&b;</body></html>',
        "<html><body><p>not closed</body></html>",
        "",
    ],
)
def test_declarations_and_broken_pages_are_refused(printer: LetterPrinter, html: str) -> None:
    with pytest.raises(NotPrinted, match=r"declaration|well formed"):
        printer.print_letter(page(html))


def test_foreign_words_print_as_words(printer: LetterPrinter) -> None:
    hostile = "<img src='file:///etc/passwd'> {{ 7*7 }} [[payment]] </p><script>"
    facts = plain("closing", recipient=Recipient(name=hostile, address=("1 rue",)), note=hostile, case_number=hostile)
    pdf = printer.print_letter(compose(facts))
    text = "".join("".join(one.extract_text() for one in PdfReader(io.BytesIO(pdf)).pages).split())
    assert text.count("<imgsrc='file:///etc/passwd'>{{7*7}}[[payment]]</p><script>") >= 3


def test_a_page_that_computes_for_ever_is_stopped_and_the_rest_is_printed() -> None:
    endless = page("<html><body>" + "<p>x <b>y</b></p>" * 60_000 + "</body></html>")
    good = compose(LETTERS["closing"]())
    with LetterPrinter(workers=1, limits=Limits(cpu=1, seconds=60)) as printer:
        found = list(printer.print_letters([good, endless, good]))
    assert [bool(one.pdf) for one in found] == [True, False, True]
    assert found[1].fault == "printing took more computing than 1 s"
    assert found[0].pdf == found[2].pdf


def test_a_page_that_takes_too_long_on_the_clock_is_stopped() -> None:
    slow = page("<html><body>" + "<p>x <b>y</b></p>" * 60_000 + "</body></html>")
    with (
        LetterPrinter(workers=1, limits=Limits(cpu=60, seconds=2.5)) as printer,
        pytest.raises(NotPrinted, match=r"printing took longer than 2.5 seconds"),
    ):
        printer.print_letter(slow)


def test_a_page_that_eats_memory_is_stopped_and_the_rest_is_printed() -> None:
    huge = page("<html><body>" + "<p>x <b>y</b></p>" * 60_000 + "</body></html>")
    good = compose(LETTERS["closing"]())
    with LetterPrinter(workers=1, limits=Limits(megabytes=280)) as printer:
        found = list(printer.print_letters([huge, good]))
    assert found[0].fault
    assert found[1].pdf


def test_the_same_letter_is_the_same_bytes_in_any_worker_and_carries_its_data(printer: LetterPrinter) -> None:
    letter = compose(french())
    printer.print_letter(compose(plain("closing", reference="another")))
    first = printer.print_letter(letter)
    with LetterPrinter(workers=1) as other:
        assert other.print_letter(letter) == first
    reader = PdfReader(io.BytesIO(first))
    data = json.loads(reader.attachments["letter.json"][0])
    assert data["format"] == "amiable-letter-1"
    assert data["totals"] == {"EUR": str(french().totals["EUR"])}
    assert data["facts"]["claim"]["lines"][0]["segments"][0]["source"].startswith("Code de commerce L441-10")
    metadata = reader.xmp_metadata
    assert metadata is not None
    assert b'pdfaid:part="3"' in metadata.stream.get_data()
    assert b'pdfaid:conformance="B"' in metadata.stream.get_data()
    assert "/AF" in reader.root_object
    assert reader.metadata is not None
    assert reader.metadata.title == letter.title
