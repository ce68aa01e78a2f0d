import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.tokens import fold, tokenize


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("14,50 €", "0money"),
        ("GBP 1,234.00", "0money"),
        ("1 307,88", "0money"),
        ("CHF 145", "0money"),
        ("8 %", "0percent"),
        ("20 per cent", "0percent"),
        ("12 octobre", "0day"),
        ("31/10/2026", "0day"),
        ("2026-10-31", "0day"),
        ("12 pallets", "0int"),
        ("10:50", "0clock"),
        ("451798", "0ref"),
        ("2026", "0year"),
        ("2,5 kg", "0decimal"),
    ],
)
def test_a_number_is_known_by_its_form_and_the_words_beside_it(text: str, shape: str) -> None:
    assert [found for found in tokenize(text).shapes if found] == [shape]


def test_a_german_day_needs_its_stop_or_a_preposition() -> None:
    assert tokenize("Zahlung am 15.10. mit").shapes[2] == "0day"
    assert tokenize("kostet 15.10 je Stück").shapes[1] == "0money"


def test_words_are_folded_and_keep_their_places() -> None:
    text = "L'économat, Straße 7: geprüft?"
    tokens = tokenize(text)
    assert tokens.norms == ("l", "economat", "strasse", "7", "gepruft", "?")
    assert [text[a:b] for a, b in zip(tokens.starts, tokens.ends, strict=True)][:3] == ["L", "économat", "Straße"]


def test_sentences_end_at_stops_and_lines_but_not_where_a_line_was_wrapped() -> None:
    paid, why, again, mark, see, below = tokenize("Paid. Why again?\nSee below").sentences
    assert paid < why == again == mark < see == below
    wrapped = "We have been waiting for the credit note since the beginning\nof August"
    assert len(set(tokenize(wrapped).sentences)) == 1


def test_folding_leaves_words_only() -> None:
    assert fold("  Réponse automatique : Relevé n° 3!") == "reponse automatique releve n 3"


@given(st.text(max_size=300))
def test_any_text_gives_tokens_in_order_inside_it(text: str) -> None:
    tokens = tokenize(text)
    assert len(tokens.norms) == len(tokens.shapes) == len(tokens.sentences) == len(tokens.starts) == len(tokens.ends)
    assert all(0 <= start < end <= len(text) for start, end in zip(tokens.starts, tokens.ends, strict=True))
    assert list(tokens.starts) == sorted(tokens.starts)
