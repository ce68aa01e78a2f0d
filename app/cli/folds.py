"""Cross-validation for `amiable eval`: everything learned, learned again without the accounts of a fold."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from app.core import db
from app.core.blobs import BlobStore
from app.core.errors import NotFound
from app.core.settings import Settings
from app.workflows.intake import Matching, try_match
from disputes.actions.intake import receive
from disputes.classifier import Model, shipped_examples, train
from disputes.identity import sender_of
from invoices.models import Account, Invoice
from matching.fit import Example, calibrate
from matching.matcher import Trial
from matching.scoring import Weights, prior_weights


class NoLabels(NotFound):
    """Folds need the corpus' labels."""


class Named(Protocol):
    """A mail of the corpus."""

    @property
    def name(self) -> str:
        """Its file's name."""
        ...

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        ...

    @property
    def at(self) -> datetime:
        """Its date."""
        ...


@dataclass(frozen=True, slots=True)
class Fold:
    """What was learned without one part of the accounts."""

    model: Model
    weights: Weights


@dataclass(frozen=True, slots=True)
class Learned:
    """The key each mail is divided by (its account, else its sender), and what each fold learned without its own."""

    keys: Mapping[str, str]
    folds: tuple[Fold, ...]


@dataclass(frozen=True, slots=True)
class Trials:
    """Where mails are matched for the fit: a database with the ledger and nothing else."""

    sessions: sessionmaker[Session]
    settings: Settings
    blobs: BlobStore


def shipped(mails: Iterable[Named]) -> Learned:
    """What ships, for every mail."""
    return Learned({mail.name: "" for mail in mails}, ())


def fold_of(key: str, folds: int) -> int:
    """The fold of an account: stable from run to run."""
    if not folds:
        return 0
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % folds


def learn(folder: Path, mails: Sequence[Named], folds: int, trials: Trials) -> Learned:
    """Train and fit for each fold without the accounts that are in it. Raises NoLabels."""
    labels = _labels(folder)
    keys = {mail.name: key_of(labels.get(mail.name), mail.raw) for mail in mails}
    examples = _match_examples(trials, mails, labels)
    return Learned(keys, tuple(_train(keys, examples, number, folds) for number in range(folds)))


def match_examples(folder: Path, mails: Sequence[Named], trials: Trials) -> list[Example]:
    """What the weights that ship are fitted on: a whole labelled corpus. Raises NoLabels."""
    return list(_match_examples(trials, mails, _labels(folder)).values())


def _labels(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "labels.jsonl"
    if not path.is_file():
        raise NoLabels(f"{path}: --folds needs the labels of the corpus")
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {row["file"]: row for row in rows}


def key_of(label: Mapping[str, Any] | None, raw: bytes) -> str:
    """What a mail is divided by: its account, else its sender, so that no one's mails are on both sides."""
    account = label.get("account") if label else None
    return str(account) if account else f"from:{sender_of(raw)}"


def _train(keys: Mapping[str, str], examples: Mapping[str, Example], number: int, folds: int) -> Fold:
    left_out = frozenset(key for key in keys.values() if fold_of(key, folds) == number)
    model = train(shipped_examples(exclude_accounts=left_out))
    kept = [example for name, example in examples.items() if keys[name] not in left_out]
    return Fold(model, calibrate(kept, prior=prior_weights()))


def _match_examples(
    trials: Trials, mails: Sequence[Named], labels: Mapping[str, Mapping[str, Any]]
) -> dict[str, Example]:
    """Each labelled mail about a matter, investigated as if it arrived, with what it is truly about.

    The weights used on the way are those set by hand: nothing learned from the mails left out reaches the fit.
    """
    numbers, accounts = _ids(trials.sessions)
    tools = Matching(settings=trials.settings, blobs=trials.blobs, weights=prior_weights())
    found: dict[str, Example] = {}
    for mail in mails:
        trial, label = _investigate(trials.sessions, mail, tools), labels.get(mail.name)
        if trial is not None and label is not None and label["kind"] != "other":
            meant = frozenset(numbers[number] for number in label["invoices"] if number in numbers)
            found[mail.name] = Example(trial, accounts.get(str(label["account"])), meant)
    return found


def _ids(sessions: sessionmaker[Session]) -> tuple[dict[str, int], dict[str, int]]:
    with db.transaction(sessions, read_only=True) as session:
        numbers = {number: one for one, number in session.execute(select(Invoice.id, Invoice.number))}
        accounts = {number: one for one, number in session.execute(select(Account.id, Account.number))}
    return numbers, accounts


def _investigate(sessions: sessionmaker[Session], mail: Named, tools: Matching) -> Trial | None:
    with db.transaction(sessions) as session:
        received = receive(
            session,
            raw=mail.raw,
            source="file",
            source_ref=mail.name,
            mailbox=None,
            blobs=tools.blobs,
            limits=tools.settings.limits,
            received_at=mail.at,
            now=mail.at,
        )
        return try_match(session, message_id=received.message_id, tools=tools, now=mail.at)
