"""Mails to customers: in six languages, with their facts, warm and short; templates cannot run anything (S7)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disputes.customer_mail import KINDS, CustomerFacts, compose, shipped, signature, wording
from disputes.reading import LANGUAGES
from disputes.rulebook import BadPolicy
from disputes.tone import check

FACTS = CustomerFacts(
    case_id=42,
    language="fr",
    name="Claire Martin",
    subject="Prix facturé",
    seller="Lumora France",
    agent="Ana Silva",
    invoices=("F2026-7", "F2026-9"),
    amount=Decimal("1234.50"),
    credited=Decimal("120.00"),
    currency="EUR",
    day=date(2026, 3, 6),
    question="Pouvez-vous nous envoyer le bon de livraison ?",
    resolution="partly_accepted",
    why="Le tarif convenu vaut à partir du 1er février.",
)
MAILS = [kind for kind in KINDS if kind != "signature"]


def spoken(language: str, **changes: object) -> CustomerFacts:
    told = {field: getattr(FACTS, field) for field in FACTS.__dataclass_fields__}
    return CustomerFacts(**{**told, "language": language, **changes})


def test_a_status_says_where_it_stands_and_by_when_they_hear() -> None:
    mail = compose(FACTS, shipped("status", "fr"))
    assert mail.subject == "Re: Prix facturé [dossier 42]"
    for words in (
        "Bonjour Claire Martin,",
        "dossier 42, factures F2026-7, F2026-9",
        "vendredi 6 mars 2026",
        "1 234,50",
    ):
        assert words in mail.body.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_a_resolution_says_what_is_credited_and_why() -> None:
    body = compose(FACTS, shipped("resolution", "fr")).body
    assert "120,00" in body
    assert FACTS.why in body
    assert "credit note follows" in compose(spoken("en"), shipped("resolution", "en")).body
    assert "You were right" in compose(spoken("en", resolution="accepted"), shipped("resolution", "en")).body


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MAILS)
def test_every_mail_in_every_language_names_its_case_is_short_and_never_defensive(kind: str, language: str) -> None:
    for facts in (spoken(language), CustomerFacts(case_id=42, language=language, seller="Lumora")):
        body = compose(facts, shipped(kind, language)).body
        assert "42" in body
        assert "{" not in body
        assert "None" not in body
        assert len(body) < 900
        assert not check(body, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_outcome_has_its_words(language: str) -> None:
    ways = ("accepted", "partly_accepted", "rejected", "paid", "withdrawn", "duplicate", "answered")
    bodies = {compose(spoken(language, resolution=way), shipped("resolution", language)).body for way in ways}
    assert len(bodies) == len(ways)


def test_the_signature_names_who_writes_and_for_whom() -> None:
    assert signature(FACTS, shipped("signature", "fr")) == "Bien cordialement,\nAna Silva\nLumora France"
    assert signature(spoken("en", agent=""), shipped("signature", "en")) == "Kind regards,\nLumora France"


def test_a_language_we_do_not_write_gets_english() -> None:
    assert "Hello Claire Martin" in compose(spoken("pl"), shipped("status", "pl")).body


def test_an_entitys_own_wording_takes_the_place_of_ours() -> None:
    own = wording({"subject": "Dossier {{ case }}", "body": "Tout va bien, {{ name }}."}, what="status/fr")
    assert compose(FACTS, own).subject == "Dossier 42"
    assert "Tout va bien, Claire Martin." in compose(FACTS, own).body


@pytest.mark.parametrize(
    "body",
    [
        "{{ name.__class__ }}",
        "{{ ''.join(name) }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{{ 'a' * 10**9 }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ name|attr('x') }}",
        "{% set x = 1 %}",
        "{% macro f() %}{% endmacro %}",
        "{{ self }}",
        "{% if name %}",
        "{{ notes }}",
        "",
    ],
)
def test_s07_a_wording_can_neither_run_nor_loop_nor_name_what_is_not_for_customers(body: str) -> None:
    with pytest.raises(BadPolicy):
        wording({"body": body}, what="status/fr")


@given(st.text(max_size=300), st.sampled_from(LANGUAGES))
def test_s12_what_customers_wrote_is_filled_in_as_text(text: str, language: str) -> None:
    mail = compose(spoken(language, name=text, subject=text), shipped("status", language))
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject
    compose(spoken(language, name="{{ case.__class__ }}"), shipped("status", language))
