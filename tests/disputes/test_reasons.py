import pytest
from sqlalchemy import String

from disputes.conditions import CaseFacts, Condition
from disputes.models import Case, Message
from disputes.reasons import (
    CASE_OWNER,
    KINDS,
    LONGEST_OWN,
    MARK,
    NOBODY,
    OTHER,
    REASONS,
    SPECIALISED,
    TEAMS,
    by_shipped,
    is_one_of,
    is_reason,
    kind_of,
    opens_case,
    reasons_of,
    shipped,
    shipped_row,
    team_of,
)
from disputes.tokens import word_set

PEPPOL = {"NON", "REF", "LEG", "REC", "QUA", "DEL", "PRI", "QTY", "ITM", "PAY", "UNR", "FIN", "PPD", "OTH"}
CDAR = word_set(
    "AUTRE COORD_BANC_ERR TX_TVA_ERR MONTANTTOTAL_ERR CALCUL_ERR NON_CONFORME DOUBLON DEST_INC DEST_ERR"
    " TRANSAC_INC EMMET_INC CONTRAT_TERM DOUBLE_FACT CMD_ERR ADR_ERR SIRET_ERR CODE_ROUTAGE_ERR REF_CT_ABSENT"
    " REF_ERR PU_ERR REM_ERR QTE_ERR ART_ERR MODPAI_ERR QUALITE_ERR LIVR_INCOMP JUSTIF_ABS"
)


def test_every_reason_has_a_kind_known_codes_and_somebody_or_nobody_to_settle_it() -> None:
    for reason in REASONS.values():
        assert reason.kind in KINDS
        assert reason.peppol == "" or reason.peppol in PEPPOL
        assert set(reason.cdar) <= CDAR
        assert reason.team in TEAMS or reason.team in {CASE_OWNER, NOBODY}
        assert reason.label


def test_every_dispute_can_be_told_to_peppol_and_to_the_french_platform() -> None:
    assert all(reason.peppol and reason.cdar for reason in reasons_of("dispute"))


def test_queries_and_disputes_open_cases_and_nothing_else_does() -> None:
    assert opens_case("price")
    assert opens_case("status")
    assert not any(opens_case(reason.name) for reason in reasons_of(OTHER))


def test_a_chaser_goes_to_the_owner_of_its_case_and_thanks_to_nobody() -> None:
    assert (kind_of("status"), team_of("status")) == ("query", CASE_OWNER)
    assert team_of("acknowledgement") == NOBODY
    assert team_of("tax") == "tax"
    assert reasons_of("no such kind") == ()


def test_a_special_form_of_a_reason_is_treated_as_the_reason_where_nothing_else_is_said() -> None:
    assert shipped("price.promotion") == "price"
    assert (kind_of("price.promotion"), team_of("delivery.export")) == ("dispute", "logistics")
    assert shipped_row("price.promotion").label == "Price"
    assert is_reason("price.promotion")
    assert by_shipped({"price.promotion": 0.25, "price": 0.5, "tax": 0.25}) == {"price": 0.75, "tax": 0.25}


def test_a_rule_for_a_reason_holds_for_its_special_forms_and_not_the_other_way_round() -> None:
    assert is_one_of("price.promotion", ("price",))
    assert is_one_of("price.promotion", ("price.promotion",))
    assert not is_one_of("price", ("price.promotion",))
    rule = Condition(reasons=("price",))
    assert rule.holds(CaseFacts(kind="dispute", reason="price.promotion"))
    assert not rule.holds(CaseFacts(kind="dispute", reason="tax.promotion"))


@pytest.mark.parametrize(
    "name", ["price.", "price.Promo", "price.a b", "price.1st", "price." + "x" * 21, "nothing.promotion", "spam.own"]
)
def test_a_malformed_name_is_no_reason(name: str) -> None:
    assert not is_reason(name)
    assert shipped(name) == name


def test_what_only_says_thanks_asks_after_or_promises_has_no_special_forms() -> None:
    assert not any(is_reason(f"{name}.own") for name in ("status", "acknowledgement", "promise_to_pay"))


def test_every_name_that_can_be_made_fits_its_column() -> None:
    longest = max(len(name) for name in SPECIALISED) + len(MARK) + LONGEST_OWN
    for column in (Case.__table__.c.reason, Message.__table__.c.reason):
        assert isinstance(column.type, String)
        assert (column.type.length or 0) >= longest
