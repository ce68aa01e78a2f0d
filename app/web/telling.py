"""Reasons the domain keeps as sentences with facts (disputes/told.py), said in the reader's language."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.core.i18n import Words
from disputes.told import filled

_TRANSLATED = frozenset({"team", "reason", "rule"})
"""Facts that are msgids where they are the program's own; a deployment's own names stay as they are."""
_DAYS = frozenset({"until"})


def said(row: Mapping[str, Any], words: Words) -> str:
    """One kept reason as the reader reads it; one no catalog knows stays English."""
    facts = {name: _fact(name, value, words) for name, value in row.items() if name != "say"}
    return filled(words.gettext(row["say"]), facts)


def _fact(name: str, value: Any, words: Words) -> Any:
    if name in _TRANSLATED:
        return words.gettext(str(value))
    return words.day(date.fromisoformat(value)) if name in _DAYS else value
