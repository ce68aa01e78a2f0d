"""What a message or a case is about, in a form that two of them can be compared by. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path

import re2

from disputes.reasons import by_shipped
from matching.talk import turns_to_another
from matching.text import clean, fold, words
from matching.values import find_amounts

_COMMON_FILE = Path(__file__).with_name("common_words.txt")
_SHORTEST = 4
_STEM = 6
_REFERENCE_DIGITS = 3
_PASSAGE = 7
_MOST_WORDS = 400
_MOST_PASSAGES = 600
_TEXT = 20_000
_PREFIX = re2.compile(
    r"(?i)^(?:\s*(?:re|fw|fwd|tr|aw|wg|rv|r|i|antw|vs|sv|rif|doorst|enc)\s*(?:\[\d+\]|\(\d+\))?\s*:)+\s*"
)
_EMPTY_SUBJECT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What is compared. A case's matter is the union of its messages'.

    `invoices` and `reasons` map to probabilities; `named` are the invoices the sender's own words mean, not those a
    quote, a reply's subject or the thread carries along; `words` are telling words cut to their stem (products,
    places, ticket numbers), never receivables talk, `new_words` those outside the subject; `written` and `quoted`
    are passages, to know a reply without headers by what it quotes; `people` are mail addresses. `turns` says that the
    sender comes to another matter in so many words.
    """

    invoices: Mapping[int, float] = field(default_factory=dict)
    named: frozenset[int] = frozenset()
    reasons: Mapping[str, float] = field(default_factory=dict)
    amounts: frozenset[Decimal] = frozenset()
    words: frozenset[str] = frozenset()
    new_words: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    quoted: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    turns: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailParts:
    """The parts of a mail that tell its matter."""

    subject: str
    new_text: str
    quoted_text: str = ""
    people: tuple[str, ...] = ()
    sent_at: datetime | None = None


def matter_of(
    mail: MailParts,
    *,
    invoices: Mapping[int, float],
    reasons: Mapping[str, float],
    named: frozenset[int] = frozenset(),
) -> Matter:
    """The matter of one message; `invoices` and `reasons` are what matching and understanding made of it."""
    told = _told(mail.subject, mail.new_text[:_TEXT], mail.quoted_text[:_TEXT])
    people = frozenset(person.lower() for person in mail.people if person)
    return replace(told, invoices=dict(invoices), named=named, reasons=by_shipped(reasons), people=people)


@lru_cache(maxsize=1_024)
def _told(subject: str, text: str, quoted: str) -> Matter:
    """What the words alone tell. The mails of a case are read again for each new one: each is taken apart once."""
    return Matter(
        amounts=amounts_of(f"{subject}\n{text}"),
        words=telling_words(f"{bare_subject(subject)}\n{text}"),
        new_words=telling_words(text),
        subjects=frozenset({plain_subject(subject)} - {""}),
        written=passages(text),
        quoted=passages(quoted),
        turns=turns_to_another(fold(clean(text))),
    )


def together(matters: Iterable[Matter]) -> Matter:
    """The matter of a case from those of its messages: the highest probability of each invoice, reasons averaged."""
    every = tuple(matters)
    return Matter(
        invoices=_highest(matter.invoices for matter in every),
        named=frozenset().union(*(matter.named for matter in every)),
        reasons=_mean([matter.reasons for matter in every if matter.reasons]),
        amounts=frozenset().union(*(matter.amounts for matter in every)),
        words=frozenset().union(*(matter.words for matter in every)),
        new_words=frozenset().union(*(matter.new_words for matter in every)),
        subjects=frozenset().union(*(matter.subjects for matter in every)),
        written=frozenset().union(*(matter.written for matter in every)),
        quoted=frozenset().union(*(matter.quoted for matter in every)),
        people=frozenset().union(*(matter.people for matter in every)),
    )


def _highest(maps: Iterable[Mapping[int, float]]) -> dict[int, float]:
    best: dict[int, float] = {}
    for one in maps:
        for key, value in one.items():
            best[key] = max(value, best.get(key, 0.0))
    return best


def _mean(maps: list[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for one in maps:
        for key, value in one.items():
            total[key] = total.get(key, 0.0) + value / len(maps)
    return total


def telling_words(text: str) -> frozenset[str]:
    """Words that tell one matter from another: not receivables talk, cut to a stem; numbers of three digits or more."""
    found = (cut for word in words(text) if (cut := _telling_stem(word)))
    return frozenset(list(dict.fromkeys(found))[:_MOST_WORDS])


@lru_cache(maxsize=8_192)
def _telling_stem(word: str) -> str:
    """The stem of a word that tells matters apart, '' of any other; words come again in every mail."""
    lower = word.lower()
    return stem(lower) if _telling(lower) else ""


def _telling(word: str) -> bool:
    if any(char.isdigit() for char in word):
        return sum(char.isdigit() for char in word) >= _REFERENCE_DIGITS and not _is_year(word)
    return len(word) >= _SHORTEST and word not in common_words()


def _is_year(word: str) -> bool:
    return len(word) == len("2000") and word.startswith("20")


def stem(word: str) -> str:
    """A word cut so that singular, plural and compounds meet (chair, chairs); numbers stay whole."""
    return word if any(char.isdigit() for char in word) else word[:_STEM].removesuffix("s")


@cache
def common_words() -> frozenset[str]:
    """Words that a receivables mail of any trade may hold: those found in 12 or more of the training statements."""
    return frozenset(_COMMON_FILE.read_text(encoding="utf-8").split())


def amounts_of(text: str) -> frozenset[Decimal]:
    """The sums of money a text names, those written with cents or a currency only."""
    found = find_amounts(fold(clean(text)))
    return frozenset(Decimal(amount.cents).scaleb(-2) for amount in found if amount.sure and amount.cents)


def bare_subject(subject: str) -> str:
    """A subject without its reply and forward marks in six languages."""
    return str(_PREFIX.sub("", subject)).strip()


def is_reply(subject: str) -> bool:
    """Whether a subject carries a reply or forward mark: then it is the thread's, not the sender's own words."""
    return bare_subject(subject) != subject.strip()


def plain_subject(subject: str) -> str:
    """A subject to compare by: no reply marks, no case, single blanks; "" for one that says nothing."""
    plain = " ".join(words(bare_subject(subject))).lower()
    return plain if len(plain) > _EMPTY_SUBJECT else ""


def passages(text: str) -> frozenset[str]:
    """Every run of seven words: two mails share one only by quoting, however their lines were wrapped."""
    every = words(text)
    starts = range(min(len(every) - _PASSAGE + 1, _MOST_PASSAGES))
    return frozenset(" ".join(every[start : start + _PASSAGE]) for start in starts)
