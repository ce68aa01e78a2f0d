"""Pages become PDF/A-3 with their data attached. The only importer of weasyprint; run by letters.printer as a process
of its own (`python -m letters.pdf`), which has no secrets, no network to ask for and caps on time and memory.

What costs is kept between letters: the fonts' configuration, parsed styles, the logo. What a page asks for that is not
its own logo is refused, and the letter with it (security.md S6).
"""

import logging
import resource
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

import weasyprint
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from letters.page import Page

_LAYOUT = Path(__file__).with_name("layout")
_KEPT_PICTURES = 20
DONE, REFUSED = b"+", b"-"
"""The first byte of an answer: the rest is the PDF, or words on why there is none."""


class Asked(FatalURLFetchingError):  # type: ignore[misc] # weasyprint has no types
    """A page asked for something that is not its own."""


class OwnPictures(URLFetcher):  # type: ignore[misc] # as above
    """Hands out the letter's own pictures by name, and nothing else: no file, no network, no data in the address."""

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=())
        self.pictures = pictures

    def fetch(self, url: str, _headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """The picture, or Asked, which ends the printing of this letter."""
        picture = self.pictures.get(url.removeprefix("letter:")) if url.startswith("letter:") else None
        if picture is None:
            raise Asked(f"the page asks for {url[:200]!r}; a letter shows its own logo and nothing from elsewhere")
        return URLFetcherResponse(url, picture)


class Press:
    """Prints pages one after the other, with what they share kept."""

    def __init__(self) -> None:
        self.fonts = FontConfiguration()
        self.pictures: dict[str, object] = {}

    def pdf(self, page: Page) -> bytes:
        """The page as PDF/A-3b. The same page gives the same bytes."""
        fetcher = OwnPictures(page.pictures)
        if len(self.pictures) > _KEPT_PICTURES:
            self.pictures.clear()
        day = datetime(page.day.year, page.day.month, page.day.day, tzinfo=UTC)
        data = weasyprint.Attachment(
            string=page.data,
            name="letter.json",
            description="What this letter was made from",
            created=day,
            modified=day,
            relationship="Data",
            url_fetcher=fetcher,
        )
        styles = [*(_style(name) for name in page.styles), _accent(page.accent)]
        html = weasyprint.HTML(string=page.html, url_fetcher=fetcher)
        return bytes(
            html.write_pdf(
                stylesheets=styles,
                font_config=self.fonts,
                cache=self.pictures,
                pdf_variant="pdf/a-3b",
                attachments=[data],
            )
        )


@lru_cache(maxsize=32)
def _style(name: str) -> weasyprint.CSS:
    return weasyprint.CSS(string=(_LAYOUT / f"{name}.css").read_text(encoding="utf-8"), url_fetcher=OwnPictures({}))


@lru_cache(maxsize=32)
def _accent(colour: str) -> weasyprint.CSS:
    """The letterhead's colour. A custom property would be looked up for each element: this is read once."""
    return weasyprint.CSS(string=f"h1, h2, th, .name {{ color: {colour} }} .pay {{ border-left-color: {colour} }}")


def work(connection: Connection, *, cpu: int, memory: int) -> None:
    """Answer pages until the other end goes away. CPU seconds count for each letter, memory for the whole process."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    press = Press()
    while True:
        try:
            page = connection.recv()
        except EOFError:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + 1 + cpu
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        connection.send_bytes(_answer(press, page))


def _answer(press: Press, page: Page) -> bytes:
    try:
        return DONE + press.pdf(page)
    except Asked as error:
        return REFUSED + str(error).encode()
    except MemoryError:
        return REFUSED + b"it needs more memory than a letter may"
    except RecursionError:
        return REFUSED + b"it is nested too deeply"


def _main() -> NoReturn:
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    number, cpu, memory = map(int, sys.argv[1:4])
    with Connection(number) as connection:
        work(connection, cpu=cpu, memory=memory)
    sys.exit(0)


if __name__ == "__main__":
    _main()
