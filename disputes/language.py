"""Which of six languages a mail is in: naive Bayes over hashed letters and words of the training texts.

Off-the-shelf detectors know a hundred languages and guess wildly at three words; six languages and the language of
the account as a prior make short mails safe.
"""

from collections.abc import Iterable
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from disputes.examples import Example
from disputes.reading import LANGUAGES, CaseFacts, MailText

BUCKETS = 1 << 16
"""Columns of the table of languages."""
_LENGTHS = (1, 2, 3, 4)
_SMOOTHING = 0.5
_WORD_COUNTS_AS = 2
_TEXT_LIMIT = 2000
_SUBJECT_WEIGHT = 0.3
_DAMPING = 0.2  # neighbouring letters are far from independent: undamped, one odd name outweighs the account
_KNOWN_LANGUAGE = 2.0
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(32)

Table = NDArray[np.float32]
"""Log probability of each bucket, by language (rows as in LANGUAGES)."""


def learn_languages(examples: Iterable[Example]) -> Table:
    """The table learned from labelled texts."""
    counts = np.full((len(LANGUAGES), BUCKETS), _SMOOTHING)
    for example in examples:
        row = counts[LANGUAGES.index(example.language)]
        np.add.at(row, _buckets(f"{example.subject}\n{example.text}"), 1)
    table: Table = np.log(counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    return table


def detect_language(mail: MailText, facts: CaseFacts, table: Table) -> str:
    """The two-letter code of the mail's language; the account's and the thread's decide where the text says little."""
    score = _DAMPING * (_score(mail.new_text, table) + _SUBJECT_WEIGHT * _score(mail.subject, table))
    for known in (facts.account_language, facts.thread_language):
        if known in LANGUAGES:
            score[LANGUAGES.index(known)] += _KNOWN_LANGUAGE
    return LANGUAGES[int(score.argmax())]


def _score(text: str, table: Table) -> NDArray[np.float64]:
    buckets = _buckets(text[:_TEXT_LIMIT])
    scores: NDArray[np.float64] = table[:, buckets].sum(axis=1, dtype=np.float64)
    return scores


def _buckets(text: str) -> NDArray[np.int64]:
    words = "".join(char if char.isalpha() else " " for char in text.lower()).split()
    codes = np.frombuffer(f" {' '.join(words)} ".encode("latin-1", "replace"), dtype=np.uint8)
    found = [_runs(codes, length) for length in _LENGTHS]
    found += [np.array([crc32(word.encode()) % BUCKETS for word in words], dtype=np.int64)] * _WORD_COUNTS_AS
    return np.concatenate(found)


def _runs(codes: NDArray[np.uint8], length: int) -> NDArray[np.int64]:
    count = max(0, len(codes) - length + 1)
    hashes = np.full(count, length, dtype=np.uint64)
    for i in range(length):
        hashes = (hashes ^ codes[i : i + count]) * _PRIME
    return ((hashes >> _SHIFT) % np.uint64(BUCKETS)).astype(np.int64)
