"""The rules of ARCHITECTURE.md that one file alone can break, as functions from a source to findings."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.architecture_customers import customer_writers
from tests.architecture_source import PACKAGES, PRODUCT, Definition, Finding, Source, imported_modules, last_name

FUNCTION_LINES = 60
FILE_LINES = 500


@dataclass(frozen=True)
class Rule:
    """A rule, the folders it holds in, and the files excused from it with the reason."""

    name: str
    find: Callable[[Source], Iterator[Finding]]
    folders: tuple[str, ...] = PACKAGES
    excused: Mapping[str, str] = field(default_factory=dict)

    def findings(self, source: Source) -> list[Finding]:
        """What breaks the rule in this source."""
        if source.package not in self.folders or any(_covers(path, source.path) for path in self.excused):
            return []
        return list(self.find(source))


def _covers(path: str, candidate: str) -> bool:
    """Whether a file, a package that grew out of it, or a folder holds the candidate."""
    return candidate in (path, path + ".py") or candidate.startswith(path.removesuffix(".py").rstrip("/") + "/")


def size(function: Definition) -> int:
    """Lines from `def` to the end, the docstring counted."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def long_functions(source: Source) -> Iterator[Finding]:
    """No function over 60 lines."""
    for function in source.functions():
        if size(function) > FUNCTION_LINES:
            yield source.found(function, f"{function.name} has {size(function)} lines, {FUNCTION_LINES} are allowed")


def long_files(source: Source) -> Iterator[Finding]:
    """No file over 500 lines."""
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield Finding(source.path, lines, f"{lines} lines, {FILE_LINES} are allowed")


def inner_imports(source: Source) -> Iterator[Finding]:
    """No import of our own code inside a function: it hides a cycle."""
    for function in source.functions():
        for node in ast.walk(function):
            ours = [name for name in imported_modules(node, within=source.module) if name.split(".")[0] in PACKAGES]
            if ours:
                yield source.found(node, f"{function.name} imports {ours[0]} inside the function")


COMMITTING = re.compile(r"(engine|connection|sessions?|maker|factory)$", re.IGNORECASE)


def commits(source: Source) -> Iterator[Finding]:
    """Nobody ends a transaction but app/core/db.py; a `begin()` block commits as well."""
    for node in source.nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.func if isinstance(node.func.value, ast.Call) else node.func.value
            begins = node.func.attr == "begin" and COMMITTING.search(last_name(owner))
            if begins or node.func.attr == "commit":
                yield source.found(node, f"calls {node.func.attr}(): use app.core.db.transaction at the edge")


CLOCKS = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime"},
    "func": {"now", "current_timestamp", "current_date"},
}


def clock_readers(source: Source) -> Iterator[Finding]:
    """Nobody reads the clock but app/core/clock.py; measuring with perf_counter or monotonic is no reading."""
    for node in source.nodes():
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS.get(last_name(node.value), ()):
            yield source.found(node, f"reads the clock with {last_name(node.value)}.{node.attr}: be given `now`")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if alias.name in CLOCKS["time"]:
                    yield source.found(node, f"takes {alias.name} from time: be given `now`")


OWNERS = {
    "weasyprint": ("letters/pdf.py", "benchmarks/plain_letters.py"),  # the latter is the peer it is measured against
    "sklearn": ("disputes/classifier.py",),
    "rapidfuzz": ("matching/scoring.py", "benchmarks/match_peers.py"),  # a peer, as above
    "dbos": ("app/workflows/runtime.py",),
    "imaplib": ("app/connectors/",),
    "imap_tools": ("app/connectors/",),
    "smtplib": ("app/connectors/",),
    "httpx": ("app/connectors/",),
    "fastapi": ("app/main.py", "app/api/", "app/web/", "app/edge.py"),
    "starlette": ("app/main.py", "app/api/", "app/web/", "app/edge.py"),
}


def foreign_importers(source: Source) -> Iterator[Finding]:
    """A library with an owner is imported by its owner alone."""
    for node in source.nodes():
        for name in dict.fromkeys(module.split(".")[0] for module in imported_modules(node)):
            owners = OWNERS.get(name)
            if owners and not any(_covers(owner, source.path) for owner in owners):
                yield source.found(node, f"imports {name}, which belongs to {', '.join(owners)}")


SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "for",
        "to",
        "this",
        "that",
        "is",
        "are",
        "it",
        "its",
        "in",
        "and",
        "or",
        "with",
        "on",
        "by",
        "from",
        "class",
        "function",
        "method",
        "return",
        "returns",
        "get",
        "gets",
        "set",
        "sets",
        "given",
        "all",
        "one",
    ]
)


def undocumented(source: Source) -> Iterator[Finding]:
    """Public functions and classes say what for; a docstring that restates the name says nothing."""
    for node in source.tree.body:
        if isinstance(node, Definition | ast.ClassDef) and not node.name.startswith("_"):
            said = ast.get_docstring(node)
            if not said:
                yield source.found(node, f"{node.name} has no docstring")
            elif _words(said) <= _words(node.name):
                yield source.found(node, f"{node.name}'s docstring restates its name")


def _words(text: str) -> set[str]:
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text.replace("_", " "))
    stems = (re.sub(r"(ies|es|s)$", "", word) for word in re.findall(r"[a-z]+", spaced.lower()))
    return {word for word in stems if word not in SMALL_WORDS}


ROW_CHANGES = {"add", "add_all", "delete", "merge", "bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"}
STATEMENTS = {"insert", "update", "delete"}
CHANGING_SQL = re.compile(
    r"\s*(insert\s+(or\s+\w+\s+)?into|update\s+\S+\s+set|delete\s+from|copy\s+\S+.*\bfrom)\b", re.IGNORECASE
)


def is_actions(source: Source) -> bool:
    """Modules and packages named actions; app/auth.py, below them all, keeps its own few actions."""
    return "actions" in source.module.split(".") or source.module == "app.auth"


def writers(source: Source) -> Iterator[Finding]:
    """Only actions modules change rows, where each change appends its event."""
    if not is_actions(source):
        yield from (source.found(node, what) for node, what in row_changes(source.tree, source.tree))


