"""The call sheet of a courtesy call: what to say, in the customer's language, from the facts of the case (U29). Pure.

The script acknowledges, says what we can do and by when; it never argues (product.md, Guards). The words are data, one
file a language in call_scripts/. When to call and what follows from the outcome: call_times, call_outcomes.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import phonenumbers
from babel.dates import format_date

from app.core.money import shown
from disputes.reading import LANGUAGES
from disputes.reasons import DISPUTE, REASONS, shipped

_FOLDER = Path(__file__).with_name("call_scripts")
_LOCALES = {"en": "en_GB"}  # 3 March 2026, not March 3
_MOST_INVOICES = 5
_LONGEST_QUOTE = 300

OFFERS: Mapping[str, tuple[str, ...]] = {
    "price": ("correct_invoice",),
    "quantity": ("proof", "replace"),
    "quality": ("replace",),
    "delivery": ("proof",),
    "wrong_item": ("replace",),
    "duplicate_invoice": ("statement",),
    "already_paid": ("trace_payment",),
    "missing_reference": ("correct_invoice",),
    "wrong_recipient": ("correct_invoice",),
    "tax": ("correct_invoice",),
    "not_ordered": ("proof",),
    "missing_credit": ("statement",),
    "charges": ("statement",),
    "copy_invoice": ("copy",),
    "statement": ("statement",),
    "proof_of_delivery": ("proof",),
    "remittance": ("trace_payment",),
    "promise_to_pay": ("instalments",),
    "payment_plan": ("instalments",),
}
"""Reason -> what an agent may offer without asking anybody. A credit is offered only where it was approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSaid:
    """An invoice as it is named on the phone; `disputed` zero where nothing of it is in question."""

    number: str
    issued: date
    due: date
    amount: Decimal
    currency: str
    disputed: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What the agent needs before dialling. `said` are the customer's own words; `credit` what was approved.

    `promised` is the day of a promise that was broken, `silent_since` the day we last heard of them where the call is
    about silence; `upset` angry or in a hurry.
    """

    case_id: int
    kind: str
    reason: str
    language: str
    name: str
    agent: str
    seller: str
    invoices: Sequence[InvoiceSaid] = ()
    said: str = ""
    answer_by: date | None = None
    upset: bool = False
    credit: tuple[Decimal, str] | None = None
    promised: date | None = None
    silent_since: date | None = None
    owner_works: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the script: `heading` is greeting, purpose, facts, listen, offer or close."""

    heading: str
    lines: tuple[str, ...]


def script(facts: CallFacts) -> tuple[Part, ...]:
    """What to say, part by part, in the customer's language (English where we do not write theirs)."""
    language = facts.language if facts.language in LANGUAGES else "en"
    texts = _texts(language)
    parts = (
        Part("greeting", (_greeting(facts, texts), texts["permission"])),
        Part("purpose", tuple(_purpose(facts, texts, language))),
        Part("facts", tuple(_facts(facts, texts, language))),
        Part("listen", (texts["listen"],)),
        Part("offer", tuple(_offers(facts, texts, language))),
        Part("close", (texts["closing"].format(case=facts.case_id),)),
    )
    return tuple(part for part in parts if part.lines)


def tel_link(phone: str, country: str | None) -> str:
    """The number as a link to dial (RFC 3966); empty where it is no number anybody could dial."""
    try:
        number = phonenumbers.parse(phone, (country or "").upper() or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.RFC3966))


def _greeting(facts: CallFacts, texts: Mapping[str, Any]) -> str:
    name = " ".join(facts.name.split())
    opening = texts["opening"] if name and "@" not in name else texts["opening_unnamed"]
    return str(opening).format(name=name, agent=facts.agent, seller=facts.seller)


def _purpose(facts: CallFacts, texts: Mapping[str, Any], language: str) -> Iterator[str]:
    """Why we call: what presses most comes first, and only that."""
    if facts.upset:
        yield texts["upset"]
    elif facts.promised is not None:
        yield texts["broken_promise"].format(promised=_day(facts.promised, language))
    elif facts.silent_since is not None:
        yield texts["silent"].format(since=_day(facts.silent_since, language))
    else:
        yield texts["calm"]
    reasons = texts["reasons"]
    yield texts["about"].format(about=reasons.get(shipped(facts.reason), reasons["other"]))


def _facts(facts: CallFacts, texts: Mapping[str, Any], language: str) -> Iterator[str]:
    for invoice in facts.invoices[:_MOST_INVOICES]:
        words = texts["invoice" if invoice.disputed > 0 else "invoice_open"]
        yield words.format(
            number=invoice.number,
            issued=_day(invoice.issued, language),
            due=_day(invoice.due, language),
            amount=shown(invoice.amount, invoice.currency, language),
            disputed=shown(invoice.disputed, invoice.currency, language),
        )
    if facts.said.strip():
        yield texts["said"].format(said=_quote(facts.said))


def _offers(facts: CallFacts, texts: Mapping[str, Any], language: str) -> Iterator[str]:
    offers = texts["offers"]
    if facts.owner_works:
        yield offers["owner_looks"]
    if facts.credit is not None:
        yield offers["credit"].format(credit=shown(*facts.credit, language))
    for offer in OFFERS.get(shipped(facts.reason), ()):
        yield offers[offer]
    if facts.kind == DISPUTE:
        yield offers["hold_reminders"]
    if facts.answer_by is not None:
        yield texts["answer_by"].format(day=_day(facts.answer_by, language))


def _quote(said: str) -> str:
    """The customer's words on one line, shortened at a word."""
    line = " ".join(said.split())
    return line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE].rsplit(" ", 1)[0] + " …"


def _day(day: date, language: str) -> str:
    return format_date(day, format="long", locale=_LOCALES.get(language, language))


@cache
def _texts(language: str) -> Mapping[str, Any]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


def reasons_spoken(language: str) -> frozenset[str]:
    """The reasons a language's script has words for; the others are "your request"."""
    return frozenset(_texts(language)["reasons"]) & frozenset(REASONS)
