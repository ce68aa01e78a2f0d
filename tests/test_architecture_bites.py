"""Each architecture rule is fed a violation and must find it, and something innocent that it must let pass."""

from pathlib import Path

import pytest

from tests.architecture_events import silent_actions
from tests.architecture_project import (
    foreign_words,
    front_end_findings,
    import_cycle,
    median_size,
    missing_packages,
    shadowing_names,
    unexplained_ignores,
    ways_from_mail,
)
from tests.architecture_rules import RULES
from tests.architecture_source import Source, python_sources

RULE = {rule.name: rule for rule in RULES}

VIOLATIONS = [
    ("long functions", "app/main.py", "def long():\n" + "    call()\n" * 60),
    ("long functions", "tests/test_x.py", "class A:\n    async def long(self):\n" + "        call()\n" * 60),
    ("long files", "letters/pdf.py", "\n" * 501),
    ("imports inside functions", "disputes/queries.py", "def find():\n    from invoices import models\n"),
    ("imports inside functions", "disputes/queries.py", "def find():\n    import app.core.db\n"),
    ("imports inside functions", "disputes/queries.py", "def find():\n    from . import models\n"),
    ("one commit", "disputes/actions.py", "def act(session):\n    session.commit()\n"),
    ("one commit", "app/api/erp.py", "with engine.begin() as connection:\n    pass\n"),
    ("one clock", "disputes/routing_rules.py", "from datetime import datetime\nat = datetime.now(UTC)\n"),
    ("one clock", "disputes/models.py", "import datetime\nfield = column(default=datetime.datetime.utcnow)\n"),
    ("one clock", "disputes/models.py", "field = column(server_default=func.now())\n"),
    ("one clock", "app/core/log.py", "import time\nat = time.time()\n"),
    ("one clock", "app/core/log.py", "from time import time\n"),
    ("one clock", "tests/app/test_x.py", "from datetime import date\ntoday = date.today()\n"),
    ("one importer each", "letters/compose.py", "import weasyprint\n"),
    ("one importer each", "disputes/features.py", "from sklearn.svm import LinearSVC\n"),
    ("one importer each", "matching/matcher.py", "def score():\n    from rapidfuzz import fuzz\n"),
    ("one importer each", "app/workflows/intake.py", "from dbos import DBOS\n"),
    ("one importer each", "app/worker.py", "import imaplib\n"),
    ("one importer each", "app/api/erp.py", "import httpx\n"),
    ("one importer each", "app/auth.py", "from starlette.requests import Request\n"),
    ("one importer each", "app/connectors/mailer.py", "import fastapi\n"),
    ("documented", "matching/text.py", "def fold(text):\n    return text\n"),
    ("documented", "matching/text.py", 'def fold_text(text):\n    """Fold the text."""\n'),
    ("documented", "matching/text.py", "class Span:\n    start: int\n"),
    ("documented", "app/web/cases.py", "async def show(): ...\n"),
    ("only actions write", "app/web/cases.py", "def close(session, case):\n    session.add(case)\n"),
    ("only actions write", "app/web/cases.py", "class View:\n    def close(self):\n        self.session.delete(row)\n"),
    ("only actions write", "disputes/queries.py", "from sqlalchemy import update\nstatement = update(Case)\n"),
    ("only actions write", "disputes/queries.py", "from sqlalchemy import delete as rm\nstatement = rm(Case)\n"),
    ("only actions write", "disputes/queries.py", "import sqlalchemy as sa\nstatement = sa.insert(Case)\n"),
    ("only actions write", "disputes/queries.py", "session.execute(Case.__table__.insert())\n"),
    ("only actions write", "invoices/queries.py", "session.execute(text('UPDATE invoices SET open = 0'))\n"),
    ("only the ERP changes customers", "disputes/actions/parsed.py", "def act(row):\n    row.iban = found\n"),
    ("only the ERP changes customers", "app/workflows/intake.py", "session.add(Contact(email=sender))\n"),
    ("only the ERP changes customers", "disputes/actions/x.py", "session.execute(update(Account).values(x=1))\n"),
    ("only the ERP changes customers", "letters/actions/life.py", "change(account, address=typed)\n"),
    ("no commented-out code", "app/main.py", "# old = compute(x)\n"),
    ("no commented-out code", "app/main.py", "call()  # other_call(1)\n"),
    ("no commented-out code", "tests/test_x.py", "# if ready:\n"),
    ("no commented-out code", "app/main.py", "# import os\n"),
    ("excuses have reasons", "app/main.py", "x = 1  # noqa\n"),
    ("excuses have reasons", "app/main.py", "x = 1  # noqa: S608\n"),
    ("excuses have reasons", "app/main.py", "x = 1  # type: ignore\n"),
    ("excuses have reasons", "app/main.py", "x = 1  # type: ignore[arg-type]\n"),
    ("excuses have reasons", "app/main.py", "x = 1  # type: ignore[arg-type]  # noqa: PLR2004\n"),
    ("no settings at import", "app/web/pages.py", "settings = Settings()\n"),
    ("tests do not sleep", "tests/test_x.py", "import time\ntime.sleep(1)\n"),
    ("tests do not sleep", "tests/e2e/test_x.py", "page.wait_for_timeout(500)\n"),
    ("tests assert", "tests/test_x.py", "def test_nothing():\n    run()\n"),
]

