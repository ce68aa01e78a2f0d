"""Features of a mail for the linear models: hashed words, letters, concepts and circumstances, in blocks.

Each block is weighed and normalised on its own, so that a long quote cannot drown a short reply. Keys are
`block << 32 | crc32(name)`: stable between runs and machines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from disputes.concepts import Hit, negated
from disputes.dates import find_days
from disputes.passages import Passage, Passages
from disputes.reading import CaseFacts, MailText
from disputes.tokens import Tokens, tokenize

FEATURE_VERSION = 5
"""Counted up whenever the features change, so that a stored model of other features is not used."""

WORDS, LETTERS, CONCEPTS, SUBJECT_WORDS, SUBJECT_LETTERS, SUBJECT_CONCEPTS, QUOTE, CIRCUMSTANCES, DAYS = range(9)
BLOCK_WEIGHTS = np.array([1.0, 1.3, 0.9, 0.6, 0.6, 0.6, 0.25, 0.5, 0.5], dtype=np.float32)
"""How much each block says, at most."""

_NEAR = 4
_LETTER_LENGTHS = (3, 4, 5)

Keys = NDArray[np.uint64]
Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Features:
    """Distinct keys in rising order, and how often each occurs (damped: 1 + log)."""

    keys: Keys
    values: Values


@dataclass(frozen=True, slots=True)
class Named:
    """Features by name, each with the tokens it stands on: `first` up to but not including `last`."""

    names: list[str]
    firsts: list[int]
    lasts: list[int]


def features_of(mail: MailText, facts: CaseFacts, passages: Passages, *, dated: bool = True) -> Features:
    """The features of a mail and its parts. `dated` is false where `sent_at` is made up."""
    new, subject = passages.new, passages.subject
    blocks = [
        hashed(WORDS, word_names(new.tokens).names),
        _letters(LETTERS, new.tokens),
        hashed(CONCEPTS, concept_names(new).names),
        hashed(SUBJECT_WORDS, word_names(subject.tokens).names),
        _letters(SUBJECT_LETTERS, subject.tokens),
        hashed(SUBJECT_CONCEPTS, concept_names(subject).names),
        hashed(QUOTE, [hit.concept for hit in passages.quote.hits]),
        hashed(CIRCUMSTANCES, circumstances(mail, facts, new.tokens)),
        hashed(DAYS, day_names(new, mail.sent_at.date(), dated=dated)),
    ]
    keys, counts = np.unique(np.concatenate(blocks), return_counts=True)
    return Features(keys, (1 + np.log(counts)).astype(np.float32))


def word_names(tokens: Tokens) -> Named:
    """Words and pairs of neighbours in one sentence; numbers by their shape."""
    words = shaped_words(tokens)
    named = Named(list(words), list(range(len(words))), list(range(1, len(words) + 1)))
    for i in range(len(words) - 1):
        if tokens.sentences[i] == tokens.sentences[i + 1]:
            named.names.append(words[i] + " " + words[i + 1])
            named.firsts.append(i)
            named.lasts.append(i + 2)
    return named


def shaped_words(tokens: Tokens) -> list[str]:
    """The words, with each number replaced by its shape."""
    return [shape or norm for norm, shape in zip(tokens.norms, tokens.shapes, strict=True)]


def concept_names(passage: Passage) -> Named:
    """Concepts found: alone or negated, crossed with the numbers beside them, and whether in a question."""
    tokens = passage.tokens
    denied = negated(passage.hits, tokens)
    named = Named([], [], [])
    for i, hit in enumerate(passage.hits):
        name = "not " + hit.concept if i in denied else hit.concept
        names = [name, *(f"{name}#{shape}" for shape in _shapes_near(hit, tokens))]
        names += ["ask " + name] if tokens.sentences[hit.first] in passage.asking else []
        named.names.extend(names)
        named.firsts.extend([hit.first] * len(names))
        named.lasts.extend([hit.last] * len(names))
    return named


def _shapes_near(hit: Hit, tokens: Tokens) -> set[str]:
    sentence = tokens.sentences[hit.first]
    near = range(max(0, hit.first - _NEAR), min(len(tokens), hit.last + _NEAR))
    return {tokens.shapes[i] for i in near if tokens.shapes[i] and tokens.sentences[i] == sentence}


def circumstances(mail: MailText, facts: CaseFacts, new: Tokens) -> list[str]:
    """What is known beside the words: attachments, who writes, how long, what the thread said before."""
    names = ["direction " + mail.direction, "size " + str(len(new).bit_length())]
    names += ["file " + name.rpartition(".")[2].lower() for name in mail.attachment_names]
    names += ["file " + word for name in mail.attachment_names for word in tokenize(name).norms if word.isalpha()]
    names += ["quote"] if mail.quoted_text.strip() else []
    names += ["reply"] if facts.earlier else []
    names += ["asks"] if "?" in new.norms else []
    return names


def day_names(new: Passage, sent: date, *, dated: bool = True) -> list[str]:
    """Days named, by how far ahead they lie, and the concepts of their sentence with past or ahead.

    Tense tells a payment made from a payment promised, and days tell tense in every language alike.
    """
    names: list[str] = []
    for mention in find_days(new.tokens, sent):
        if dated or not mention.named:
            ahead = (mention.day - sent).days
            names.append("day " + next(name for limit, name in _DISTANCES if ahead < limit))
            when = "@past" if ahead < 0 else "@ahead"
            names += [concept + when for concept in new.concepts_of(new.tokens.sentences[mention.first])]
    return names


_DISTANCES = ((0, "past"), (1, "today"), (5, "soon"), (11, "next week"), (100_000, "later"))


def hashed(block: int, names: Iterable[str]) -> Keys:
    """The keys of named features of one block."""
    base = block << 32
    return np.array([base | _crc(name) for name in names], dtype=np.uint64)


@lru_cache(maxsize=100_000)
def _crc(name: str) -> int:
    return crc32(name.encode())


_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)


def _letters(block: int, tokens: Tokens) -> Keys:
    """Runs of letters inside words (a blank stands at each end of a word), as rolling hashes."""
    text = " " + " ".join(shaped_words(tokens)) + " "
    codes = np.frombuffer(text.encode("latin-1", "replace"), dtype=np.uint8)
    blanks = np.concatenate([[0], np.cumsum(codes == ord(" "))])
    found = [_runs(codes, blanks, length) for length in _LETTER_LENGTHS]
    return np.concatenate(found) | np.uint64(block << 32)


def _runs(codes: NDArray[np.uint8], blanks: NDArray[np.int64], length: int) -> Keys:
    count = len(codes) - length + 1
    if count <= 0:
        return np.empty(0, dtype=np.uint64)
    hashes = np.full(count, length, dtype=np.uint64)
    for i in range(length):
        hashes = (hashes ^ codes[i : i + count]) * _PRIME
    inside = blanks[length - 1 : length - 1 + count] - blanks[1 : 1 + count]
    runs: Keys = (hashes >> _SHIFT)[inside == 0]
    return runs


def document_counts(rows: Sequence[Features]) -> tuple[Keys, NDArray[np.int64]]:
    """Every key and in how many of the rows it occurs."""
    return np.unique(np.concatenate([row.keys for row in rows]), return_counts=True)
