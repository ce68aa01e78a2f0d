"""The kinds of letter there are, and what each is about."""

from typing import Literal, get_args

Kind = Literal[
    "acknowledgement",
    "dispute_accepted",
    "dispute_partly_accepted",
    "dispute_rejected",
    "apology",
    "statement",
    "payment_plan",
    "reminder_1",
    "reminder_2",
    "reminder_3",
    "formal_notice",
    "closing",
]
Language = Literal["fr", "en", "de", "es", "it", "nl"]

KINDS: tuple[Kind, ...] = get_args(Kind)
LANGUAGES: tuple[Language, ...] = get_args(Language)
"""The languages letters are written in; English where a customer's is none of them."""
REMINDERS: frozenset[Kind] = frozenset({"reminder_1", "reminder_2", "reminder_3", "formal_notice"})
DECISIONS: frozenset[Kind] = frozenset({"dispute_accepted", "dispute_partly_accepted", "dispute_rejected"})
"""Answers to a dispute: what was in dispute, what is credited, what remains."""


def language_of(wanted: str | None) -> Language:
    """The language of a letter for a customer's own ("fr", "de-CH", None)."""
    short = (wanted or "").replace("_", "-").split("-")[0].lower()
    return next((one for one in LANGUAGES if one == short), "en")
