"""Mail in by HTTP: only under a good signature, once however often it comes (M29)."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from app.api.messages import BadSignature, check_signature, signature
from app.core.blobs import FolderStore
from app.core.settings import Intake, Limits, Settings
from app.edge import Services
from app.main import create_app
from app.workflows import runtime
from disputes.models import Delivery, Message
from tests.databases import Database
from tests.fixtures_db import FixedClock
from tests.workflows.stand_ins import mail

SECRET = "shared with the mail gateway"
INTAKE = Intake(webhook_secret=SecretStr(SECRET), webhook_max_age_seconds=300)
RAW = mail(1)


def headers(
    now: datetime, raw: bytes = RAW, *, secret: str = SECRET, ref: str = "", mailbox: str = "", age: int = 0
) -> Mapping[str, str]:
    at = int(now.timestamp()) - age
    signed = signature(secret, at=at, labels=(ref, mailbox), raw=raw)
    return {
        "x-amiable-signature": f"t={at},v1={signed}",
        "x-amiable-source-ref": ref,
        "x-amiable-mailbox": mailbox,
        "content-type": "message/rfc822",
    }


@pytest.fixture
def client(database: Database, settings: Settings, clock: FixedClock) -> Iterator[TestClient]:
    small = settings.model_copy(update={"intake": INTAKE, "limits": Limits(mail_bytes=2_000, request_bytes=3_000)})
    services = Services(small, database.sessions, clock, FolderStore(settings.blob_folder), runtime.enqueue)
    with TestClient(create_app(services)) as client:
        yield client


def post(client: TestClient, raw: bytes, given: Mapping[str, str]) -> tuple[int, dict[str, object]]:
    answer = client.post("/api/v1/messages", content=raw, headers=given)
    return answer.status_code, answer.json()


def test_a_signed_mail_is_stored_with_the_job_to_work_it(client: TestClient, database: Database, now: datetime) -> None:
    status, body = post(client, RAW, headers(now, ref="gateway-17", mailbox="billing"))
    assert (status, body["created"]) == (202, True)
    with database.transaction(read_only=True) as session:
        message = session.scalars(select(Message)).one()
        delivery = session.scalars(select(Delivery)).one()
    assert (message.id, message.state, message.rfc_id) == (body["message_id"], "received", "<1@customer.example>")
    assert (delivery.source, delivery.source_ref, delivery.mailbox) == ("http", "gateway-17", "billing")
    assert runtime.unfinished(database.engine) == 1


def test_the_same_mail_again_is_the_same_message(client: TestClient, database: Database, now: datetime) -> None:
    first = post(client, RAW, headers(now, ref="a"))[1]
    again = post(client, RAW, headers(now, ref="b"))[1]
    assert again == {"message_id": first["message_id"], "created": False}
    assert runtime.unfinished(database.engine) == 1


@pytest.mark.parametrize(
    "broken",
    [
        lambda _: {},
        lambda _: {"x-amiable-signature": "v1=00"},
        lambda _: {"x-amiable-signature": "t=²,v1=é"},
        lambda now: headers(now, secret="another"),
        lambda now: headers(now, raw=mail(2)),
        lambda now: {**headers(now), "x-amiable-mailbox": "another"},
        lambda now: headers(now, age=301),
        lambda now: headers(now, age=-301),
    ],
    ids=["none", "no time", "not ascii", "other secret", "other mail", "other label", "too old", "too new"],
)  # fmt: skip
def test_anything_but_a_fresh_signature_over_exactly_this_is_refused(
    client: TestClient, database: Database, now: datetime, broken: object
) -> None:
    assert callable(broken)
    given = {name: value.encode() for name, value in broken(now).items()}
    answer = client.post("/api/v1/messages", content=RAW, headers=given)
    assert answer.status_code == 401
    assert "ignature" in answer.json()["detail"]
    with database.transaction(read_only=True) as session:
        assert session.scalars(select(Message)).all() == []


def test_without_a_secret_nothing_is_taken(now: datetime) -> None:
    with pytest.raises(BadSignature, match="not switched on"):
        check_signature(Intake(), headers(now)["x-amiable-signature"], labels=("", ""), raw=RAW, now=now)


@pytest.mark.parametrize("raw", [b"", b" \r\n"])
def test_an_empty_body_is_told(client: TestClient, now: datetime, raw: bytes) -> None:
    status, body = post(client, raw, headers(now, raw=raw))
    assert (status, body["fields"]) == (422, {"body": "empty"})


@pytest.mark.parametrize("size", [2_500, 4_000])
def test_an_oversized_mail_is_refused(client: TestClient, now: datetime, size: int) -> None:
    raw = mail(1, words="x" * size)
    assert post(client, raw, headers(now, raw=raw))[0] == 413


@given(header=st.text(max_size=80))
def test_no_header_gets_past_the_check(header: str) -> None:
    now = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    with pytest.raises(BadSignature):
        check_signature(INTAKE, header, labels=("", ""), raw=RAW, now=now)
