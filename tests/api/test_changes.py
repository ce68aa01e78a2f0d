"""The feed an ERP reads: every change once, in order, of its own entity alone."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import auth
from app.core.blobs import FolderStore
from app.core.events import system
from app.core.settings import Settings
from app.edge import Services
from app.main import create_app
from disputes.actions import life, writeback
from disputes.models import CaseInvoice
from tests.databases import Database
from tests.factories import a_case, an_account, an_entity, an_invoice
from tests.fixtures_db import FixedClock

Read = dict[str, Any]


@pytest.fixture
def client(database: Database, settings: Settings, clock: FixedClock, tmp_path: Path) -> Iterator[TestClient]:
    services = Services(settings, database.sessions, clock, FolderStore(tmp_path), lambda *_: None)
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        yield client


def token(database: Database, clock: FixedClock, *, scope: str = "cases:read", entity: str | None = None) -> Read:
    with database.transaction() as session:
        text = auth.add_token(
            session, name="erp", scopes=(scope,), entity=entity, actor=system("test"), now=clock()
        )  # fmt: skip
    return {"authorization": f"Bearer {text}"}


def a_dispute(database: Database, clock: FixedClock, *, entity: str) -> int:
    with database.transaction() as session:
        account = an_account(session, an_entity(session, entity))
        invoice = an_invoice(session, account, number=f"{entity}-1")
        case = a_case(session, account, now=clock())
        session.add(CaseInvoice(case_id=case.id, invoice_id=invoice.id, disputed=Decimal(300), added_at=clock()))
        writeback.tell(session, case=case, now=clock())
        return case.id


def test_an_erp_reads_what_became_of_its_invoices(database: Database, clock: FixedClock, client: TestClient) -> None:
    case_id = a_dispute(database, clock, entity="FR01")
    headers = token(database, clock)
    first = client.get("/api/v1/changes", headers=headers).json()
    assert [(one["invoice"], one["status"], one["disputed_amount"]) for one in first["changes"]] == [
        ("FR01-1", "disputed", "300.00")
    ]
    told = first["changes"][0]
    assert (told["dunning_block"], told["reason"], told["peppol"], told["cdar"]) == (
        True, "price", "PRI", ["PU_ERR", "REM_ERR"],
    )  # fmt: skip
    with database.transaction() as session:
        life.resolve(session, case_id=case_id, resolution="rejected", note="", actor=system("test"), now=clock())
    then = client.get("/api/v1/changes", params={"after": first["next"]}, headers=headers).json()
    assert [one["status"] for one in then["changes"]][-1] == "rejected"
    assert [one["dunning_block"] for one in then["changes"]][-1] is False
    nothing = client.get("/api/v1/changes", params={"after": then["next"]}, headers=headers).json()
    assert nothing == {"changes": [], "next": then["next"], "more": False}


def test_what_changes_nothing_for_the_erp_is_not_told(database: Database, clock: FixedClock) -> None:
    case_id = a_dispute(database, clock, entity="FR01")
    with database.transaction() as session:
        until = clock() + timedelta(days=1)
        case = life.wait(session, case_id=case_id, on="us", until=until, actor=system("test"), now=clock())
        assert writeback.tell(session, case=case, now=clock()) == []


def test_pages_follow_each_other_and_lose_nothing(database: Database, clock: FixedClock, client: TestClient) -> None:
    for entity in ("FR01", "DE01", "ES01"):
        a_dispute(database, clock, entity=entity)
    headers, after, seen = token(database, clock), 0, []
    while True:
        page = client.get("/api/v1/changes", params={"after": after, "limit": 2}, headers=headers).json()
        seen += [one["invoice"] for one in page["changes"]]
        after = page["next"]
        if not page["more"]:
            break
    assert seen == ["FR01-1", "DE01-1", "ES01-1"]


def test_a_token_of_one_entity_reads_no_other(database: Database, clock: FixedClock, client: TestClient) -> None:
    for entity in ("FR01", "DE01"):
        a_dispute(database, clock, entity=entity)
    page = client.get("/api/v1/changes", headers=token(database, clock, entity="DE01")).json()
    assert [one["entity"] for one in page["changes"]] == ["DE01"]


def test_only_those_with_the_scope_read(database: Database, clock: FixedClock, client: TestClient) -> None:
    assert client.get("/api/v1/changes").status_code == 401
    assert client.get("/api/v1/changes", headers=token(database, clock, scope="erp:push")).status_code == 403
    assert client.get("/api/v1/changes", params={"limit": 0}, headers=token(database, clock)).status_code == 422
