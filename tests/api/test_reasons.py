"""The ERP's side of reasons: read, add and retire them, map codes, and say what a case is about by its own code."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app import auth
from app.core.blobs import FolderStore
from app.core.events import system
from app.core.settings import Settings
from app.edge import Services
from app.main import create_app
from disputes.models import Case
from tests.databases import Database
from tests.factories import a_case, a_team, an_account, an_entity
from tests.fixtures_db import FixedClock

API = "/api/v1"
PROMOTION = "price.promotion"
OWN: dict[str, Any] = {"labels": {"en": "Promotion"}, "team": "sales"}


class Erp:
    """A caller with a token."""

    def __init__(self, client: TestClient, database: Database, clock: FixedClock, *scopes: str, **values: Any) -> None:
        with database.transaction() as session:
            given = {"entity": None, **values}
            text = auth.add_token(session, name="erp", scopes=scopes, actor=system("test"), now=clock(), **given)
        self._client, self._headers = client, {"authorization": f"Bearer {text}"}

    def call(self, method: str, path: str, **body: Any) -> Response:
        return self._client.request(method, API + path, json=body or None, headers=self._headers)


@pytest.fixture
def client(database: Database, settings: Settings, clock: FixedClock, tmp_path: Path) -> Iterator[TestClient]:
    services = Services(settings, database.sessions, clock, FolderStore(tmp_path), lambda *_: None)
    with TestClient(create_app(services), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def case_id(database: Database, clock: FixedClock) -> int:
    with database.transaction() as session:
        a_team(session, "sales")
        an_entity(session, "GB01")
        return a_case(session, an_account(session, an_entity(session, "FR01")), now=clock()).id


@pytest.fixture
def erp(client: TestClient, database: Database, clock: FixedClock, case_id: int) -> Erp:
    assert case_id
    return Erp(client, database, clock, *auth.SCOPES)


def of(answer: Response, name: str) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["reasons"]
    return next(one for one in found if one["name"] == name)


def test_reasons_are_read_with_labels_team_and_codes(erp: Erp) -> None:
    tax = of(erp.call("GET", "/reasons"), "tax")
    assert (tax["kind"], tax["team"], tax["own"]) == ("dispute", "tax", False)
    assert tax["labels"] == {"en": "Tax or legal mention", "fr": "TVA ou mention légale"}
    assert tax["codes"].pop("cdar") == ["TX_TVA_ERR", "NON_CONFORME", "SIRET_ERR"]
    assert tax["codes"] == {"sap": [], "x12": [], "peppol": ["LEG"]}


def test_a_reason_is_added_retired_and_used_again(erp: Erp) -> None:
    made = erp.call("PUT", f"/reasons/{PROMOTION}", **OWN)
    assert (made.status_code, made.json()["parent"], made.json()["codes"]["peppol"]) == (200, "price", ["PRI"])
    assert erp.call("POST", f"/reasons/{PROMOTION}/retirement").json()["retired"] is True
    assert of(erp.call("GET", "/reasons"), PROMOTION)["retired"] is True
    assert erp.call("PUT", f"/reasons/{PROMOTION}", **OWN).json()["retired"] is False
    assert erp.call("POST", "/reasons/price.nothing/retirement").status_code == 404


@pytest.mark.parametrize(
    ("name", "changed", "field"),
    [
        ("promotion", {}, "name"),
        ("price.tax", {}, "name"),
        (PROMOTION, {"team": "weather"}, "team"),
        (PROMOTION, {"labels": {}}, "labels"),
        (PROMOTION, {"labels": {"xx": "Promotion"}}, "labels"),
        (PROMOTION, {"kind": "dispute"}, "kind"),
    ],
)
def test_what_cannot_be_a_reason_is_refused_at_its_field(
    erp: Erp, name: str, changed: dict[str, Any], field: str
) -> None:
    answer = erp.call("PUT", f"/reasons/{name}", **{**OWN, **changed})
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
    assert all(not one["own"] for one in erp.call("GET", "/reasons").json()["reasons"])


def test_codes_are_mapped_and_read_both_ways(erp: Erp) -> None:
    erp.call("PUT", f"/reasons/{PROMOTION}", **OWN)
    rows = [{"name": "price", "sap": ["Z01"]}, {"name": PROMOTION, "sap": ["Z43"], "x12": []}]
    said = erp.call("PUT", "/codes", codes=rows, based_on=0)
    assert (said.status_code, said.json()["version"]) == (200, 1)
    france = erp.call("PUT", "/codes", entity="FR01", codes=[{"name": "price", "sap": ["F10"]}])
    assert france.json()["entity"] == "FR01"
    assert of(erp.call("GET", "/reasons"), PROMOTION)["codes"]["x12"] == []
    assert of(erp.call("GET", "/reasons?entity=FR01"), "price")["codes"]["sap"] == ["F10"]
    assert erp.call("GET", "/codes/sap/Z43").json() == {"reason": PROMOTION, "kind": "dispute"}
    assert erp.call("GET", "/codes/sap/F10").status_code == 404
    assert erp.call("GET", "/codes/sap/F10?entity=FR01").json()["reason"] == "price"
    assert erp.call("GET", "/codes/fax/1").status_code == 404
    assert [row["name"] for row in erp.call("GET", "/codes?entity=FR01").json()["codes"]] == ["price"]
    assert erp.call("PUT", "/codes", codes=rows[:1], based_on=0).status_code == 409
    assert erp.call("GET", "/codes?entity=XX").status_code == 404


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"name": "tax", "peppol": ["XXX"]}, "codes.0.peppol"),
        ({"name": "weather", "sap": ["A"]}, "codes.0.name"),
        ({"name": PROMOTION, "sap": ["A"]}, "codes.0.name"),
        ({"name": "tax", "fax": ["1"]}, "codes.0.fax"),
    ],
)
def test_codes_that_are_none_are_refused_at_their_place(erp: Erp, row: dict[str, Any], field: str) -> None:
    answer = erp.call("PUT", "/codes", codes=[row])
    assert (answer.status_code, list(answer.json()["fields"])) == (422, [field])
    assert erp.call("GET", "/codes").json()["version"] == 0


def test_the_erp_says_what_a_case_is_about_by_its_own_code(erp: Erp, database: Database, case_id: int) -> None:
    erp.call("PUT", f"/reasons/{PROMOTION}", **OWN)
    erp.call("PUT", "/codes", entity="FR01", codes=[{"name": PROMOTION, "sap": ["F43"]}])
    path = f"/cases/{case_id}/reason"
    told = erp.call("POST", path, system="sap", code="F43")
    assert told.json() == {"case": case_id, "kind": "dispute", "reason": PROMOTION}
    with database.transaction(read_only=True) as session:
        case = session.get_one(Case, case_id)
        assert (case.reason, case.reason_by.startswith("token:")) == (PROMOTION, True)
        version = case.version
    assert erp.call("POST", path, reason=PROMOTION).status_code == 200
    with database.transaction(read_only=True) as session:
        assert session.get_one(Case, case_id).version == version, "the same again changes nothing"
    assert erp.call("POST", path, reason="copy_invoice").json()["kind"] == "query"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"system": "sap", "code": "F43"}, 404),
        ({"system": "sap"}, 422),
        ({"reason": "tax", "system": "x12", "code": "01"}, 422),
        ({"reason": "weather"}, 422),
        ({"reason": "spam"}, 422),
        ({"reason": PROMOTION}, 422),
        ({"reason": "tax", "owner": "me"}, 422),
    ],
)
def test_what_says_no_reason_changes_no_case(
    erp: Erp, database: Database, case_id: int, body: dict[str, Any], status: int
) -> None:
    assert erp.call("POST", f"/cases/{case_id}/reason", **body).status_code == status
    with database.transaction(read_only=True) as session:
        assert session.get_one(Case, case_id).reason == "price"


def test_each_thing_needs_its_scope(client: TestClient, database: Database, clock: FixedClock, case_id: int) -> None:
    reader = Erp(client, database, clock, "cases:read", "erp:push")
    writer = Erp(client, database, clock, "reasons:write", "cases:write")
    writes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("PUT", f"/reasons/{PROMOTION}", OWN),
        ("POST", f"/reasons/{PROMOTION}/retirement", {}),
        ("PUT", "/codes", {"codes": []}),
        ("POST", f"/cases/{case_id}/reason", {"reason": "tax"}),
    )
    for method, path, body in writes:
        assert reader.call(method, path, **body).status_code == 403, path
        assert client.request(method, API + path, json=body).status_code == 401, path
        assert writer.call(method, path, **body).status_code == 200, path
    for path in ("/reasons", "/codes", "/codes/x12/01"):
        assert (writer.call("GET", path).status_code, reader.call("GET", path).status_code) == (403, 200), path


def test_a_token_of_one_entity_sees_and_says_that_entity_s_alone(
    client: TestClient, database: Database, clock: FixedClock, erp: Erp, case_id: int
) -> None:
    ours = Erp(client, database, clock, *auth.SCOPES, entity="GB01")
    assert ours.call("PUT", f"/reasons/{PROMOTION}", **OWN).status_code == 403
    assert ours.call("POST", f"/cases/{case_id}/reason", reason="tax").status_code == 404
    assert ours.call("PUT", "/codes", entity="FR01", codes=[]).status_code == 404
    assert ours.call("GET", "/reasons?entity=FR01").status_code == 404
    said = ours.call("PUT", "/codes", codes=[{"name": "tax", "sap": ["G1"]}])
    assert said.json()["entity"] == "GB01"
    assert ours.call("GET", "/codes/sap/G1").json()["reason"] == "tax"
    assert erp.call("GET", "/codes/sap/G1").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"/reasons/{PROMOTION}", {**OWN, "labels": {"en": "a\x00b"}}, 422),
        ("PUT", f"/reasons/{PROMOTION}", {**OWN, "team": "sa\x00les"}, 422),
        ("PUT", f"/reasons/{PROMOTION}", {**OWN, "note": "a\x00b"}, 200),
        ("PUT", "/reasons/price.a%00b", OWN, 422),
        ("POST", "/reasons/price.a%00b/retirement", {}, 404),
        ("PUT", "/codes", {"codes": [{"name": "tax", "sap": ["\x00"]}]}, 422),
        ("PUT", "/codes", {"codes": [], "note": "\x00", "based_on": 0}, 200),
        ("PUT", "/codes", {"codes": [], "entity": "F\x00R"}, 404),
        ("GET", "/codes/sap/%00", {}, 404),
        ("GET", "/reasons?entity=%00", {}, 404),
    ],
)
def test_a_sign_that_postgresql_does_not_keep_is_refused_or_left_out(
    erp: Erp, method: str, path: str, body: dict[str, Any], status: int
) -> None:
    assert erp.call(method, path, **body).status_code == status
