"""amiable bench classify: kind, reason, tone, flags and language of mails, beside plain scikit-learn pipelines.

The peer is what one writes first: TF-IDF over runs of 2 to 5 letters inside words and logistic regression, a pipeline
for each question that ours answers (reason, kind, sentiment, urgent, language, each flag). `reason alone` is the first
of them by itself. All learn from the same examples, in folds by account, and are asked one mail at a time as mail
arrives. `ms` is the processor's time a mail; ours marks the words that decided and finds promises besides.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from statistics import mean, median, quantiles
from time import process_time
from typing import Any, Protocol

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.report import Options, Report, Row
from disputes.classifier import Example, shipped_examples, train
from disputes.reading import FLAGS
from disputes.reasons import kind_of
from disputes.understanding import understand

FOLDS = 4
OURS, PEER, ALONE = "amiable", "char TF-IDF + logistic regression", "the same, reason alone"
QUESTIONS: dict[str, Callable[[Example], object]] = {
    "reason": lambda example: example.reason,
    "kind": lambda example: kind_of(example.reason),
    "sentiment": lambda example: example.sentiment,
    "urgent": lambda example: example.urgent,
    "language": lambda example: example.language,
    **{flag: lambda example, flag=flag: flag in example.flags for flag in sorted(FLAGS)},  # type: ignore[misc] # a default binds the flag
}
"""What ours answers of each mail, the reason first."""
_WARM = 20


class Says(Protocol):
    """Tells the reason of a mail, whatever else it answers on the way."""

    def __call__(self, example: Example) -> str:
        """The reason."""
        ...


def run(options: Options) -> Report:
    """All on the mails of the corpus that ships, each judged without the accounts it learned from."""
    makers = {OURS: _ours, PEER: _peer, ALONE: _reason_alone}
    told: dict[str, list[tuple[Example, str, float]]] = {name: [] for name in makers}
    for number in range(FOLDS):
        asked = [example for example in _mails() if _fold(example) == number][: options.size // FOLDS]
        known = shipped_examples(exclude_accounts=frozenset(e.account for e in _mails() if _fold(e) == number))
        for name, make in makers.items():
            told[name] += _told(make(known), asked)
    rows = [_row(name, answers) for name, answers in told.items()]
    return Report("classify", len(told[OURS]), rows, _ratios(*rows))


def _mails() -> list[Example]:
    return [example for example in shipped_examples() if example.account]


def _fold(example: Example) -> int:
    return int.from_bytes(sha256(example.account.encode()).digest()[:4], "big") % FOLDS


def _ours(known: Sequence[Example]) -> Says:
    model = train(known)
    return lambda example: understand(example.mail, example.facts, model).reason


def _peer(known: Sequence[Example]) -> Says:
    """One pipeline a question; they share what was read of the examples, so that learning takes a minute, not ten."""
    vectorizer, rows = _vectorized(known)
    pipelines = [_pipeline(vectorizer, rows, [answer(example) for example in known]) for answer in QUESTIONS.values()]

    def says(example: Example) -> str:
        reason, *_others = [one.predict([_text(example)])[0] for one in pipelines]
        return str(reason)

    return says


def _reason_alone(known: Sequence[Example]) -> Says:
    vectorizer, rows = _vectorized(known)
    pipeline = _pipeline(vectorizer, rows, [example.reason for example in known])
    return lambda example: str(pipeline.predict([_text(example)])[0])


def _vectorized(known: Sequence[Example]) -> tuple[TfidfVectorizer, Any]:
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)
    return vectorizer, vectorizer.fit_transform([_text(example) for example in known])


def _pipeline(vectorizer: TfidfVectorizer, rows: Any, answers: Sequence[object]) -> Pipeline:
    model = OneVsRestClassifier(LogisticRegression(C=30, solver="liblinear"))
    return make_pipeline(vectorizer, model.fit(rows, [str(answer) for answer in answers]))


def _text(example: Example) -> str:
    return f"{example.subject}\n{example.text}"


def _told(says: Callable[[Example], str], asked: Sequence[Example]) -> list[tuple[Example, str, float]]:
    """Each mail with what is said of its reason and the seconds that took, after a few to warm up."""
    for example in asked[:_WARM]:
        says(example)
    answers = []
    for example in asked:
        began = process_time()
        reason = says(example)
        answers.append((example, reason, process_time() - began))
    return answers


def _row(name: str, answers: Sequence[tuple[Example, str, float]]) -> Row:
    times = [seconds * 1000 for _, _, seconds in answers]
    return {
        "subject": name,
        "mails": len(answers),
        "ms": round(mean(times), 3),
        "ms_p50": round(median(times), 3),
        "ms_p95": round(quantiles(times, n=20)[-1], 3),
        "reason_accuracy": round(mean(reason == example.reason for example, reason, _ in answers), 4),
        "kind_accuracy": round(mean(kind_of(reason) == kind_of(example.reason) for example, reason, _ in answers), 4),
    }


def _ratios(ours: Row, peer: Row, alone: Row) -> dict[str, float]:
    return {
        "speed_vs_tfidf": round(peer["ms"] / ours["ms"], 2),
        "speed_vs_reason_alone": round(alone["ms"] / ours["ms"], 2),
        "accuracy_minus_tfidf": round(ours["reason_accuracy"] - peer["reason_accuracy"], 4),
    }
