"""The rules of ARCHITECTURE.md that need the whole project in view."""

import ast
import re
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

from tests.architecture_rules import FILE_LINES, size
from tests.architecture_source import PRODUCT, Finding, Source, imported_modules, last_name

MEDIAN_LINES = 10
MAIL_WORK = (
    *("app.workflows.intake", "app.workflows.digest_mail", "app.workflows.mail_jobs", "app.connectors.mailbox"),
    *("disputes.actions.bank_checks", "disputes.actions.understood", "disputes.actions.opening"),
)
"""What works mails."""
WRITERS = ("invoices.actions", "letters")
"""What writes such details: the ERP's pushes, and the letterheads that name our own bank."""


def median_size(sources: Iterable[Source]) -> float:
    """The median length of functions, in lines."""
    return statistics.median([size(function) for source in sources for function in source.functions()] or [0])


def import_graph(sources: Iterable[Source]) -> dict[str, set[str]]:
    """Which of our modules imports which. Names for the type checker alone are not imported: two models may name each
    other in their relationships.
    """
    known = {source.module: source for source in sources}
    graph: dict[str, set[str]] = {}
    for module, source in known.items():
        within = f"{module}.__init__" if source.path.endswith("/__init__.py") else module
        names = {name for node in _executed(source.tree) for name in imported_modules(node, within=within)}
        graph[module] = {name for name in _exact(names, known) if name != module}
    return graph


def _executed(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is below it, without blocks of `if TYPE_CHECKING`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and last_name(child.test) == "TYPE_CHECKING"):
            yield from _executed(child)


def _exact(names: set[str], known: Mapping[str, Source]) -> Iterator[str]:
    """`from a import b` means module a.b where there is one, else a."""
    for name in names:
        if name in known and not any(other.startswith(f"{name}.") and other in known for other in names):
            yield name


def import_cycle(sources: Iterable[Source]) -> list[str]:
    """The modules of one import cycle, empty when there is none."""
    try:
        TopologicalSorter(import_graph(sources)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def ways_from_mail(
    sources: Iterable[Source], *, roots: Iterable[str] = MAIL_WORK, writers: Iterable[str] = WRITERS
) -> list[str]:
    """The modules on a way from the work on mails to what writes details: each step imports the next. [] for none."""
    graph = import_graph(sources)
    came: dict[str, str] = dict.fromkeys((root for root in roots if root in graph), "")
    waiting = list(came)
    while waiting:
        module = waiting.pop()
        if any(module == writer or module.startswith(f"{writer}.") for writer in writers):
            return _back(module, came)
        for other in graph[module] - came.keys():
            came[other] = module
            waiting.append(other)
    return []


def _back(module: str, came: Mapping[str, str]) -> list[str]:
    way = [module]
    while came[way[0]]:
        way.insert(0, came[way[0]])
    return way


def missing_packages(paths: Iterable[str]) -> Iterator[Finding]:
    """Every folder with Python files is a package, except Alembic's: as a package it shadows the library."""
    files = set(paths)
    for folder in sorted({str(PurePosixPath(path).parent) for path in files if path.endswith(".py")}):
        has_init = f"{folder}/__init__.py" in files
        if folder.split("/")[0] == "alembic":
            if has_init:
                yield Finding(f"{folder}/__init__.py", 1, "shadows the alembic package")
        elif not has_init and folder not in {".", "scripts"}:
            yield Finding(folder, 1, "has no __init__.py")


def shadowing_names(paths: Iterable[str]) -> Iterator[Finding]:
    """Nothing that can be imported by its bare name is called like a module of the standard library.

    Bare names are those of the root's folders and of scripts, which run with their folder first on the path. Inside a
    package (disputes/threading.py) nothing is shadowed: imports are absolute.
    """
    for path in paths:
        parts = PurePosixPath(path).with_suffix("").parts
        bare = parts[1] if parts[0] == "scripts" and len(parts) > 1 else parts[0]
        if path.endswith(".py") and bare in sys.stdlib_module_names:
            yield Finding(path, 1, f"{bare} is a module of the standard library")


# Put together here, so that this file passes its own rule.
REGISTRIES = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "deb." + "debian.org",
    "npm" + "mirror",
)
MACHINE_PATHS = ("/wor" + "k/", "/roo" + "t/", "/home/" + "user/")
FORBIDDEN_WORDS = re.compile(
    "|".join([*map(re.escape, REGISTRIES), *(rf"(?<![\w./*-]){path}" for path in MACHINE_PATHS)]), re.IGNORECASE
)
OUTSIDE = re.compile(r"\.\./" + "shared|/shared/" + "(corpus|mail)")


def foreign_words(path: str, text: str) -> Iterator[Finding]:
    """No registry's host and no path of one machine; what ships does not lean on files outside the project."""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := FORBIDDEN_WORDS.search(line):
            yield Finding(path, number, f"names {match[0]}")
        if path.split("/", maxsplit=1)[0] in PRODUCT and (match := OUTSIDE.search(line)):
            yield Finding(path, number, f"leans on {match[0]}, which does not ship")


HAND_WRITTEN = {".ts", ".css", ".html", ".sh", ".sql", ".js", ".mjs", ".j2"}
DEAD_SCRIPT = re.compile(r"^\s*//.*[;{]\s*$")


def front_end_findings(path: str, text: str) -> Iterator[Finding]:
    """Files written by hand in other languages stay below 500 lines and hold no commented-out code either."""
    if PurePosixPath(path).suffix not in HAND_WRITTEN:
        return
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield Finding(path, len(lines), f"{len(lines)} lines, {FILE_LINES} are allowed")
    for number, line in enumerate(lines, start=1):
        if path.endswith((".ts", ".js", ".mjs")) and DEAD_SCRIPT.match(line):
            yield Finding(path, number, f"commented-out code: {line.strip()}")


QUOTED_CODE = re.compile(r'"[A-Z]{1,4}\d{0,4}"')


def unexplained_ignores(pyproject: str) -> Iterator[Finding]:
    """Each rule ruff is told to ignore and each warning pytest is told to ignore has its reason beside it."""
    section = ""
    for number, line in enumerate(pyproject.splitlines(), start=1):
        if header := re.match(r"\[(.*)\]\s*$", line):
            section = header[1]
        ignored = section.startswith("tool.ruff.lint") and QUOTED_CODE.search(line) and "select" not in line
        warned = section.startswith("tool.pytest") and re.match(r'\s*"ignore', line)
        if (ignored or warned) and not re.search(r"#\s*\S.{6,}", line):
            yield Finding("pyproject.toml", number, f"no reason beside {line.strip()}")


def read_text(path: Path) -> str:
    """A committed file's text, empty for pictures and the like."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
