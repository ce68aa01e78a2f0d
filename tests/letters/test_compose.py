"""What letters say: every kind in every language, every figure explained; odd facts print well or are refused."""

import io
from collections.abc import Iterator
from datetime import date

import pytest
from pypdf import PdfReader

from app.core.errors import BadInput
from letters.compose import CannotCompose, compose
from letters.kinds import KINDS, LANGUAGES, Kind, Language, language_of
from letters.letter_facts import Fee, LetterFacts, Recipient, Row
from letters.printer import LetterPrinter
from letters.sandbox import BadTemplate
from letters.wording import BLOCKS, Words, read_template, shipped, words
from tests.letters.letter_cases import LETTERS, D, claim_of, french, german, plain, rows, swiss


@pytest.fixture(scope="module")
def printer() -> Iterator[LetterPrinter]:
    with LetterPrinter(workers=2) as found:
        yield found


def text_of(pdf: bytes) -> str:
    """The text of the pages, spaces made plain."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    return " ".join(" ".join(pages).split())


def test_there_is_a_case_for_each_kind() -> None:
    assert set(LETTERS) == set(KINDS)
    assert all(facts().kind == kind for kind, facts in LETTERS.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_say_the_same_things(language: Language) -> None:
    """QR-bills alone exist in the languages of Switzerland and English only."""

    def places(found: Words) -> dict[str, set[str]]:
        return {name: set(part) for name, part in found if isinstance(part, dict) and name != "bill"}

    assert places(words(language)) == places(words("en"))
    assert set(words(language).bill) == (set() if language in {"es", "nl"} else set(words("en").bill))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_composed_in_every_language(kind: Kind, language: Language) -> None:
    facts = LETTERS[kind]().model_copy(update={"language": language})
    page = compose(facts)
    assert facts.signature.name in page.html
    assert facts.signature.phone in page.html
    assert "{" not in page.html.replace("{{", "")
    assert "None" not in page.html
    assert page.title


@pytest.mark.parametrize("kind", KINDS)
def test_facts_come_back_from_what_is_kept_and_make_the_same_page(kind: Kind) -> None:
    facts = LETTERS[kind]()
    assert compose(LetterFacts.from_json(facts.as_json())) == compose(facts)


def test_a_formal_notice_says_what_the_law_asks_of_it(printer: LetterPrinter) -> None:
    """Earlier letters with dates, invoices, interest and compensation in figures, a last day, the consequence."""
    text = text_of(printer.print_letter(compose(french())))
    for said in ("premier rappel du 2 avril 2026", "dernière relance du 11 mai 2026", "FA-2025-1041"):
        assert said in text
    for said in ("Intérêts de retard", "Indemnité forfaitaire de recouvrement 120,00", "au plus tard le 23 juin 2026"):
        assert said in text
    assert "tribunal compétent" in text
    assert "Appelez Hélène Marchand au 04 78 00 12 34" in text


def test_each_figure_of_a_claim_is_explained(printer: LetterPrinter) -> None:
    facts = french()
    assert facts.claim is not None
    text = text_of(printer.print_letter(compose(facts))).replace("\N{NO-BREAK SPACE}", " ")
    first = facts.claim.lines[0].segments[0]
    assert f"11/11/2025 depuis l'échéance 10/03/2026 {first.days} 420,00 12,15 % 365" in text
    assert "11/03/2026 après le paiement de 300,00 €" in text
    assert "taux de refinancement de la Banque centrale européenne, 2,15 % en vigueur au" in text
    assert "majoré de 10 points (Code de commerce L441-10 II)" in text
    assert "Source du taux de 2,15 % : " in text
    assert "Code de commerce D441-5" in text


def test_a_rate_that_is_not_the_shipped_law_is_told_as_it_is() -> None:
    facts = french()
    assert facts.claim is not None
    assert "L441-10" in compose(facts).html
    elsewhere = facts.model_copy(update={"seller": facts.seller.model_copy(update={"country": "LU"})})
    assert "Taux de 12,15\N{NO-BREAK SPACE}% : Code de commerce L441-10 II: ECB rate" in compose(elsewhere).html


def test_a_claim_that_could_not_reach_today_says_so() -> None:
    later = french(day=date(2026, 8, 1), pay_by=date(2026, 8, 9))
    assert "après le 15 juin 2026 n" in compose(later).html


def test_a_fee_names_what_it_is_owed_by() -> None:
    page = compose(german(fees=(Fee(currency="EUR", amount=D("3.00"), source="AGB § 7"),)))
    assert "Gebühren" in page.html


def test_swiss_letters_write_no_sharp_s_and_names_keep_theirs() -> None:
    page = compose(swiss(recipient=Recipient(name="Weiß AG", address=("Weg 1",))))
    assert "Mit freundlichen Grüssen" in page.html
    assert "Weiß AG" in page.html
    assert "Mit freundlichen Grüßen" in compose(german()).html


def test_a_qr_bill_stands_for_the_bank_details_and_takes_the_foot() -> None:
    page = compose(swiss())
    assert page.styles == ("letter", "swiss", "bill")
    assert "Empfangsschein" in page.html
    assert "code" not in page.pictures
    other = compose(swiss(rows=rows(1, currency="USD")))
    assert other.styles == ("letter", "swiss")
    assert "Zürcher Kantonalbank" in other.html


def test_an_epc_code_is_printed_for_euros_alone() -> None:
    assert "code" in compose(german()).pictures
    assert "code" not in compose(german(rows=rows(1, currency="USD"))).pictures


def test_amounts_of_two_currencies_are_never_added() -> None:
    page = compose(plain("reminder_1", rows=(*rows(2), *rows(1, currency="USD"))))
    assert page.html.count("<table") == 2
    assert "€ et 120,00\N{NO-BREAK SPACE}$US" in page.html


NAMES = (
    "W" * 300,
    "Établissements " * 20,
    "مؤسسة النور للتجارة والصناعة",
    "北京市朝阳区第一机械制造有限公司",
    "עדי & בניו",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_length_and_script_print(printer: LetterPrinter, name: str) -> None:
    facts = plain("reminder_1", recipient=Recipient(name=name.strip(), address=("1 rue A", "69000 Lyon")))
    reader = PdfReader(io.BytesIO(printer.print_letter(compose(facts))))
    text = "".join(reader.pages[0].extract_text().split())
    assert "69000Lyon" in text or len(name) >= 300
    fonts = {str(font["/BaseFont"]) for font in _fonts(reader)}
    if name.startswith("北"):
        assert any("Droid" in font for font in fonts)
    if name.startswith("م"):
        assert any("DejaVu" in font for font in fonts)


def _fonts(reader: PdfReader) -> Iterator[dict[str, object]]:
    for page in reader.pages:
        fonts = page["/Resources"]["/Font"]  # type: ignore[index] # pypdf types every object alike
        for font in fonts.values():
            yield font.get_object()


def test_four_hundred_invoices_print_with_carried_sums(printer: LetterPrinter) -> None:
    facts = plain("reminder_1", rows=rows(400))
    reader = PdfReader(io.BytesIO(printer.print_letter(compose(facts))))
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert len(pages) > 8
    assert f"Page 1 sur {len(pages)}" in pages[0]
    assert "À reporter" in pages[0]
    assert "Report" in pages[1]
    carried = pages[0].split("À reporter ")[1].split("€")[0]
    brought = pages[1].split("Report ")[1].split("€")[0]
    assert carried == brought
    assert all("Facture" in page and "Échéance" in page for page in pages[1:-1])
    assert "À reporter" not in pages[-1]


def test_a_balance_in_the_customers_favour_is_said_to_be(printer: LetterPrinter) -> None:
    credit = Row(number="AV-1", kind="credit_note", currency="EUR", amount=D("-50.00"))
    text = text_of(printer.print_letter(compose(plain("statement", rows=(credit,)))))
    assert "Le solde est en votre faveur" in text
    assert "−50,00" in text
    assert "Pour régler" not in text


def test_a_statement_without_lines_says_that_nothing_is_owed(printer: LetterPrinter) -> None:
    text = text_of(printer.print_letter(compose(plain("statement", rows=()))))
    assert "Votre compte est soldé à ce jour" in text


REFUSED = {
    "no postal address": lambda: french(recipient=Recipient(name="Durand")),
    "asks for at least one invoice": lambda: plain("reminder_1", rows=()),
    "cannot ask for -80.00 EUR": lambda: plain(
        "reminder_1",
        rows=(
            rows(1)[0],
            Row(number="AV", kind="credit_note", currency="EUR", amount=D("-200.00"), asked=D("-200.00")),
        ),
    ),
    "names the last day to pay": lambda: french(pay_by=None),
    "what was disputed of which invoice": lambda: plain("dispute_rejected", rows=rows(1)),
    "has at least one instalment": lambda: plain("payment_plan"),
    "come to 300.00 EUR": lambda: LETTERS["payment_plan"]().model_copy(
        update={"instalments": LETTERS["payment_plan"]().instalments[:1]}
    ),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_makes_no_letter_is_refused_in_words(why: str) -> None:
    with pytest.raises(CannotCompose, match=why):
        compose(REFUSED[why]())


def test_without_an_address_it_goes_by_mail() -> None:
    assert "Durand" in compose(french(recipient=Recipient(name="Durand"), by_post=False)).html


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"currency": "EURO"}, "EURO is no currency"),
        ({"amount": D("1.001")}, "more decimals than EUR allows"),
        ({"amount": D("NaN")}, "finite|out of range"),
    ],
)
def test_a_row_is_whole_cents_of_a_known_currency(change: dict[str, object], why: str) -> None:
    with pytest.raises((BadInput, ValueError), match=why):
        Row.model_validate({"number": "1", "currency": "EUR", "amount": D("1.00"), **change})


@pytest.mark.parametrize("logo", [b"<svg/>", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_a_logo_is_a_small_picture(logo: bytes) -> None:
    seller = french().seller.model_dump()
    with pytest.raises(ValueError, match="no PNG or JPEG"):
        type(french().seller).model_validate({**seller, "logo": logo})


def test_an_own_text_takes_the_place_of_the_shipped_one() -> None:
    own = read_template(
        "reminder_1",
        "fr",
        {
            "subject": "Bonjour {{ name }}",
            "body": "Un **mot** : {{ total }}\n[[items]]\n[[payment]]",
            "closing": "À vous,",
        },
    )
    html = compose(plain("reminder_1"), own).html
    assert "<h1>Bonjour Boulangerie Durand &amp; Fils</h1>" in html
    assert "<p>Un <b>mot</b> : " in html
    assert "À vous," in html
    assert compose(plain("reminder_1"), own).data != compose(plain("reminder_1")).data


def test_an_own_text_that_cannot_be_is_refused_with_its_place() -> None:
    with pytest.raises(BadTemplate, match=r"The body, line 2: there is no block 'tabel'; there are items"):
        read_template("closing", "fr", {"subject": "x", "body": "a\n[[tabel]]"})
    with pytest.raises(BadTemplate, match=r"The subject, line 1: 'amount' is not known"):
        read_template("closing", "fr", {"subject": "{{ amount }}", "body": "a"})


def test_the_shipped_texts_use_blocks_that_exist() -> None:
    used = {
        line.strip()[2:-2]
        for language in LANGUAGES
        for kind in KINDS
        for line in shipped(kind, language).body.splitlines()
        if line.startswith("[[")
    }
    assert used == set(BLOCKS)


def test_a_customers_language_chooses_the_letters() -> None:
    assert [language_of(one) for one in ("fr", "de-CH", "pt", None, "nl_BE")] == ["fr", "de", "en", "en", "nl"]


@pytest.mark.parametrize(
    ("country", "language"), [("BE", "nl"), ("GB", "en"), ("NL", "nl"), ("IT", "it"), ("ES", "es")]
)
def test_each_countrys_rates_are_explained_in_its_language(country: str, language: Language) -> None:
    asked = rows(2, currency="GBP" if country == "GB" else "EUR")
    facts = french(rows=asked, claim=claim_of(country, asked), language=language)
    seller = facts.seller.model_copy(update={"country": country})
    page = compose(facts.model_copy(update={"seller": seller}))
    assert "{" not in page.html
    assert words(language).annex["title"] in page.html
