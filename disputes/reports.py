"""Mail that programs write: delivery reports, read receipts, automatic replies, lists (mail.md M16-M18).

Sources: RFC 3464 (delivery reports), RFC 8098 (read receipts), RFC 5965 (abuse reports), RFC 3834
(automatic replies), RFC 2919 (lists), and the wordings of mail systems that follow none of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import re2

from disputes.addresses import usable_address
from disputes.identity import usable_id
from disputes.mime import Part

READ_CHARS = 200_000
"""Characters of a report that are looked at."""
MAX_RECIPIENTS = 100

_STATUS_TYPES = frozenset(("message/delivery-status", "message/global-delivery-status"))
_RECEIPT_TYPES = frozenset(("message/disposition-notification", "message/global-disposition-notification"))
_ORIGINAL_TYPES = frozenset(
    ("message/rfc822", "message/global", "text/rfc822-headers", "text/rfc822-header", "message/rfc822-headers")
)

_SENDER = re2.compile(
    r"(?i)mailer-?daemon|^post_?master@|mail-?daemon|mdaemon|microsoftexchange|mail delivery (?:sub)?system|"
    r"mail administrator|post_?master|posta-certificata|delivery (?:status )?notif|^bounces?@|mail system"
)
_SUBJECT = re2.compile(
    r"(?i)undeliver|returned (?:mail|message|to sender)|mail delivery|"
    r"delivery (?:status|failure|failed|error|report)|failure (?:notice|delivery)|"
    r"(?:mail|message) (?:could not be|not|was not|cannot be) deliver|delivery notification|delivery problem|"
    r"mail (?:system )?error|non[- ]?remis|non distribu|échec de (?:la )?(?:remise|distribution|livraison)|"
    r"unzustellbar|nicht zustellbar|zustellung(?:sfehler| fehlgeschlagen)|"
    r"no (?:se )?(?:ha )?(?:pudo|puede|podido) entregar|no entregad|mancat[ao] (?:consegna|recapito)|"
    r"impossibile (?:recapitare|consegnare)|onbestelbaar|niet bezorgd|bezorging mislukt|rejected|bounced|dsn:|"
    r"not read|error sending|could not send message|message status|mail failed|complaint about message from|"
    r"notification d.?état|problem delivering|delivery has failed|delayed mail|warning: "
)
_BODY = re2.compile(
    r"(?i)could not be delivered|couldn.t be delivered|was not delivered|not deliver(?:ed|able)|undeliver|"
    r"(?:unable|wasn.t able|failed|impossible|not able|not possible) to deliver|cannot be delivered|"
    r"delivery (?:has )?failed|delivery to the following|failed permanently|"
    r"permanent(?:ly)? (?:fatal )?(?:error|fail)|returned (?:message|to you|to sender)|transcript of session|"
    r"unsent message|user unknown|unknown user|mailbox (?:unavailable|full|not found|is full)|"
    r"address(?:\(es\))? failed|addresses? (?:had|rejected)|recipient (?:address )?(?:rejected|unknown)|"
    r"no such user|does not exist|delivery (?:attempt|error|problem|failure|status)|"
    r"copy of (?:the|your) message|original message follows|smtp error|"
    r"\b5\d\d[ -]5\.\d\.\d|\bsaid: 5\d\d|n.a pas (?:pu|été) (?:être )?(?:remis|distribu)|"
    r"konnte nicht zugestellt|nicht zugestellt|no se (?:ha )?(?:pudo|podido) entregar|"
    r"non (?:è stato|può essere) (?:possibile )?(?:consegn|recapit)|kon niet worden (?:bezorgd|afgeleverd)|"
    r"has been (?:delayed|rejected)|was rejected|error message below|invalid (?:user|recipient)|"
    r"no valid recipients|failed addresses"
)
_FINAL = re2.compile(
    r"(?im)^[ \t]*(?:final|original|x-actual)-recipient:[ \t]*(?:[a-z0-9-]+;)?[ \t]*<?([^<>\s;]+@[^<>\s;]+)"
)
_ACTION = re2.compile(r"(?im)^[ \t]*action:[ \t]*([a-z]+)")
_STATUS = re2.compile(r"(?im)^[ \t]*status:[ \t]*([245]\.\d{1,3}\.\d{1,3})")
_STATUS_IN_TEXT = re2.compile(r"\b([45]\.\d{1,3}\.\d{1,3})\b")
_REPLY_CODE = re2.compile(r"(?m)(?:^|[\s:>])([45])\d\d[ -]")
_ADDRESS_IN_TEXT = re2.compile(r"<([^<>\s@]{1,64}@[^<>\s@]{1,255})>")
_BARE_ADDRESS = re2.compile(r"([A-Za-z0-9._%+=&'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")
_ID_IN_TEXT = re2.compile(
    r"(?im)^[>| \t]*(?:x-)?(?:original-)?message-id:[ \t]*(?:\n[ \t]+)?(<[^<>\s]{3,998}>|[^<>\s]+@[^<>\s]+)"
)
_SES_NOTICE = re2.compile(r"^\s*\{\s*\"notificationType\"\s*:\s*\"(?:Bounce|Complaint)\"")
_CUT = re2.compile(
    r"(?im)^.{0,12}(?:copy of (?:the|your) message|unsent message follows|original message (?:follows|headers)"
    r"|message headers follow|returned message|message header|below this line|undelivered message|message text follows"
    r"|[- ]+original message|received: from|return-path:)"
)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a bounce says: whose mail did not arrive, which mail it was, and why.

    `action` is failed, delayed, delivered, relayed, expanded or complaint (an abuse report); `status` an
    enhanced status code (RFC 3463) or empty; `original_id` the Message-ID of the mail it is about.
    """

    recipients: tuple[str, ...]
    original_id: str | None
    action: str
    status: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What kind of program wrote a mail. All false: a person may have."""

    report: DeliveryReport | None = None
    read_receipt: bool = False
    auto_reply: bool = False
    generated: bool = False
    mass_mail: bool = False

    @property
    def kind(self) -> str | None:
        """bounce, auto_reply (read receipts too), list, generated, or None."""
        if self.report is not None:
            return "bounce"
        if self.auto_reply or self.read_receipt:
            return "auto_reply"
        return "list" if self.mass_mail else "generated" if self.generated else None


def recognise(root: Part, *, text: str, from_email: str, null_return: bool) -> Machine:
    """Which kind of program wrote the mail, from structure and headers first, then from fixed wordings."""
    text = text[:READ_CHARS]
    receipt = _has(root, _RECEIPT_TYPES) or _report_type(root) == "disposition-notification"
    automatic = _is_auto_reply(root) or (null_return and "all" in root.header("x-auto-response-suppress").lower())
    is_bounce = not receipt and _is_bounce(root, text, from_email, null_return=null_return, automatic=automatic)
    return Machine(
        report=_report(root, text) if is_bounce else None,
        read_receipt=receipt,
        auto_reply=automatic and not is_bounce,
        generated=_token(root, "auto-submitted") not in {"", "no"},
        mass_mail=_is_mass_mail(root),
    )


def _token(root: Part, name: str) -> str:
    """A header's first word, lower case, without comment or parameters."""
    return root.header(name).lower().partition(";")[0].partition("(")[0].strip()


