"""Pages become PDF/A-3 with their data attached. The only importer of weasyprint; run by letters.printer as a process
of its own (`python -m letters.pdf`), which has no secrets, no network to ask for and caps on time and memory.

What costs is kept between letters: the fonts' configuration, parsed styles, the logo. What a page asks for that is not
its own logo is refused, and the letter with it (security.md S6).
"""

import gc
import logging
import resource
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, NoReturn
from xml.etree import ElementTree as ET

import weasyprint
from cssselect2 import ElementWrapper
from weasyprint.css import StyleFor, declaration_precedence
from weasyprint.draw.border import draw_border
from weasyprint.draw.color import get_color
from weasyprint.formatting_structure import boxes
from weasyprint.layout import absolute, block, inline, table
from weasyprint.layout import float as float_boxes
from weasyprint.layout.percent import resolve_percentages
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from letters.page import Page

_LAYOUT = Path(__file__).with_name("layout")
_KEPT_PICTURES, _KEPT_STYLES, _KEPT_PLACES = 20, 4000, 64
_COLLECTED_AFTER = 20
DONE, REFUSED, SPENT = b"+", b"-", b"!"
"""The first byte of an answer: the rest is the PDF, or words on why there is none. After SPENT this process is of no
more use.
"""


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


class Root(ElementWrapper):  # type: ignore[misc] # as above
    """An element of a page; what weasyprint looks for in all of it, titles and links, stands in the head alone."""

    def query_all(self, *selectors: str) -> Iterator[ElementWrapper]:
        """Elements that match, of the head where the whole page is asked."""
        if self.parent is not None:
            return super().query_all(*selectors)  # type: ignore[no-any-return] # cssselect2 has no types
        heads = (child for child in self.iter_children() if child.etree_element.tag == "head")
        return (found for head in heads for found in head.query_all(*selectors))


class Sheet(weasyprint.HTML):  # type: ignore[misc] # as above
    """A page of our own layout. It is well-formed XML, which Python reads twenty times faster than HTML, and its
    elements are few, so that a short style says what they are (base.css).
    """

    def __init__(self, page: Page, fetcher: OwnPictures) -> None:
        """Takes the place of weasyprint's, which reads HTML. Raises ParseError for what is not well formed."""
        self.base_url = None
        self.url_fetcher = fetcher
        self.media_type = "print"
        root = ET.fromstring(page.html)  # noqa: S314 - no DOCTYPE passes, so no entity either
        self.wrapper_element = Root.from_html_root(root, content_language=None)
        self.etree_element = self.wrapper_element.etree_element

    def _ua_stylesheets(self, forms: bool = False) -> list[weasyprint.CSS]:  # noqa: ARG002 - weasyprint's signature
        return [_style("base")]


class KeptStyles(StyleFor):  # type: ignore[misc] # as above
    """Styles of elements, kept from letter to letter: the same kind of element under the same parent has the same.

    WeasyPrint shares styles within a page; computing them anew for each letter is a third of its time. So the rules of
    the layout go by an element's name, classes, parents and which attributes it has, never by its place among others,
    and style attributes do not count.
    """

    _kept: ClassVar[dict[tuple[object, ...], dict[str | None, object]]] = {}
    _sizes: ClassVar[dict[str, object]] = {"box": None, "area": None}

    def __init__(
        self, html: Sheet, sheets: list[tuple[Any, str, Any]], _hints: bool, fonts: FontConfiguration, _targets: object
    ) -> None:
        """Takes the place of weasyprint's, which begins with nothing."""
        self._cascaded_styles: dict[tuple[Any, str | None], dict[str, Any]] = {}
        self._computed_styles: dict[tuple[Any, str | None], Any] = {}
        self.initial_page_sizes = self._sizes
        self._sheets = sheets
        self._rules = tuple(sheet for sheet, _, _ in sheets)
        self.font_config = fonts
        if len(self._kept) > _KEPT_STYLES:
            self._kept.clear()
        self._wrappers: dict[Any, Any] = {}
        self._style(html, html.etree_element, None)
        self._cascaded_styles.clear()

    def _style(self, html: Sheet, node: Any, parent: Any) -> None:
        """An element and all in it, parents first: the sandbox and our layout nest them a few deep."""
        above = self._computed_styles[parent, None] if parent is not None else None
        key = (id(above), self._rules, node.tag, node.get("class"), *node.attrib)
        kept = self._kept.get(key)
        if kept is None:
            element = self._wrapped(html, node)
            found = [(origin, match) for sheet, origin, _ in self._sheets for match in sheet.matcher.match(element)]
            kept = self._kept[key] = self._computed(html, node, parent, found)
        for pseudo, style in kept.items():
            self._computed_styles[node, pseudo] = style
        for child in node:
            self._style(html, child, node)

    def _wrapped(self, html: Sheet, node: Any) -> Any:
        """The element as rules are matched against it; made for a page only where one is asked for."""
        if not self._wrappers:
            self._wrappers = {one.etree_element: one for one in html.wrapper_element.iter_subtree()}
        return self._wrappers[node]

    def _computed(self, html: Sheet, node: Any, parent: Any, found: list[Any]) -> dict[str | None, object]:
        """The style of an element and of what stands before and after it, by the rules that match."""
        for origin, (specificity, _order, pseudo, (declarations, _layer)) in found:
            style = self._cascaded_styles.setdefault((node, pseudo), {})
            for name, values, importance in declarations:
                weight = (declaration_precedence(origin, importance), inf, specificity)
                if name not in style or style[name][1] <= weight:
                    style[name] = values, weight
        self.set_computed_styles(node, root=html.etree_element, parent=parent)
        pseudos = dict.fromkeys(pseudo for _, (_, _, pseudo, _) in found if pseudo)
        for pseudo in pseudos:
            self.set_computed_styles(node, pseudo_type=pseudo, root=html.etree_element, parent=node)
        return {pseudo: self._computed_styles[node, pseudo] for pseudo in (None, *pseudos)}


