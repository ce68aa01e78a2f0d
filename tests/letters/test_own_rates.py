"""Rates that came after the program: loaded from a file, in force for every letter, kept in versions, never a gap."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import app
from app.core.errors import DomainError
from disputes.models import Policy
from letters.dunning import Letter, decide
from letters.interest import Claim
from letters.planning import plans, reminder_facts
from letters.procedure import shipped
from letters.rules import RATES, letter_rules
from tests.databases import Database
from tests.factories import an_account, an_entity, an_invoice
from tests.letters.stories import ADDRESS

LATER = """
name = "ECB main refinancing operations, fixed rate"
until = 2026-12-31
next = "look it up"

[[rates]]
from = {begins}
rate = "2.00"
source = "ecb.europa.eu, key ECB interest rates"
looked_up = 2026-07-02
"""
NOW = datetime(2026, 9, 30, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMIABLE_DATABASE_URL", database.url)
    return tmp_path


def load(folder: Path, begins: str, name: str = "ecb_refinancing.toml") -> None:
    (folder / name).write_text(LATER.format(begins=begins))
    CliRunner().invoke(app, ["rates", "load", name], catch_exceptions=False)


def claimed(database: Database) -> Claim:
    """The claim of the formal notice an invoice of 1,200.00 due on 31 May would get on 30 September."""
    with database.transaction(read_only=True) as session:
        rules = letter_rules(session)
        procedure = shipped()["fr"]
        [planned] = plans(session, account_ids=[1], rules=rules, now=NOW)
        decision = decide(planned.owing.facts, procedure, today=NOW.date())
        assert decision.letter is not None
        asked = tuple(replace(one, position=4) for one in decision.letter.asked)
        notice = Letter(procedure.levels[3], 0, "post", asked, {}, None, ())
        claim = reminder_facts(planned, notice, rules, signer="Ana", reference="L-1").claim
        assert claim is not None
        return claim


def test_a_loaded_rate_goes_on_where_the_shipped_ones_end(folder: Path, database: Database) -> None:
    with database.transaction() as session:
        account = an_account(session, an_entity(session), name="Keller", address=ADDRESS)
        amount = {"gross": Decimal("1200.00"), "open_amount": Decimal("1200.00")}
        an_invoice(session, account, number="F1", issued=date(2026, 5, 1), due=date(2026, 5, 31), **amount)
    # June at 2.15 + 10: 1200 x 12.15 x 30 / 36500 = 11.9835616 -> 11.98, and no further than is known
    before = claimed(database)
    assert (before.until, before.interest) == (date(2026, 6, 30), {"EUR": Decimal("11.98")})
    assert "the rate after it is not known yet" in " ".join(before.notes)
    load(folder, "2026-07-01")
    # July to September at 2.00 + 10: 1200 x 12 x 92 / 36500 = 36.2958904; so far 48.2794521 -> 48.28
    after = claimed(database)
    assert (after.until, after.interest) == (date(2026, 9, 30), {"EUR": Decimal("48.28")})
    with database.transaction(read_only=True) as session:
        kept = session.scalars(select(Policy).where(Policy.family == RATES)).one()
        assert (kept.key, kept.version, kept.created_by) == ("ecb_refinancing", 1, "system:cli")


def test_a_gap_or_a_file_that_is_none_changes_nothing(folder: Path, database: Database) -> None:
    with pytest.raises(DomainError, match="add the rate from 2026-07-01 on"):
        load(folder, "2026-08-01")
    with pytest.raises(DomainError, match="is no TOML file"):
        load(folder, "soon")
    with pytest.raises(DomainError, match="cannot be read"):
        CliRunner().invoke(app, ["rates", "load", "gone.toml"], catch_exceptions=False)
    with database.transaction(read_only=True) as session:
        assert session.scalars(select(Policy)).all() == []
