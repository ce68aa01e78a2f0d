import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.text import clean, clean_with_offsets, email_domain, fold, is_shared_domain, name_tokens, words


def test_look_alikes_of_one_sign_become_one() -> None:
    assert clean("Fa‑2026–001 n° 12") == "FA-2026-001 N° 12"
    assert clean("L’avoir n\u00ba\u00a07") == "L'AVOIR N° 7"


def test_what_cannot_be_seen_is_dropped() -> None:
    assert clean("INV-\u00ad2024\u200b-00187") == "INV-2024-00187"


def test_the_way_back_leads_to_the_original_characters() -> None:
    original = "voir \ufb01n \u00adFA\u200b-7"
    cleaned = clean_with_offsets(original)
    at = cleaned.text.index("FA-7")
    start, end = cleaned.original(at, at + 4)
    assert original[start:end] == "FA\u200b-7"


@given(st.text(max_size=200))
def test_every_cleaned_span_lies_in_the_original(original: str) -> None:
    cleaned = clean_with_offsets(original)
    start, end = cleaned.original(0, len(cleaned.text))
    assert 0 <= start <= end <= len(original)


@given(st.text(max_size=200))
def test_folding_keeps_every_place(text: str) -> None:
    cleaned = clean(text)
    assert len(fold(cleaned)) == len(cleaned)


def test_words_lose_their_accents() -> None:
    assert words("Échéance dépassée, n'est-ce pas ?") == ["ECHEANCE", "DEPASSEE", "N", "EST", "CE", "PAS"]


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("Guichard Michaud et Fils S.A.R.L.", ("GUICHARD", "MICHAUD")),
        ("Häring AG & Co. OHG", ("HARING",)),
        ("De Ridder, Smits en De Backer CV", ("RIDDER", "SMITS", "BACKER")),
        ("The Company", ("THE", "COMPANY")),
        ("", ()),
    ],
)
def test_a_company_is_told_by_the_rare_words_of_its_name(name: str, tokens: tuple[str, ...]) -> None:
    assert name_tokens(name) == tokens


def test_the_domain_of_an_address() -> None:
    assert email_domain("Ana.Silva@Example.COM") == "example.com"
    assert email_domain("nobody") == ""


def test_freemail_and_services_identify_nobody() -> None:
    assert is_shared_domain("gmail.com")
    assert is_shared_domain("GMX.net")
    assert not is_shared_domain("perrin-freres.example")
