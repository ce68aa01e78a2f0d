"""The words that decided, to be marked in the mail: the largest contributions to the chosen reason."""

from collections.abc import Iterator

from disputes.features import (
    CONCEPTS,
    SUBJECT_CONCEPTS,
    SUBJECT_WORDS,
    WORDS,
    Named,
    concept_names,
    hashed,
    word_names,
)
from disputes.model_file import Model, Placed
from disputes.passages import Passage, Passages
from disputes.reading import Span

_MOST = 6
_LEAST_WEIGHT = 0.02


def deciding_words(passages: Passages, reason: str, model: Model, placed: Placed) -> tuple[Span, ...]:
    """Up to six spans that spoke for the reason, strongest first; none overlaps another."""
    if reason not in model.reasons:
        return ()
    rows, values = placed
    speaks = values * model.weights[rows, model.reasons.index(reason)]
    spoken = dict(zip(model.keys[rows].tolist(), speaks.tolist(), strict=True))
    spans = [
        *_spans("new", passages.new, (WORDS, CONCEPTS), spoken),
        *_spans("subject", passages.subject, (SUBJECT_WORDS, SUBJECT_CONCEPTS), spoken),
    ]
    return _apart(sorted(spans, key=lambda span: -span.weight))


def _spans(source: str, passage: Passage, blocks: tuple[int, int], spoken: dict[int, float]) -> Iterator[Span]:
    tokens, text = passage.tokens, passage.text
    for block, named in zip(blocks, (word_names(tokens), concept_names(passage)), strict=True):
        for key, first, last in _keyed(block, named):
            weight = spoken.get(key, 0.0)
            if weight > _LEAST_WEIGHT:
                start, end = tokens.starts[first], tokens.ends[last - 1]
                yield Span(source, start, end, text[start:end], round(weight, 4))


def _keyed(block: int, named: Named) -> Iterator[tuple[int, int, int]]:
    return zip(hashed(block, named.names).tolist(), named.firsts, named.lasts, strict=True)


def _apart(spans: list[Span]) -> tuple[Span, ...]:
    kept: list[Span] = []
    for span in spans:
        if not any(span.source == other.source and span.start < other.end and other.start < span.end for other in kept):
            kept.append(span)
        if len(kept) == _MOST:
            break
    return tuple(kept)