def _has(root: Part, types: frozenset[str]) -> bool:
    return any(part.content_type in types for part in root.walk())


def _report_type(root: Part) -> str:
    return root.parameters.get("report-type", "").lower() if root.content_type == "multipart/report" else ""


def _is_auto_reply(root: Part) -> bool:
    if _token(root, "auto-submitted").startswith("auto-replied"):
        return True
    if any(root.raw(name) for name in ("x-autoreply", "x-autorespond", "x-auto-reply-from", "x-autoresponder")):
        return True
    precedence, action = _token(root, "precedence"), _token(root, "x-apple-action")
    return (
        precedence == "auto_reply" or action == "vacation" or "autoreply" in root.header("x-post-messageclass").lower()
    )


def _is_mass_mail(root: Part) -> bool:
    listed = any(root.raw(name) for name in ("list-id", "list-post", "list-unsubscribe", "mailing-list"))
    return listed or _token(root, "precedence") in {"list", "bulk", "junk"}


def _is_bounce(root: Part, text: str, from_email: str, *, null_return: bool, automatic: bool) -> bool:
    if _has(root, _STATUS_TYPES) or _report_type(root) == "delivery-status" or root.raw("x-failed-recipients"):
        return True
    if _is_complaint(root, text):
        return True
    named = not from_email or _SENDER.search(f"{from_email} {root.header('from')[:300]}") is not None
    subject = _SUBJECT.search(root.header("subject")[:300]) is not None
    body = _BODY.search(text) is not None
    if automatic:
        return subject and body and (named or null_return)
    nobody = from_email.startswith(("no-reply@", "noreply@"))
    return (named and (subject or body)) or (null_return and (subject or (nobody and body)))


