"""Concepts of receivables talk: language-neutral notions (ALREADY_PAID, SHORT, DAMAGED ...) found by word patterns.

training/concepts.tsv holds concept, language, pattern: folded words, `*` for any letters at a word's start or end,
`~` for up to two words between. It lets an example in one language teach all others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

from disputes.tokens import Tokens

NEGATION = "NEGATION"
_GAP = 2


@dataclass(frozen=True, slots=True)
class Hit:
    """One concept found: tokens `first` up to but not including `last` of the text."""

    concept: str
    first: int
    last: int


@dataclass(slots=True)
class _Node:
    """Where a pattern has got to: what may come next, at once or after a gap, and the concepts complete here."""

    then: dict[str, "_Node"] = field(default_factory=dict)
    gap: dict[str, "_Node"] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)


class Concepts:
    """The patterns of one or all languages, as a trie over pattern words."""

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        """Build from (concept, pattern) rows."""
        self._root = _Node()
        self._words: set[str] = set()
        self._known: dict[str, tuple[str, ...]] = {}
        for concept, pattern in rows:
            self._add(concept, pattern)
        lengths = {(word[0] == "*", len(word) - 1) for word in self._words if "*" in word}
        self._heads = sorted(size for suffix, size in lengths if not suffix)
        self._tails = sorted(size for suffix, size in lengths if suffix)

    def _add(self, concept: str, pattern: str) -> None:
        node, gap = self._root, False
        for word in pattern.replace("~", " ~ ").split():
            if word == "~":
                gap = True
                continue
            self._words.add(word)
            node = (node.gap if gap else node.then).setdefault(word, _Node())
            gap = False
        if concept not in node.ends:
            node.ends.append(concept)

    def find(self, tokens: Tokens) -> list[Hit]:
        """Every concept in the text, in order of where it starts; never across sentences."""
        words = [self._pattern_words(norm) for norm in tokens.norms]
        starts = self._root.then
        hits: list[Hit] = []
        for i, known in enumerate(words):
            for word in known:
                node = starts.get(word)
                if node is not None:
                    hits.extend(Hit(concept, i, last) for concept, last in self._walk(node, i + 1, words, tokens))
        return hits

    def _walk(self, node: _Node, at: int, words: list[tuple[str, ...]], tokens: Tokens) -> Iterator[tuple[str, int]]:
        """The concepts complete from this node on, with the token after their last word."""
        for concept in node.ends:
            yield concept, at
        for skip in range(_GAP + 1 if node.gap else 1):
            if at + skip >= len(words) or tokens.sentences[at + skip] != tokens.sentences[at - 1]:
                return
            for word in words[at + skip]:
                nexts = (node.then.get(word) if not skip else None, node.gap.get(word))
                for after in nexts:
                    if after is not None:
                        yield from self._walk(after, at + skip + 1, words, tokens)

    def _pattern_words(self, norm: str) -> tuple[str, ...]:
        """The pattern words that fit a word; remembered, for the same words come again and again."""
        known = self._known.get(norm)
        if known is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            known = self._known[norm] = tuple(word for word in self._candidates(norm) if word in self._words)
        return known

    def _candidates(self, norm: str) -> Iterator[str]:
        yield norm
        yield from (norm[:size] + "*" for size in self._heads if size <= len(norm))
        yield from ("*" + norm[-size:] for size in self._tails if 0 < size <= len(norm))


_REMEMBERED = 50_000


@cache
def shipped_rows() -> tuple[tuple[str, str, str], ...]:
    """(concept, language, pattern) of the shipped table."""
    text = (resources.files("disputes") / "training" / "concepts.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line)
    return tuple((concept, language, pattern) for concept, language, pattern in rows)


@cache
def shipped_concepts() -> Mapping[str, Concepts]:
    """Language -> its patterns; "" -> those of all languages."""
    rows = shipped_rows()
    languages = sorted({language for _, language, _ in rows})
    by_language = {code: Concepts((c, p) for c, lang, p in rows if lang == code) for code in languages}
    return {**by_language, "": Concepts((c, p) for c, _, p in rows)}


def negated(hits: Sequence[Hit], tokens: Tokens, *, reach: int = 4) -> frozenset[int]:
    """Indexes of the hits that a negation stands shortly before, in the same sentence."""
    negations = [hit for hit in hits if hit.concept == NEGATION]
    return frozenset(
        i
        for i, hit in enumerate(hits)
        if hit.concept != NEGATION
        and any(
            0 < hit.first - no.first <= reach and tokens.sentences[hit.first] == tokens.sentences[no.first]
            for no in negations
        )
    )