_SIDES = ("left", "right", "top", "bottom")
_USED = (
    *(f"margin_{side}" for side in _SIDES),
    *(f"padding_{side}" for side in _SIDES),
    *(f"border_{side}_width" for side in _SIDES),
    *(f"{limit}{way}" for way in ("width", "height") for limit in ("", "min_", "max_")),
)


def used_values(box: Any, containing_block: Any) -> None:
    """The sizes a box has by its style and what it stands in: the same for boxes of one style in equal places, so that
    they are kept with the style. Takes the place of weasyprint's, which works all of them out for each box.
    """
    around = containing_block
    place = (around.width, around.height) if isinstance(around, boxes.Box) else tuple(around)
    known = box.style.__dict__.setdefault("used_values", {})
    found = known.get(place)
    if found is not None and not isinstance(box, boxes.PageBox):
        box.__dict__.update(found)
        return
    resolve_percentages(box, around)
    if len(known) < _KEPT_PLACES and box.style["border_collapse"] != "collapse":
        known[place] = {name: box.__dict__[name] for name in _USED}


def border(stream: Any, box: Any) -> None:
    """A solid line along one side of a box, which is what our layouts have, is filled as it is. Takes the place of
    weasyprint's, which clips the side and fills what lies between two outlines: a seventh of its time.
    """
    sides = [side for side in _SIDES if box.__dict__[f"border_{side}_width"]]
    if not sides:
        return
    side = sides[0]
    if len(sides) > 1 or box.style[f"border_{side}_style"] != "solid" or any(map(any, box.rounded_border_box()[4:])):
        draw_border(stream, box)
        return
    line = box.__dict__[f"border_{side}_width"]
    x, y, width, height = box.rounded_border_box()[:4]
    if side in {"top", "bottom"}:
        y, height = (y if side == "top" else y + height - line), line
    else:
        x, width = (x if side == "left" else x + width - line), line
    stream.set_color(get_color(box.style, f"border_{side}_color"))
    stream.rectangle(x, y, width, height)
    stream.fill()


def _keep_from_letter_to_letter() -> None:
    """Put what keeps in the place of what computes anew; weasyprint is pinned, and golden pages show any change."""
    weasyprint.css.StyleFor = KeptStyles
    weasyprint.draw.draw_border = border
    for layout in (absolute, block, float_boxes, inline, table):
        layout.resolve_percentages = used_values


class Press:
    """Prints pages one after the other, with what they share kept."""

    def __init__(self) -> None:
        self.fonts = FontConfiguration()
        self.pictures: dict[str, object] = {}
        _keep_from_letter_to_letter()

    def pdf(self, page: Page) -> bytes:
        """The page as PDF/A-3b. The same page gives the same bytes."""
        fetcher = OwnPictures(page.pictures)
        self._forget()
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
        if "<!" in page.html:
            raise Asked("a page holds no declaration")
        return bytes(
            Sheet(page, fetcher).write_pdf(
                stylesheets=styles,
                font_config=self.fonts,
                cache=self.pictures,
                pdf_variant="pdf/a-3b",
                attachments=[data],
            )
        )

    def _forget(self) -> None:
        """Keep the logos, by their content; codes are of one letter each."""
        kept = {name: found for name, found in self.pictures.items() if name.startswith("letter:logo")}
        self.pictures.clear()
        if len(kept) <= _KEPT_PICTURES:
            self.pictures.update(kept)


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
    gc.freeze()
    gc.disable()  # rubbish is collected between letters, not while one is made: a sixth of the time
    printed = 0
    while True:
        try:
            page = connection.recv()
        except EOFError:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + 1 + cpu
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        connection.send_bytes(_answer(press, page))
        printed += 1
        if printed % _COLLECTED_AFTER == 0:
            gc.collect()


def _answer(press: Press, page: Page) -> bytes:
    """The PDF, or words."""
    try:
        return DONE + press.pdf(page)
    except ET.ParseError as error:
        return REFUSED + f"the page is not well formed: {error}".encode()
    except Asked as error:
        return REFUSED + str(error).encode()
    except MemoryError:
        return SPENT + b"it needs more memory than a letter may"
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
