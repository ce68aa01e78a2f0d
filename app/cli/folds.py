"""Cross-validation for `amiable eval`: everything learned, learned again without the accounts of a fold."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from app.core.errors import NotFound
from app.core.settings import Settings
from disputes.classifier import Model, shipped_examples, train
from disputes.identity import sender_of
from matching.scoring import Weights, default_weights


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


def fold_of(key: str, folds: int) -> int:
    """The fold of an account: stable from run to run."""
    if not folds:
        return 0
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % folds


def learn(folder: Path, mails: Sequence[Named], folds: int, settings: Settings) -> Learned:
    """Train each fold's models without the accounts that are in it. Raises NoLabels."""
    if not folds:
        return Learned({mail.name: "" for mail in mails}, ())
    labels = _labels(folder)
    keys = {mail.name: key_of(labels.get(mail.name), mail.raw) for mail in mails}
    return Learned(keys, tuple(_train(frozenset(keys.values()), number, folds) for number in range(folds)))


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


def _train(keys: frozenset[str], number: int, folds: int) -> Fold:
    left_out = frozenset(key for key in keys if fold_of(key, folds) == number)
    return Fold(train(shipped_examples(exclude_accounts=left_out)), default_weights())
