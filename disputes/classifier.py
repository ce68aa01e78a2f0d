"""Training: labelled examples in, a model of plain arrays out. The only importer of scikit-learn."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.svm import LinearSVC

from disputes.circumstances import learn_moves, learn_strangers
from disputes.concepts import shipped_concepts, shipped_rows
from disputes.examples import Example, load_examples, shipped_examples
from disputes.features import FEATURE_VERSION, Features, document_counts, features_of
from disputes.language import learn_languages
from disputes.model_archive import NotAModel
from disputes.model_file import TONES, Floats, Model, load_model, place, save_model
from disputes.passages import read_passages
from disputes.reading import SENTIMENTS, UPSETS
from disputes.reasons import KINDS, REASONS, kind_of, shipped

__all__ = ["Example", "Model", "ensure_model", "load_examples", "load_model", "save_model", "shipped_examples", "train"]

MODEL_VERSION = 4
"""Counted up whenever training itself changes, so that a stored model of other training is not used."""

_MIN_DOCUMENTS = 2
_C = 0.2
_REAL_MAIL, _WHOLE_MAIL = 4.0, 1.5  # real mails say more about real mails than invented ones, those more than sentences
_OWN_MAIL = 1.5  # a deployment's own; from 0.7 to 6 it makes no difference that 300 mails could show (docs/model.md)
_FEWEST_OF_A_REASON = 5  # of a deployment's own reasons; below, their mails teach the shipped reason they specialise
_TEMPERATURE = 0.2  # softmax over margins / temperature; chosen by leaving one corpus out
_KIND_SHARE = 0.3  # how much the kind says beside the reason; chosen by leaving one corpus out
_C_SENTIMENT = 0.05  # annoyance is in many small signs: weights of their own are held smaller


def train(examples: Sequence[Example], *, own: Sequence[Example] = (), seed: int = 0) -> Model:
    """Fit all models on the examples; under a minute for everything shipped, on one core. Deterministic.

    `own` are a deployment's mails with what people say they are. They teach reasons (also its own ones) and what
    follows what in a thread; not the tone and the language, which nobody put right there.
    """
    reasons = _reasons(own)
    own = [one if one.reason in reasons else replace(one, reason=shipped(one.reason)) for one in own]
    every = [*examples, *own]
    rows = [_features(example) for example in every]
    keys, idf = _vocabulary(rows)
    matrix = _matrix(rows, keys, idf)
    weighed = [*(_importance(example) for example in examples), *([_OWN_MAIL] * len(own))]
    importance = np.array(weighed, dtype=np.float32)
    count = len(examples)
    columns = [
        _fit_reasons(matrix, every, reasons, importance, seed),
        _fit_tones(matrix[:count], examples, importance[:count], seed),
    ]
    return Model(
        version=_version(examples, own),
        keys=keys,
        idf=idf,
        weights=np.hstack([weights for weights, _ in columns]).astype(np.float32),
        bias=np.concatenate([bias for _, bias in columns]).astype(np.float32),
        outputs=(*reasons, *TONES),
        reason_count=len(reasons),
        temperature=_TEMPERATURE,
        moves=learn_moves(every, reasons),
        strangers=learn_strangers(every, reasons),
        languages=learn_languages(examples),
    )


def _reasons(own: Sequence[Example]) -> list[str]:
    """What a model tells apart: the shipped reasons, and those of the deployment's own with enough mails."""
    counts = Counter(one.reason for one in own if one.reason not in REASONS)
    return [*REASONS, *sorted(reason for reason, count in counts.items() if count >= _FEWEST_OF_A_REASON)]


def _fit_reasons(
    matrix: sparse.csr_matrix, examples: Sequence[Example], reasons: Sequence[str], importance: Floats, seed: int
) -> tuple[Floats, Floats]:
    """Weights (features x reasons) and bias, one model a reason against all others, and a share of its kind's model.

    A sum of linear models is a linear model: the kind costs nothing when a mail is read.
    """
    kinds = list(KINDS)
    labels = np.array([reasons.index(example.reason) for example in examples])
    of = np.array([kinds.index(kind_of(reason)) for reason in reasons])
    by_reason = [labels == i for i in range(len(reasons))]
    by_kind = [of[labels] == i for i in range(len(kinds))]
    weights, bias = _fit_columns(matrix, by_reason, importance, seed, balanced=False)
    kind_weights, kind_bias = _fit_columns(matrix, by_kind, importance, seed, balanced=False, c=_C / 2)
    return weights + _KIND_SHARE * kind_weights[:, of], bias + _KIND_SHARE * kind_bias[of]


