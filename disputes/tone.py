"""Words in a draft that blame, deny, doubt or press, with a gentler way to say it (product.md, Guards). Pure.

A check, not a censor: the agent sees the words marked and may send all the same. The words are data, one file a
language in tones/; they are compared without case and accents, so that spans fit the text as it was written.
"""

import hashlib
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import re2

from disputes.reading import LANGUAGES

N_ = str  # marks a msgid for babel's extraction; translated where it is shown

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "blame": N_("This blames the customer"),
        "deny": N_("This argues instead of helping"),
        "doubt": N_("This doubts the customer's word"),
        "lecture": N_("This sounds like a lecture"),
        "feelings": N_("This judges how the customer feels"),
        "press": N_("This threatens or presses"),
        "shout": N_("This reads like shouting"),
    }
)
"""Kind of flag -> what is wrong with it, in English."""
_FOLDER = Path(__file__).with_name("tones")
_SHOUT = re2.compile(r"\b[A-Z]{3,}(?:[ ,]+[A-Z]{3,}){2,}\b|!{2,}|\?{2,}")
_LONGEST = 100_000
_APOSTROPHES = {"’": "'", "‘": "'", "`": "'", "´": "'", "‑": "-", "–": "-"}


@dataclass(frozen=True, slots=True)
class Flag:
    """Words of a draft to think about: characters `start` to `end`. `suggestion` is in the draft's language; it may be
    empty. `why` is a msgid of KINDS.
    """

    kind: str
    start: int
    end: int
    text: str
    why: str
    suggestion: str


def check(text: str, language: str) -> tuple[Flag, ...]:
    """What to think about before sending, in the order of the text; overlapping finds once. Quoted lines are not ours.

    A language without a list is checked for shouting only.
    """
    mine = _own_lines(text[:_LONGEST])
    found = sorted([*_phrases(mine, language), *_shouting(mine)], key=lambda one: (one.start, -one.end))
    kept: list[Flag] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def mark_of(flags: Sequence[Flag]) -> str:
    """What stands for exactly these words: somebody who stands by them has not yet stood by others. "" for none."""
    told = sorted({f"{one.kind}:{fold(one.text)}" for one in flags})
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16] if told else ""


def _phrases(text: str, language: str) -> Iterator[Flag]:
    folded = fold(text)
    for kind, suggestion, pattern in _flags(language):
        for match in pattern.finditer(folded):
            start, end = match.span()
            yield Flag(kind, start, end, text[start:end], KINDS[kind], suggestion)


def _shouting(text: str) -> Iterator[Flag]:
    for match in _SHOUT.finditer(text):
        start, end = match.span()
        yield Flag("shout", start, end, text[start:end], KINDS["shout"], "")


def _own_lines(text: str) -> str:
    """The text with quoted lines blanked out: the same length, so that spans fit."""
    lines = text.split("\n")
    return "\n".join(" " * len(line) if line.lstrip().startswith(">") else line for line in lines)


def fold(text: str) -> str:
    """The text without case, accents and typographic apostrophes, character for character."""
    return text.translate(_Folding())


class _Folding(dict[int, str]):
    """Folds a character when it is met first."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        lower = _APOSTROPHES.get(char) or unicodedata.normalize("NFD", char)[0].lower()
        self[code] = lower if len(lower) == 1 else char
        return self[code]


@cache
def _flags(language: str) -> tuple[tuple[str, str, Any], ...]:
    """Kind, suggestion and compiled pattern of each entry of a language."""
    if language not in LANGUAGES:
        return ()
    content = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return tuple((one["kind"], one["say"], _pattern(one["words"])) for one in content["flag"])


def _pattern(phrases: list[str]) -> Any:
    """Any of the phrases as whole words; longer ones first, so that the whole of what is wrong is marked."""
    longest = sorted(phrases, key=len, reverse=True)
    return re2.compile(r"\b(?:" + "|".join(_phrase(one) for one in longest) + ")")


def _phrase(phrase: str) -> str:
    words = [re2.escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else r"\b") for word in phrase.split()]
    return r"\s+".join(words)
