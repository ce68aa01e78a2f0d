"""Raw mail as a ParsedMessage: pure, bounded, and calm about whatever arrives (mail.md, security.md S10, S14)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from types import MappingProxyType

import re2

from app.core.settings import Limits
from disputes.addresses import Address, parse_addresses
from disputes.attachments import Contents, ParsedAttachment, read_contents
from disputes.charsets import decode_header
from disputes.identity import ThreadIds, usable_id
from disputes.mime import Budget, Part, Unreadable, read_mail
from disputes.reports import DeliveryReport, Machine, recognise
from matching.quotes import BodyParts, ForwardedHeaders, split_body

__all__ = ["Address", "DeliveryReport", "ParsedAttachment", "ParsedMessage", "Unreadable", "parse"]

MAX_REFERENCES = 100
MAX_SUBJECT = 998
MAX_VALUES = 60
"""So many values of one header are kept."""
_YEARS = range(1980, 2100)

_ID = re2.compile(r"<[^<>\s]{1,996}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    """A mail, read. Strings hold nothing a database refuses; addresses are lower case; ids stand in angle brackets.

    `from_email` is empty unless From holds exactly one mailbox (S14). `references` stand as in the header, oldest
    first. `sent_at` keeps the sender's own offset, `date` is the same instant in UTC. `text` is the plain text, or
    what the HTML says; `html` the raw HTML, to be sanitised before anyone sees it. `reading_text` is what
    classification reads (M20). `return_path` is None when unknown and empty for the null path. `dmarc` is the
    verdict of the configured server, None without one (M15). `machine` is bounce, auto_reply, list, generated or
    None. `defects` are words for people.
    """

    message_id: str | None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    from_email: str = ""
    from_name: str = ""
    sender: Address | None = None
    reply_to: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    return_path: str | None = None
    subject: str = ""
    text: str = field(default="", repr=False)
    html: str | None = field(default=None, repr=False)
    body: BodyParts = field(repr=False)
    forwarded: ForwardedHeaders | None = None
    attachments: tuple[ParsedAttachment, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    wrote: Machine = field(default_factory=Machine)
    auto_submitted: str = ""
    dmarc: str | None = None
    defects: tuple[str, ...] = ()

    @property
    def date(self) -> datetime | None:
        """When the sender says it was sent, in UTC."""
        return self.sent_at.astimezone(UTC) if self.sent_at else None

    @property
    def thread_ids(self) -> ThreadIds:
        """The ids threading works with, newest first."""
        return ThreadIds(self.message_id, self.in_reply_to, self.references[::-1])

    @property
    def new_text(self) -> str:
        """What the sender wrote now."""
        return self.body.new_text

    @property
    def quoted_text(self) -> str:
        """Earlier mail below or between."""
        return self.body.quoted_text

    @property
    def signature(self) -> str:
        """Signature and small print."""
        return "\n".join(part for part in (self.body.signature, self.body.disclaimer) if part)

    @property
    def reading_text(self) -> str:
        """What classification reads (M20)."""
        return self.body.reading_text

    @property
    def machine(self) -> str | None:
        """The kind of program that wrote it."""
        return self.wrote.kind

    @property
    def bounce(self) -> DeliveryReport | None:
        """The delivery report's content, when it is one (M17)."""
        return self.wrote.report

    @property
    def is_bounce(self) -> bool:
        """Whether it is a delivery report."""
        return self.wrote.report is not None

    @property
    def is_auto_reply(self) -> bool:
        """Whether headers say that a program answered (M16)."""
        return self.wrote.auto_reply

    @property
    def is_read_receipt(self) -> bool:
        """Whether it tells that a mail was displayed or deleted."""
        return self.wrote.read_receipt

    @property
    def is_list(self) -> bool:
        """Whether it went to many at once."""
        return self.wrote.mass_mail

    @property
    def null_return(self) -> bool:
        """Whether its return path is empty: nothing automatic may answer it (M18)."""
        return self.return_path == ""


def parse(
    raw: bytes, *, limits: Limits, authentication_server: str | None = None, documents: bool = True
) -> ParsedMessage:
    """Read a mail. Raises Unreadable, with the reason, when it is none or breaks a bound of `limits`.

    `authentication_server` is the only server whose Authentication-Results count (M15). Without `documents` the
    text of attached files is left unread, for callers that only show the mail.
    """
    budget = Budget(limits)
    root = read_mail(raw, budget)
    _check_addresses(root, limits)
    contents = read_contents(root, budget, documents=documents)
    author = _author(root, budget)
    return_path = _return_path(root)
    body = split_body(contents.text, html=contents.html)
    return ParsedMessage(
        message_id=usable_id(root.header("message-id")),
        in_reply_to=_ids(root, "in-reply-to"),
        references=_ids(root, "references"),
        sent_at=_sent_at(root, budget),
        from_email=author.email,
        from_name=author.name,
        sender=_first(root, "sender"),
        reply_to=_first(root, "reply-to"),
        to=_addresses(root, "to"),
        cc=_addresses(root, "cc"),
        return_path=return_path,
        subject=root.header("subject")[:MAX_SUBJECT],
        text=contents.text,
        html=contents.html,
        body=body,
        forwarded=body.forwarded or _attached_mail(root),
        attachments=contents.attachments,
        headers=_headers(root),
        wrote=_machine(root, contents, author.email, return_path),
        auto_submitted=root.header("auto-submitted").lower()[:200],
        dmarc=_dmarc(root, authentication_server),
        defects=tuple(budget.defects),
    )


