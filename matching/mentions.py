"""What a mail mentions, source by source: numbers, amounts, dates, addresses, and the numbers to rule out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import re2
from stdnum import iban as iban_number

from matching.facts import MailFacts
from matching.references import phone_key
from matching.structured import find_structured
from matching.text import Cleaned, clean_with_offsets, digit_runs, fold, folded_words
from matching.values import Amount, Day, find_amounts, find_days
from matching.windows import NumberRange, Window, cue_before, find_windows, structured_windows

OWN_WORDS = frozenset({"subject", "new"})
"""The sources that the sender wrote for this mail."""

_MOST_TEXT = 40_000  # characters of one source that are read: a statement of a thousand lines, not a book
_EMAIL = re2.compile(r"[A-Z0-9._%+'-]+@[A-Z0-9.-]+\.[A-Z]{2,}")
_PHONE = re2.compile(r"(?:\+|\b00)\d[\d ()./-]{7,18}\d\b|\b0[1-9](?:[ .()/-]{0,2}\d){7,10}\b|\(0\d{2,5}\) ?\d{4,8}\b")
_IBAN = re2.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z]{4})?(?: ?\d{4}){2,7}(?: ?\d{1,4})?\b")
_SHORTEST_IBAN = 15
_VAT = re2.compile(
    r"\b(?:ATU\d{8}|BE ?[01]?\d{3}[ .]?\d{3}[ .]?\d{3}|DE ?\d{9}|ES ?[A-Z0-9]\d{7}[A-Z0-9]|IT ?\d{11}|LU ?\d{8}"
    r"|FR ?[A-Z0-9]{2} ?\d{3} ?\d{3} ?\d{3}|GB ?\d{3} ?\d{4} ?\d{2}|NL ?\d{9}B\d{2}|PT ?\d{9}"
    r"|CHE[- ]?\d{3}[. ]?\d{3}[. ]?\d{3})\b"
)
_RULED_OUT = re2.compile(
    r"(?:HTTPS?://|WWW\.)\S+|\b\d{1,2}(?::\d{2}){1,2}\b|\b\d{1,2} ?H ?\d{2}\b|\b\d{1,2} ?(?:AM|PM|UHR)\b"
    r"|\b\d+(?:[.,]\d+)? ?%"
    r"|\b(?:TEL|TELEFON[OE]?|TELEPHONE|TELEFOON|PHONE|MOBILE?|MOVIL|CELL|CELLULARE|GSM|FAX|PORTABLE|WHATSAPP|HANDY)\b"
    r"[ .:,]{0,3}\+?\d[\d ./()-]{5,18}\d"
    r"|\b(?:SIREN|SIRET|RCS|SRA|HRB|HRA|C\.?F\.?|P\.? ?IVA|CIF|NIF)\b[^0-9\n]{0,14}\d[\d .]{3,18}\d"
)
_FEWEST_IDENTITY_DIGITS = 8
_BEFORE_PHONE = 26
_PHONE_GROUPS = 2
_COLUMNS = "   "  # so many blanks part two columns, never the groups of one phone number
_AROUND = ".,;:()[]<>\"'!?"


@dataclass(frozen=True, slots=True)
class Section:
    """One source of a mail, read: folded text and what was found in it (spans are those of the folded text)."""

    source: str
    text: str
    cleaned: Cleaned
    windows: tuple[Window, ...]
    ranges: tuple[NumberRange, ...]
    amounts: tuple[Amount, ...]
    days: tuple[Day, ...]
    emails: tuple[str, ...]
    phones: tuple[str, ...]
    ibans: tuple[str, ...]
    vats: tuple[str, ...]
    words: frozenset[str]

    @property
    def is_quote(self) -> bool:
        """Whether this is text the writer only carries along."""
        return self.source == "quote"


def read_mail(mail: MailFacts) -> tuple[Section, ...]:
    """Every source of the mail, read: subject, new text, signature, quote, attachments' names and texts."""
    near = mail.sent_at.date()
    return tuple(_read(source, text[:_MOST_TEXT], near) for source, text in _sources(mail) if text.strip())


