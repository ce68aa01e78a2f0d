"""Whether a customer's message is acknowledged automatically, and with what words (mail.md M15, M18, M19). Pure."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from babel.dates import format_date

from disputes.casework import call_first
from disputes.reading import LANGUAGES
from disputes.reasons import DISPUTE, NOBODY, OTHER, kind_of, team_of

_LOCALES = {"en": "en_GB"}  # a date every reader of English understands: Tuesday 3 March 2026
_FOLDER = Path(__file__).with_name("acknowledgements")
_LONGEST_NAME = 40
_LONGEST_SUBJECT = 150
_MOST_INVOICES = 10
_SENDERS_WITHOUT_A_READER = (
    *("noreply", "no-reply", "no_reply", "donotreply", "do-not-reply", "ne-pas-repondre", "nepasrepondre"),
    *("nicht-antworten", "mailer-daemon", "postmaster", "bounce", "notifications"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgePolicy:
    """At most `per_day` automatic mails to one address in 24 hours, and none within `quiet` of the last.

    A mail older than `fresh` when it gets here is not acknowledged: an archive may be imported without a word to
    anybody, and "we received your mail" a fortnight late is an insult.
    """

    per_day: int = 3
    quiet: timedelta = timedelta(hours=24)
    fresh: timedelta = timedelta(days=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeFacts:
    """What is known of the message and of what was sent to its sender before.

    `machine` covers automatic replies, reports and lists; `null_return` an empty return path; `authentic` is False
    where the configured server says that DMARC failed; `automatic` holds when automatic mails went to that address;
    `checked` says that two people check bank details of the account (S15).
    """

    direction: str
    new_case: bool
    review: bool
    kind: str
    reason: str
    sentiment: str
    urgent: bool
    flags: frozenset[str]
    sender: str
    from_mailbox: str | None
    known_sender: bool
    machine: bool
    null_return: bool
    own_address: bool
    authentic: bool
    sent_at: datetime
    automatic: Sequence[datetime] = ()
    checked: bool = False


@dataclass(frozen=True, slots=True)
class AcknowledgeDecision:
    """Send or not, and why. `held`: a person has to look first and may send it then."""

    send: bool
    why: str
    held: bool = False


def decide(facts: AcknowledgeFacts, policy: AcknowledgePolicy, now: datetime) -> AcknowledgeDecision:
    """Whether to acknowledge by itself; every refusal has its reason."""
    for refused, why in _never(facts):
        if refused:
            return AcknowledgeDecision(send=False, why=why)
    for held, why in _not_alone(facts):
        if held:
            return AcknowledgeDecision(send=False, why=why, held=True)
    why = _too_late(facts.sent_at, policy, now) or _too_often(facts.automatic, policy, now)
    return AcknowledgeDecision(send=not why, why=why or "a new case of a known customer")


def _never(facts: AcknowledgeFacts) -> tuple[tuple[bool, str], ...]:
    return (
        (facts.direction != "in", "our own mail"),
        (not facts.new_case, "the case stands already"),
        (facts.kind == OTHER or team_of(facts.reason) == NOBODY, "asks for nothing"),
        (facts.machine or unread(facts.sender), "sent by a machine (M18)"),
        (facts.null_return, "no return path (M18)"),
        (facts.own_address or not facts.from_mailbox, "our own address, or no mailbox to answer from (M18)"),
        (not facts.known_sender, "the sender is not known as the customer's (M19)"),
    )


def unread(sender: str) -> bool:
    """Whether an address says that nobody reads what is sent to it."""
    local = sender.partition("@")[0].lower()
    return any(mark in local for mark in _SENDERS_WITHOUT_A_READER)


def _not_alone(facts: AcknowledgeFacts) -> tuple[tuple[bool, str], ...]:
    return (
        ("payment_diversion" in facts.flags, "talk of changed bank details: a person looks first (M15)"),
        (not facts.authentic, "the sender could not be verified (DMARC): a person looks first (M15)"),
        (facts.checked, "bank details of this customer are being checked: two people look first (S15)"),
        (facts.review, "it is not sure what the message is about: a person looks first"),
        (call_first(facts.sentiment, urgent=facts.urgent), "angry or urgent: a call comes before anything written"),
    )


def _too_late(sent_at: datetime, policy: AcknowledgePolicy, now: datetime) -> str:
    return "the mail was written too long ago" if now - sent_at > policy.fresh else ""


def _too_often(automatic: Sequence[datetime], policy: AcknowledgePolicy, now: datetime) -> str:
    if len([at for at in automatic if at > now - timedelta(days=1)]) >= policy.per_day:
        return f"{policy.per_day} automatic mails went to this address within a day (M18)"
    if any(at > now - policy.quiet for at in automatic):
        return "an automatic mail went to this address within the quiet period"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What an acknowledgement names."""

    case_id: int
    reason: str
    subject: str
    name: str
    invoices: Sequence[str]
    due: date
    seller: str


def words(about: Acknowledged, language: str) -> tuple[str, str]:
    """Subject and body in the customer's language, English where we do not write it."""
    subject, body = unsigned(about, language)
    closing = _texts(language if language in LANGUAGES else "en")["closing"]
    return subject, f"{body}\n\n{closing}\n{about.seller}\n"


def unsigned(about: Acknowledged, language: str) -> tuple[str, str]:
    """The same without its end, for a person to sign."""
    language = language if language in LANGUAGES else "en"
    texts = _texts(language)
    named = list(about.invoices)[:_MOST_INVOICES]
    values = {
        "name": _name(about.name),
        "case": about.case_id,
        "subject": _one_line(about.subject)[:_LONGEST_SUBJECT],
        "invoices": ", ".join(named),
        "day": format_date(about.due, format="full", locale=_LOCALES.get(language, language)),
        "seller": about.seller,
    }
    invoices = "no_invoice" if not named else "invoice" if len(named) == 1 else "invoices"
    opening = "dispute" if kind_of(about.reason) == DISPUTE else "query"
    greeting = "greeting" if values["name"] else "greeting_unnamed"
    paragraphs = [texts[greeting], f"{texts[opening]} {texts[invoices]}", texts["next"]]
    body = "\n\n".join(text.format(**values) for text in paragraphs)
    return texts["subject"].format(**values), body


def as_template(language: str) -> tuple[str, str]:
    """Subject and body as a template of customer_mail: where a wording of one's own begins.

    It thanks as for a query, which is true of both kinds; greeting and closing come with every mail.
    """
    texts = _texts(language if language in LANGUAGES else "en")
    named = {name: f"{{{{ {name} }}}}" for name in ("case", "subject", "invoices", "day", "seller")}
    filled = {name: text.format(**named, name="{{ name }}") for name, text in texts.items()}
    about = f"{{% if many %}}{filled['invoices']}{{% elif invoices %}}{filled['invoice']}{{% else %}}"
    return filled["subject"], f"{filled['query']} {about}{filled['no_invoice']}{{% endif %}}\n\n{filled['next']}"


def _name(name: str) -> str:
    """A person's name as they write it; nothing where it is an address or too long to be one."""
    name = _one_line(name)
    return "" if "@" in name or len(name) > _LONGEST_NAME else name


def _one_line(text: str) -> str:
    """No control characters: foreign text must not begin a header of ours (S12)."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@cache
def _texts(language: str) -> Mapping[str, str]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