INNOCENT = [
    ("only the ERP changes customers", "invoices/actions/rows.py", "contact.phone = told\n"),
    ("only the ERP changes customers", "disputes/gathering.py", "def seen() -> Account: ...\nphone = contact.phone\n"),
    ("long functions", "app/main.py", "def short():\n" + "    call()\n" * 59),
    ("imports inside functions", "app/main.py", "def lazily():\n    import numpy\n"),
    ("one commit", "app/core/db.py", "session.commit()\n"),
    ("one commit", "disputes/actions.py", "with session.begin_nested():\n    pass\n"),
    ("one commit", "app/cli/erp.py", "push = actions.begin(session)\n"),
    ("one clock", "app/core/clock.py", "from datetime import datetime\nat = datetime.now(UTC)\n"),
    ("one clock", "benchmarks/erp.py", "import time\nstart = time.perf_counter()\n"),
    ("one importer each", "letters/pdf.py", "import weasyprint\n"),
    ("one importer each", "disputes/classifier/model.py", "import sklearn\n"),
    ("one importer each", "app/edge.py", "from fastapi import Depends\n"),
    ("documented", "matching/text.py", 'def fold(text):\n    """Case and accents removed, as indexed."""\n'),
    ("documented", "matching/text.py", "def _fold(text):\n    return text\n"),
    ("only actions write", "disputes/actions.py", "def act(session):\n    session.add(row)\n"),
    ("only actions write", "disputes/routing_rules.py", "seen = set()\nseen.add(1)\nfacts.update({})\n"),
    ("only actions write", "disputes/reasons.py", "words = 'Update your records'\n"),
    ("no commented-out code", "app/main.py", "# Why: the ERP sends both (see M3).\nx = 1  # as above\n"),
    ("excuses have reasons", "app/main.py", "x = 1  # noqa: S608 - no input reaches it\n"),
    ("excuses have reasons", "app/main.py", "x = 1  # type: ignore[arg-type]  # the stubs are wrong\n"),
    ("tests do not sleep", "tests/servers/waiting.py", "import time\ntime.sleep(1)\n"),
    ("tests assert", "tests/test_x.py", "def test_it():\n    with pytest.raises(ValueError):\n        run()\n"),
]


@pytest.mark.parametrize(("rule", "path", "text"), VIOLATIONS)
def test_a_violation_is_found(rule: str, path: str, text: str) -> None:
    assert RULE[rule].findings(Source(path, text))


@pytest.mark.parametrize(("rule", "path", "text"), INNOCENT)
def test_an_innocent_file_passes(rule: str, path: str, text: str) -> None:
    assert RULE[rule].findings(Source(path, text)) == []


def test_every_rule_is_shown_to_bite() -> None:
    assert {rule for rule, _path, _text in VIOLATIONS} == set(RULE)


def test_long_functions_move_the_median() -> None:
    long = "def f():\n" + "    call()\n" * 11
    assert median_size([Source("app/a.py", "def g(): ...\n"), Source("app/b.py", long), Source("app/c.py", long)]) == 12


@pytest.mark.parametrize(
    "sources",
    [
        {"app/a.py": "from app import b\n", "app/b.py": "import app.a\n"},
        {"app/a.py": "from app.b import f\n", "app/b.py": "from app.c import g\n", "app/c.py": "from app.a import h\n"},
        {"app/a.py": "if ready:\n    from app import b\n", "app/b.py": "from . import a\n"},
        {"app/web/__init__.py": "from app.web import cases\n", "app/web/cases.py": "from app.web import shown\n"},
    ],
)
def test_an_import_cycle_is_found(sources: dict[str, str]) -> None:
    assert import_cycle([Source(path, text) for path, text in sources.items()])


def test_a_tree_of_imports_is_no_cycle() -> None:
    typed = "if TYPE_CHECKING:\n    from app import a\nd = 1\n"
    sources = {"app/a.py": "from app import b, c\n", "app/b.py": "from app.c import d\n", "app/c.py": typed}
    assert import_cycle([Source(path, text) for path, text in sources.items()]) == []


