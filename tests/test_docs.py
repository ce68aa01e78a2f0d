"""What the documents say exists: settings, links, files, commands of the Makefile."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from app.core.settings import Settings
from invoices.feed import AccountDocument, EntityDocument, InvoiceDocument, PaymentDocument
from tests.architecture_source import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#]+)[^)]*\)")
MAKE = re.compile(r"`make (\w+)`|^make (\w+)", re.MULTILINE)


def variables(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, object]]:
    """The variable of each setting with its default, groups unfolded."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", field.default


def test_the_operators_guide_lists_exactly_the_settings_there_are() -> None:
    guide = (ROOT / "docs/guide/operators.md").read_text(encoding="utf-8")
    told, there = set(re.findall(r"AMIABLE_\w*\w", guide)), set(dict(variables(Settings, "AMIABLE_")))
    assert there - told == set(), "a new setting belongs in the table of docs/guide/operators.md"
    assert told - there == set()


@pytest.mark.parametrize(("name", "default"), list(variables(Settings, "AMIABLE_")))
def test_the_operators_guide_tells_the_default(name: str, default: object) -> None:
    guide = (ROOT / "docs/guide/operators.md").read_text(encoding="utf-8")
    row = next(line for line in guide.splitlines() if line.startswith("|") and f"`{name}`" in line)
    if isinstance(default, int | float | str):
        assert f"`{str(default).lower().removesuffix('.0')}`" in row.lower()
    else:
        assert default in (None, ()) or f"`{default}`" in row


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_of_make_exist(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {first or second for first, second in MAKE.findall(document.read_text(encoding="utf-8"))}
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


RECORDS = sorted((ROOT / "docs/decisions").glob("0*.md"))


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_decision_ends_in_files_that_exist(record: Path) -> None:
    files = record.read_text(encoding="utf-8").rpartition("\nFiles: ")[2]
    named = re.findall(r"`([^`]+)`", files)
    assert named
    assert [name for name in named if not any((ROOT / (name + end)).exists() for end in ("", "/__init__.py"))] == []


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert [record.name for record in RECORDS if record.name not in listed] == []


@pytest.mark.parametrize("document", [EntityDocument, AccountDocument, InvoiceDocument, PaymentDocument])
def test_the_ledger_guide_names_every_field(document: type[BaseModel]) -> None:
    guide = (ROOT / "docs/guide/ledger-files.md").read_text(encoding="utf-8")
    assert [name for name in document.model_fields if name != "type" and f"`{name}`" not in guide] == []
