"""What the architecture rules look at: sources with their syntax trees, and findings."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("app", "disputes", "invoices", "matching", "letters")
"""The packages that ship and hold the product's rules."""
PACKAGES = (*PRODUCT, "benchmarks", "tests")
FOLDERS = (*PACKAGES, "alembic", "scripts")
BUILT = {"node_modules", "static", "__pycache__"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the root, with slashes."""

    path: str
    text: str = field(repr=False)

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text, self.path)

    @property
    def module(self) -> str:
        """Its dotted name: `disputes.models`; a package's is that of its folder."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def package(self) -> str:
        """The top folder."""
        return self.path.split("/", 1)[0]

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of the tree."""
        return ast.walk(self.tree)

    def found(self, node: ast.AST, what: str) -> Finding:
        """A finding at a node."""
        return Finding(self.path, getattr(node, "lineno", 1), what)

    def functions(self) -> Iterator[Definition]:
        """Every function and method, nested ones too."""
        return (node for node in self.nodes() if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def python_sources(root: Path = ROOT) -> list[Source]:
    """Every Python file of the project, generated and fetched ones left out."""
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    kept = [path for path in paths if not BUILT & set(path.relative_to(root).parts)]
    return [Source(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")) for path in kept]


def committed_files(root: Path = ROOT) -> list[str]:
    """Paths git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
    return [path for path in listed if (root / path).is_file()]


def last_name(node: ast.AST) -> str:
    """The last identifier of a dotted name: `session` in `self.session`, empty when there is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def imported_modules(node: ast.AST, *, within: str = "") -> Iterator[str]:
    """Dotted names an import statement mentions: `from a import b` gives both `a` and `a.b`."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = within.split(".")[: -node.level]
            base = ".".join([*parents, base] if base else parents)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
