"""Texts of letters that people write: Jinja with almost everything taken away (security.md S7). Pure.

What is allowed is listed, all else is refused with words that say where: values and lists by name, conditions,
comparisons, one loop at a time over a list. There is no call, no arithmetic, no filter and no way to an object's
insides; a text that passes ends in time by construction, and its output is capped as it is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn, TypeAlias

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2 import Template as Compiled
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeVisitor

from app.core.errors import BadInput

LONGEST_SOURCE, LONGEST_OUTPUT, LONGEST_LIST = 20_000, 60_000, 500
_DEEPEST = 16
Value: TypeAlias = str | bool | int | tuple[Mapping[str, str], ...]


class BadTemplate(BadInput):
    """A text that cannot be a letter's; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a text may name: values, and lists with the fields of their entries."""

    values: frozenset[str]
    lists: Mapping[str, frozenset[str]]

    def __hash__(self) -> int:
        return hash((self.values, frozenset(self.lists)))


def check(source: str, vocabulary: Vocabulary, *, what: str) -> None:
    """Whether a text is allowed. `what` names it in the message. Raises BadTemplate."""
    _compiled(source, vocabulary, what)


def fill(source: str, values: Mapping[str, Value], vocabulary: Vocabulary, *, what: str) -> str:
    """The text with the values in it: plain text, that the layout escapes. Raises BadTemplate."""
    template = _compiled(source, vocabulary, what)
    parts: list[str] = []
    length = 0
    try:
        for part in template.generate({name: _plain(value) for name, value in values.items()}):
            length += len(part)
            if length > LONGEST_OUTPUT:
                raise BadTemplate(f"{what} makes more than {LONGEST_OUTPUT:,} characters: shorten it")
            parts.append(part)
    except UndefinedError as error:
        raise BadTemplate(f"{what}: {error.message}") from error
    return "".join(parts)


def _plain(value: Value) -> Value:
    """Values are text, numbers and short lists of text; nothing with methods of ours reaches a text."""
    if isinstance(value, tuple):
        return value[:LONGEST_LIST]
    return value


_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
_ENVIRONMENT.globals.clear()
_ENVIRONMENT.filters.clear()
_ENVIRONMENT.tests.clear()


@lru_cache(maxsize=512)
def _compiled(source: str, vocabulary: Vocabulary, what: str) -> Compiled:
    if len(source) > LONGEST_SOURCE:
        raise BadTemplate(f"{what} has {len(source):,} characters, {LONGEST_SOURCE:,} are the most")
    try:
        tree = _ENVIRONMENT.parse(source)
        _Reader(what, vocabulary).visit(tree)
        return _ENVIRONMENT.from_string(source)
    except TemplateSyntaxError as error:
        raise BadTemplate(f"{what}, line {error.lineno}: {error.message}") from error
    except (RecursionError, MemoryError, SyntaxError, OverflowError) as error:
        raise BadTemplate(f"{what} is nested too deeply to be read") from error


