"""What a rules form says, as the nested content of a policy; and content as the form shows it again. Pure.

Names are dotted: "guards.quiet_hours", "steps.r3.after.days". Rows (children of ROWS) carry keys of the browser's
making and stand in the order they were sent, so that moving a row in the page moves it here. "when.reasons[]" is a
list of boxes, "when.accounts[,]" one typed with commas. What is empty is left out: the rules' own defaults hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import BadInput

ROWS = frozenset({"steps", "rules", "levels", "rows"})
"""Names whose children are rows."""
MANY, TYPED = "[]", "[,]"
LONGEST, DEEPEST = 20_000, 6


class BadForm(BadInput):
    """The form is not one of ours: a name cannot be read or means two things."""


def content_of(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The content a form's fields make. Raises BadForm for names no page of ours sends."""
    whole: dict[str, Any] = {}
    for name, value in items:
        if len(value) > LONGEST:
            raise BadForm(f"{name} is longer than {LONGEST:,} characters", fields={name: "too long"})
        _put(whole, name, value.strip())
    tidied = _tidied(whole, "")
    return tidied if isinstance(tidied, dict) else {}


def _put(whole: dict[str, Any], name: str, value: str) -> None:
    parts = name.split(".")
    if len(parts) > DEEPEST or not all(parts):
        raise BadForm(f"There is no field {name[:60]!r}")
    at = whole
    for part in parts[:-1]:
        at = at.setdefault(part, {})
        if not isinstance(at, dict):
            raise BadForm(f"The field {name[:60]!r} means two things")
    last = parts[-1]
    if last.endswith((MANY, TYPED)):
        typed = last.endswith(TYPED)
        values = [one.strip() for one in value.split(",")] if typed else [value]
        kept = at.setdefault(last.removesuffix(TYPED if typed else MANY), [])
        if not isinstance(kept, list):
            raise BadForm(f"The field {name[:60]!r} means two things")
        kept.extend(one for one in values if one and one not in kept)
    elif isinstance(at.get(last), dict | list):
        raise BadForm(f"The field {name[:60]!r} means two things")
    else:
        at[last] = value


def _tidied(value: Any, name: str) -> Any:
    """Rows as lists, and nothing that is empty: a row stays even then, for it is there."""
    if not isinstance(value, dict):
        return value
    inner = {part: _tidied(one, part) for part, one in value.items()}
    if name in ROWS:
        return [one if isinstance(one, dict) else {} for one in inner.values()]
    return {part: one for part, one in inner.items() if one not in ("", [], {}, None)}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Content as a form shows it, with what is wrong and where. `place` is where in the whole this part stands."""

    content: Mapping[str, Any]
    faults: Mapping[str, str] = field(default_factory=dict)
    place: str = ""

    def value(self, path: str) -> str:
        """A field's text; "" where nothing is said."""
        found = self._at(path)
        if isinstance(found, bool):
            return "yes" if found else "no"
        if isinstance(found, float):
            return f"{found:g}"
        return ", ".join(map(str, found)) if isinstance(found, list | tuple) else "" if found is None else str(found)

    def has(self, path: str, option: str) -> bool:
        """Whether a list of boxes has this one ticked."""
        found = self._at(path)
        return isinstance(found, list | tuple) and option in found

    def filled(self, *paths: str) -> bool:
        """Whether any of these fields says something."""
        return any(self._at(path) not in (None, "", [], ()) for path in paths)

    def rows(self, path: str) -> Sequence["Sheet"]:
        """The rows of a list, each a sheet of its own."""
        found = self._at(path)
        each = found if isinstance(found, list | tuple) else ()
        parts = (one if isinstance(one, Mapping) else {} for one in each)
        return [Sheet(part, self.faults, self._place(f"{path}.{number}")) for number, part in enumerate(parts)]

    def fault(self, path: str) -> str:
        """What is wrong with a field or with something inside it; "" where nothing is."""
        place = self._place(path)
        inside = (words for at, words in self.faults.items() if at == place or at.startswith(f"{place}."))
        return next(inside, "")

    @property
    def wrong(self) -> str:
        """What is wrong with the part as a whole, beside its fields."""
        return self.faults.get(self.place, "")

    @property
    def faulty(self) -> bool:
        """Whether anything here or inside is wrong."""
        return any(at == self.place or at.startswith(f"{self.place}.") for at in self.faults)

    def _place(self, path: str) -> str:
        return ".".join(filter(None, (self.place, path)))

    def _at(self, path: str) -> Any:
        at: Any = self.content
        for part in path.split("."):
            at = at.get(part) if isinstance(at, Mapping) else None
        return at


def named(content: dict[str, Any], *, rows: str = "steps", by: str = "action") -> dict[str, Any]:
    """Content whose new rows have ids: for a playbook's steps that of their action, numbered where it is taken."""
    each = content.get(rows, [])
    taken = {str(row["id"]) for row in each if row.get("id")}
    for row in each:
        if row.get("id"):
            continue
        base = str(row.get(by, rows.removesuffix("s")))
        row["id"] = next(one for one in _numbered(base) if one not in taken)
        taken.add(row["id"])
    return content


def _numbered(base: str) -> Iterable[str]:
    yield base
    yield from (f"{base}_{number}" for number in range(2, 1000))


def shown(content: Mapping[str, Any]) -> dict[str, Any]:
    """Checked rules dumped as a form keeps them: without what says nothing."""
    found = _plain(content)
    return found if isinstance(found, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = {name: _plain(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one not in (None, "", [], {})}
    if isinstance(value, list | tuple | frozenset | set):
        return [_plain(one) for one in value]
    return value