def _is_complaint(root: Part, text: str) -> bool:
    """Abuse reports, and the JSON by which Amazon SES tells of bounces and complaints."""
    return _complains(root) or _SES_NOTICE.search(text) is not None


def _complains(root: Part) -> bool:
    """An abuse report: the structure of RFC 5965, or the older wording around the mail complained of."""
    if _has(root, frozenset(("message/feedback-report",))) or _report_type(root) == "feedback-report":
        return True
    worded = root.header("subject")[:60].lower().startswith("complaint about message from")
    return worded and _has(root, _ORIGINAL_TYPES)


def _report(root: Part, text: str) -> DeliveryReport:
    fields = "\n".join(_status_fields(root))[:READ_CHARS]
    actions = [match.group(1).lower() for match in _ACTION.finditer(fields)]
    action = "complaint" if _complains(root) else "failed" if "failed" in actions else (actions or ["failed"])[0]
    return DeliveryReport(_recipients(root, fields, text), _original_id(root, text), action, _status(fields, text))


def _status_fields(root: Part) -> Iterator[str]:
    for part in root.walk():
        if part.content_type in _STATUS_TYPES or part.content_type == "message/feedback-report":
            yield part.text


def _recipients(root: Part, fields: str, text: str) -> tuple[str, ...]:
    """The addresses that failed: from the report's fields, its header, or the words before the copy of the mail."""
    found = [match.group(1) for match in _FINAL.finditer(fields)]
    found += root.header("x-failed-recipients").replace(",", " ").split()
    if not found:
        cut = _CUT.search(text)
        words = text[: cut.start()] if cut else text
        found = [match.group(1) for match in _ADDRESS_IN_TEXT.finditer(words)]
        found = found or [match.group(1) for match in _BARE_ADDRESS.finditer(words)]
    usable = dict.fromkeys(address for one in found if (address := usable_address(one.strip("<>.,;:"))))
    return tuple(usable)[:MAX_RECIPIENTS]


def _status(fields: str, text: str) -> str:
    found = _STATUS.search(fields) or _STATUS_IN_TEXT.search(text)
    if found is not None:
        return str(found.group(1))
    code = _REPLY_CODE.search(text)
    return f"{code.group(1)}.0.0" if code is not None else ""


def _original_id(root: Part, text: str) -> str | None:
    """The Message-ID of the returned mail: from its headers, its copy in the text, or what the report refers to."""
    for part in root.walk():
        if part is root or part.content_type not in _ORIGINAL_TYPES:
            continue
        inner = part.children[0].raw("message-id") if part.children else b""
        if found := usable_id(inner.decode("utf-8", "replace")) or _id_in(part.text):
            return found
    for words in (text, *(part.text for part in root.walk() if part.content_type.startswith(("text/", "message/")))):
        if found := _id_in(words):
            return found
    referred = root.header("in-reply-to") or root.header("references").rpartition(" ")[2]
    return usable_id(referred) if "@" in referred else None


def _id_in(text: str) -> str | None:
    found = _ID_IN_TEXT.search(text[:READ_CHARS])
    return usable_id(found.group(1)) if found is not None else None
