"""HTML of mails made safe to show (M25, M26, S5): the first of three walls.

What passes holds no script, form, frame or style sheet, and loads nothing by itself. The page that shows it
adds the other two: a sandboxed frame without scripts or cookies, and a content security policy.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from urllib.parse import unquote

import nh3
import re2

from matching.html_text import html_to_text

MAX_CHARS = 1_000_000
MAX_TAGS = 20_000
"""Larger HTML, or more tags, is shown as text: building the tree of hostile nesting would take seconds (S10)."""
MAX_BLOCKED = 100
MAX_DEPTH = 400

_TAGS = frozenset(
    (
        *("a", "abbr", "address", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center", "cite", "code"),
        *("col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp"),
        *("small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
        *("tt", "u", "ul", "var", "wbr"),
    )
)
_REMOVED_WHOLE = frozenset(
    (
        *("script", "style", "title", "template", "noscript", "iframe", "object", "embed", "svg", "math"),
        *("textarea", "select", "xmp", "noembed", "noframes", "plaintext", "audio", "video", "canvas"),
    )
)
_LAYOUT = frozenset(("align", "valign", "width", "height", "bgcolor", "dir", "lang", "title", "style"))
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(_LAYOUT),
    "a": {"href"},
    "img": {"src", "alt"},
    "table": {"border", "cellpadding", "cellspacing", "summary"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "li": {"value"},
    "font": {"color", "face", "size"},
}
_PROPERTIES = frozenset(
    (
        *("background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left"),
        *("border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width", "color"),
        *("direction", "font", "font-family", "font-size", "font-style", "font-variant", "font-weight", "height"),
        *("letter-spacing", "line-height", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right"),
        *("margin-top", "max-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top"),
        *("text-align", "text-decoration", "text-indent", "text-transform", "vertical-align", "white-space", "width"),
        *("word-break", "word-spacing", "display"),
    )
)
"""Properties that cannot load anything, cover the page or move out of the frame."""

_PLAIN_VALUE = re2.compile(r"^[\w\s#.,%+/'\"!()-]{1,200}$")
_LOADING = ("url", "expression", "image", "attr(", "var(", "env(")
_DATA_IMAGE = re2.compile(r"(?i)^data:image/(?:png|gif|jpe?g|webp|bmp);base64,[a-z0-9+/=\s]*$")
_LINK = re2.compile(r"(?i)^(?:https?://|mailto:|tel:)[^\s\x00-\x1f]*$")

ImageUrl = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class SafeHtml:
    """HTML fit for the frame. `blocked` lists images it wanted to load, `shown` the content ids shown in place.

    `as_text` says that the HTML was too much and is shown as its text.
    """

    html: str
    blocked: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()
    as_text: bool = False


def sanitise(html: str, *, inline_url: ImageUrl, remote_url: ImageUrl | None = None) -> SafeHtml:
    """Make HTML safe to show.

    `inline_url` gives the address of an attached image by its content id (None: not attached). Images from
    elsewhere are left out and listed; once a person asks for them, `remote_url` gives the address at which we
    fetch them for that person, so that the mail's sender learns nothing about who reads (M26).
    """
    if len(html) > MAX_CHARS or html.count("<") > MAX_TAGS or _depth(html) > MAX_DEPTH:
        return SafeHtml(f"<pre>{escape(html_to_text(html)[:MAX_CHARS])}</pre>", as_text=True)
    gate = _Gate(inline_url, remote_url)
    safe = nh3.clean(
        html,
        tags=set(_TAGS),
        clean_content_tags=set(_REMOVED_WHOLE),
        attributes=_ATTRIBUTES,
        attribute_filter=gate.filter,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        strip_comments=True,
    )
    return SafeHtml(safe, tuple(gate.blocked), frozenset(gate.shown))


_UNCOUNTED = frozenset(
    (
        *(
            "area",
            "base",
            "br",
            "col",
            "dd",
            "dt",
            "embed",
            "hr",
            "img",
            "input",
            "li",
            "link",
            "meta",
            "o:p",
            "option",
        ),
        *("p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "wbr", "body", "html", "head"),
    )
)
"""Elements that are empty or whose end may be left out."""


def _depth(html: str) -> int:
    """About how deep elements nest."""
    depth = deepest = 0
    for chunk in html.split("<")[1:]:
        name = chunk[:12].partition(">")[0].partition(" ")[0].lower()
        if name[:1] == "/":
            depth -= depth > 0 and name[1:] not in _UNCOUNTED
        elif name[:1].isalpha() and name not in _UNCOUNTED:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


@dataclass(slots=True)
class _Gate:
    """Decides on every attribute that may load something or hide something."""

    inline_url: ImageUrl
    remote_url: ImageUrl | None
    blocked: dict[str, None] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)

    def filter(self, tag: str, attribute: str, value: str) -> str | None:
        """The attribute's value as it may stand, None to drop it."""
        if attribute == "style":
            return _style(value)
        if attribute == "src":
            return self._image(value.strip())
        if attribute == "href":
            return value.strip() if _LINK.search(value.strip()) else None
        if attribute == "rel" and tag != "a":
            return None
        return value

    def _image(self, source: str) -> str | None:
        scheme = source.partition(":")[0].lower()
        if scheme == "cid":
            content_id = unquote(source[4:]).strip("<> ")
            url = self.inline_url(content_id)
            if url is not None:
                self.shown.add(content_id)
            return url
        if scheme == "data":
            return source if _DATA_IMAGE.search(source) else None
        if scheme in {"http", "https"} and len(self.blocked) < MAX_BLOCKED:
            self.blocked[source] = None
        return self.remote_url(source) if self.remote_url and scheme in {"http", "https"} else None


def _style(value: str) -> str | None:
    """The declarations that only change how text looks."""
    kept = [one for declaration in value.split(";")[:60] if (one := _declaration(declaration))]
    return ";".join(kept) or None


def _declaration(declaration: str) -> str:
    name, colon, value = declaration.partition(":")
    name, value = name.strip().lower(), value.strip()
    lowered = value.lower()
    plain = bool(colon) and name in _PROPERTIES and _PLAIN_VALUE.search(value) is not None
    return f"{name}:{value}" if plain and not any(word in lowered for word in _LOADING) else ""


FRAME_POLICY = (
    "default-src 'none'; img-src data: {images}; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
)


def framed(safe: SafeHtml, *, images: str = "'self'") -> str:
    """A whole document for `<iframe sandbox>`, with a policy of its own; `images` says where images may come from."""
    policy = escape(FRAME_POLICY.format(images=images), quote=True)
    return (
        f'<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="referrer" content="no-referrer"><base target="_blank"></head><body>{safe.html}</body></html>'
    )
