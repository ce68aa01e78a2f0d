"""Mailboxes in header fields, read before anything is decoded (S14), in one pass over bounded text.

What stands in angle brackets is the address, whatever the name before it pretends: `legit@x <evil@y>`
is evil, and so is an encoded word that decodes to an address.
"""

from dataclasses import dataclass, field

import re2

from disputes.charsets import decode_header

_ADDRESS = re2.compile(r"^(?:[^\s<>()\[\],;:\\\"@]+|\"[^\"\\]+\")@[^\s<>()\[\],;:\\\"@]+$")
_LONGEST = 320
"""RFC 5321: 64 octets, an @ and 255 octets."""


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: the decoded name, may be empty, and the address in lower case."""

    name: str
    email: str


def parse_addresses(value: bytes, *, limit: int) -> tuple[Address, ...]:
    """The mailboxes of an address header (From, To, ...), at most `limit`; group names and comments left out.

    Text without a usable address is left out: it names nobody we could answer.
    """
    reader = _Reader(limit)
    reader.read(value.decode("utf-8", "surrogateescape"))
    return tuple(reader.found)


@dataclass(slots=True)
class _Reader:
    """A scanner over the characters of the header: inside quotes and comments nothing parts mailboxes."""

    limit: int
    found: list[Address] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    angle: list[str] | None = None
    quoted: bool = False
    comment: int = 0
    in_angle: bool = False

    def read(self, text: str) -> None:
        escaped = False
        for character in text:
            if escaped:
                self._keep(character)
                escaped = False
            elif character == "\\":
                escaped = True
            elif self.quoted:
                self._in_quotes(character)
            elif self.comment:
                self.comment += (character == "(") - (character == ")")
            elif not self._structure(character):
                self._keep(character)
            if len(self.found) >= self.limit:
                return
        self._end()

    def _in_quotes(self, character: str) -> None:
        if character == '"':
            self.quoted = False
            if self.in_angle:
                self._keep('"')
        else:
            self._keep(character)

    def _structure(self, character: str) -> bool:
        if character == '"':
            self.quoted = True
            if self.in_angle:
                self._keep('"')
        elif character == "(":
            self.comment = 1
        elif character == "<" and not self.in_angle:
            if self.angle is not None:
                self._end()
            self.angle, self.in_angle = [], True
        elif character == ">":
            self.in_angle = False
        elif character in ",;" and not self.in_angle:
            self._end()
        elif character == ":" and not self.in_angle and self.angle is None:
            self.words.clear()  # the name of a group
        else:
            return False
        return True

    def _keep(self, character: str) -> None:
        if self.comment:
            return
        if self.in_angle and self.angle is not None:
            self.angle.append(character)
        elif self.angle is None:
            self.words.append(character)

    def _end(self) -> None:
        words = "".join(self.words).strip()
        email = "".join(self.angle) if self.angle is not None else words
        name = words if self.angle is not None else ""
        if address := usable_address(email):
            self.found.append(Address(_name(name), address))
        self.words, self.angle, self.in_angle = [], None, False


def _name(words: str) -> str:
    return decode_header(words.encode("utf-8", "surrogateescape"))[:300]


def usable_address(text: str) -> str:
    """The address in lower case, or empty when the text is none (no @, white space, control characters, too long)."""
    route, _, last = text.strip().rpartition(":")  # an obsolete source route: <@relay:user@host>
    email = (last if route.startswith("@") else text).strip()
    usable = len(email) <= _LONGEST and email.isprintable() and _ADDRESS.search(email) is not None
    return email.lower() if usable else ""
