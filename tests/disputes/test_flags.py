from disputes.flags import flags_of, is_urgent
from disputes.reading import FLAGS

CALM = dict.fromkeys((*FLAGS, "urgent"), -1.0)


def test_no_flag_is_raised_where_the_model_sees_none() -> None:
    assert flags_of(CALM) == frozenset()


def test_a_diverted_payment_is_flagged_on_less_than_an_insolvency() -> None:
    hints = {**CALM, "payment_diversion": -0.1, "insolvency": -0.1}
    assert flags_of(hints) == {"payment_diversion"}


def test_a_lawyer_is_urgent_whatever_the_words() -> None:
    assert is_urgent(CALM, frozenset({"legal_threat"}), "price")
    assert not is_urgent(CALM, frozenset({"partial"}), "price")


def test_a_payment_that_comes_tomorrow_is_not_urgent_and_a_broken_machine_is() -> None:
    hurried = {**CALM, "urgent": 0.2}
    assert is_urgent(hurried, frozenset(), "quality")
    assert not is_urgent(hurried, frozenset(), "remittance")
