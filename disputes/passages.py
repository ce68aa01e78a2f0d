"""A mail taken into words and concepts once, for everything that looks at them: features, promises, explanations."""

from dataclasses import dataclass

from disputes.concepts import Concepts, Hit
from disputes.reading import MailText
from disputes.tokens import Tokens, tokenize

_TEXT_LIMIT = 20_000
_QUOTE_LIMIT = 4_000


@dataclass(frozen=True, slots=True)
class Passage:
    """One part of a mail: its words, the concepts in them, and the numbers of the sentences that ask something."""

    text: str
    tokens: Tokens
    hits: tuple[Hit, ...]
    asking: frozenset[int]

    def concepts_of(self, sentence: int) -> list[str]:
        """The concepts of one sentence."""
        return [hit.concept for hit in self.hits if self.tokens.sentences[hit.first] == sentence]


@dataclass(frozen=True, slots=True)
class Passages:
    """The parts of a mail that are read: the signature and the disclaimer are not."""

    new: Passage
    subject: Passage
    quote: Passage


def read_passages(mail: MailText, concepts: Concepts) -> Passages:
    """The parts of a mail, read with the concepts of its language; very long texts are read from their beginning."""
    return Passages(
        new=_passage(own_words(mail.new_text[:_TEXT_LIMIT]), concepts),
        subject=_passage(mail.subject[:_QUOTE_LIMIT], concepts),
        quote=_passage(mail.quoted_text[:_QUOTE_LIMIT], concepts),
    )


def _passage(text: str, concepts: Concepts) -> Passage:
    tokens = tokenize(text)
    pairs = zip(tokens.norms, tokens.sentences, strict=True)
    asking = frozenset(sentence for norm, sentence in pairs if norm == "?")
    return Passage(text, tokens, tuple(concepts.find(tokens)), asking)


def own_words(text: str) -> str:
    """The text with quoted lines between answers as blanks: every other character keeps its place."""
    lines = text.split("\n")
    return "\n".join(" " * len(line) if line.startswith(">") else line for line in lines)
