"""Import contracts are kept, and each of them is broken by a copy of the project that breaks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture_source import PRODUCT, ROOT

VIOLATIONS = {
    "a layer imports upwards": ("invoices/reaching_up.py", "import disputes.models\n"),
    "the core imports the domain": ("app/core/reaching_up.py", "import invoices.models\n"),
    "web and api know each other": ("app/api/reaching_over.py", "import app.web\n"),
    "a module of app has no layer": ("app/stray.py", ""),
    "matching uses the database": ("matching/storing.py", "import sqlalchemy\n"),
    "matching uses app": ("matching/reading.py", "import app.core.clock\n"),
    "the ledger uses the matcher": ("invoices/reaching_over.py", "import matching.text\n"),
}


def linted(root: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", "pyproject.toml"]
    return subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's Python files alone: imports are all that is looked at."""
    for package in PRODUCT:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=lambda folder, names: (
                [name for name in names if not name.endswith(".py") and not (Path(folder) / name).is_dir()]
                + [name for name in names if name in {"node_modules", "static", "__pycache__"}]
            ),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_are_kept() -> None:
    outcome = linted(ROOT)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_a_violation_breaks_a_contract(copy: Path, violation: str) -> None:
    path, text = VIOLATIONS[violation]
    (copy / path).write_text(text, encoding="utf-8")
    outcome = linted(copy)
    assert outcome.returncode == 1
    assert path.removesuffix(".py").replace("/", ".").rsplit(".", 1)[-1] in outcome.stdout
