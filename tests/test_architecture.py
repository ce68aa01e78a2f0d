"""The project keeps its own rules. tests/test_architecture_bites.py shows that each of them bites."""

import pytest

from tests.architecture_events import silent_actions
from tests.architecture_project import (
    MAIL_WORK,
    MEDIAN_LINES,
    WRITERS,
    foreign_words,
    front_end_findings,
    import_cycle,
    median_size,
    missing_packages,
    read_text,
    shadowing_names,
    unexplained_ignores,
    ways_from_mail,
)
from tests.architecture_rules import RULES, Rule
from tests.architecture_source import PACKAGES, PRODUCT, ROOT, Finding, Source, committed_files, python_sources


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return python_sources()


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {path: read_text(ROOT / path) for path in committed_files()}


def shown(findings: list[Finding]) -> str:
    return "\n".join(map(str, findings))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_file_keeps_the_rule(rule: Rule, sources: list[Source]) -> None:
    findings = [finding for source in sources for finding in rule.findings(source)]
    assert not findings, shown(findings)


def test_excuses_point_to_files_that_exist() -> None:
    excused = {path for rule in RULES for path in rule.excused}
    assert not [path for path in excused if not (ROOT / path).exists()]


def test_functions_are_short_on_the_whole(sources: list[Source]) -> None:
    product = [source for source in sources if source.package in PRODUCT]
    assert median_size(product) <= MEDIAN_LINES
    assert median_size([source for source in sources if source.package in PACKAGES]) <= MEDIAN_LINES


def test_whatever_changes_rows_records_an_event(sources: list[Source]) -> None:
    findings = list(silent_actions(sources))
    assert not findings, shown(findings)


def test_no_way_of_a_mail_leads_to_bank_details_or_addresses(sources: list[Source]) -> None:
    modules = {source.module for source in sources}
    assert set(MAIL_WORK) <= modules
    assert all(any(module.startswith(writer) for module in modules) for writer in WRITERS)
    way = ways_from_mail(sources)
    assert not way, " imports ".join(way)


def test_no_import_cycle(sources: list[Source]) -> None:
    cycle = import_cycle(sources)
    assert not cycle, " -> ".join(cycle)


def test_every_folder_is_a_package_but_alembics(sources: list[Source]) -> None:
    findings = list(missing_packages(source.path for source in sources))
    assert not findings, shown(findings)


def test_no_module_is_named_after_the_standard_library(sources: list[Source]) -> None:
    findings = list(shadowing_names(source.path for source in sources))
    assert not findings, shown(findings)


def test_no_registry_and_no_machine_is_named(texts: dict[str, str]) -> None:
    findings = [finding for path, text in texts.items() for finding in foreign_words(path, text)]
    assert not findings, shown(findings)


def test_the_front_end_keeps_the_limits_too(texts: dict[str, str]) -> None:
    findings = [finding for path, text in texts.items() for finding in front_end_findings(path, text)]
    assert not findings, shown(findings)


def test_each_ignored_rule_has_its_reason() -> None:
    findings = list(unexplained_ignores((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    assert not findings, shown(findings)
