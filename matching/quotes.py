"""Telling what is newly written in a mail from quoted history, signature and small print.

Rules read whole lines, first for what a line can be (`matching.quote_markers`), then for what the
lines mean together: a header block ends the new text, quote marks may hold answers between them, a
reply may stand below what it answers. Nothing is deleted, every character has a span (M20), and the
work is linear in the length of the text (M21).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from matching import quote_markers as markers
from matching.html_text import written_part
from matching.quote_lines import line_kinds

SpanKind = Literal["new", "header", "quote", "signature", "disclaimer"]

MAX_CHARS = 4_000_000
MAX_LINES = 50_000
"""Beyond these a body is not split but taken as a whole; both are far above what people write."""

FEW_LINES = 7
"""So many lines below a quote are an answer even when there is one above; fewer are a signature."""

SMALL_TAIL = 12
"""A ruled-off end of at most so many lines is a signature."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of the text and what they are."""

    kind: SpanKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ForwardedHeaders:
    """Who wrote the mail inside a forward, as its header block claims: shown, never trusted (M13).

    `date` is the text as it stands there, in whatever language and form.
    """

    from_name: str
    from_email: str
    to: str
    date: str
    subject: str
    is_forward: bool


@dataclass(frozen=True, slots=True)
class BodyParts:
    """A body taken apart. `text` is the body with plain line ends; spans index it and cover it without gaps."""

    text: str
    new_text: str
    quoted_text: str
    signature: str
    disclaimer: str
    spans: tuple[Span, ...]
    forwarded: ForwardedHeaders | None

    @property
    def reading_text(self) -> str:
        """What classification reads: the new text, or all when that is empty or under a fifth of the text (M20)."""
        return self.new_text if len(self.new_text) * 5 >= len(self.text.strip()) else self.text

    @property
    def own_words(self) -> str:
        """The new text without the quoted lines that stand between its answers."""
        kept = [line for line in self.new_text.split("\n") if not line.startswith(">")]
        return "\n".join(kept).strip()


