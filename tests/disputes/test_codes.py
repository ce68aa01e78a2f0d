"""Codes of SAP, X12, Peppol and CDAR, both ways: what we send for a reason, and what theirs stand for."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.events import system
from disputes.actions import own_reasons, writeback
from disputes.codes import CodeMap, Codes, read_codes
from disputes.own_reasons import OwnReason, Reasons
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import CODES, code_map
from tests.databases import QueryRecorder
from tests.factories import a_case, an_account, an_entity, an_invoice, in_case

ACTOR = system("test")
OWN = Reasons.of([OwnReason(name="price.promotion", labels={"en": "Promotion"}, team="sales")])
RETIRED = Reasons.of([OwnReason(name="price.promotion", labels={"en": "Promotion"}, team="sales", retired=True)])


def codes(**of: dict[str, Any]) -> Codes:
    return read_codes({"codes": [{"name": name.replace("__", "."), **given} for name, given in of.items()]})


def test_what_ships_is_what_the_standards_say_and_sap_has_none() -> None:
    shipped = CodeMap(Reasons())
    assert shipped.codes("price", "peppol") == ("PRI",)
    assert shipped.codes("price", "cdar") == ("PU_ERR", "REM_ERR")
    assert shipped.codes("price", "x12")[0] == "01"
    assert shipped.codes("price", "sap") == ()
    assert shipped.codes("remittance", "peppol") == ()


def test_a_form_has_the_codes_of_its_parent_until_it_has_its_own() -> None:
    said = codes(price={"sap": ["Z01"]}, price__promotion={"x12": ["43"]})
    mapped = CodeMap(OWN, (said,))
    assert mapped.codes("price.promotion", "sap") == ("Z01",)
    assert mapped.codes("price.promotion", "x12") == ("43",)
    assert mapped.codes("price.promotion", "peppol") == ("PRI",)


def test_an_entity_says_otherwise_and_may_say_that_there_is_no_code() -> None:
    everywhere, france = codes(price={"sap": ["Z01"], "x12": ["01"]}), codes(price={"sap": ["F10", "F11"], "x12": []})
    mapped = CodeMap(OWN, (france, everywhere))
    assert (mapped.codes("price", "sap"), mapped.codes("price", "x12")) == (("F10", "F11"), ())
    assert mapped.reason_for("sap", "F11") == "price"
    assert mapped.reason_for("sap", "Z01") is None


@pytest.mark.parametrize(
    ("system_", "code", "reason"),
    [
        ("peppol", "QTY", "quantity"),
        ("peppol", "OTH", "other_dispute"),
        ("peppol", "FIN", "missing_credit"),
        ("cdar", "AUTRE", "other_dispute"),
        ("cdar", "JUSTIF_ABS", "copy_invoice"),
        ("x12", "19", "duplicate_invoice"),
        ("x12", "99", None),
        ("sap", "Z01", None),
        ("fax", "1", None),
    ],
)
def test_a_code_from_outside_stands_for_one_reason(system_: str, code: str, reason: str | None) -> None:
    assert CodeMap(Reasons()).reason_for(system_, code) == reason


def test_what_a_deployment_maps_comes_before_what_ships_and_a_retired_form_is_its_parent() -> None:
    said = codes(price__promotion={"x12": ["43"]}, charges={"sap": ["C1"]})
    assert CodeMap(OWN, (said,)).reason_for("x12", "43") == "price.promotion"
    assert CodeMap(RETIRED, (said,)).reason_for("x12", "43") == "price"
    assert CodeMap(OWN, (said,)).reason_for("peppol", "FIN") == "missing_credit"
    assert CodeMap(OWN, (said,)).shared("x12")["44"] == "copy_invoice"
    assert "43" in CodeMap(OWN, (said,)).shared("x12")


@pytest.mark.parametrize(
    ("of", "place"),
    [
        ({"price": {"peppol": ["XXX"]}}, "codes.0.peppol"),
        ({"price": {"cdar": ["PRI"]}}, "codes.0.cdar"),
        ({"price": {"x12": ["1"], "sap": ["A B"]}}, "codes.0.sap"),
        ({"price": {"x12": ["ABC"]}}, "codes.0.x12"),
        ({"price": {"x12": ["6"]}}, "codes.0.x12"),
        ({"price": {"sap": ["x" * 21]}}, "codes.0.sap"),
        ({"price": {"sap": [f"Z{number}" for number in range(21)]}}, "codes.0.sap"),
        ({"nothing": {"sap": ["A"]}}, "codes.0.name"),
        ({"price": {"fax": ["A"]}}, "codes.0.fax"),
    ],
)
def test_what_is_no_code_is_refused_at_its_place(of: dict[str, Any], place: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        codes(**of)
    assert place in refused.value.fields


def test_the_erp_is_told_its_own_codes(session: Session, now: datetime) -> None:
    rows = [{"name": "price", "sap": ["Z01"]}]
    own_reasons.save_codes(session, rows=rows, entity=None, actor=ACTOR, now=now)
    for code, sent in (("FR01", ["F10"]), ("GB01", ["Z01"])):
        account = an_account(session, an_entity(session, code))
        if code == "FR01":
            mapped = [{"name": "price", "sap": ["F10"]}]
            own_reasons.save_codes(session, rows=mapped, entity=code, actor=ACTOR, now=now)
        case = a_case(session, account, now=now)
        in_case(session, case, an_invoice(session, account), now=now)
        told = writeback.tell(session, case=case, now=now)[0].payload
        assert (told["sap"], told["peppol"], told["x12"][0]) == (sent, "PRI", "01")


def test_the_map_of_an_entity_is_one_statement(session: Session, now: datetime, queries: QueryRecorder) -> None:
    an_entity(session, "FR01")
    own_reasons.save_codes(session, rows=[{"name": "tax", "sap": ["T"]}], entity="FR01", actor=ACTOR, now=now)
    session.flush()
    with queries:
        mapped = code_map(session, entity="FR01")
    assert queries.count == 1
    assert mapped.reason_for("sap", "T") == "tax"
    assert code_map(session).reason_for("sap", "T") is None


def test_codes_of_what_does_not_exist_are_refused(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound, match="no entity"):
        own_reasons.save_codes(session, rows=[], entity="XX", actor=ACTOR, now=now)
    rows: list[dict[str, Any]] = [{"name": "tax"}, {"name": "price.promotion", "sap": ["A"]}]
    with pytest.raises(BadPolicy) as refused:
        own_reasons.save_codes(session, rows=rows, entity=None, actor=ACTOR, now=now)
    assert refused.value.fields == {"codes.1.name": "there is no reason price.promotion"}
    assert CODES == "codes"
