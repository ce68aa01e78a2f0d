"""The benchmark of progress, small: that it measures what it says, not how fast."""

import json

import pytest

from benchmarks import progress
from benchmarks.report import Options
from tests.servers.postgres import PostgresServer


@pytest.mark.postgres
def test_both_databases_ours_and_the_peer_stand_side_by_side(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bench")
    report = progress.run(Options(80, postgres_server.create("bench_progress"), folder))
    postgres_server.drop("bench_progress")
    found = [(row["subject"], row["database"], row["retimed"]) for row in report.rows]
    ours, peer = "amiable", "case by case"
    assert found == [(ours, "sqlite", 40), (peer, "sqlite", 40), (ours, "postgres", 40), (peer, "postgres", 40)]
    rows = [row for row in report.rows if row["subject"] == ours]
    assert all(row["planned_per_s"] > 0 and row["steps_per_s"] > 0 for row in rows)
    assert report.ratios["sweep_idle_ms"] == max(row["sweep_idle_ms"] for row in rows)
    assert report.ratios["retimed_per_s"] == min(row["retimed_per_s"] for row in rows)
    assert json.loads(json.dumps(report.as_object()))["size"] == 80
