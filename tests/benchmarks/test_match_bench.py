"""amiable bench match on small ledgers: what its figures are made of, and one answer on both databases."""

import json
from dataclasses import replace

import pytest

from app.core import db
from benchmarks import match
from benchmarks.databases import fresh
from benchmarks.ledger_mails import made_up_mails
from benchmarks.numbered_ledgers import Ledger, write_ledger
from benchmarks.report import Options
from matching.facts import MatchDecision
from tests.servers.postgres import PostgresServer

LEDGER = Ledger(1_800)


def _decisions(url: str) -> list[MatchDecision]:
    with fresh(url) as engine:
        taken = write_ledger(engine, LEDGER)
        with db.transaction(db.session_factory(engine), read_only=True) as session:
            ours = match.Ours(session, taken)
            return [ours.decide(mail.facts) for mail in made_up_mails(LEDGER, 120)]


@pytest.mark.postgres
def test_a_mail_means_the_same_invoices_on_sqlite_and_on_postgresql(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = _decisions(f"sqlite:///{tmp_path_factory.mktemp('bench') / 'match.db'}")
    there = _decisions(postgres_server.create("bench_match"))
    postgres_server.drop("bench_match")
    assert here == there
    assert sum(bool(decision.links) for decision in here) > 100


@pytest.mark.postgres
def test_ours_and_the_peers_stand_side_by_side(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(match, "MAILS", 60)
    url = postgres_server.create("bench_match_peers")
    report = match.run(Options(1_800, url, tmp_path_factory.mktemp("bench")))
    postgres_server.drop("bench_match_peers")
    subjects = [row["subject"] for row in report.rows]
    assert subjects[0] == "amiable"
    assert len(subjects) == 5
    ours, *peers = report.rows
    assert all(row["mails"] == 60 and row["match_ms_p50"] > 0 for row in report.rows)
    assert ours["recall"] > max(peer["recall"] for peer in peers)
    assert ours["wrong_links"] <= min(peer["wrong_links"] for peer in peers)
    assert {"lookup_p50_vs_rapidfuzz", "lookup_p95_vs_rapidfuzz", "growth_10k_to_max"} <= report.ratios.keys()
    assert json.loads(json.dumps(report.as_object()))["size"] == 1_800


def test_ledgers_and_mails_are_the_same_each_time() -> None:
    invoices = [LEDGER.invoice(place) for place in range(LEDGER.size)]
    assert len({(one.id % 6, one.number) for one in invoices}) == LEDGER.size
    once, again = list(made_up_mails(LEDGER, 200)), list(made_up_mails(LEDGER, 200))
    assert once == again
    assert {mail.how for mail in once} >= {"number", "slip", "list", "ending", "amount", "order", "none"}
    assert {mail.facts.entity_ids for mail in once} == {(place,) for place in range(1, 7)}
    assert all(bool(mail.meant) == (mail.how != "none") for mail in once)


def test_a_number_as_written_leads_to_its_invoice(tmp_path_factory: pytest.TempPathFactory) -> None:
    with fresh(f"sqlite:///{tmp_path_factory.mktemp('bench') / 'match.db'}") as engine:
        write_ledger(engine, LEDGER)
        with db.transaction(db.session_factory(engine), read_only=True) as session:
            ours = match.Ours(session, 0)
            mail = next(one for one in made_up_mails(LEDGER, 50) if one.how == "number")
            (meant,) = mail.meant
            exact = replace(mail, written=LEDGER.invoice(meant - 1).number)
            assert meant in ours.look_up(exact)


def test_calibration_error_is_how_far_chances_are_from_what_came_true() -> None:
    right = [(0.9, True)] * 9 + [(0.9, False)]
    assert match.calibration_error(right) == 0.0
    assert match.calibration_error([(0.9, False)] * 10) == 0.9
    assert match.calibration_error([]) == 0.0