def test_alembic_as_a_package_is_found() -> None:
    assert list(missing_packages(["alembic/__init__.py", "alembic/env.py"]))
    assert not list(missing_packages(["alembic/env.py"]))


def test_a_folder_without_init_is_found() -> None:
    assert list(missing_packages(["app/__init__.py", "app/new/thing.py"]))


@pytest.mark.parametrize("path", ["queue.py", "calendar/__init__.py", "email/reading.py", "scripts/types.py"])
def test_a_name_of_the_standard_library_is_found(path: str) -> None:
    assert list(shadowing_names([path]))


def test_a_name_inside_a_package_shadows_nothing() -> None:
    assert not list(shadowing_names(["disputes/threading.py", "scripts/check_catalogs.py"]))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Makefile", "pip install -i https://" + "py" + "pi.org/simple"),
        ("package-lock.json", '"resolved": "https://registry.npm' + 'js.org/x"'),
        ("docs/guide.md", "cd /wor" + "k/main"),
        ("disputes/training.py", "Path('../sha" + "red/corpus')"),
    ],
)
def test_a_word_from_elsewhere_is_found(path: str, text: str) -> None:
    assert list(foreign_words(path, text))


def test_a_test_may_read_what_lies_beside_the_project() -> None:
    assert not list(foreign_words("tests/x.py", "Path('../sha" + "red/corpus')"))


@pytest.mark.parametrize(
    ("path", "text"),
    [("app/web/frontend/a.ts", "\n" * 501), ("app/web/frontend/a.ts", "// const x = call();\n")],
)
def test_the_front_end_is_held_too(path: str, text: str) -> None:
    assert list(front_end_findings(path, text))


@pytest.mark.parametrize(
    "text",
    [
        '[tool.ruff.lint]\nignore = [\n  "D203",\n]\n',
        '[tool.ruff.lint.per-file-ignores]\n"tests/**" = ["S101"]\n',
        '[tool.pytest.ini_options]\nfilterwarnings = [\n  "ignore::DeprecationWarning",\n]\n',
    ],
)
def test_an_unexplained_ignore_is_found(text: str) -> None:
    assert list(unexplained_ignores(text))


def test_sources_leave_out_what_is_fetched_and_built(tmp_path: Path) -> None:
    for path in ("app/a.py", "app/web/frontend/node_modules/x/b.py", "app/web/static/c.py", "elsewhere/d.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    assert [source.path for source in python_sources(tmp_path)] == ["app/a.py"]


MARK = (
    "from sqlalchemy import update\n\ndef mark(session, case):\n    session.execute(update(Case).values(state='x'))\n"
)
CLOSE = "from disputes.actions.steps import mark\n\ndef close(session, *, case, actor, now):\n    mark(session, case)\n"
CLOSE_AND_TELL = CLOSE + "    record(session, actor=actor, now=now)\n"
USE_MARK = "from disputes.actions.steps import mark\n\ndef view(session, case):\n    mark(session, case)\n"


@pytest.mark.parametrize(
    "sources",
    [
        {"disputes/actions/closing.py": CLOSE, "disputes/actions/steps.py": MARK},
        {"disputes/actions/steps.py": MARK},
        {"letters/actions.py": "def send(session):\n    session.add(Letter())\n"},
        {"app/auth.py": "def add_user(session):\n    session.add(User())\n"},
        {
            "disputes/actions/closing.py": CLOSE_AND_TELL,
            "disputes/actions/steps.py": MARK,
            "app/web/cases.py": USE_MARK,
        },
    ],
)
def test_a_silent_change_is_found(sources: dict[str, str]) -> None:
    assert list(silent_actions([Source(path, text) for path, text in sources.items()]))


@pytest.mark.parametrize(
    "sources",
    [
        {"disputes/actions/closing.py": CLOSE_AND_TELL, "disputes/actions/steps.py": MARK},
        {"disputes/actions/reading.py": "def read(session):\n    return session.scalars(select(Case))\n"},
    ],
)
def test_a_recorded_change_passes(sources: dict[str, str]) -> None:
    assert not list(silent_actions([Source(path, text) for path, text in sources.items()]))


def test_a_way_from_a_mail_to_the_ledgers_writers_is_found() -> None:
    sources = [
        Source("app/workflows/intake.py", "from disputes.actions import opening\n"),
        Source("disputes/actions/opening.py", "from invoices.actions import rows\n"),
        Source("invoices/actions/rows.py", ""),
    ]
    way = ways_from_mail(sources, roots=["app.workflows.intake"])
    assert way == ["app.workflows.intake", "disputes.actions.opening", "invoices.actions.rows"]
    assert ways_from_mail(sources[1:], roots=["app.web.cases"]) == []
