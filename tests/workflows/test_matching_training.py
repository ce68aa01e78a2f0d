"""amiable train matching: corrections are counted, refitted on, put in force only when better, and can be undone."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from app.cli import app
from app.core import schema
from app.core.db import create_engine
from app.core.errors import NotFound
from app.core.events import user_actor
from app.workflows.intake import Matching, Tools
from app.workflows.matching_training import train_matching
from disputes.actions import links, policies
from disputes.match_corrections import corrected_mails
from disputes.match_weights import FAMILY, KEY, content_of, read_weights, versions, weights_in_force
from disputes.models import Link
from matching.scoring import Weights, default_weights
from tests.factories import a_user
from tests.fixtures_pipeline import Deliver, Ledger, _account, _invoice

ANA = user_actor(77)
SHIPPED = default_weights()
BLUNT = Weights(
    {**SHIPPED.invoice, **dict.fromkeys(("full", "compact", "only_named"), 0.0)}, SHIPPED.account, SHIPPED.calibration
)


def blunt(tools: Tools) -> Matching:
    """Tools whose weights think nothing of a number."""
    return Matching(settings=tools.settings, blobs=tools.blobs, weights=BLUNT)


def corrections(session: Session, ledger: Ledger, deliver: Deliver, now: datetime) -> None:
    """Sixteen customers each write about their invoice, and Ana confirms it."""
    ana = user_actor(a_user(session, now=now, role="lead").id)
    for n in range(16):
        account = _account(session, ledger.entity, f"C3{n:02d}", f"Shop Nr{n}x", (f"Kim {n}", f"kim@shop{n}.example"))
        invoice = _invoice(session, account, f"INV-2026-03{n:02d}", f"{100 + n}.50")
        at = now + timedelta(minutes=n)
        worked = deliver(f"{invoice.number} is wrong", at=at, sender=f"Kim {n} <kim@shop{n}.example>")
        link = session.query(Link).filter_by(message_id=worked.message_id, invoice_id=invoice.id).one()
        links.confirm(session, link_id=link.id, actor=ana, now=at)


def test_too_few_corrections_change_nothing(
    session: Session, ledger: Ledger, deliver: Deliver, tools: Tools, now: datetime
) -> None:
    corrections(session, ledger, deliver, now)
    trained = train_matching(session, tools=blunt(tools), actor=ANA, now=now)
    assert (trained.mails, trained.needed, trained.refit, trained.version) == (16, 300, None, None)
    assert versions(session) == []


def test_better_weights_are_put_in_force_used_and_can_be_taken_back(
    session: Session, ledger: Ledger, deliver: Deliver, tools: Tools, now: datetime
) -> None:
    corrections(session, ledger, deliver, now)
    trained = train_matching(session, tools=blunt(tools), actor=ANA, now=now, needed=16)
    assert trained.refit is not None
    assert trained.refit.better, trained.refit.why
    assert trained.version == 1
    learned = weights_in_force(session, shipped=BLUNT)
    assert learned.invoice["full"] > BLUNT.invoice["full"]
    again = train_matching(session, tools=blunt(tools), actor=ANA, now=now, needed=16)
    assert again.version in {None, 2}
    policies.drop(session, family=FAMILY, key=KEY, actor=ANA, now=now)
    assert weights_in_force(session, shipped=BLUNT) == BLUNT
    policies.activate(session, policy_id=versions(session)[0].id, actor=ANA, now=now, read=read_weights)
    assert weights_in_force(session, shipped=BLUNT) == learned


def test_mail_is_matched_by_the_weights_in_force(
    session: Session, ledger: Ledger, deliver: Deliver, now: datetime
) -> None:
    before = deliver("INV-2026-0101 is wrong", at=now)
    nothing = {**content_of(SHIPPED), "invoice": {"bias": -9.0, "bias@n": -9.0}}
    policies.save(session, family=FAMILY, key=KEY, content=nothing, actor=ANA, now=now, read=read_weights)
    after = deliver("INV-2026-0102 is wrong as well", at=now + timedelta(hours=1))
    assert before.match is not None
    assert after.match is not None
    assert [link.invoice_id for link in before.match.likely] == [ledger.invoices["INV-2026-0101"].id]
    assert after.match.account is not None
    assert all(link.state != "auto" for link in after.match.links)


def test_a_mail_with_an_open_question_teaches_nothing_yet(
    session: Session, ledger: Ledger, deliver: Deliver, now: datetime
) -> None:
    ana = user_actor(a_user(session, now=now, role="lead").id)
    worked = deliver("INV-2026-0101 is wrong", at=now)
    link = session.query(Link).filter_by(message_id=worked.message_id).first()
    assert link is not None
    links.confirm(session, link_id=link.id, actor=ana, now=now)
    assert [one.invoice_ids for one in corrected_mails(session)] == [{ledger.invoices["INV-2026-0101"].id}]
    asked = Link(
        message_id=worked.message_id,
        invoice_id=ledger.invoices["INV-2026-0102"].id,
        state="proposed",
        probability=0.4,
        evidence=[],
        decided_at=now,
    )
    session.add(asked)
    session.flush()
    assert corrected_mails(session) == []


def test_the_command_says_what_is_missing_and_which_versions_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMIABLE_DATABASE_URL", f"sqlite:///{tmp_path / 'own.db'}")
    engine = create_engine(f"sqlite:///{tmp_path / 'own.db'}")
    schema.upgrade(engine)
    engine.dispose()
    told = CliRunner().invoke(app, ["train", "matching", "--json"], catch_exceptions=False)
    assert json.loads(told.stdout)["why"] == "300 corrected mails are needed, 0 are there: nothing changed"
    listed = CliRunner().invoke(app, ["train", "matching", "--versions", "--json"], catch_exceptions=False)
    assert json.loads(listed.stdout) == {"versions": []}
    with pytest.raises(NotFound, match="no version 3 of the weights of matching; there are: none yet"):
        CliRunner().invoke(app, ["train", "matching", "--rollback", "3"], catch_exceptions=False)
