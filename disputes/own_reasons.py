"""Reasons a deployment adds to the shipped ones: special forms of them, with labels and a team of their own. Pure.

What is not said of one's own reason is that of the shipped reason it specialises: kind, clocks, letters, playbooks and
texts. A reason is never taken away, only retired: cases, corrections and reports of the past still name it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pydantic import Field, field_validator, model_validator

from app.core.i18n import LANGUAGES
from disputes.reading import Understanding
from disputes.reasons import (
    KINDS,
    LONGEST_OWN,
    MARK,
    REASONS,
    SPECIALISED,
    is_own_name,
    kind_of,
    reasons_of,
    shipped,
    shipped_row,
    team_of,
)
from disputes.rulebook import BadPolicy, Rules, read

MOST = 200
"""Own reasons a deployment may have: a person still chooses from them."""
LONGEST_LABEL = 60


class OwnReason(Rules):
    """One: `name` as "price.promotion", `labels` UI language -> what people read, `team` the key of who settles it."""

    name: str = Field(max_length=60)
    labels: dict[str, str]
    team: str = Field(min_length=1, max_length=40)
    retired: bool = False

    @field_validator("name")
    @classmethod
    def _specialises(cls, name: str) -> str:
        parent, _, own = name.partition(MARK)
        if parent not in SPECIALISED:
            raise ValueError(f"there is no reason {parent or 'without a name'} to be a special form of")
        if not is_own_name(own):
            raise ValueError(f"a name is 1 to {LONGEST_OWN} small letters, digits and _, a letter first")
        if own in REASONS:
            raise ValueError(f"{own} is the name of a shipped reason")
        return name

    @field_validator("labels")
    @classmethod
    def _said(cls, labels: dict[str, str]) -> dict[str, str]:
        said = {language: " ".join(label.split()) for language, label in labels.items()}
        said = {language: label for language, label in said.items() if label}
        if unknown := sorted(said.keys() - set(LANGUAGES)):
            raise ValueError(f"there is no language {unknown[0]} on screen; there are {', '.join(LANGUAGES)}")
        if not said:
            raise ValueError("a label in one language at least is needed")
        if max(map(len, said.values())) > LONGEST_LABEL:
            raise ValueError(f"a label has at most {LONGEST_LABEL} characters")
        return said

    @property
    def parent(self) -> str:
        """The shipped reason it is a special form of."""
        return shipped(self.name)

    @property
    def kind(self) -> str:
        """Dispute or query: its parent's."""
        return kind_of(self.name)

    def label(self, language: str) -> str:
        """What readers of a language read; the first label there is where theirs was not typed."""
        return self.labels.get(language) or next(self.labels[one] for one in LANGUAGES if one in self.labels)


class OwnReasons(Rules):
    """All of a deployment, in the order they were added."""

    reasons: tuple[OwnReason, ...] = Field(default=(), max_length=MOST)

    @model_validator(mode="after")
    def _each_once(self) -> "OwnReasons":
        names = [one.name for one in self.reasons]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"there are two reasons {twice}")
        return self

    @property
    def names(self) -> frozenset[str]:
        """What they are called, the retired ones too."""
        return frozenset(one.name for one in self.reasons)


def read_own(content: Mapping[str, Any]) -> OwnReasons:
    """Own reasons from a policy's content. Raises BadPolicy with each place at fault."""
    return read(OwnReasons, content, what="The reasons")


def refuse_lost(old: Rules | None, new: Rules | None) -> None:
    """Raise BadPolicy when a reason of the old version is missing in the new one: it may be retired, never lost."""
    kept = {one.name for one in new.reasons} if isinstance(new, OwnReasons) else set()
    before = [one.name for one in old.reasons] if isinstance(old, OwnReasons) else []
    if lost := [name for name in before if name not in kept]:
        raise BadPolicy(
            f"{', '.join(lost)} would be lost: a reason is never taken away, for cases name it. Retire it instead",
            fields={"reasons": f"would be lost: {', '.join(lost)}"},
        )


@dataclass(frozen=True)
class Reasons:
    """Every reason of a deployment: those that ship and its own by name."""

    own: Mapping[str, OwnReason] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[OwnReason]) -> "Reasons":
        """With these own ones."""
        return cls({row.name: row for row in rows})

    def usable(self, name: str) -> bool:
        """Whether something may be given this reason now: it ships, or is the deployment's own and not retired."""
        return name in REASONS or (name in self.own and not self.own[name].retired)

    def current(self, name: str) -> str:
        """The reason itself where it may be used, else the shipped one it specialises."""
        return name if self.usable(name) else shipped(name)

    def team_of(self, name: str) -> str:
        """Who settles it: its own team, else the shipped one (or CASE_OWNER or NOBODY). KeyError for an unknown one."""
        return self.own[name].team if name in self.own else team_of(name)

    def label(self, name: str, language: str) -> str:
        """A label that people typed, in a reader's language; the English msgid of a shipped one."""
        if name in self.own:
            return self.own[name].label(language)
        return shipped_row(name).label if shipped(name) in REASONS else name.replace("_", " ").capitalize()

    def told(self, name: str) -> str | dict[str, str]:
        """How a reason stands in what was told (told.py): a shipped one's msgid, an own one's labels by language."""
        return dict(self.own[name].labels) if name in self.own else self.label(name, "en")

    def of_kind(self, kind: str) -> Sequence[str]:
        """The names of a kind in the order people are shown them: each shipped one, then its forms in use."""
        return [name for row in reasons_of(kind) for name in (row.name, *self._forms.get(row.name, ()))]

    @cached_property
    def every(self) -> Sequence[str]:
        """All names that may be used, disputes first, each shipped reason before its forms."""
        return [name for kind in KINDS for name in self.of_kind(kind)]

    @cached_property
    def _forms(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for one in self.own.values():
            if not one.retired:
                found.setdefault(one.parent, []).append(one.name)
        return found


def in_use(meant: Understanding, reasons: Reasons) -> Understanding:
    """What was understood in reasons that may be used: a retired or unknown form counts to what it is a form of."""
    if all(reasons.usable(name) for name, _ in meant.ranking) and reasons.usable(meant.reason):
        return meant
    chances: dict[str, float] = {}
    for name, chance in meant.ranking:
        chances[reasons.current(name)] = chances.get(reasons.current(name), 0.0) + chance
    ranking = tuple(sorted(chances.items(), key=lambda pair: -pair[1]))
    reason, confidence = ranking[0] if ranking else (reasons.current(meant.reason), meant.confidence)
    return replace(meant, kind=kind_of(reason), reason=reason, confidence=confidence, ranking=ranking)
