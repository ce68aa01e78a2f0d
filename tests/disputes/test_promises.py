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
    assert promised(commitment, "en", leaning=-1.2, reason="acknowledgement") is None
    assert promised("Could we pay the 486.00 on 16 October?", "en", leaning=-0.3, reason="payment_plan") is None


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("en", "It's going to be paid on Friday the 16th, nobody is hiding.", "2026-10-16"),
        ("en", "Freed up now and goes on the 16 October run.", "2026-10-16"),
        ("en", "First 1,200.00 reaches you on 30 October, the rest on 30 November.", "2026-10-30"),
        ("en", "Two instalments: half went today. The other half follows on 15 October.", "2026-10-15"),
        ("fr", "1 931,16 € sont partis ce matin. L'autre moitié le vendredi 30 octobre.", "2026-10-30"),
        ("fr", "Je la connais, virement le 30 sans faute.", "2026-10-30"),
        ("fr", "La facture sera réglée le 15 novembre.", "2026-11-15"),
        ("de", "Wird mit dem Lauf am 16.10. beglichen.", "2026-10-16"),
        (
            "de",
            "GBP 3'227.58 gehen heute raus und sollten am 15. da sein, der Rest folgt am 30. Oktober.",
            "2026-10-30",
        ),
        ("de", "Wir überweisen Ende KW 45.", "2026-11-06"),
        ("es", "La factura será pagada, pagamos el 23 de octubre.", "2026-10-23"),
        ("it", "La fattura verrà regolata alla scadenza del 22 ottobre.", "2026-10-22"),
        ("it", "La paghiamo il 23 di questo mese.", "2026-10-23"),
        ("nl", "De factuur wordt op 23 oktober betaald.", "2026-10-23"),
    ],
)
def test_grammar_finds_a_commitment_where_the_model_saw_another_matter(language: str, text: str, day: str) -> None:
    promise = promised(text, language, leaning=-0.6, reason="tax")
    assert promise is not None
    assert str(promise.date) == day


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "pagado el viernes"),
        ("fr", "ordre passé le 13, vous l'aurez en valeur 15"),
        ("fr", "parti ce soir, chez vous demain"),
        ("fr", "Sauf avis contraire d'ici le 20, elle partira pour 1 958,64 €."),
        ("en", "If the credit note is here we will pay on 20 October."),
        ("de", "Sobald die Gutschrift da ist, zahlen wir am 20. Oktober."),
        ("en", "Could we do this one in three, the first on 30 October?"),
    ],
)
def test_money_gone_a_condition_or_a_proposal_is_no_commitment(language: str, text: str) -> None:
    assert promised(text, language, leaning=0.5) is None
    assert promised(text, language, leaning=-0.3) is None


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_amounts_are_read_as_six_languages_write_them(amount: Decimal) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert amount_of(english) == amount_of(german) == amount_of(german.replace(".", " ")) == amount


@pytest.mark.parametrize(
    ("language", "text", "day"),
    [
        ("nl", "Oeps, vergeten. Ik betaal hem morgen.", date(2026, 10, 8)),
        ("it", "Ci sono sfuggite, le pago tutte e due venerdì prossimo.", date(2026, 10, 16)),
        ("nl", "Door een storing is de run verplaatst naar 12 oktober.", date(2026, 10, 12)),
        ("it", "La pago insieme all'altra il 5 dicembre, va bene?", date(2026, 12, 5)),
        ("es", "Cuente con ello el día 20.", date(2026, 10, 20)),
        ("en", "That one is in my pile, I'll get it on the 10/22 check.", date(2026, 10, 22)),
    ],
)
def test_a_commitment_counts_where_the_model_is_in_doubt(language: str, text: str, day: date) -> None:
    promise = promised(text, language, leaning=-0.3)
    assert promise is not None
    assert promise.date == day


def test_a_condition_of_the_senders_own_leaves_a_commitment_one() -> None:
    assert promised("Die Rechnung überweise ich nächsten Freitag, wenn die Versicherung gezahlt hat.", "de") is not None


def test_of_several_days_the_latest_is_meant() -> None:
    promise = promised("Das bezahlen wir am 20. November, der Kanton überweist uns erst am 18. November.", "de")
    assert promise is not None
    assert promise.date == date(2026, 11, 20)