def _fit_tones(
    matrix: sparse.csr_matrix, examples: Sequence[Example], importance: Floats, seed: int
) -> tuple[Floats, Floats]:
    """Weights and bias of annoyance and anger, of urgency and of each flag; rare ones weigh more."""
    columns = [np.array([_has(example, tone) for example in examples]) for tone in TONES]
    moods = len(UPSETS)
    parts = [
        _fit_columns(matrix, columns[:moods], importance, seed, balanced=True, c=_C_SENTIMENT),
        _fit_columns(matrix, columns[moods:], importance, seed, balanced=True),
    ]
    return np.hstack([weights for weights, _ in parts]), np.concatenate([bias for _, bias in parts])


def _features(example: Example) -> Features:
    passages = read_passages(example.mail, shipped_concepts()[example.language])
    return features_of(example.mail, example.facts, passages, dated=bool(example.account))


def _importance(example: Example) -> float:
    if example.account:
        return _REAL_MAIL
    return _WHOLE_MAIL if example.subject else 1.0


def _has(example: Example, tone: str) -> bool:
    if tone in {"urgent", "promises"}:
        return example.urgent if tone == "urgent" else example.promises
    if tone in UPSETS:
        return SENTIMENTS.index(example.sentiment) > UPSETS.index(tone)
    return tone in example.flags


def _fit_columns(
    matrix: sparse.csr_matrix,
    columns: Sequence[NDArray[np.bool_]],
    importance: Floats,
    seed: int,
    *,
    balanced: bool,
    c: float = _C,
) -> tuple[Floats, Floats]:
    """One linear SVM a column; a column that is all one way gets no weights and a firm no (or yes)."""
    weights = np.zeros((matrix.shape[1], len(columns)), dtype=np.float32)
    bias = np.full(len(columns), -1, dtype=np.float32)
    for i, column in enumerate(columns):
        if column.any() and not column.all():
            svm = LinearSVC(C=c, class_weight="balanced" if balanced else None, random_state=seed)
            svm.fit(matrix, column, sample_weight=importance)
            weights[:, i], bias[i] = svm.coef_[0], svm.intercept_[0]
    return weights, bias


def _vocabulary(rows: Sequence[Features]) -> tuple[NDArray[np.uint64], Floats]:
    """The features worth a weight (those of two examples at least) and their inverse document frequency."""
    keys, counts = document_counts(rows)
    kept = counts >= _MIN_DOCUMENTS
    idf = np.log((1 + len(rows)) / (1 + counts[kept])) + 1
    return keys[kept], idf.astype(np.float32)


def _matrix(rows: Sequence[Features], keys: NDArray[np.uint64], idf: Floats) -> sparse.csr_matrix:
    placed = [place(row, keys, idf) for row in rows]
    ends = np.cumsum([0, *(len(found) for found, _ in placed)])
    data = np.concatenate([values for _, values in placed])
    indices = np.concatenate([found for found, _ in placed]).astype(np.int32)
    return sparse.csr_matrix((data, indices, ends), shape=(len(rows), len(keys)))


def _version(examples: Sequence[Example], own: Sequence[Example]) -> str:
    """A hash of what was learned from and of how."""
    digest = hashlib.sha256(f"{_how()} {shipped_rows()}".encode())
    for part, mark in ((examples, ""), (own, "own")):
        for example in part:
            digest.update(mark.encode() + repr(replace(example, flags=frozenset())).encode())
            digest.update(repr(sorted(example.flags)).encode())  # a set's own order changes from run to run
    return digest.hexdigest()[:16]


def _how() -> str:
    return f"features {FEATURE_VERSION} training {MODEL_VERSION}"


def ensure_model(folder: Path) -> Model:
    """The model for what ships: read from `folder`, or trained (under a minute) and written there for next time.

    A file of another version, or a broken one, is never used.
    """
    path = folder / f"model-{_shipped_version()}.npz"
    try:
        return load_model(path)
    except (OSError, NotAModel):
        model = train(shipped_examples())
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, path)
    return model


def _shipped_version() -> str:
    """A hash of the training files as they lie there, quicker than parsing them."""
    digest = hashlib.sha256(_how().encode())
    for entry in sorted((resources.files("disputes") / "training").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith((".jsonl", ".tsv")):
            digest.update(entry.read_bytes())
    return digest.hexdigest()[:16]
