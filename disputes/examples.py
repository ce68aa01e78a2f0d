"""Labelled examples the classifier learns from, and the ones that ship."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from disputes.reading import CaseFacts, MailText
from disputes.reasons import PROMISE, kind_of

_SOME_DAY = datetime(2026, 1, 12, tzinfo=UTC)  # for statements, which carry no date: a Monday, a month's middle


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A labelled text or mail. `earlier` holds the reasons of the thread's earlier mails; `account` is "" for a
    statement, else the account whose mail it is (see `account_key`), so that a fold can leave that account out.
    """

    language: str
    reason: str
    text: str
    subject: str = ""
    quote: str = ""
    attachments: tuple[str, ...] = ()
    sentiment: str = "calm"
    urgent: bool = False
    flags: frozenset[str] = frozenset()
    direction: str = "in"
    earlier: tuple[str, ...] = ()
    account: str = ""
    sender_known: bool | None = None
    promises: bool = False
    sent_at: datetime = _SOME_DAY

    @property
    def mail(self) -> MailText:
        """The mail this example stands for."""
        return MailText(
            subject=self.subject,
            new_text=self.text,
            quoted_text=self.quote,
            attachment_names=self.attachments,
            direction=self.direction,
            sent_at=self.sent_at,
        )

    @property
    def facts(self) -> CaseFacts:
        """The facts this example was labelled with."""
        return CaseFacts(
            earlier=tuple((kind_of(reason), reason) for reason in self.earlier),
            sender_is_colleague=self.direction == "internal",
            sender_known=self.sender_known,
        )


def example_of(row: dict[str, Any]) -> Example:
    """The example of one row of JSONL (keys: lang, reason, text and, optionally, the other fields by name)."""
    return Example(
        language=row["lang"],
        reason=row["reason"],
        text=row["text"],
        subject=row.get("subject") or "",
        quote=row.get("quote", ""),
        attachments=tuple(row.get("attachments", ())),
        sentiment=row.get("sentiment", "calm"),
        urgent=row.get("urgent", False),
        flags=frozenset(row.get("flags", ())),
        direction=row.get("direction", "in"),
        earlier=tuple(row.get("earlier", ())),
        account=row.get("account", ""),
        sender_known=row.get("sender_known"),
        promises=row.get("promises", row["reason"] == PROMISE),
        sent_at=datetime.fromisoformat(row["sent_at"]) if "sent_at" in row else _SOME_DAY,
    )


def account_key(account: str | None, from_email: str) -> str:
    """What stands for a mail's account when folds are made: strangers' mails go by their address."""
    return account or f"from:{from_email.lower()}"


def load_examples(path: Path) -> list[Example]:
    """The examples of a JSONL file, in order."""
    return list(_parsed(path.read_text(encoding="utf-8")))


def _parsed(text: str) -> Iterator[Example]:
    return (example_of(json.loads(line)) for line in text.splitlines() if line.strip())


_AFTER_DEV = "more-mails.jsonl"
"""Written after reading what a model got wrong on the development corpus: it has seen that corpus, in a way."""


def shipped_examples(exclude_accounts: frozenset[str] = frozenset()) -> list[Example]:
    """All examples that ship, in a fixed order, without those of the given accounts.

    Where accounts are left out, so is what was written after reading the corpus they are from: figures by folds stay
    honest.
    """
    files = sorted(
        (entry for entry in (resources.files("disputes") / "training").iterdir() if entry.name.endswith(".jsonl")),
        key=lambda entry: entry.name,
    )
    files = [entry for entry in files if not (exclude_accounts and entry.name == _AFTER_DEV)]
    examples = (example for entry in files for example in _parsed(entry.read_text(encoding="utf-8")))
    return [example for example in examples if not example.account or example.account not in exclude_accounts]
