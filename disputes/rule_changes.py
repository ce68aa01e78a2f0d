"""What differs between two versions of rules, for people to read: rows added, taken away, changed, moved. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, ndiff
from typing import Any, Literal

from disputes.rulebook import Rules

How = Literal["added", "removed", "changed", "moved"]
LineHow = Literal["added", "removed", "same"]
_Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Changed:
    """One difference. `place` is the field of the rules; `before` and `after` are its values, or rows of it."""

    how: How
    place: str
    before: Any = None
    after: Any = None

    @property
    def lines(self) -> tuple[tuple[LineHow, str], ...]:
        """A longer text line by line, as it went from one to the other; none for what is not text of several lines."""
        before, after = self.before, self.after
        if not (isinstance(before, str) and isinstance(after, str)) or "\n" not in f"{before}{after}":
            return ()
        signs: dict[str, LineHow] = {"- ": "removed", "+ ": "added", "  ": "same"}
        told = ndiff(before.split("\n"), after.split("\n"))
        return tuple((signs[line[:2]], line[2:]) for line in told if line[:2] in signs)


def changes(before: Rules, after: Rules) -> tuple[Changed, ...]:
    """What changed from one version to the other, field by field, rows by their id or name. Both of one kind."""
    found: list[Changed] = []
    for name in type(after).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if old == new:
            continue
        rows = _are_rows(old) and _are_rows(new)
        found += _rows(name, old, new) if rows else [Changed("changed", name, old, new)]
    return tuple(found)


def _are_rows(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, Rules) for one in value)


def _rows(place: str, old: Sequence[Rules], new: Sequence[Rules]) -> list[Changed]:
    """In the order of the new version, what was taken away at the end."""
    before, after = dict(zip(_keys(old), old, strict=True)), dict(zip(_keys(new), new, strict=True))
    moved = _moved([key for key in before if key in after], [key for key in after if key in before])
    found = []
    for key, row in after.items():
        if key not in before:
            found.append(Changed("added", place, None, row))
        elif before[key] != row:
            found.append(Changed("changed", place, before[key], row))
        elif key in moved:
            found.append(Changed("moved", place, before[key], row))
    return [*found, *(Changed("removed", place, row, None) for key, row in before.items() if key not in after)]


def _keys(rows: Sequence[Rules]) -> list[_Key]:
    """What a row is known by: its id, else its name; the same name twice is told apart by its turn."""
    seen: Counter[str] = Counter()
    keys = []
    for row in rows:
        name = str(getattr(row, "id", None) or getattr(row, "name", ""))
        keys.append((name, seen[name]))
        seen[name] += 1
    return keys


def _moved(old: Sequence[_Key], new: Sequence[_Key]) -> set[_Key]:
    """Those out of their old order: the fewest whose moving explains the new one."""
    stayed = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return set(new) - {key for block in stayed for key in new[block.b : block.b + block.size]}
