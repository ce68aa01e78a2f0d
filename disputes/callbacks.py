"""A customer who wants to be called: their wish in their own words, and the number they name. Pure."""

from dataclasses import dataclass

import phonenumbers

from disputes.concepts import shipped_concepts
from disputes.passages import own_words
from disputes.tokens import CLOCK, DAY, INTEGER, Tokens, tokenize

_READ = 4_000
_LONGEST = 300
_WHEN = frozenset({CLOCK, DAY, INTEGER})
_STEMS = (
    "rappeler", "rappelez", "appeler", "appelez", "joindre", "joignable", "telephon", "call", "phone", "ring",
    "anruf", "ruckruf", "zuruckruf", "telefon", "llam", "richiam", "chiam", "bel", "terugbel",
)  # fmt: skip
"""How words of a call begin where no known phrase is found; looked for only in mails that ask for a call."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, quoted; `phone` is the number they named for it, "" where they named none."""

    words: str
    phone: str


def wish_of(new_text: str, *, language: str | None, country: str | None) -> Wish:
    """The sentences of a mail that speak of a call, with the one after them where it says when. Empty if none does."""
    text = own_words(new_text[:_READ])
    tokens = tokenize(text)
    about = _of_known_phrases(tokens, language) or _of_stems(tokens)
    if not about:
        return Wish("", "")
    last = about[-1] + (1 if _says_when(tokens, about[-1] + 1) else 0)
    words = " ".join(text[_start(tokens, about[0]) : _end(tokens, last)].split())
    shortened = words if len(words) <= _LONGEST else words[:_LONGEST].rsplit(" ", 1)[0] + " …"
    return Wish(shortened, _number(words[:_LONGEST], country))


def _of_known_phrases(tokens: Tokens, language: str | None) -> list[int]:
    """The sentences with a phrase of the classifier's."""
    concepts = shipped_concepts()
    hits = concepts.get(language or "en", concepts["en"]).find(tokens)
    return sorted({tokens.sentences[hit.first] for hit in hits if hit.concept == "PHONE_CALL"})


def _of_stems(tokens: Tokens) -> list[int]:
    return sorted(
        {number for norm, number in zip(tokens.norms, tokens.sentences, strict=True) if norm.startswith(_STEMS)}
    )


def _says_when(tokens: Tokens, sentence: int) -> bool:
    return any(
        shape in _WHEN for shape, number in zip(tokens.shapes, tokens.sentences, strict=True) if number == sentence
    )


def _start(tokens: Tokens, sentence: int) -> int:
    return tokens.starts[tokens.sentences.index(sentence)]


def _end(tokens: Tokens, sentence: int) -> int:
    last = max(place for place, number in enumerate(tokens.sentences) if number == sentence)
    return tokens.ends[last]


def _number(words: str, country: str | None) -> str:
    """The first number in it that somebody could dial. The text is short: the library's own search is quick on it."""
    for found in phonenumbers.PhoneNumberMatcher(words, (country or "").upper() or None):
        return str(phonenumbers.format_number(found.number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    return ""
