"""The words that decided, to be marked in the mail: the largest contributions to the chosen reason."""

from collections.abc import Iterator

from disputes.concepts import Concepts
from disputes.features import (
    CONCEPTS,
    SUBJECT_CONCEPTS,
    SUBJECT_WORDS,
    WORDS,
    Named,
    concept_names,
    hashed,
    own_words,
    word_names,
)
from disputes.model_file import Model, Placed
from disputes.reading import MailText, Span
from disputes.tokens import tokenize

_MOST = 6
_LEAST_WEIGHT = 0.02


def deciding_words(mail: MailText, reason: str, concepts: Concepts, model: Model, placed: Placed) -> tuple[Span, ...]:
    """Up to six spans that spoke for the reason, strongest first; none overlaps another."""
    if reason not in model.reasons:
        return ()
    rows, values = placed
    speaks = values * model.weights[rows, model.reasons.index(reason)]
    spoken = dict(zip(model.keys[rows].tolist(), speaks.tolist(), strict=True))
    spans = [
        *_spans("new", mail.new_text, concepts, (WORDS, CONCEPTS), spoken),
        *_spans("subject", mail.subject, concepts, (SUBJECT_WORDS, SUBJECT_CONCEPTS), spoken),
    ]
    return _apart(sorted(spans, key=lambda span: -span.weight))


def _spans(
    source: str, text: str, concepts: Concepts, blocks: tuple[int, int], spoken: dict[int, float]
) -> Iterator[Span]:
    tokens = tokenize(own_words(text) if source == "new" else text)
    for block, named in zip(blocks, (word_names(tokens), concept_names(tokens, concepts)), strict=True):
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
