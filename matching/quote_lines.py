"""What each line of a mail body is, one letter a line.

e empty, t text, q quoted, Q quoted and saying who is quoted, b attribution ("On ... wrote:"), h header
block, o "Original message", f "Forwarded message", r rule, d signature dashes, s mobile signature.
"""

from matching import quote_markers as markers

WRAP_LENGTH = 50
"""Quoted lines this long may have lost their quote mark where the client wrapped them."""

BLANKS = 20
"""So many blank lines at most stand between the parts of one marker."""

HEADERS = 30
"""Lines a header block has at most."""

TRIES = 500
"""Lines of one body that are looked at closely for a marker in vain; people's mails have a few dozen such lines."""


def line_kinds(lines: list[str]) -> list[str]:
    """The kinds of lines given by `quote_markers.squeezed`, in time linear in their number.

    Below a header block or announced mail that has text above it all is history, whatever it looks
    like, so that reading stops there and the rest counts as quoted.
    """
    reader = _Reader(lines)
    kinds: list[str] = []
    written = False
    while len(kinds) < len(lines):
        at = len(kinds)
        kind, until = reader.kind_at(at, previous=kinds[-1] if kinds else "e")
        kinds.extend(kind * (until - at))
        written = written or kind == "t"
        if written and kind in "hof":
            kinds.extend("q" * (len(lines) - until))
    for at, kind in enumerate(kinds):
        if kind == "t" and _is_wrapped_quote(lines, kinds, at):
            kinds[at] = "q"
    return kinds


class _Reader:
    """Recognises one line, or the lines one marker is spread over, at a time."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.tries = TRIES

    def kind_at(self, at: int, *, previous: str) -> tuple[str, int]:
        """The kind of the line and the number of the first line behind what it belongs to."""
        line = self.lines[at]
        if not line:
            return "e", at + 1
        if markers.is_quote(line):
            return self._quoted_kind(line, previous), at + 1
        return self._drawn(line, at) or self._heading(line, at) or ("t", at + 1)

    def _drawn(self, line: str, at: int) -> tuple[str, int] | None:
        if markers.is_signature_dashes(line):
            return "d", at + 1
        if markers.is_rule(line):
            return self._ruled_kind(at)
        return ("s", at + 1) if markers.is_mobile_signature(line) else None

    def _heading(self, line: str, at: int) -> tuple[str, int] | None:
        if (announced := markers.separator(line)) is not None:
            return ("f" if announced == "forward" else "o"), self._header_block(at + 1, least=1) or at + 1
        if self.tries > 0 and markers.is_framed(line) and (until := self._header_block(at + 1, least=2)):
            return "o", until
        if self.tries > 0 and markers.header_role(line) and (until := self._header_block(at, least=3)):
            return "h", until
        if self.tries > 0 and markers.may_open_attribution(line) and (until := self._attribution(at)):
            return "b", until
        return None

    def _quoted_kind(self, line: str, previous: str) -> str:
        if previous in "qQ" or self.tries <= 0:
            return "q"
        self.tries -= 1
        inner = markers.unquoted(line)
        opens = inner and (markers.separator(inner) or markers.is_attribution(inner, before_quote=True))
        return "Q" if opens else "q"

    def _ruled_kind(self, at: int) -> tuple[str, int]:
        """A rule right above header lines belongs to them, and lowers what they need to be believed."""
        following = self._skip_blank(at + 1)
        if following < len(self.lines) and markers.header_role(self.lines[following]):
            until = self._header_block(following, least=2)
            if until:
                return "h", until
        return "r", at + 1

    def _skip_blank(self, at: int) -> int:
        last = min(len(self.lines), at + BLANKS)
        while at < last and not self.lines[at]:
            at += 1
        return at

    def _header_block(self, at: int, *, least: int) -> int | None:
        """Where a block of header lines ends that starts at `at`, or None when it is no such block.

        `least` different parts must be there, one of them the sender. A header may be wrapped over one
        more line, and one blank line may stand between headers (Outlook's plain text doubles its lines).
        """
        self.tries -= 1
        roles: set[str] = set()
        start, end, at = at, at, self._skip_blank(at)
        last = min(len(self.lines), at + HEADERS)
        while at < last:
            role = markers.header_role(self.lines[at])
            if role is None:
                break
            roles.add(role)
            end = at + 1
            at = self._next_header(at + 1)
        enough = "from" in roles and len(roles - {"other", "reply"}) >= least
        return end if enough and self._is_of_mail(start, end, roles) else None

    def _is_of_mail(self, start: int, end: int, roles: set[str]) -> bool:
        """Whether From, To and Subject head a mail: a transport also goes from, to and about something."""
        set_off = start == 0 or not self.lines[start - 1] or self.lines[start - 1][0] in "-_=*"
        return "date" in roles or set_off or any("@" in line for line in self.lines[start:end])

    def _next_header(self, at: int) -> int:
        """The place of the next header line after one that ended before `at`, or of what is none."""
        for ahead in range(3):
            here = at + ahead
            if here < len(self.lines) and self.lines[here] and markers.header_role(self.lines[here]):
                return here
            if here < len(self.lines) and not self.lines[here] and ahead:
                break
        return at

    def _attribution(self, at: int) -> int | None:
        """Where an attribution ends that starts at `at` and may be wrapped over up to six lines."""
        joined = self.lines[at]
        end = at + 1
        for _ in range(6):
            if self._is_attribution(joined, end):
                return end
            following = self._goes_on(joined, end)
            if following is None:
                return None
            joined = f"{joined} {self.lines[following]}"
            end = following + 1
        return None

    def _is_attribution(self, joined: str, end: int) -> bool:
        self.tries -= 1
        follows = self._skip_blank(end)
        before_quote = follows < len(self.lines) and self._opens_quote(self.lines[follows])
        return markers.is_attribution(joined, before_quote=before_quote)

    @staticmethod
    def _opens_quote(line: str) -> bool:
        return bool(line) and markers.is_quote(line) and not _closes(line)

    def _goes_on(self, joined: str, end: int) -> int | None:
        """The line a yet incomplete attribution goes on in."""
        if len(joined) > markers.LINE_LIMIT or not markers.may_go_on(joined):
            return None
        following = self._skip_blank(end)
        if following == len(self.lines) or following > end + 1:
            return None
        line = self.lines[following]
        if following > end and line[0] != "<":
            return None
        if markers.is_quote(line):
            return following if _closes(line) else None
        begins_anew = markers.starts_attribution(line) and markers.is_attribution(line, before_quote=True)
        return None if begins_anew else following


def _closes(line: str) -> bool:
    """The end of a wrapped address and its attribution: `> wrote:`, which only looks like a quote."""
    return line[0] == ">" and len(line) < markers.SHORT_LINE and line[-1] in ":：" and line.count(">") == 1


def _is_wrapped_quote(lines: list[str], kinds: list[str], at: int) -> bool:
    """Whether an unmarked line is the end of the long quoted line above it, wrapped on the way."""
    if at == 0 or kinds[at - 1] not in "qQ" or not lines[at][0].islower():
        return False
    above = lines[at - 1]
    alone = at + 1 == len(lines) or kinds[at + 1] != "t"
    return alone and len(above) >= WRAP_LENGTH and above[-1] not in "?:"
