from datetime import UTC, datetime

import pytest

from disputes.concepts import shipped_concepts
from disputes.flags import flags_of, is_urgent
from disputes.passages import Passages, read_passages
from disputes.reading import FLAGS, MailText

CALM = dict.fromkeys((*FLAGS, "urgent"), -1.0)


def said(text: str, subject: str = "") -> Passages:
    mail = MailText(subject=subject, new_text=text, sent_at=datetime(2026, 10, 7, tzinfo=UTC))
    return read_passages(mail, shipped_concepts()["en"])


def test_no_flag_is_raised_where_the_model_sees_none() -> None:
    assert flags_of(CALM, said("Nothing.")) == frozenset()


def test_a_diverted_payment_is_flagged_on_less_than_an_insolvency() -> None:
    hints = {**CALM, "payment_diversion": -0.1, "insolvency": -0.1}
    assert flags_of(hints, said("Our new bank account is below.")) == {"payment_diversion"}


@pytest.mark.parametrize(
    "text",
    [
        "A letter says you have moved to a bank in Lithuania. Genuine?",
        "Voici nos nouvelles coordonnées bancaires.",
        "Unsere Bankverbindung hat sich geändert.",
        "¿Han cambiado de banco?",
        "Vi comunichiamo il nuovo IBAN.",
        "Wij hebben een nieuw rekeningnummer.",
        "Please pay to sort code 04-00-75 account 11223344.",
        "Please pay to LT12 1000 0111 0100 1000 from now on.",
    ],
)
def test_words_of_another_account_raise_the_flag_where_the_model_hesitates(text: str) -> None:
    assert "payment_diversion" in flags_of({**CALM, "payment_diversion": -0.3}, said(text))


@pytest.mark.parametrize(
    "text",
    [
        "Your invoice shows a sort code, but our bank wants an IBAN. Which is it?",
        "Could you send your bank details on letterhead?",
        "Il me faudrait un RIB, s'il vous plaît.",
    ],
)
def test_asking_for_our_bank_details_is_no_diverted_payment(text: str) -> None:
    assert "payment_diversion" not in flags_of({**CALM, "payment_diversion": 0.1}, said(text))


@pytest.mark.parametrize(
    "text",
    [
        "One more reminder and you will hear from my solicitor.",
        "Sonst hören Sie vom Anwalt.",
        "Je saisirai le conciliateur de justice.",
        "Lo pondremos en manos de nuestros abogados.",
        "Altrimenti passiamo tutto all'avvocato.",
        "Anders gaat het naar mijn rechtsbijstand.",
    ],
)
def test_words_of_a_lawyer_raise_the_flag_where_the_model_hesitates(text: str) -> None:
    assert "legal_threat" in flags_of({**CALM, "legal_threat": -0.5}, said(text))
    assert "legal_threat" not in flags_of(CALM, said(text)), "an insolvency notice speaks of lawyers too"


def test_no_legal_threat_without_words_of_one_unless_the_model_is_sure() -> None:
    assert "legal_threat" not in flags_of({**CALM, "legal_threat": 0.1}, said("We shall not pay this."))
    assert "legal_threat" in flags_of({**CALM, "legal_threat": 0.6}, said("We shall not pay this."))


def test_a_lawyer_is_urgent_whatever_the_words() -> None:
    assert is_urgent(CALM, frozenset({"legal_threat"}), "price")
    assert not is_urgent(CALM, frozenset({"partial"}), "price")


def test_a_payment_that_comes_tomorrow_is_not_urgent_and_a_broken_machine_is() -> None:
    hurried = {**CALM, "urgent": 0.2}
    assert is_urgent(hurried, frozenset(), "quality")
    assert not is_urgent(hurried, frozenset(), "remittance")
