from disputes.concepts import Concepts, Hit, negated, shipped_concepts
from disputes.reading import LANGUAGES
from disputes.tokens import tokenize

TABLE = Concepts(
    [("SHORT", "missing"), ("PRICE", "*preis"), ("PRICE", "price*"), ("ONLY", "only~received"), ("NEGATION", "not")]
)


def found(text: str) -> list[str]:
    return [hit.concept for hit in TABLE.find(tokenize(text))]


def test_patterns_may_end_or_begin_openly_and_leave_a_gap_of_two_words() -> None:
    assert found("Der Stückpreis, our pricelist, prices") == ["PRICE"] * 3
    assert found("we only ever have received nine") == ["ONLY"]
    assert found("we only three days later have received nine") == []


def test_a_pattern_never_reaches_into_the_next_sentence() -> None:
    assert found("If only. Received today") == []


def test_a_hit_tells_its_place_and_whether_it_is_denied() -> None:
    tokens = tokenize("The price is not missing. Two missing.")
    hits = TABLE.find(tokens)
    assert hits[0] == Hit("PRICE", 1, 2)
    denied = negated(hits, tokens)
    assert [hit.concept for i, hit in enumerate(hits) if i in denied] == ["SHORT"]
    assert [hit.concept for hit in hits].count("SHORT") == 2


def test_the_same_thing_is_understood_in_every_language() -> None:
    said = {
        "en": "the goods arrived damaged",
        "fr": "la marchandise est arrivée endommagée",
        "de": "die Ware ist beschädigt",
        "es": "la mercancía llegó dañada",
        "it": "la merce è danneggiata",
        "nl": "de goederen zijn beschadigd",
    }
    assert set(said) == set(LANGUAGES)
    for language, text in said.items():
        assert "DAMAGED" in [hit.concept for hit in shipped_concepts()[language].find(tokenize(text))], language
