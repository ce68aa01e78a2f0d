"""The benchmark of ledger imports, small: that it measures what it says, not how fast."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core.errors import BadInput
from benchmarks import erp
from benchmarks.ledgers import INVOICES_PER_ACCOUNT, ledger_documents
from benchmarks.memory import CommandFailed, Watched, watch
from benchmarks.report import Options, Report
from invoices.checks import problem_of
from invoices.feed import Refused, read
from tests.databases import migrate
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="module")
def report(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    yield erp.run(Options(60, postgres_server.create("bench"), tmp_path_factory.mktemp("bench")))
    postgres_server.drop("bench")


@pytest.mark.postgres
def test_ours_and_the_peer_stand_side_by_side_on_both_databases(report: Report) -> None:
    found = [(row["subject"], row["database"], row["documents"]) for row in report.rows]
    ours, peer = "amiable", "orm row by row"
    assert found == [(ours, "sqlite", 62), (peer, "sqlite", 62), (ours, "postgres", 62), (peer, "postgres", 62)]
    assert set(report.ratios) == {"docs_per_s_vs_orm", "docs_per_s_vs_orm_sqlite", "docs_per_s_vs_orm_postgres"}
    assert report.ratios["docs_per_s_vs_orm"] == min(report.ratios.values())
    assert json.loads(json.dumps(report.as_object()))["size"] == 60


@pytest.mark.postgres
def test_a_database_in_use_is_left_alone(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.create("bench_used")
    migrate(url)
    with pytest.raises(BadInput, match="not empty"):
        erp.run(Options(1, url, tmp_path))
    postgres_server.drop("bench_used")


def test_the_made_up_ledger_is_sound_and_always_the_same() -> None:
    documents = list(ledger_documents(2 * INVOICES_PER_ACCOUNT))
    assert documents == list(ledger_documents(2 * INVOICES_PER_ACCOUNT))
    read_ones = [read(document) for document in documents]
    assert not [found for found in read_ones if isinstance(found, Refused)]
    problems = [problem_of(found, today=date(2026, 3, 2)) for found in read_ones if not isinstance(found, Refused)]
    assert not [problem for problem in problems if problem]


def test_memory_is_flat_when_the_end_is_as_the_beginning() -> None:
    steady = Watched({}, 0.0, [100_000_000] * 50)
    growing = Watched({}, 0.0, [1_000_000 * (100 + step) for step in range(100)])
    assert (steady.growth, steady.peak_mb) == (1.0, 100.0)
    assert growing.growth > 1.5


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(CommandFailed, match="No such file"):
        watch(["/bin/ls", "/nowhere/at/all"], {"LC_ALL": "C"})


def test_an_unknown_benchmark_is_named() -> None:
    result = CliRunner().invoke(app, ["bench", "nothing"])
    assert result.exit_code == 1
    assert "'nothing'" in str(result.exception)
