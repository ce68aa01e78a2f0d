"""What was read of a mail, as plain values for people and programs that look at one: `amiable mail parse`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from disputes.addresses import Address
from disputes.language import Table, detect_language
from disputes.machines import machine_rule
from disputes.parsing import DeliveryReport, ParsedAttachment, ParsedMessage
from disputes.reading import NO_FACTS, MailText
from disputes.safe_html import sanitise
from matching.quotes import BodyParts

_QUOTED = frozenset(("header", "quote"))
_NEVER = datetime.min.replace(tzinfo=UTC)
_CALENDAR = "text/calendar"


def summary_of(parsed: ParsedMessage, languages: Table) -> dict[str, Any]:
    """One JSON object.

    `text` is the whole body, `quoted` its blocks of history, `new_text` what is left of it: the sender's own words
    with the signature (given once more alone as `signature`). `machine` is null, auto_reply, bounce, list,
    read_receipt or calendar. `html` is safe to show, its remote images left out.
    """
    return {
        "message_id": parsed.message_id,
        "from_name": parsed.from_name,
        "from_address": parsed.from_email,
        "to": _addresses(parsed.to),
        "cc": _addresses(parsed.cc),
        "reply_to": parsed.reply_to.email if parsed.reply_to else None,
        "subject": parsed.subject,
        "date": parsed.sent_at.isoformat() if parsed.sent_at else None,
        "in_reply_to": parsed.in_reply_to[0] if parsed.in_reply_to else None,
        "references": list(parsed.references),
        "text": parsed.text,
        "new_text": written(parsed.body),
        "signature": parsed.signature,
        "quoted": list(quoted_blocks(parsed.body)),
        "html": sanitise(parsed.html, inline_url=lambda cid: f"cid:{cid}").html if parsed.html is not None else None,
        "language": _language(parsed, languages),
        "attachments": [_attachment(one) for one in parsed.attachments],
        "machine": _machine(parsed),
        "bounce": _bounce(parsed.bounce) if parsed.bounce else None,
        "warnings": list(parsed.defects),
    }


def unread_summary(why: str) -> dict[str, Any]:
    """The same object for a mail that could not be read: nothing of it is known but the reason."""
    texts = dict.fromkeys(("from_name", "from_address", "subject", "text", "new_text", "signature"), "")
    lists: dict[str, Any] = {name: [] for name in ("to", "cc", "references", "quoted", "attachments")}
    unknown = dict.fromkeys(
        ("message_id", "reply_to", "date", "in_reply_to", "html", "language", "machine", "bounce"), None
    )
    return {**texts, **lists, **unknown, "warnings": [why]}


def written(body: BodyParts) -> str:
    """The body without its history: of a mail that quotes nothing, all of it."""
    return "".join(body.text[span.start : span.end] for span in body.spans if span.kind not in _QUOTED).strip()


def quoted_blocks(body: BodyParts) -> Iterator[str]:
    """Each stretch of history with the lines that head it."""
    block = ""
    for span in body.spans:
        if span.kind in _QUOTED:
            block += body.text[span.start : span.end]
        elif block.strip():
            yield block.strip("\n")
            block = ""
    if block.strip():
        yield block.strip("\n")


def _addresses(found: tuple[Address, ...]) -> list[str]:
    return [one.email for one in found]


def _attachment(one: ParsedAttachment) -> dict[str, Any]:
    return {"name": one.filename, "type": one.content_type, "size": one.size, "text_chars": len(one.text)}


def _language(parsed: ParsedMessage, languages: Table) -> str | None:
    """None where there are no words to tell it by."""
    mail = _mail_text(parsed)
    has_words = any(character.isalpha() for character in mail.new_text + mail.subject)
    return detect_language(mail, NO_FACTS, languages) if has_words else None


def _machine(parsed: ParsedMessage) -> str | None:
    """Structure and headers first, then the set phrases of mail programs (M16, M17)."""
    if parsed.is_bounce:
        return "bounce"
    if parsed.is_read_receipt:
        return "read_receipt"
    if parsed.is_auto_reply:
        return "auto_reply"
    if _has_invitation(parsed):
        return "calendar"
    said, _rule = machine_rule(_mail_text(parsed)) or (None, "")
    if said in {"bounce", "auto_reply"}:
        return said
    return "list" if parsed.is_list else None


def _has_invitation(parsed: ParsedMessage) -> bool:
    """Whether a calendar program wrote it: the event is a part of the mail, not a file somebody added (RFC 6047)."""
    types = [value.lower() for value in parsed.headers.get("content-type", ())]
    whole = any(value.startswith(_CALENDAR) or "method=" in value for value in types)
    return whole or any(one.content_type == _CALENDAR for one in parsed.attachments)


def _bounce(report: DeliveryReport) -> dict[str, Any]:
    """`permanent`: trying again will not help (RFC 3463: class 4 is a transient failure)."""
    failed = report.action in {"failed", "complaint"}
    return {
        "recipients": list(report.recipients),
        "original_message_id": report.original_id,
        "permanent": failed and not report.status.startswith("4"),
        "complaint": report.action == "complaint",
    }


def _mail_text(parsed: ParsedMessage) -> MailText:
    return MailText(
        subject=parsed.subject,
        new_text=parsed.new_text,
        sent_at=parsed.sent_at or _NEVER,
        quoted_text=parsed.quoted_text,
        signature=parsed.signature,
        attachment_names=tuple(one.filename for one in parsed.attachments),
        from_email=parsed.from_email,
        from_name=parsed.from_name,
        headers=parsed.headers,
        is_auto_reply=parsed.is_auto_reply,
        is_bounce=parsed.is_bounce,
    )
