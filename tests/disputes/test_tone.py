"""The tone check: words that blame, deny or press are marked before they are sent, in six languages."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes import acknowledgement, tone
from disputes.reading import LANGUAGES
from disputes.tone import KINDS, check

TONES = Path(tone.__file__).with_name("tones")


@pytest.mark.parametrize(
    ("language", "draft", "kinds"),
    [
        ("en", "You failed to send the form. That is our policy.", ["blame", "deny"]),
        ("en", "As previously stated, you must pay.", ["lecture", "press"]),
        ("fr", "Vous auriez dû nous prévenir, c’est votre faute.", ["blame", "blame"]),
        ("fr", "Votre réclamation est infondée ; calmez-vous.", ["deny", "feelings"]),
        ("de", "Sie hätten müssen; Ihre Beschwerde ist unbegründet.", ["blame", "deny"]),
        ("de", "Die angebliche Lieferung ist nicht unser Problem.", ["doubt", "deny"]),
        ("es", "Está equivocado. El supuesto error no es culpa nuestra.", ["deny", "doubt", "deny"]),
        ("it", "È colpa vostra, non è vero.", ["blame", "deny"]),
        ("nl", "U had moeten bellen, dat klopt niet.", ["blame", "deny"]),
        ("pt", "A culpa é sua!!", ["shout"]),
        ("en", "PAY THE INVOICE NOW", ["shout"]),
    ],
)
def test_hard_words_are_marked(language: str, draft: str, kinds: list[str]) -> None:
    assert [flag.kind for flag in check(draft, language)] == kinds


def test_the_mark_lies_on_the_words_and_a_gentler_way_is_offered() -> None:
    draft = "Bonjour,\n\nVous avez  OUBLIÉ la pièce jointe."
    (flag,) = check(draft, "fr")
    assert draft[flag.start : flag.end] == flag.text == "Vous avez  OUBLIÉ"
    assert flag.why == "This blames the customer"
    assert flag.suggestion.startswith("Il nous manque")


@pytest.mark.parametrize(
    ("language", "draft"),
    [
        ("en", "Thank you for telling us. You will hear from us by Friday; we are sorry for the trouble."),
        ("fr", "Merci de votre message. Nous sommes désolés et revenons vers vous d’ici vendredi."),
        ("de", "Vielen Dank für Ihre Nachricht. Wir melden uns bis Freitag bei Ihnen."),
        ("es", "Gracias por avisarnos. Le escribiremos antes del viernes."),
        ("it", "Grazie della segnalazione. La ricontatteremo entro venerdì."),
        ("nl", "Dank voor uw bericht. U hoort voor vrijdag van ons."),
        ("en", "Is the IBAN on the PDF right? The GmbH in the EU asked."),
    ],
)
def test_kind_words_are_left_alone(language: str, draft: str) -> None:
    assert check(draft, language) == ()


def test_what_the_customer_wrote_and_we_quote_is_not_ours() -> None:
    assert check("We are sorry.\n> you failed to deliver!!\n> it is your fault", "en") == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_is_short_of_a_kind_and_our_own_texts_pass(language: str) -> None:
    flags = tomllib.loads((TONES / f"{language}.toml").read_text(encoding="utf-8"))["flag"]
    assert {flag["kind"] for flag in flags} == KINDS.keys() - {"shout"}
    assert all(check(flag["say"], language) == () for flag in flags)
    assert all(tone.fold(word) == word for flag in flags for word in flag["words"])
    folder = Path(acknowledgement.__file__).with_name("acknowledgements")
    for text in tomllib.loads((folder / f"{language}.toml").read_text(encoding="utf-8")).values():
        assert check(text, language) == ()


@given(st.text(max_size=300), st.sampled_from(LANGUAGES))
def test_marks_never_overlap_and_always_fit_the_text(draft: str, language: str) -> None:
    text = f"{draft} votre faute, you are wrong {draft}"
    last = 0
    for flag in check(text, language):
        assert last <= flag.start < flag.end <= len(text)
        assert text[flag.start : flag.end] == flag.text
        last = flag.end
