import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import func, select

from app import auth
from app.core.blobs import FolderStore
from app.core.events import Event, system
from app.core.settings import Limits, Settings
from app.edge import Services
from app.main import create_app
from invoices.models import Entity, Invoice, Push
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.invoices.documents import Raw, account, credit_note, entity, invoice, payment

URL = "/api/v1/erp/push"
NDJSON = "application/x-ndjson"


class Erp:
    """An ERP with a token."""

    def __init__(self, client: TestClient, token: str) -> None:
        self._client, self._token = client, token

    def push(self, content: object, media_type: str = "application/json", **headers: str) -> Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {"authorization": f"Bearer {self._token}", "content-type": media_type, **headers}
        return self._client.post(URL, content=body, headers=given)

    def lines(self, *documents: Raw | bytes, **headers: str) -> Response:
        lines = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in documents]
        return self.push(b"\n".join(lines), NDJSON, **headers)


def token(database: Database, clock: FixedClock, *, scope: str = "erp:push", entity_code: str | None = None) -> str:
    with database.transaction() as session:
        return auth.add_token(
            session,
            name=f"{scope} {entity_code}",
            scopes=(scope,),
            entity=entity_code,
            actor=system("test"),
            now=clock(),
        )


@pytest.fixture
def client(database: Database, settings: Settings, clock: FixedClock, tmp_path: Path) -> Iterator[TestClient]:
    small = settings.model_copy(update={"limits": Limits(push_bytes=20_000, push_batch=3, document_bytes=3_000)})
    services = Services(small, database.sessions, clock, FolderStore(tmp_path), lambda *_: None)
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def erp(client: TestClient, database: Database, clock: FixedClock) -> Erp:
    return Erp(client, token(database, clock))


def outcomes(response: Response) -> list[str]:
    return [one["outcome"] for one in response.json()["outcomes"]]


def invoices(database: Database) -> int:
    with database.transaction(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Invoice)) or 0


def test_documents_go_in_and_one_outcome_each_comes_out(erp: Erp, database: Database) -> None:
    documents = [payment(), invoice(), account(), entity(), invoice(number="B", net="1"), credit_note()]
    response = erp.push(documents)
    assert response.status_code == 200
    body = response.json()
    assert [one["index"] for one in body["outcomes"]] == [0, 1, 2, 3, 4, 5]
    assert outcomes(response) == ["created"] * 4 + ["refused", "created"]
    refused = body["outcomes"][4]
    assert (refused["type"], refused["entity"], refused["number"], refused["field"]) == ("invoice", "FR01", "B", "net")
    assert "add up" in refused["reason"]
    assert body["counts"] == {"created": 5, "updated": 0, "unchanged": 0, "stale": 0, "refused": 1}
    assert invoices(database) == 2


def test_ndjson_is_answered_line_by_line(erp: Erp) -> None:
    response = erp.lines(invoice(), b"", b"{oops", account(), entity(), payment(version=3), payment(version=2))
    assert (response.status_code, response.headers["content-type"]) == (200, NDJSON)
    lines = [json.loads(line) for line in response.text.splitlines()]
    wanted = ["created", "refused", "created", "created", "created", "stale"]
    assert [line["outcome"] for line in lines[:-1]] == wanted
    assert lines[-1]["counts"]["created"] == 4


def test_a_whole_ledger_file_is_a_push(erp: Erp) -> None:
    bare = [{key: value for key, value in one.items() if key != "type"} for one in (entity(), account(), payment())]
    found = {"today": "2026-03-02", "payments": bare[2:], "customers": bare[1:2], "entities": bare[:1], "invoices": []}
    assert outcomes(erp.push(found)) == ["created"] * 3


def test_a_single_document_is_a_push(erp: Erp) -> None:
    assert outcomes(erp.push(entity())) == ["created"]


def test_events_name_the_token_and_the_push(erp: Erp, database: Database) -> None:
    erp.push([entity(), invoice()])
    erp.push([invoice(open="0")])
    with database.transaction() as session:
        found = session.scalars(select(Event).where(Event.verb == "invoice.updated")).one()
        pushes = session.scalars(select(Push.id).order_by(Push.id)).all()
    assert (found.actor.partition(":")[0], found.cause) == ("token", f"push:{pushes[-1]}")


