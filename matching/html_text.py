"""HTML mail bodies as text, in one pass and linear time.

Not a browser: good enough to read, to match and to find the place where quoted history begins.
Quoted blocks become lines marked `>`, so that the rules for plain text (`matching.quotes`) hold for
HTML as well. A tree is not built, because hostile nesting makes tree builders slow or deep (S10).
"""

from html import unescape

MAX_HTML = 2_000_000
MAX_TAGS = 100_000
"""How much of an HTML body is read; newsletters stay far below."""

MAX_QUOTE_DEPTH = 20

_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer"),
        *("form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre"),
        *("section", "table", "tbody", "tfoot", "thead", "tr", "ul"),
    )
)
_SPACED = frozenset(("p", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"))
_SKIPPED = frozenset(
    (
        *("head", "script", "style", "template", "title", "noscript", "object", "iframe", "svg", "math"),
        *("select", "textarea"),
    )
)
_HIDEABLE = frozenset(("div", "span", "td", "p", "table", "tr"))
_LONGEST_NAME = 32

_CLIENT_MARKS = (
    *("gmail_quote", "gmail_attr", "moz-cite-prefix", "divrplyfwdmsg", "appendonsend", "yahoo_quoted"),
    *("protonmail_quote", "zmail_extra", "outlookmessageheader", "ms-outlook-mobile-reference-message"),
    *("mail-editor-reference-message", "tutanota_quote", 'name="quote"', "reply-intro", "replyheader"),
    *('type="cite"', "type=cite", "border-top:solid#e1e1e11.0pt", "border-top:solid#b5c4df1.0pt"),
)
"""What mail clients write into the element that holds or heads the quoted mail (attributes, lower case, no blanks)."""


def html_to_text(html: str) -> str:
    """The readable text of an HTML body: blocks on lines of their own, cells parted by tabs, quotes marked `>`."""
    return _Reader(stop_at_mark=False).read(html[:MAX_HTML])


def written_part(html: str) -> str | None:
    """The text above the place where the writer's mail client marked the quoted mail; None without such a mark."""
    reader = _Reader(stop_at_mark=True)
    text = reader.read(html[:MAX_HTML])
    return text if reader.stopped else None


class _Reader:
    """Turns tags and text into lines."""

    def __init__(self, *, stop_at_mark: bool) -> None:
        self.stop_at_mark = stop_at_mark
        self.stopped = False
        self.lines: list[str] = []
        self.current: list[str] = []
        self.quotes: list[bool] = []
        self.quote_depth = 0
        self.preformatted = 0
        self.skipping = ""
        self.skip_depth = 0

    def read(self, html: str) -> str:
        first, *chunks = html.split("<", MAX_TAGS)
        self._text(first)
        position = 0
        while position < min(len(chunks), MAX_TAGS - 1) and not self.stopped:
            position = self._chunk(chunks, position)
        self._end_line()
        return "\n".join(_without_runs_of_blank(self.lines)).strip("\n")

    def _chunk(self, chunks: list[str], at: int) -> int:
        """Handle what follows one `<`; gives the next chunk's number (comments may span many)."""
        chunk = chunks[at]
        if chunk.startswith("!--"):
            return self._comment(chunks, at)
        name = _tag_name(chunk)
        if not name:
            self._text("" if chunk[:1] in "!?/" else "<" + chunk)
            return at + 1
        attributes, text = _attributes_and_text(chunk, len(name))
        self._tag(name, attributes)
        self._text(text)
        return at + 1

    def _comment(self, chunks: list[str], at: int) -> int:
        for here in range(at, len(chunks)):
            _, closed, text = chunks[here].partition("-->")
            if closed:
                self._text(text)
                return here + 1
        return len(chunks)

    def _tag(self, name: str, attributes: str) -> None:
        closing, name = name.startswith("/"), name.lstrip("/")
        if self.skipping:
            self._skip(name, closing=closing)
        elif closing:
            self._close(name)
        else:
            self._open(name, attributes)

    def _skip(self, name: str, *, closing: bool) -> None:
        if name == self.skipping:
            self.skip_depth += -1 if closing else 1
        if not self.skip_depth or (name == "body" and not closing):
            self.skipping = ""

    def _open(self, name: str, attributes: str) -> None:
        squashed = "".join(attributes.lower().split()) if attributes else ""
        if squashed and self.stop_at_mark and any(mark in squashed for mark in _CLIENT_MARKS):
            self.stopped = True
        elif name in _SKIPPED or (name in _HIDEABLE and "display:none" in squashed):
            self.skipping, self.skip_depth = name, 1
        elif name == "br":
            self._end_line()
        elif name in {"td", "th"}:
            self._cell()
        elif name in _BLOCKS:
            self._open_block(name, squashed)

    def _open_block(self, name: str, squashed: str) -> None:
        self._break(blank=name in _SPACED and "msonormal" not in squashed)
        if name == "blockquote":
            self.quotes.append("border:none" not in squashed)
            self.quote_depth += self.quotes[-1]
        elif name == "pre":
            self.preformatted += 1
        elif name == "li":
            self.current.append("- ")
        elif name == "hr":
            self.lines.append(self._prefix() + "_" * 24)

    def _close(self, name: str) -> None:
        if name not in _BLOCKS:
            return
        self._break(blank=name in _SPACED and name != "p")
        if name == "blockquote" and self.quotes:
            self.quote_depth -= self.quotes.pop()
        elif name == "pre" and self.preformatted:
            self.preformatted -= 1

    def _cell(self) -> None:
        if self.current:
            self.current.append("\t")

    def _text(self, text: str) -> None:
        if self.skipping or self.stopped or not text:
            return
        if self.preformatted:
            first, *rest = text.split("\n")
            self.current.append(first)
            for line in rest:
                self._end_line()
                self.current.append(line)
            return
        words = text.split()
        lead = " " if text[0].isspace() and self.current else ""
        tail = " " if words and text[-1].isspace() else ""
        if words or lead:
            self.current.append(lead + " ".join(words) + tail)

    def _prefix(self) -> str:
        depth = min(self.quote_depth, MAX_QUOTE_DEPTH)
        return ">" * depth + " " if depth else ""

    def _end_line(self) -> None:
        line = unescape("".join(self.current)).replace("\xa0", " ")
        line = line if self.preformatted else _single_spaced(line)
        self.lines.append((self._prefix() + line).rstrip())
        self.current = []

    def _break(self, *, blank: bool) -> None:
        if "".join(self.current).strip():
            self._end_line()
        self.current = []
        if blank and self.lines and self.lines[-1]:
            self.lines.append(self._prefix().rstrip())


def _single_spaced(line: str) -> str:
    return "\t".join(" ".join(cell.split()) for cell in line.split("\t")).strip()


def _without_runs_of_blank(lines: list[str]) -> list[str]:
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return kept


def _tag_name(chunk: str) -> str:
    """`div` or `/div`, lower case; empty when no tag begins here."""
    begins = 1 if chunk[:1] == "/" else 0
    if not chunk[begins : begins + 1].isalpha():
        return ""
    end = begins
    while end < len(chunk) and end < _LONGEST_NAME and (chunk[end].isalnum() or chunk[end] in ":-"):
        end += 1
    return chunk[:end].lower()


def _attributes_and_text(chunk: str, start: int) -> tuple[str, str]:
    """A tag's attributes and the text after it; a `>` inside a quoted value does not end the tag."""
    end = chunk.find(">", start)
    for _ in range(8):
        if end < 0 or chunk.count('"', start, end) % 2 == 0:
            break
        end = chunk.find(">", end + 1)
    return (chunk[start:end], chunk[end + 1 :]) if end >= 0 else (chunk[start:], "")
