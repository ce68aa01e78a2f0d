from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Body, Depends
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app import auth
from app.core.blobs import FolderStore
from app.core.errors import BadInput
from app.core.events import system
from app.core.settings import Limits, Settings
from app.edge import COOKIE, Services, SessionDep, UserDep, require, token
from app.main import create_app
from tests.databases import Database
from tests.fixtures_db import FixedClock

OURS = {"sec-fetch-site": "same-origin"}


def probe(services: Services) -> TestClient:
    """The application with a few routes that show the edge at work."""
    app = create_app(services)

    def who(user: UserDep) -> str:
        return user.email

    def erp(found: Annotated[auth.ApiToken, Depends(token("erp:push"))]) -> str:
        return found.name

    def half(session: SessionDep) -> None:
        session.add(auth.Team(key="half", name="Half written"))
        session.flush()
        raise BadInput("No such thing", fields={"thing": "unknown"})

    def lead_only(user: Annotated[auth.User, Depends(require("manage rules"))]) -> str:
        return user.role

    def broken() -> None:
        raise ZeroDivisionError

    def echo(text: Annotated[str, Body()]) -> str:
        return text

    app.add_api_route("/probe/who", who)
    app.add_api_route("/probe/lead", lead_only)
    app.add_api_route("/api/probe/erp", erp)
    app.add_api_route("/api/probe/half", half, methods=["POST"])
    app.add_api_route("/api/probe/broken", broken)
    app.add_api_route("/probe/echo", echo, methods=["POST"])
    app.add_api_route("/api/probe/echo", echo, methods=["POST"])
    return TestClient(app, follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture
def client(database: Database, settings: Settings, clock: FixedClock, tmp_path: Path) -> Iterator[TestClient]:
    small = settings.model_copy(update={"limits": Limits(request_bytes=1000)})
    services = Services(small, database.sessions, clock, FolderStore(tmp_path), lambda *_: None)
    with database.transaction() as session:
        add_user = {"name": "A", "password": "long enough it is", "actor": system("test"), "now": clock()}
        auth.add_user(session, email="agent@seller.example", role="agent", **add_user)  # type: ignore[arg-type] # one dict for both users
    with probe(services) as client:
        yield client


def signed_in(client: TestClient, database: Database, clock: FixedClock) -> TestClient:
    with database.transaction() as session:
        user = session.scalars(select(auth.User)).one()
        secret = auth.open_session(session, user=user, now=clock(), hours=1)
    client.cookies.set(COOKIE, secret)
    return client


def test_it_says_when_it_is_well(client: TestClient) -> None:
    assert client.get("/healthz").status_code == 200


def test_a_stranger_is_led_to_the_sign_in_form_and_back(client: TestClient) -> None:
    answer = client.get("/probe/who?x=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/probe/who%3Fx%3D1")


def test_a_signed_in_person_is_known_and_held_to_the_role(
    client: TestClient, database: Database, clock: FixedClock
) -> None:
    client = signed_in(client, database, clock)
    assert client.get("/probe/who").json() == "agent@seller.example"
    assert client.get("/probe/lead").status_code == 403


def test_tokens_no_token_is_401_and_a_wrong_scope_403(
    client: TestClient, database: Database, clock: FixedClock
) -> None:
    with database.transaction() as session:
        make = {"entity": None, "actor": system("test"), "now": clock()}
        good = auth.add_token(session, name="erp", scopes=["erp:push"], **make)  # type: ignore[arg-type] # one dict for both tokens
        wrong = auth.add_token(session, name="bi", scopes=["cases:read"], **make)  # type: ignore[arg-type] # as above
    answers = [client.get("/api/probe/erp", headers={"authorization": f"Bearer {t}"}) for t in (good, wrong, "amk_x")]
    assert [answer.status_code for answer in answers] == [200, 403, 401]
    assert client.get("/api/probe/erp").json()["detail"].startswith("Send the API token")


def test_a_refused_request_leaves_nothing_half_written(client: TestClient, database: Database) -> None:
    answer = client.post("/api/probe/half")
    assert answer.status_code == 422
    assert answer.json()["fields"] == {"thing": "unknown"}
    with database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(auth.Team)) == 0


def test_a_bug_is_answered_without_its_traceback(client: TestClient) -> None:
    answer = client.get("/api/probe/broken")
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "http://testserver"}, 200),
        (OURS, 200),
    ],
)
def test_forms_are_taken_from_our_own_pages_only(client: TestClient, headers: dict[str, str], status: int) -> None:
    assert client.post("/probe/echo", json="hello", headers=headers).status_code == status


def test_a_body_over_the_limit_is_413_whether_declared_or_streamed(client: TestClient) -> None:
    assert client.post("/api/probe/echo", json="x" * 2000).status_code == 413
    streamed = client.post(
        "/api/probe/echo", content=iter([b'"', b"x" * 2000, b'"']), headers={"content-type": "application/json"}
    )
    assert streamed.status_code == 413


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for path in ("/healthz", "/no/such/page", "/api/no/such/thing", "/probe/who"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'self'" in headers["content-security-policy"]