def split_body(text: str, *, html: str | None = None) -> BodyParts:
    """Take the plain text of a mail apart.

    `html` is the same body as HTML where the mail has it: marks which clients leave there
    (`gmail_quote`, `divRplyFwdMsg`, `blockquote type=cite`) count before the rules on text.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    raw = text.split("\n")
    if len(text) > MAX_CHARS or len(raw) > MAX_LINES:
        whole = Span("new", 0, len(text))
        return BodyParts(text, text.strip(), "", "", "", (whole,), None)
    lines = [markers.squeezed(line) for line in raw]
    kinds = line_kinds(lines)
    verdicts = _Judge(lines, kinds).verdicts()
    _believe_html(raw, verdicts, html)
    spans = tuple(_spans(raw, verdicts))
    forwarded = _forwarded(lines, kinds)
    new, quote = _joined(text, spans, "new"), _joined(text, spans, "header", "quote")
    return BodyParts(
        text, new, quote, _joined(text, spans, "signature"), _joined(text, spans, "disclaimer"), spans, forwarded
    )


# --- What the lines mean together --------------------------------------------------------------


class _Judge:
    """Gives each line its verdict: n new, x header of a quote, q quote, g signature, z disclaimer."""

    def __init__(self, lines: list[str], kinds: list[str]) -> None:
        self.lines = lines
        self.kinds = "".join(kinds)
        self.given = ["n"] * len(lines)

    def verdicts(self) -> list[str]:
        """Read from marker to marker; a marker with nothing written above it only heads what follows."""
        start = 0
        while True:
            marker = self._find("bhof", start)
            if marker is None:
                self._judge_plain(start)
                break
            after = self._run_end(marker)
            if self._has_text(start, marker):
                self._judge_below_text(start, marker, after)
                break
            self._give("x", start, after)
            if self._next_kind(after) in "qQ" and self.kinds[marker] == "b":
                self._judge_answers(after, marker)
                break
            start = after
        return self.given

    def _find(self, wanted: str, start: int) -> int | None:
        places = [at for at in (self.kinds.find(kind, start) for kind in wanted) if at >= 0]
        return min(places, default=None)

    def _run_end(self, at: int) -> int:
        kind = self.kinds[at]
        while at < len(self.kinds) and self.kinds[at] == kind:
            at += 1
        return at

    def _next_kind(self, at: int) -> str:
        return self.kinds[at:].lstrip("e")[:1] or "e"

    def _has_text(self, start: int, end: int) -> bool:
        return self.kinds.find("t", start, end) >= 0

    def _give(self, verdict: str, start: int, end: int) -> None:
        self.given[start:end] = verdict * (end - start)

    def _judge_plain(self, start: int) -> None:
        """No marker ahead: quotes at the end go when something is written above them."""
        end = len(self.kinds)
        if not self._has_text(start, end):
            if self.kinds.find("Q", start) >= 0:
                self._give("q", start, end)
            return
        self._trim(start, end)

    def _trim(self, start: int, end: int) -> None:
        """Take signature, then quotes, then small print off the end of written lines."""
        cut = self._signature_start(start, end)
        self._give("g", cut, end)
        last = self.kinds.rfind("t", start, cut) + 1
        ending = self.kinds.find("q", last, cut), self.kinds.find("Q", last, cut)
        quote = min((at for at in ending if at >= 0), default=cut)
        self._give("q", quote, cut)
        self._judge_signature(start, quote)

    def _judge_below_text(self, start: int, marker: int, after: int) -> None:
        """Something is written, then another mail is quoted: history, unless answers stand between its lines."""
        self._judge_signature(start, marker)
        end = len(self.kinds)
        answered = self.kinds[marker] == "b" and self._next_kind(after) in "qQ" and self._answers_below(start, marker)
        if not answered:
            self._give("q", marker, end)
            return
        self._give("x", marker, after)
        self._trim(after, self._answers_end(after))

    def _answers_end(self, after: int) -> int:
        """Answers reach to the next mail quoted without marks; from there on all is history."""
        end = len(self.kinds)
        other = self._find("hof", after)
        if other is not None:
            self._give("q", other, end)
            return other
        return end

    def _answers_below(self, start: int, marker: int) -> bool:
        end = self._find("hofd", marker + 1)
        runs = "".join(self.kinds[marker:end]).replace("e", "").replace("Q", "q").replace("s", "").replace("r", "")
        runs = runs.lstrip("b")
        written = runs.rstrip("qb").count("t")
        if not written:
            return False
        alternations = runs.count("tq") + runs.count("tb")
        if alternations or written >= FEW_LINES:
            return True
        return markers.points_below("\n".join(self.lines[start:marker]))

    def _judge_answers(self, after: int, marker: int) -> None:
        """The mail begins with a quote: the reply stands below it, or answers between its lines."""
        end = self._answers_end(after)
        written = self.kinds.find("t", after, end)
        if written < 0:
            self._give("q", marker, end)
            return
        between = min((at for at in (self.kinds.find(k, written, end) for k in "qQ") if at >= 0), default=end)
        if not self._has_text(between, end):
            self._give("q", after, written)
        self._trim(written if not self._has_text(between, end) else after, end)

    # -- signature and small print

    def _judge_signature(self, start: int, end: int) -> None:
        cut = self._signature_start(start, end)
        self._give("g", cut, end)
        small = self._disclaimer_start(start, cut)
        self._give("z", small, cut)
        name = self._dash_name(start, small)
        self._give("g", name, small)

    def _signature_start(self, start: int, end: int) -> int:
        first = self.kinds.find("t", start, end)
        if first < 0:
            return end
        places = [at for at in (self.kinds.find("d", first, end), self._mobile(start, first, end)) if at >= 0]
        ruled = self._ruled_off(first, end)
        return min([*places, ruled])

    def _ruled_off(self, first: int, end: int) -> int:
        """The first rule that sets off a signature; it can stand only near the end."""
        near = end
        for _ in range(SMALL_TAIL + 1):
            near = max(self.kinds.rfind("t", first, near), first)
        rules = (at for at in range(near, end) if self.kinds[at] == "r")
        return next((at for at in rules if self._rules_off(at, end)), end)

    def _mobile(self, start: int, first: int, end: int) -> int:
        for at in range(start, first):
            if self.kinds[at] == "s":
                self.given[at] = "g"
        return self.kinds.find("s", first, end)

    def _rules_off(self, rule: int, end: int) -> bool:
        """Whether a rule sets off a signature, rather than ruling a table or parting two sections."""
        rest = self.kinds.count("t", rule, end)
        if not rest:
            return True
        above = self.kinds[rule - 1] if rule else "e"
        tabular = any("  " in self.lines[at] or "\t" in self.lines[at] for at in range(rule, min(end, rule + 40)))
        return above in "es" and rest <= SMALL_TAIL and not tabular

    def _disclaimer_start(self, start: int, end: int) -> int:
        first = self.kinds.find("t", start, end)
        for at in range(first + 1, end) if first >= 0 else ():
            if self.kinds[at] == "t" and markers.opens_disclaimer(self.lines[at]):
                return at
        return end

    def _dash_name(self, start: int, end: int) -> int:
        """`-Anna Weiss` below the text, on its own, is a signature."""
        last = self.kinds.rfind("t", start, end)
        if last <= start or self.kinds[last - 1] != "e" or not self._has_text(start, last):
            return end
        return last if markers.is_dash_name(self.lines[last]) else end


# --- HTML, spans, headers ------------------------------------------------------------------------


def _believe_html(raw: list[str], verdicts: list[str], html: str | None) -> None:
    """Turn into quote what the client itself marked as history, where the plain text says the same words.

    Only when the rules on text found no history: they know answers between the lines, marks in HTML do not.
    """
    if html is None or "q" in verdicts or "x" in verdicts:
        return
    written = written_part(html)
    if written is None:
        return
    line = _line_after(raw, "".join(written.split()))
    if line is not None:
        verdicts[line:] = ["q"] * (len(raw) - line)


def _line_after(raw: list[str], squashed: str) -> int | None:
    """The first line that is not covered by the given text without white space; None when they differ."""
    at = 0
    for number, line in enumerate(raw):
        if at >= len(squashed):
            return number if at else None
        words = "".join(line.split())
        if not squashed.startswith(words, at):
            return None
        at += len(words)
    return None


_KIND_OF: dict[str, SpanKind] = {"n": "new", "x": "header", "q": "quote", "g": "signature", "z": "disclaimer"}


def _spans(raw: list[str], verdicts: list[str]) -> Iterator[Span]:
    start = end = 0
    for at, line in enumerate(raw):
        end += len(line) + 1
        last = at + 1 == len(raw)
        if last or verdicts[at + 1] != verdicts[at]:
            yield Span(_KIND_OF[verdicts[at]], start, end - last)
            start = end


def _joined(text: str, spans: tuple[Span, ...], *kinds: SpanKind) -> str:
    """The text of the spans of these kinds; the indent of its first line, which may matter, stays."""
    found = "".join(text[span.start : span.end] for span in spans if span.kind in kinds)
    return found.strip(markers.INVISIBLE + "\n\r").rstrip()


def _forwarded(lines: list[str], kinds: list[str]) -> ForwardedHeaders | None:
    """The headers of the first quoted mail that has a header block or is announced as a forward."""
    at = next((at for at, kind in enumerate(kinds) if kind in "hfoQ"), None)
    if at is None:
        return None
    is_forward = kinds[at] == "f" or markers.separator(markers.unquoted(lines[at]) or "-") == "forward"
    found = _header_values([markers.unquoted(line) for line in lines[at : at + 24]])
    if "from" not in found:
        return None
    name, email = _mailbox(found["from"])
    return ForwardedHeaders(
        name, email, found.get("to", ""), found.get("date", ""), found.get("subject", ""), is_forward
    )


def _header_values(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for at, line in enumerate(lines):
        role = markers.header_role(line) if line else None
        if role is None:
            if "from" in found and not line and "subject" in found:
                break
            continue
        following = lines[at + 1] if at + 1 < len(lines) else ""
        wrapped = following if role == "from" and following.startswith("<") else ""
        found.setdefault(role, f"{markers.header_value(line)} {wrapped}".strip())
    return found


_NO_BRACKETS = str.maketrans("<>[]", "    ")


def _mailbox(value: str) -> tuple[str, str]:
    """Name and address out of `Name <a@b>`, `Name [mailto:a@b]` or `a@b`, as header blocks write them."""
    words = (
        value.replace("<mailto:", " <").replace("[mailto:", " <").replace("]", ">").replace("<", " ").replace(">", " ")
    )
    email = next((word.strip("\"'(),;") for word in words.split() if "@" in word), "")
    name = value.partition("<")[0].partition("[")[0].strip(" \"'")
    return ("" if "@" in name else name), email.lower()
