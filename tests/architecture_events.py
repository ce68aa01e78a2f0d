"""The rule that nothing changes in silence: an action that changes rows records an event on its way.

Actions may be made of steps in several modules of the same package. What is held to the rule is each way in: a
function other code calls, or one that nothing calls yet. Everything it reaches within its package counts as its own.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.architecture_rules import is_actions, row_changes
from tests.architecture_source import PRODUCT, Definition, Finding, Source, imported_modules, last_name

TOLD_ELSEWHERE = {
    "store": "intake records the message's event, which names the links, in the same transaction",
    "tell": "the case's own event is recorded by who changed it; the feed to the ERP is a record itself",
}
"""Ways in whose caller records the event, with the reason."""


@dataclass(frozen=True)
class Step:
    """One function of an actions module."""

    source: Source
    function: Definition

    @cached_property
    def mentioned(self) -> set[str]:
        """Every name in it."""
        return {name for node in ast.walk(self.function) if (name := last_name(node))}

    @property
    def changes(self) -> bool:
        """Whether it changes rows itself."""
        return any(True for _ in row_changes(self.function, self.source.tree))

    @property
    def records(self) -> bool:
        """Whether it records an event itself."""
        calls = (node for node in ast.walk(self.function) if isinstance(node, ast.Call))
        return any(re.match(r"_?record(_|$)", last_name(call.func)) for call in calls)


def silent_actions(sources: Iterable[Source]) -> Iterator[Finding]:
    """Ways into a package's actions that change rows and record no event."""
    product = [source for source in sources if source.package in PRODUCT]
    for package in PRODUCT:
        steps = {step.function.name: step for step in _steps(product, package)}
        used = _used_outside(product, steps)
        called = {name for step in steps.values() for name in step.mentioned if name != step.function.name}
        for name, step in steps.items():
            is_way_in = name in used or (name not in called and not name.startswith("_"))
            if is_way_in and name not in TOLD_ELSEWHERE and _is_silent(_reached(name, steps)):
                yield step.source.found(step.function, f"{name} changes rows without recording an event")


def _steps(sources: Iterable[Source], package: str) -> Iterator[Step]:
    for source in sources:
        if source.package == package and is_actions(source):
            yield from (Step(source, node) for node in source.tree.body if isinstance(node, Definition))


def _used_outside(sources: Iterable[Source], steps: dict[str, Step]) -> set[str]:
    modules = {step.source.module for step in steps.values()}
    return {name for source in sources if not is_actions(source) for name in _names_from(source, modules) & set(steps)}


def _names_from(source: Source, modules: Collection[str]) -> set[str]:
    """Names in a source that imports one of the modules or a name out of them."""
    imported = {name for node in source.nodes() for name in imported_modules(node)}
    near = any(name.rpartition(".")[0] in modules or name in modules for name in imported)
    return {last_name(node) for node in source.nodes()} if near else set()


def _reached(name: str, steps: dict[str, Step]) -> list[Step]:
    seen: dict[str, Step] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in steps and current not in seen:
            seen[current] = steps[current]
            waiting += steps[current].mentioned
    return list(seen.values())


def _is_silent(steps: Collection[Step]) -> bool:
    return any(step.changes for step in steps) and not any(step.records for step in steps)
