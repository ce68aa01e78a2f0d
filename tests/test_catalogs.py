"""Nothing on the screen stays English by accident: the check of the catalogs, and that it bites."""

import io
from collections.abc import Mapping
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import write_po

from scripts.check_catalogs import forgotten, project_faults, untranslated

MAPPING = "[python: app/**.py]\n[jinja2: app/web/templates/**.html]\n"
SOURCE = 'def words(_, ngettext, n):\n    return _("Inbox"), ngettext("%(num)s case", "%(num)s cases", n)\n'
PAGE = "<h1>{{ _('Accounts') }}</h1>"
Id = str | tuple[str, str]
CASES = ("%(num)s case", "%(num)s cases")
FRENCH: dict[Id, str | tuple[str, ...]] = {
    "Inbox": "Boîte de réception",
    CASES: ("%(num)s dossier", "%(num)s de dossiers", "%(num)s dossiers"),
    "Accounts": "Comptes",
}


def catalog(messages: Mapping[Id, str | tuple[str, ...]], language: str | None = None) -> Catalog:
    made = Catalog(locale=language)
    for message, translation in messages.items():
        made.add(message, translation if language else None)
    return made


def store(path: Path, made: Catalog) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, made)
    if path.suffix == ".po":
        with path.with_suffix(".mo").open("wb") as file:
            write_mo(file, made)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app/web/templates").mkdir(parents=True)
    (tmp_path / "babel.cfg").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "app/words.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "app/web/templates/page.html").write_text(PAGE, encoding="utf-8")
    store(tmp_path / "app/locale/messages.pot", catalog(FRENCH))
    store(tmp_path / "app/locale/fr/LC_MESSAGES/messages.po", catalog(FRENCH, "fr"))
    return tmp_path


def test_a_complete_project_passes(project: Path) -> None:
    assert list(project_faults(project)) == []


def test_a_new_word_in_a_source_is_noticed(project: Path) -> None:
    (project / "app/new.py").write_text('def f(_):\n    return _("Review queue")\n', encoding="utf-8")
    assert any("Review queue" in fault and "app/new.py:2" in fault for fault in project_faults(project))


def test_a_word_nobody_uses_is_noticed(project: Path) -> None:
    (project / "app/web/templates/page.html").write_text("", encoding="utf-8")
    assert any("'Accounts' is used nowhere" in fault for fault in project_faults(project))


@pytest.mark.parametrize(
    ("message", "translation", "fault"),
    [
        ("Inbox", "", "not translated"),
        (CASES, ("%(num)s dossier", "", "%(num)s dossiers"), "not translated"),
        (CASES, ("%(num)s dossier", "%(num)s dossiers"), "plural forms"),
        (CASES, ("%(num)s dossier", "%(count)s dossiers", "%(num)s dossiers"), "placeholders"),
        ("Hello %(name)s", "Bonjour", "placeholders"),
    ],
)
def test_an_unfinished_translation_is_noticed(message: Id, translation: str | tuple[str, ...], fault: str) -> None:
    template, french = catalog({message: ""}), catalog({message: translation}, "fr")
    assert [fault in line for line in untranslated(template, french)] == [True]


def test_a_missing_translation_is_noticed() -> None:
    assert list(untranslated(catalog({"Inbox": ""}), catalog({}, "fr")))


def test_a_guess_is_not_a_translation() -> None:
    french = catalog({}, "fr")
    french.add("Inbox", "Boîte", flags={"fuzzy"})
    assert any("fuzzy" in fault for fault in untranslated(catalog({"Inbox": ""}), french))


def test_an_old_compiled_file_is_noticed(project: Path) -> None:
    path = project / "app/locale/fr/LC_MESSAGES/messages.mo"
    changed = io.BytesIO()
    write_mo(changed, catalog({**FRENCH, "Inbox": "Courrier"}, "fr"))
    path.write_bytes(changed.getvalue())
    assert any("'Inbox' differs" in fault for fault in project_faults(project))
    path.unlink()
    assert any("missing" in fault for fault in project_faults(project))


def test_the_same_words_in_another_context_are_another_message() -> None:
    template = Catalog()
    template.add("Open", context="verb")
    assert list(forgotten(template, {("Open", None): "app/a.py:1", ("Open", "verb"): "app/a.py:2"}))