def _sources(mail: MailFacts) -> Iterator[tuple[str, str]]:
    yield "subject", mail.subject
    yield "new", mail.new_text
    yield "signature", mail.signature
    yield "quote", mail.quoted_text
    for number, attachment in enumerate(mail.attachments):
        yield f"attachment:{number}:name", attachment.name
        yield f"attachment:{number}", attachment.text


def _read(source: str, original: str, near: date) -> Section:
    cleaned = clean_with_offsets(original)
    text = fold(cleaned.text)
    days = find_days(text, near=near)
    amounts = [amount for amount in find_amounts(text) if not _overlaps(amount.start, amount.end, days)]
    ibans, vats, phones = _identities(text)
    emails = [(found.start(), found.end(), found[0]) for found in _EMAIL.finditer(text)] if "@" in text else []
    masks = _masks(text, days, amounts, [*ibans, *vats, *phones, *emails])
    references = find_structured(text)
    windows, ranges = find_windows(text, sorted([*masks, *((each.start, each.end) for each in references)]))
    for each in references:
        windows.extend(structured_windows(each.start, each.end, each.digits))
    return Section(
        source=source,
        text=text,
        cleaned=cleaned,
        windows=tuple(windows),
        ranges=tuple(ranges),
        amounts=tuple(amounts),
        days=tuple(days),
        emails=tuple(dict.fromkeys(found.lower() for _, _, found in emails)),
        phones=tuple(dict.fromkeys(key for _, _, found in phones if (key := phone_key(found)))),
        ibans=tuple(dict.fromkeys(found.replace(" ", "") for _, _, found in ibans if found)),
        vats=tuple(dict.fromkeys("".join(c for c in found if c.isalnum()) for _, _, found in vats)),
        words=frozenset(folded_words(text)) | frozenset(token.strip(_AROUND) for token in text.split()),
    )


_Found = list[tuple[int, int, str]]


def _identities(text: str) -> tuple[_Found, _Found, _Found]:
    """IBANs, VAT numbers and phone numbers with their spans: never invoice numbers, but they name an account."""
    if sum(map(len, digit_runs(text))) < _FEWEST_IDENTITY_DIGITS:
        return [], [], []
    ibans = [(found.start(), found.end(), _valid_iban(found[0])) for found in _IBAN.finditer(text) if _is_long(found)]
    vats = [(found.start(), found.end(), found[0]) for found in _VAT.finditer(text)]
    phones = [(found.start(), found.end(), found[0]) for found in _PHONE.finditer(text) if _may_be_phone(text, found)]
    return ibans, vats, phones


def _is_long(found: Any) -> bool:
    """The shortest IBAN there is has 15 characters (ISO 13616, Norway): FA2025000857 is a number of an invoice."""
    return len(found[0].replace(" ", "")) >= _SHORTEST_IBAN


def _may_be_phone(text: str, found: Any) -> bool:
    """Not the padded end of a longer number (FA-2026-00709), nor a column beside it, nor what is called an invoice."""
    before = text[max(found.start() - _BEFORE_PHONE, 0) : found.start()]
    if before[-1:] in set("-/._") and before[-2:-1].isalnum():
        return False
    groups = found[0].count(" ")  # a number torn once is still a number, one in many groups is a phone's
    return _COLUMNS not in found[0] and not (groups < _PHONE_GROUPS and cue_before(before) == "invoice")


def _valid_iban(candidate: str) -> str:
    """The longest valid IBAN a candidate begins with ('' for none): trailing words may look like more of it."""
    parts = candidate.split(" ")
    for count in range(len(parts), 0, -1):
        attempt = " ".join(parts[:count])
        if iban_number.is_valid(attempt):
            return attempt
    return ""


def _overlaps(start: int, end: int, days: list[Day]) -> bool:
    return any(day.day is not None and start < day.end and day.start < end for day in days)


def _masks(text: str, days: list[Day], amounts: list[Amount], identities: _Found) -> list[tuple[int, int]]:
    """Sorted spans whose digits are no document number."""
    spans = [(start, end) for start, end, _ in identities]
    spans += [(day.start, day.end) for day in days if day.day is not None]
    shortest = {amount.end: amount for amount in amounts if amount.sure}  # later readings of one sum start later
    spans += [(amount.start, amount.end) for amount in shortest.values()]
    spans += [found.span() for found in _RULED_OUT.finditer(text)]
    return sorted(spans)
