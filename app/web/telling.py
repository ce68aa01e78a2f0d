"""Reasons the domain keeps as sentences with facts (disputes/told.py), said in the reader's language."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.core.errors import DomainError
from app.core.i18n import Words
from disputes.told import filled, in_language
from letters.refusing import NoSuchLetter, Sum, Sums

_TRANSLATED = frozenset({"team", "reason", "rule"})
"""Facts that are msgids where they are the program's own; a deployment's own names stay as they are."""
_DAYS = frozenset({"until"})


def said(row: Mapping[str, Any], words: Words) -> str:
    """One kept reason as the reader reads it; one no catalog knows stays English."""
    facts = {name: _fact(name, value, words) for name, value in row.items() if name != "say"}
    facts |= {name: in_language(value, words.language) for name, value in row.items() if isinstance(value, Mapping)}
    return filled(words.gettext(row["say"]), facts)


def refusal(error: DomainError, words: Words) -> str:
    """Why something cannot be, in the reader's language, amounts and days as its readers write them."""
    if isinstance(error, NoSuchLetter):
        return said(error.told.kept(), words)
    return words.gettext(error.message)


def _fact(name: str, value: Any, words: Words) -> Any:
    if name == "flags":
        return ", ".join(words.gettext(one) for one in value)
    if isinstance(value, Sums):
        return ", ".join(words.money(one.amount, one.currency) for one in value.each())
    if isinstance(value, Sum):
        return words.money(value.amount, value.currency)
    if isinstance(value, date):
        return words.day(value)
    if name in _TRANSLATED:
        return words.gettext(str(value))
    return words.day(date.fromisoformat(value)) if name in _DAYS else value
