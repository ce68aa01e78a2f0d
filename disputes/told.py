"""What was decided and why, so that it can be said in any language: a sentence with places, and what fills them. Pure.

The sentence is an English msgid (marked N_ where it is written); it is translated where it is shown, and kept with its
facts. What was kept by an older program, and is in no catalog any more, is still English.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """One reason: `say` may name its facts as %(name)s. Facts are JSON values, days as ISO text; what people typed in
    several languages is a mapping by language.
    """

    say: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def kept(self) -> dict[str, Any]:
        """As a row keeps it."""
        return {"say": self.say, **self.facts}

    def english(self) -> str:
        """For logs, and for readers of English."""
        return filled(self.say, {name: in_language(value, "en") for name, value in self.facts.items()})


def in_language(value: Any, language: str) -> Any:
    """A fact for readers of a language; what was typed in another one only is better than nothing."""
    if not isinstance(value, Mapping):
        return value
    return value.get(language) or next(iter(value.values()), "")


def told(say: str, **facts: Any) -> Told:
    """A reason in a sentence and its facts."""
    return Told(say, facts)


def kept(reasons: Iterable[Told]) -> list[dict[str, Any]]:
    """Reasons as a row keeps them, in their order."""
    return [one.kept() for one in reasons]


def read_kept(rows: Iterable[Mapping[str, Any]]) -> tuple[Told, ...]:
    """Reasons from a row."""
    return tuple(Told(str(row["say"]), {name: row[name] for name in row if name != "say"}) for row in rows)


def filled(sentence: str, facts: Mapping[str, Any]) -> str:
    """The sentence with its facts; one without facts may hold any sign."""
    return sentence % facts if facts else sentence
