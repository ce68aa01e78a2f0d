from disputes.reasons import CASE_OWNER, KINDS, NOBODY, OTHER, REASONS, TEAMS, kind_of, opens_case, reasons_of, team_of
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
