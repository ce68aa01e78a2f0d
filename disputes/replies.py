"""What makes a mail of ours an answer: its ids, subject, quotation and signature. Pure (mail.md M6; RFC 5322 3.6.4)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_date

from disputes.matter import bare_subject
from disputes.reading import LANGUAGES
from disputes.reply_tokens import ReplyTokens, is_thread_id
from matching.text import email_domain

UNDO_WINDOW = timedelta(seconds=10)
"""How long a mail written by a person waits before it leaves, so that it can be taken back (U12)."""
MOST_REFERENCES = 20
LONGEST_SUBJECT = 200
LONGEST_QUOTE = 20_000
OURS_AND_THEIRS = frozenset({"in", "out"})
"""Directions of the messages a customer has seen: nothing else is ever answered to or quoted."""
_LOCALES = {"en": "en_GB"}  # a date every reader of English understands
_WROTE: Mapping[str, str] = {
    "de": "Am {at} schrieb {who}:",
    "en": "On {at}, {who} wrote:",
    "es": "El {at}, {who} escribió:",
    "fr": "Le {at}, {who} a écrit :",
    "it": "Il {at}, {who} ha scritto:",
    "nl": "Op {at} schreef {who}:",
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A mail the customer has seen: what an answer refers to and quotes. `references` stand oldest first."""

    rfc_id: str | None
    references: tuple[str, ...]
    subject: str
    text: str
    who: str
    at: datetime
    direction: str


@dataclass(frozen=True, slots=True)
class OutgoingIds:
    """The Message-ID of a mail of ours and the headers that put it in its thread."""

    rfc_id: str
    headers: Mapping[str, str]


def ids_of(
    tokens: ReplyTokens,
    *,
    case_id: int,
    contact: str,
    mailbox: str,
    unique: str,
    answers: str | None,
    references: Sequence[str],
    now: datetime,
) -> OutgoingIds:
    """Ids of a mail about a case. `answers` is the Message-ID it answers, `references` that mail's own, oldest first.

    The token's id comes first in References: replies keep them even where a provider gives our mail a new Message-ID.
    """
    domain = email_domain(mailbox) or "localhost"
    told = [one for one in dict.fromkeys(references) if one != answers and not is_thread_id(one)]
    chain = [tokens.thread_id(case_id=case_id, contact=contact, domain=domain, now=now), *told[-MOST_REFERENCES:]]
    headers = {"In-Reply-To": answers} if answers else {}
    chain += [answers] if answers else []
    apart = hashlib.sha256(unique.encode()).hexdigest()[:24]
    rfc_id = tokens.message_id(case_id=case_id, contact=contact, unique=apart, domain=domain, now=now)
    return OutgoingIds(rfc_id, {**headers, "References": " ".join(chain)})


def reply_subject(subject: str, *, title: str = "") -> str:
    """The thread's own subject with one Re: before it, however many marks it gathered; one line, no more than 200."""
    bare = one_line(bare_subject(subject)) or one_line(title)
    return f"Re: {bare}"[:LONGEST_SUBJECT].rstrip()


def one_line(text: str) -> str:
    """No control characters: foreign text must not begin a header of ours (S12)."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def quotation(mail: Answered, language: str) -> str:
    """The mail answered, each line marked, under who wrote it and when; "" for one the customer has never seen."""
    if mail.direction not in OURS_AND_THEIRS or not mail.text.strip():
        return ""
    language = language if language in LANGUAGES else "en"
    at = f"{format_date(mail.at, 'long', locale=_LOCALES.get(language, language))}, {mail.at:%H:%M} UTC"
    lines = mail.text.replace("\r\n", "\n").strip()[:LONGEST_QUOTE].split("\n")
    marked = (f">{line}" if line.startswith(">") else f"> {line}".rstrip() for line in lines)
    return "\n".join((_WROTE[language].format(at=at, who=one_line(mail.who)), *marked))


def whole_body(text: str, *, signature: str, quote: str) -> str:
    """What is sent: the words, the signature, the quotation below; blank parts left out."""
    parts = (text.strip(), signature.strip(), quote.strip())
    return "\n\n".join(part for part in parts if part) + "\n"
