"""What tells one matter from another in a mail's words."""

from decimal import Decimal

import pytest

from disputes.matter import amounts_of, bare_subject, is_reply, passages, plain_subject, telling_words


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("RE: Re: Invoice 12", "Invoice 12"),
        ("AW: WG: Rechnung", "Rechnung"),
        ("TR : RE : Facture", "Facture"),
        ("R: I: Fattura", "Fattura"),
        ("Re[2]: Invoice", "Invoice"),
        ("Reminder: pay", "Reminder: pay"),
    ],
)
def test_reply_and_forward_marks_of_six_languages_fall(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare
    assert is_reply(subject) == (bare != subject)


def test_subjects_are_compared_without_case_accents_and_marks() -> None:
    assert plain_subject("RE: Écart de prix") == plain_subject("ecart de PRIX")
    assert plain_subject("Re: ?") == ""


def test_receivables_talk_tells_nothing_products_and_numbers_do() -> None:
    words = telling_words("Please correct the invoice for the sit-stand shelving, ticket FSC-2290418, since 2026")
    assert {"2290418"} <= words
    assert any(word.startswith("shelvi") for word in words)
    assert not words & {"invoic", "please", "2026"}


def test_only_sums_with_cents_or_a_currency_count() -> None:
    assert amounts_of("72.00 each, EUR 1.234,50, 40 chairs, order 4711") == {Decimal("72.00"), Decimal("1234.50")}


def test_a_quote_is_known_however_its_lines_were_wrapped() -> None:
    text = "We looked into the delivery of your forty shelves and found the missing pallet in Leeds."
    wrapped = "> We looked into the delivery of\n> your forty shelves and found the\n> missing pallet in Leeds."
    assert passages(text) == passages(wrapped)
    assert not passages("far too short")