def row_changes(part: ast.AST, module: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Nodes below `part` that change rows, with words."""
    statements = _statement_names(module)
    for node in ast.walk(part):
        if isinstance(node, ast.Call) and (what := _change(node, statements)):
            yield node, f"changes rows with {what}: only actions modules do"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and CHANGING_SQL.match(node.value):
            yield node, "changes rows with a SQL text: only actions modules do"


def _change(call: ast.Call, statements: set[str]) -> str:
    if isinstance(call.func, ast.Name):
        return f"{call.func.id}()" if call.func.id in statements else ""
    if not isinstance(call.func, ast.Attribute):
        return ""
    owner, verb = last_name(call.func.value), call.func.attr
    of_session = verb in ROW_CHANGES and owner.lower().endswith("session")
    of_table = verb in STATEMENTS and owner in {"__table__", "sa", "sqlalchemy", "postgresql", "sqlite"}
    return f"{owner}.{verb}()" if of_session or of_table else ""


def _statement_names(module: ast.Module) -> set[str]:
    """Names that mean SQLAlchemy's insert, update or delete here, renamed or not."""
    imports = (node for node in ast.walk(module) if isinstance(node, ast.ImportFrom))
    aliases = (alias for node in imports if (node.module or "").startswith("sqlalchemy") for alias in node.names)
    return {alias.asname or alias.name for alias in aliases if alias.name in STATEMENTS}


CODE_STATEMENTS = (
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Import,
    ast.ImportFrom,
    ast.Return,
    ast.Raise,
    ast.Assert,
    ast.Delete,
    ast.If,
    ast.For,
    ast.While,
    ast.With,
    ast.Try,
    ast.FunctionDef,
    ast.ClassDef,
)
PRAGMA = re.compile(r"#\s*(noqa|type:|fmt:|pragma|pylint|ruff|mypy|!)")


def dead_code(source: Source) -> Iterator[Finding]:
    """No commented-out code: git remembers it."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and not PRAGMA.match(token.string) and _is_code(token.string.lstrip("# ")):
            yield Finding(source.path, token.start[0], f"commented-out code: {token.string}")


def _is_code(comment: str) -> bool:
    attempts = (comment, comment + "\n    pass" if comment.rstrip().endswith(":") else comment)
    return any(_parses_as_code(attempt) for attempt in attempts)


def _parses_as_code(text: str) -> bool:
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, CODE_STATEMENTS)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await))
        for node in body
    )


EXCUSE = re.compile(r"#\s*(?:noqa|type:\s*ignore)(?P<codes>(?::\s*|\[)[\w\-, ]*[\w\-](?:\])?)?(?P<rest>.*)")
REASON_LETTERS = 6


def unexplained_excuses(source: Source) -> Iterator[Finding]:
    """Every `noqa` and `type: ignore` names its code and, beside it, its reason."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        match = EXCUSE.match(token.string) if token.type == tokenize.COMMENT else None
        if match and not match["codes"]:
            yield Finding(source.path, token.start[0], f"names no code: {token.string}")
        elif match and not _explained(token.string):
            yield Finding(source.path, token.start[0], f"gives no reason: {token.string}")


def _explained(comment: str) -> bool:
    said = re.sub(r"#\s*noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|#\s*type:\s*ignore\[[\w\-, ]*\]", "", comment)
    return len(re.findall(r"[a-z0-9]", said, re.IGNORECASE)) >= REASON_LETTERS


def import_time_settings(source: Source) -> Iterator[Finding]:
    """No settings object made while importing: it is passed down from the edge."""
    for statement in source.tree.body:
        if isinstance(statement, Definition | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and last_name(node.func) == "Settings":
                yield source.found(node, "reads the settings while importing")


def sleeps(source: Source) -> Iterator[Finding]:
    """Tests do not sleep: tests/servers/waiting.py looks until something has happened."""
    for node in source.nodes():
        if isinstance(node, ast.Call) and last_name(node.func) in {"sleep", "wait_for_timeout"}:
            yield source.found(node, "sleeps: use tests.servers.waiting.wait_until")


ASSERTING = re.compile(r"assert|expect|check|verify|must|raises|refuse|run_state_machine", re.IGNORECASE)


def empty_tests(source: Source) -> Iterator[Finding]:
    """Each test asserts something."""
    for function in source.functions():
        if function.name.startswith("test_") and not any(_asserts(node) for node in ast.walk(function)):
            yield source.found(function, f"{function.name} asserts nothing")


def _asserts(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or (
        isinstance(node, ast.Call) and bool(ASSERTING.search(last_name(node.func)) or last_name(node.func) == "fail")
    )


CODE = (*PRODUCT, "benchmarks", "alembic")
RULES = (
    Rule(
        "long functions",
        long_functions,
        (*PACKAGES, "alembic", "scripts"),
        {"alembic/versions/": "a migration is a list of DDL, frozen once it has run"},
    ),
    Rule(
        "long files",
        long_files,
        (*PACKAGES, "alembic", "scripts"),
        {"alembic/versions/": "a migration is a list of DDL, frozen once it has run"},
    ),
    Rule("imports inside functions", inner_imports),
    Rule(
        "one commit",
        commits,
        CODE,
        {
            "app/core/db.py": "the one place that commits",
            "alembic/env.py": "Alembic runs in its own transaction",
            "app/core/schema.py": "hands Alembic a connection and its transaction",
            "benchmarks/": "peers are driven as their users drive them",
        },
    ),
    Rule("one clock", clock_readers, (*CODE, "tests"), {"app/core/clock.py": "the one reader of the clock"}),
    Rule("one importer each", foreign_importers, PRODUCT),
    Rule(
        "documented",
        undocumented,
        (*PRODUCT, "benchmarks", "alembic"),
        {"alembic/versions/": "every migration has the same two functions"},
    ),
    Rule(
        "only actions write",
        writers,
        PRODUCT,
        {
            "app/core/": "events are appended and sessions made below every actions module",
            "app/connectors/erp_csv.py": "its SQL sorts a file's rows in a scratch database of its own",
        },
    ),
    Rule(
        "only the ERP changes customers",
        customer_writers,
        PRODUCT,
        {"invoices/": "the ledger, which takes what the ERP says"},
    ),
    Rule("no commented-out code", dead_code, (*CODE, "tests", "scripts")),
    Rule("excuses have reasons", unexplained_excuses, (*CODE, "tests", "scripts")),
    Rule(
        "no settings at import",
        import_time_settings,
        CODE,
        {"alembic/env.py": "Alembic runs this file as a script"},
    ),
    Rule(
        "tests do not sleep",
        sleeps,
        ("tests",),
        {"tests/servers/waiting.py": "the one place of the tests that waits"},
    ),
    Rule("tests assert", empty_tests, ("tests",)),
)