def _machine(root: Part, contents: Contents, from_email: str, return_path: str | None) -> Machine:
    null = return_path == "" or (return_path or "").startswith("mailer-daemon")
    return recognise(root, text=contents.text, from_email=from_email, null_return=null)


# --- Addresses -----------------------------------------------------------------------------------


def _raws(root: Part, name: str) -> list[bytes]:
    return [one.raw for one in root.fields if one.name == name]


def _addresses(root: Part, name: str, *, limit: int = 1_000) -> tuple[Address, ...]:
    return parse_addresses(b", ".join(_raws(root, name)), limit=limit)


def _first(root: Part, name: str) -> Address | None:
    return next(iter(_addresses(root, name)), None)


def _check_addresses(root: Part, limits: Limits) -> None:
    most = limits.mail_addresses
    count = sum(len(_addresses(root, name, limit=most + 1)) for name in ("to", "cc", "from", "reply-to"))
    if count > most:
        raise Unreadable(f"More than {most} addresses (limit mail_addresses)")


def _author(root: Part, budget: Budget) -> Address:
    """The one mailbox in From; the Sender's where From holds several and it is one of them; else nobody (S14)."""
    authors = _addresses(root, "from")
    if len(authors) == 1 and len(_raws(root, "from")) == 1:
        if "@" in authors[0].name and authors[0].email not in authors[0].name.lower():
            budget.defect("the sender's name holds another address")
        return authors[0]
    sender = _first(root, "sender")
    if sender in authors and len(_raws(root, "from")) == 1 and sender is not None:
        return sender
    budget.defect(f"From holds {len(authors)} mailboxes" if authors else "From holds no usable mailbox")
    return Address(root.header("from")[:300] if not authors else "", "")


def _return_path(root: Part) -> str | None:
    raws = _raws(root, "return-path")
    if not raws:
        return None
    found = parse_addresses(raws[0], limit=1)
    if found:
        return found[0].email
    return "" if raws[0].strip() == b"<>" else raws[0].decode("ascii", "replace").strip("<> ").lower()[:320]


# --- Other headers ---------------------------------------------------------------------------------


def _ids(root: Part, name: str) -> tuple[str, ...]:
    """The ids of a header, once each; empty and nil ones match nothing and are left out (M7).

    Of too many the first and the newest are kept, as RFC 5322 3.6.4 lets programs trim them.
    """
    value = root.header(name)
    written = [match.group() for match in _ID.finditer(value)] or [word for word in value.split() if "@" in word]
    ids = tuple(dict.fromkeys(one for word in written if (one := usable_id(word))))
    return ids if len(ids) <= MAX_REFERENCES else (ids[0], *ids[-MAX_REFERENCES + 1 :])


def _sent_at(root: Part, budget: Budget) -> datetime | None:
    value = root.header("date")
    found = _dated(value)
    if found is None:
        budget.defect("Date cannot be read" if value else "no Date")
    return found


def _dated(value: str) -> datetime | None:
    """A date in the sender's own offset; `-0000` and none mean UTC (RFC 5322 3.3)."""
    try:
        read = parsedate_tz(value[:100])
        if read is None or read[0] not in _YEARS:
            return None
        zone = timezone(timedelta(seconds=read[9] or 0))
        return datetime(*read[:5], min(read[5], 59), tzinfo=zone)
    except (ValueError, TypeError, IndexError, OverflowError):  # parsedate_tz stumbles over odd dates
        return None


def _headers(root: Part) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one in root.fields:
        values = found.setdefault(one.name, [])
        if len(values) < MAX_VALUES:
            values.append(decode_header(one.raw))
    return MappingProxyType({name: tuple(values) for name, values in found.items()})


_VERDICT = re2.compile(r"(?i)(?:^|[;\s])dmarc\s*=\s*([a-z]+)")


def _dmarc(root: Part, server: str | None) -> str | None:
    """The topmost verdict of the configured server; headers of others prove nothing (M15)."""
    for raw in _raws(root, "authentication-results") if server else ():
        value = _without_comments(decode_header(raw))
        name, _, results = value.partition(";")
        if name.split() and name.split()[0].lower() == (server or "").lower():
            found = _VERDICT.search(results)
            return str(found.group(1)).lower() if found is not None else None
    return None


def _without_comments(value: str) -> str:
    depth = 0
    kept: list[str] = []
    for character in value:
        depth = max(0, depth + (character == "(") - (character == ")"))
        if not depth and character != ")":
            kept.append(character)
    return "".join(kept)


def _attached_mail(root: Part) -> ForwardedHeaders | None:
    """The headers of a mail forwarded as a file (M13)."""
    for part in root.walk():
        if part.content_type == "message/rfc822" and part.children:
            inner = part.children[0]
            author = _first(inner, "from") or Address("", "")
            return ForwardedHeaders(
                author.name,
                author.email,
                inner.header("to")[:300],
                inner.header("date")[:100],
                inner.header("subject")[:MAX_SUBJECT],
                is_forward=True,
            )
    return None