class _Reader(NodeVisitor):
    """Walks a text's tree; what has no rule here is refused."""

    def __init__(self, what: str, vocabulary: Vocabulary) -> None:
        self.what = what
        self.vocabulary = vocabulary
        self.loop: tuple[str, frozenset[str]] | None = None
        self.depth = 0

    def visit(self, node: nodes.Node, *args: object, **kwargs: object) -> None:
        """One node, not too deep inside others."""
        self.depth += 1
        if self.depth > _DEEPEST:
            self._no(node, "this is nested too deeply")
        super().visit(node, *args, **kwargs)
        self.depth -= 1

    def generic_visit(self, node: nodes.Node, *_args: object, **_kwargs: object) -> None:
        """What nobody thought of is refused."""
        self._no(node, f"{_NAMES.get(type(node), type(node).__name__)} is not allowed")

    def _within(self, node: nodes.Node) -> None:
        for child in node.iter_child_nodes():
            self.visit(child)

    visit_Template = visit_If = visit_CondExpr = visit_And = visit_Or = visit_Not = _within  # noqa: N815 - Jinja's names
    visit_Compare = visit_Operand = _within  # noqa: N815 - as above

    def visit_TemplateData(self, node: nodes.TemplateData) -> None:  # noqa: N802 - Jinja's name
        """Plain text."""

    def visit_Const(self, node: nodes.Const) -> None:  # noqa: N802 - as above
        """A text or a number to compare with."""
        if not isinstance(node.value, str | int):
            self._no(node, f"{node.value!r} is not allowed")

    def visit_Name(self, node: nodes.Name) -> None:  # noqa: N802 - as above
        """A value by its name."""
        if self.loop and node.name == self.loop[0]:
            self._no(node, f"say which part of {node.name}: {_either(*self.loop)}")
        if node.name not in self.vocabulary.values and node.name not in self.vocabulary.lists:
            known = ", ".join(sorted(self.vocabulary.values | set(self.vocabulary.lists)))
            self._no(node, f"{node.name!r} is not known; there are {known}")

    def visit_Getattr(self, node: nodes.Getattr) -> None:  # noqa: N802 - as above
        """A field of the loop's entry."""
        owner = node.node
        if self.loop is None or not isinstance(owner, nodes.Name) or owner.name != self.loop[0]:
            self._no(node, f".{node.attr} is not allowed: values are named as they are")
        if node.attr not in self.loop[1]:
            self._no(node, f"{owner.name} has no {node.attr!r}; there is {_either(*self.loop)}")

    def visit_Output(self, node: nodes.Output) -> None:  # noqa: N802 - as above
        """Text and values in it; a list is gone through, never printed as it is."""
        for child in node.nodes:
            if isinstance(child, nodes.Name) and child.name in self.vocabulary.lists:
                self._no(child, f"{child.name} is a list: go through it with {{% for one in {child.name} %}}")
            self.visit(child)

    def visit_For(self, node: nodes.For) -> None:  # noqa: N802 - as above
        """A loop over one list; loops within loops could take for ever."""
        if self.loop:
            self._no(node, "a loop within a loop is not allowed")
        if node.recursive or node.else_ or node.test is not None or not isinstance(node.target, nodes.Name):
            self._no(node, "write the loop as {% for one in earlier %} ... {% endfor %}")
        if not isinstance(node.iter, nodes.Name) or node.iter.name not in self.vocabulary.lists:
            self._no(node, f"a loop goes through a list: {', '.join(sorted(self.vocabulary.lists))}")
        if node.target.name in self.vocabulary.values or node.target.name in self.vocabulary.lists:
            self._no(node, f"{node.target.name!r} is a value already: name the loop's entry otherwise")
        self.loop = node.target.name, self.vocabulary.lists[node.iter.name]
        for child in node.body:
            self.visit(child)
        self.loop = None

    def _no(self, node: nodes.Node, why: str) -> NoReturn:
        raise BadTemplate(f"{self.what}, line {node.lineno}: {why}")


def _either(name: str, fields: frozenset[str]) -> str:
    return " or ".join(f"{name}.{field}" for field in sorted(fields))


_NAMES: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calling something",
    nodes.Filter: "a filter (|)",
    nodes.Test: "a test (is ...)",
    nodes.Getitem: "an index ([...])",
    nodes.Include: "including another text",
    nodes.Import: "importing",
    nodes.FromImport: "importing",
    nodes.Extends: "extending another text",
    nodes.Macro: "a macro",
    nodes.CallBlock: "a call block",
    nodes.FilterBlock: "a filter block",
    nodes.Block: "a block",
    nodes.Assign: "setting a value",
    nodes.AssignBlock: "setting a value",
    nodes.With: "a with block",
    nodes.Concat: "joining (~)",
    nodes.List: "a list",
    nodes.Dict: "a table of values",
    nodes.Tuple: "a list",
    nodes.ScopedEvalContextModifier: "changing how the text is escaped",
}
