from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.concepts import shipped_concepts
from disputes.passages import read_passages
from disputes.promises import amount_of, find_promise
from disputes.reading import MailText, PromiseFound

SENT = datetime(2026, 10, 7, 11, 0, tzinfo=UTC)  # a Wednesday


def promised(text: str, language: str, leaning: float = 1.0, reason: str = "promise_to_pay") -> PromiseFound | None:
    mail = MailText(subject="", new_text=text, sent_at=SENT)
    new = read_passages(mail, shipped_concepts()[language]).new
    return find_promise(new, SENT.date(), leaning=leaning, reason=reason)


@pytest.mark.parametrize(
    ("language", "text", "day", "amount", "currency"),
    [
        ("en", "INV77 will be paid on 31 October, all £5,443.20 of it.", date(2026, 10, 31), "5443.20", "GBP"),
        ("fr", "Les 848,64 € seront chez vous samedi au plus tard.", date(2026, 10, 10), "848.64", "EUR"),
        ("de", "Die 13.433,91 EUR überweisen wir am 30. Oktober.", date(2026, 10, 30), "13433.91", "EUR"),
        ("es", "Pagamos los 537,60 € íntegros el martes 13.", date(2026, 10, 13), "537.60", "EUR"),
        ("it", "La fattura da 220,08 verrà pagata il 22 ottobre.", date(2026, 10, 22), "220.08", ""),
        ("nl", "Ik betaal de 812,88 ten laatste vrijdag 16 oktober.", date(2026, 10, 16), "812.88", ""),
    ],
)
def test_a_commitment_is_found_with_day_and_amount(
    language: str, text: str, day: date, amount: str, currency: str
) -> None:
    promise = promised(text, language)
    assert promise is not None
    assert (promise.date, promise.amount, promise.currency) == (day, Decimal(amount), currency)
    assert text[promise.span.start : promise.span.end] == promise.span.text


def test_the_day_of_payment_counts_and_not_the_day_something_fell_due() -> None:
    promise = promised("Your invoice, due 14 October, will be paid on Friday 23 October.", "en")
    assert promise is not None
    assert promise.date == date(2026, 10, 23)


def test_no_day_ahead_is_no_promise() -> None:
    assert promised("We will pay when the chairs arrive.", "en") is None
    assert promised("We paid on 1 October.", "en") is None


def test_a_bare_weekday_beside_a_payment_made_is_past() -> None:
    assert promised("Friday. It went on Friday.", "en", reason="already_paid") is None
    assert promised("It goes on Friday.", "en") is not None


def test_where_the_model_hesitates_a_named_day_beside_words_of_payment_decides() -> None:
    commitment = "All fine now, we will pay the 486.00 on Friday 16 October."
    assert promised(commitment, "en", leaning=-0.3, reason="acknowledgement") is not None
    assert promised(commitment, "en", leaning=-0.8, reason="acknowledgement") is None
    assert promised("Could we pay the 486.00 on 16 October?", "en", leaning=-0.3, reason="payment_plan") is None


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amounts_are_read_as_six_languages_write_them(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert amount_of(english) == amount_of(german) == amount_of(german.replace(".", " ")) == amount