def test_the_same_key_and_body_give_the_same_answer_and_no_second_effect(erp: Erp, database: Database) -> None:
    key = {"idempotency-key": "nightly-2026-03-02"}
    first = erp.push([entity(), invoice(open="1.00")], **key)
    erp.push([invoice(open="2.00")])
    again = erp.push([entity(), invoice(open="1.00")], **key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    with database.transaction() as session:
        assert session.scalars(select(Invoice.open_amount)).one() == 2
        assert session.scalar(select(func.count()).select_from(Push)) == 2


def test_the_same_key_with_another_body_is_refused(erp: Erp) -> None:
    key = {"idempotency-key": "k"}
    assert erp.push([entity()], **key).status_code == 200
    refused = erp.push([entity(name="Other")], **key)
    assert refused.status_code == 422
    assert "another body" in refused.json()["detail"]


def test_two_tokens_do_not_share_keys(erp: Erp, client: TestClient, database: Database, clock: FixedClock) -> None:
    key = {"idempotency-key": "k"}
    erp.push([entity()], **key)
    other = Erp(client, token(database, clock))
    assert outcomes(other.push([entity(name="Other")], **key)) == ["updated"]


def test_a_push_that_breaks_half_way_changes_nothing_and_keeps_no_key(erp: Erp, database: Database) -> None:
    whole = json.dumps([entity(), *(invoice(number=f"A{place}") for place in range(9))]).encode()
    key = {"idempotency-key": "k"}
    broken = erp.push(whole[:-20], **key)
    assert broken.status_code == 422
    assert "JSON is broken near character" in broken.json()["detail"]
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Entity)) == 0
    assert outcomes(erp.push(whole, **key)) == ["created"] * 10


def test_nothing_that_has_the_shape_of_a_document_is_422(erp: Erp) -> None:
    response = erp.push([entity(colour="red")])
    assert response.status_code == 422
    assert response.json()["outcomes"][0]["field"] == "colour"
    assert erp.push([entity(colour="red"), entity()]).status_code == 200
    assert erp.push([entity(currency="XXZ")]).status_code == 200
    assert erp.push([]).status_code == 200


def test_an_unknown_list_is_422(erp: Erp) -> None:
    response = erp.push({"entities": [], "quotes": []})
    assert response.status_code == 422
    assert response.json()["fields"] == {"quotes": "is not a known field"}


@pytest.mark.parametrize("scope", ["cases:read", "messages:write"])
def test_a_token_without_the_scope_is_403(
    client: TestClient, database: Database, clock: FixedClock, scope: str
) -> None:
    assert Erp(client, token(database, clock, scope=scope)).push([entity()]).status_code == 403


@pytest.mark.parametrize("secret", ["", "amk_nothing.known", "x" * 500])
def test_a_wrong_token_is_401(client: TestClient, secret: str) -> None:
    assert Erp(client, secret).push([entity()]).status_code == 401


def test_no_token_is_401(client: TestClient) -> None:
    response = client.post(URL, json=[])
    assert response.status_code == 401
    assert "Authorization: Bearer" in response.json()["detail"]


def test_a_token_of_one_entity_pushes_only_that_one(
    erp: Erp, client: TestClient, database: Database, clock: FixedClock
) -> None:
    erp.push([entity(), entity(id="UK01")])
    narrow = Erp(client, token(database, clock, entity_code="UK01"))
    assert outcomes(narrow.push([invoice(), invoice(entity="UK01")])) == ["refused", "created"]


def test_a_body_over_the_limit_is_413_declared_or_not(erp: Erp, database: Database) -> None:
    documents = [invoice(number=f"A{place}") for place in range(80)]
    assert erp.push(documents).status_code == 413
    body = json.dumps(documents).encode()
    streamed = erp._client.post(
        URL,
        content=iter([body[:15_000], body[15_000:]]),
        headers={"authorization": f"Bearer {erp._token}", "content-type": "application/json"},
    )
    assert streamed.status_code == 413
    assert invoices(database) == 0


def test_a_line_over_the_limit_is_refused_alone(erp: Erp) -> None:
    response = erp.lines(entity(), b'{"x": "' + b"y" * 4_000 + b'"}', invoice())
    found = [json.loads(line).get("outcome") for line in response.text.splitlines()]
    assert found == ["created", "refused", "created", None]


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-www-form-urlencoded", ""])
def test_another_media_type_is_415(erp: Erp, media_type: str) -> None:
    assert erp.push([entity()], media_type).status_code == 415


@pytest.mark.parametrize("body", [b"", b"12", b"[", b"\xff\xfe", b"[" * 50_000, b"[NaN]", b'{"entities": 5}'])
def test_a_body_that_is_not_json_is_422_in_words(erp: Erp, body: bytes) -> None:
    response = erp.push(body[:19_000])
    assert response.status_code == 422
    detail: Any = response.json()["detail"]
    assert "JSON" in detail
