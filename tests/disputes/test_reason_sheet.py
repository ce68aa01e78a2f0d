"""Reasons and codes as a table: out as CSV and in again, and every fault of a file told at its line."""

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.events import system
from disputes.actions import own_reasons
from disputes.codes import CodeMap, Codes
from disputes.models import Policy
from disputes.own_reasons import OwnReason, Reasons
from disputes.reason_sheet import layer, read_table, split, written
from disputes.rulebook import BadPolicy
from disputes.rules_in_force import all_reasons, code_map, codes
from tests.factories import an_entity

ACTOR = system("test")
PROMOTION = "price.promotion"
FILE = """reason;label_en;label_fr;team;sap;x12
price.promotion;Promotion;Promotion promise;sales;Z43;43
price;;;;Z01, Z02;01 03 24 43
"""


def take(session: Session, now: datetime, text: str, entity: str | None = None) -> None:
    own_reasons.take_table(session, data=text.encode(), entity=entity, actor=ACTOR, now=now)


def test_a_file_adds_reasons_and_maps_codes_and_says_only_what_differs(session: Session, now: datetime) -> None:
    take(session, now, FILE)
    mapped = code_map(session)
    assert mapped.reasons.label(PROMOTION, "fr") == "Promotion promise"
    assert mapped.reasons.team_of(PROMOTION) == "sales"
    assert (mapped.codes("price", "sap"), mapped.codes(PROMOTION, "sap")) == (("Z01", "Z02"), ("Z43",))
    assert mapped.codes("price", "x12") == ("01", "03", "24", "43")
    price = next(one for one in codes(session).rules.codes if one.name == "price")
    assert (price.sap, price.x12, price.peppol) == (("Z01", "Z02"), None, None), "what ships needs no saying"


def test_what_goes_out_comes_in_and_changes_nothing(session: Session, now: datetime) -> None:
    take(session, now, FILE)
    own_reasons.retire(session, name=PROMOTION, actor=ACTOR, now=now)
    out = written(code_map(session))
    before = [(one.id, one.active) for one in session.scalars(select(Policy).order_by(Policy.id))]
    take(session, now, out)
    assert [(one.id, one.active) for one in session.scalars(select(Policy).order_by(Policy.id))] == before
    assert not all_reasons(session).usable(PROMOTION)


def test_an_entity_s_file_is_its_own_and_an_empty_cell_says_no_code(session: Session, now: datetime) -> None:
    an_entity(session, "FR01")
    take(session, now, FILE)
    take(session, now, "reason,sap,peppol\nprice,,PRI\ntax,T1,LEG\n", entity="FR01")
    france = code_map(session, entity="FR01")
    assert (france.codes("price", "sap"), france.codes("tax", "sap")) == ((), ("T1",))
    assert code_map(session).codes("price", "sap") == ("Z01", "Z02")
    assert [one.name for one in codes(session, key="FR01").rules.codes] == ["price", "tax"]


def test_no_cell_is_a_live_formula_and_a_dead_one_is_read_as_it_was(session: Session, now: datetime) -> None:
    own_reasons.put(session, name=PROMOTION, labels={"en": "=cmd()"}, team="sales", actor=ACTOR, now=now)
    own_reasons.put_cells(session, cells={("tax", "sap"): ("-1", "@")}, entity=None, actor=ACTOR, now=now)
    out = written(code_map(session))
    assert "'=cmd()" in out
    assert "'-1 @" in out
    read = read_table(out.encode())
    assert read.cells["tax", "sap"] == ("-1", "@")
    assert next(row for row in read.own if row["name"] == PROMOTION)["labels"] == {"en": "=cmd()"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1"),
        ("reason,sap,colour\n", "line 1"),
        ("sap\nZ01\n", "line 1"),
        ("reason,sap\nweather,Z01\n", "line 2"),
        ("reason,sap\nprice,Z01\nprice,Z02\n", "line 3"),
        ("reason,kind\nprice,query\n", "line 2"),
        ("reason,sap\nprice,Z01,Z02\n", "line 2"),
        ("reason,peppol\ntax,LEG\nprice,XXX\n", "line 3, peppol"),
        ("reason,sap\nprice.promotion,Z43\n", "line 2, reason"),
        ("reason,label_en,team\nprice.promotion,Promotion,weather\n", "line 2, team"),
        ("reason,label_en,team\nprice.promotion,,sales\n", "line 2, labels"),
        ("reason,label_en,team\nprice.tax,Tax,sales\n", "line 2, name"),
        ("reason,sap\n" + "\n" * 1001 + "price,Z01\n", "line 1001"),
    ],
)
def test_every_fault_is_told_at_its_line_and_nothing_is_half_written(
    session: Session, now: datetime, text: str, fault: str
) -> None:
    with pytest.raises(BadPolicy) as refused:
        take(session, now, text)
    assert fault in refused.value.fields
    assert session.scalars(select(Policy)).all() == []


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"reason\n" + b"x" * 1_000_001])
def test_what_is_no_text_or_too_much_is_refused(session: Session, now: datetime, data: bytes) -> None:
    with pytest.raises(BadPolicy, match="The file cannot be used"):
        own_reasons.take_table(session, data=data, entity=None, actor=ACTOR, now=now)


def test_cells_of_a_page_are_refused_by_their_names(session: Session, now: datetime) -> None:
    cells = {("price", "sap"): ("Z 1",), ("tax", "peppol"): ("XXX",), ("tax", "sap"): ("T1",)}
    with pytest.raises(BadPolicy) as refused:
        own_reasons.put_cells(session, cells=cells, entity=None, actor=ACTOR, now=now)
    assert set(refused.value.fields) == {"price sap", "tax peppol"}


def test_nothing_said_is_no_version(session: Session, now: datetime) -> None:
    cells = {("price", "peppol"): ("PRI",)}
    assert own_reasons.put_cells(session, cells=cells, entity=None, actor=ACTOR, now=now) is None


def test_a_form_that_says_what_its_parent_says_now_follows_it() -> None:
    own = Reasons.of([OwnReason(name=PROMOTION, labels={"en": "Promotion"}, team="sales")])
    cells = {("price", "sap"): ("Z01",), (PROMOTION, "sap"): ("Z01",), (PROMOTION, "x12"): ("43",)}
    rows = layer(CodeMap(own), Codes(), cells)
    assert rows == [{"name": "price", "sap": ["Z01"]}, {"name": PROMOTION, "x12": ["43"]}]


def test_a_cell_that_nobody_touched_follows_the_parent_whose_code_changed_beside_it() -> None:
    own = Reasons.of([OwnReason(name=PROMOTION, labels={"en": "Promotion"}, team="sales")])
    rows = layer(CodeMap(own), Codes(), {("price", "sap"): ("Z01",), (PROMOTION, "sap"): ()})
    assert rows == [{"name": "price", "sap": ["Z01"]}]
    standing = Codes.model_validate({"codes": rows})
    rows = layer(CodeMap(own), standing, {("price", "sap"): ("Z02",), (PROMOTION, "sap"): ("Z01",)})
    assert rows == [{"name": "price", "sap": ["Z02"]}]
    rows = layer(CodeMap(own), standing, {("price", "sap"): ("Z01",), (PROMOTION, "sap"): ()})
    assert rows == [{"name": "price", "sap": ["Z01"]}, {"name": PROMOTION, "sap": []}]


def test_codes_are_typed_with_any_sign_between() -> None:
    assert split("sap", " a1, b2;c3 a1") == ("a1", "b2", "c3")
    assert split("peppol", "pri") == ("PRI",)
    assert split("x12", "6 06 l5") == ("06", "L5")
