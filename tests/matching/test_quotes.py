"""Quoted history, signatures and forwards (mail.md M13, M20, M21)."""

import json
from pathlib import Path

import pytest
import quotequail
from hypothesis import given
from hypothesis import strategies as st

from matching.html_text import html_to_text, written_part
from matching.quotes import MAX_LINES, split_body

SAMPLES = Path(__file__).parents[3] / "shared" / "mail" / "quotes.jsonl"


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _quotequail(text: str) -> str:
    parts = quotequail.quote(text, quote_intro_line=True)
    return "\n".join(part for shown, part in parts if shown)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public mail samples are kept beside the project")
def test_m20_public_samples_are_split_better_than_by_quotequail() -> None:
    samples = [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]
    ours = sum(_squeezed(split_body(s["text"]).new_text) == _squeezed(s["new_text"]) for s in samples)
    theirs = sum(_squeezed(_quotequail(s["text"])) == _squeezed(s["new_text"]) for s in samples)
    assert ours >= 0.97 * len(samples)
    assert ours > theirs


@pytest.mark.parametrize(
    "attribution",
    [
        "On 3 Jun 2026, at 10:00, Ann Lee <ann@customer.example> wrote:",
        "On Wed, Jun 3, 2026 at 10:00 AM Ann Lee <\nann@customer.example> wrote:",
        "Le 03/06/2026 à 10:00, Anne Lee a écrit :",
        "Le mer. 3 juin 2026 à 10:00, Anne Lee <anne@client.example>\na écrit :",
        "Am 03.06.2026 um 10:00 schrieb Anna Lee <anna@kunde.example>:",
        "Anna Lee <anna@kunde.example> schrieb am Mi., 3. Juni 2026,\n10:00:",
        "El mié, 3 jun 2026 a las 10:00, Ana (<ana@cliente.example>) escribió:",
        "Il giorno mer 3 giu 2026 alle ore 10:00 Ana <ana@cliente.example> ha scritto:",
        "Op wo 3 jun. 2026 om 10:00 schreef Ann <ann@klant.example>:",
        "Op 3 juni 2026 om 10:00 heeft Ann <ann@klant.example> het volgende geschreven:",
        "-----Original Message-----",
        "-------- Message d'origine --------",
        "-----Ursprüngliche Nachricht-----",
        "From: Ann Lee\nSent: 3 June 2026 10:00\nTo: us\nSubject: RE: invoice",
        "De : Anne Lee\nEnvoyé : mercredi 3 juin 2026 10:00\nÀ : nous\nObjet : RE: facture",
        "Von: Anna Lee [mailto:a@kunde.example]\nGesendet: Mittwoch\nAn: uns\nCc: Chef\nBetreff: AW: Rechnung",
        "De: Ana Ruiz\nEnviado el: miércoles\nPara: nosotros\nAsunto: RE: factura",
        "Da: Ana Russo\nInviato: mercoledì\nA: noi\nOggetto: R: fattura",
        "Van: Ann Visser\nVerzonden: woensdag\nAan: ons\nOnderwerp: RE: factuur",
        "##- Please type your reply above this line -##",
        "On Tue, 2 Jun 2026 15:04:00 +0200\nAnn Lee <ann@customer.example> wrote:",
        "Am 02.06.2026 um 15:04 schrieb Anna Lee:",
        "Anna Lee <anna@kunde.example> hat am 02.06.2026 15:04 geschrieben:",
        "Am Dienstag, 2. Juni 2026, 15:04:00 MESZ hat Anna Lee <a@kunde.example> Folgendes geschrieben:",
        "Op 02-06-2026 om 15:04 schreef Ann Visser:",
        "Zitat von Anna Lee <anna@kunde.example>:",
        "-------- Courriel original --------\nObjet: x\nDate: 2026-06-02\nDe: Anne <a@client.example>",
        "wt., 2 cze 2026 o 15:04 Anna Lee <anna@klient.example> napisał(a):",
        "2026年6月2日(火) 15:04 Ann Lee <ann@customer.example>:",
        "Sent: Tuesday, June 02, 2026\nFrom: Ann <ann@customer.example>\nTo: me@x.example\nSubject: Re: x",
    ],
)
def test_m20_history_is_folded_in_every_language_of_its_client(attribution: str) -> None:
    parts = split_body(f"We paid on Friday.\n\nAnn\n\n{attribution}\n\nPlease pay invoice 4711.\n")
    assert parts.new_text == "We paid on Friday.\n\nAnn"
    assert "4711" in parts.quoted_text


def test_m20_answers_between_the_lines_survive() -> None:
    parts = split_body(
        "Voir mes réponses ci-dessous.\n\nLe 12/05/2026 à 10:12, Paul <p@x.example> a écrit :\n"
        "> Avez-vous reçu le colis ?\nOui, hier.\n> Et l'avoir ?\nNon.\n> Merci\n"
    )
    assert "Oui, hier." in parts.new_text
    assert "Non." in parts.new_text
    assert "a écrit" not in parts.new_text
    assert "> Merci" in parts.quoted_text
    assert parts.own_words == "Voir mes réponses ci-dessous.\n\nOui, hier.\nNon."


def test_m20_an_answer_below_the_quote_is_the_new_text() -> None:
    parts = split_body("On 3 Jun 2026, at 10:00, Ann <a@x.example> wrote:\n> Did you get it?\n\nYes, thanks.\n")
    assert parts.new_text == "Yes, thanks."


def test_m20_a_line_the_client_wrapped_out_of_its_quote_is_no_answer() -> None:
    quote = "> we would be glad if you could confirm the receipt of all the\ngoods by Friday\n> Thanks\n"
    parts = split_body(f"No.\n\nOn 3 Jun 2026, at 10:00, Ann <a@x.example> wrote:\n{quote}")
    assert parts.new_text == "No."


def test_m20_nothing_is_lost_and_short_answers_are_read_with_their_history() -> None:
    text = "Repris.\n\nLe 28/05/2026 à 10:12, Sylvie <s@x.example> a écrit :\n" + "> Les douze seaux en trop.\n" * 9
    parts = split_body(text)
    assert parts.new_text == "Repris."
    assert parts.reading_text == text
    assert "".join(text[span.start : span.end] for span in parts.spans) == text


def test_signature_mobile_line_and_small_print_are_told_from_the_text() -> None:
    delimited = split_body("Bitte um Kopie.\n\n-- \nHäring AG, Lippstadt\n")
    assert (delimited.new_text, delimited.signature) == ("Bitte um Kopie.", "-- \nHäring AG, Lippstadt")
    mobile = split_body("Payé hier\n\nEnvoyé de mon iPhone\n")
    assert (mobile.new_text, mobile.signature) == ("Payé hier", "Envoyé de mon iPhone")
    legal = split_body("Paid.\n\nThis e-mail and any files transmitted with it are confidential.\n")
    assert legal.new_text == "Paid."
    assert legal.disclaimer.startswith("This e-mail")


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour,\nDe : Paris\nA : Lyon\nObjet : transport\nLe montant est faux.",
        'Your driver wrote:\n"left at door"\nThat is wrong.',
        "Guten Tag,\n\n> RE 1 ist bezahlt?\n\nJa, am 3.5.\n\n> RE 2?\n\nNein.",
        "Paid:\n2026-05-01 10:00 yes\n2026-05-02 11:00 no\n\nBye",
        "Items:\n\n- pallets\n\n- Film",
        "You wrote on 12 May: please pay.\nNo.",
    ],
)
def test_what_only_looks_like_a_quote_is_new(text: str) -> None:
    assert split_body(text).new_text == text


def test_rules_inside_a_table_end_nothing() -> None:
    text = "Open:\n\nInvoice   Amount\n----------------\nA1        10\nA2        20\n----------------\nTotal     30"
    assert split_body(text).new_text == text


def test_m13_a_forward_shows_its_inner_sender() -> None:
    parts = split_body(
        "FYI\n\n---------- Message transféré ---------\nDe : Jean Dupont <Jean@client.example>\n"
        "Date: lun. 3 févr. 2026 à 10:00\nSubject: Facture 123\nTo: <compta@x.example>\n\nLa facture est fausse."
    )
    assert parts.new_text == "FYI"
    assert parts.forwarded is not None
    assert parts.forwarded.is_forward
    assert (parts.forwarded.from_name, parts.forwarded.from_email) == ("Jean Dupont", "jean@client.example")
    assert (parts.forwarded.date, parts.forwarded.subject) == ("lun. 3 févr. 2026 à 10:00", "Facture 123")


def test_m13_a_forward_without_words_of_its_own_says_what_it_forwards() -> None:
    parts = split_body("-------- Weitergeleitete Nachricht --------\nVon: Hans <h@k.example>\nBetreff: R\n\nFalsch.\n")
    assert parts.new_text == "Falsch."


def test_html_quotes_are_marked_and_the_marks_of_clients_believed() -> None:
    html = "<p>Paid.</p><div class='gmail_quote'>On 3 June, Ann wrote:<blockquote>Pay<br>now</blockquote></div>"
    assert html_to_text(html).endswith("> Pay\n> now\n>")
    assert written_part(html) == "Paid."
    unmarked = "<div>Paid.</div><div id=appendonsend></div><div>Dear customer, please pay.</div>"
    parts = split_body(html_to_text(unmarked), html=unmarked)
    assert parts.new_text == "Paid."
    assert parts.quoted_text == "Dear customer, please pay."


def test_html_becomes_readable_text() -> None:
    html = (
        "<head><style>p{}</style></head><p class=MsoNormal>A &amp; B,<br>two</p><script>bad()</script>"
        "<table><tr><td>4711</td><td>10,00</td></tr></table><div style='display: none'>hidden</div><!-- no -->end"
    )
    assert html_to_text(html) == "A & B,\ntwo\n\n4711\t10,00\n\nend"


def test_m21_a_body_of_too_many_lines_is_taken_whole() -> None:
    text = "On 3 Jun 2026, at 10:00, Ann <a@x.example> wrote:\n" * (MAX_LINES + 1)
    assert split_body(text).new_text == text.strip()


@pytest.mark.parametrize(
    "piece", [">", "<", "On ", " ", "On 3 May 2026, <\n", "From: a\n", "--\na\n", "a@b.c:\n", "\n", "> a\n\nb\n", "*"]
)
def test_m21_two_megabytes_of_one_thing_are_split(piece: str) -> None:
    # The engine is linear and the number of lines bounded: a quadratic step would run into the test's timeout.
    text = (piece * (2_000_000 // len(piece)))[:2_000_000]
    parts = split_body(text)
    assert parts.spans[-1].end == len(text)
    html_to_text(piece * 300_000 + "<b>" * 300_000 + "</i>" * 300_000)


@given(st.lists(st.sampled_from(["text", "> q", "", "--", "On 3 Jun 2026, A <a@b.example> wrote:", "From: x", "____"])))
def test_spans_cover_every_text(lines: list[str]) -> None:
    text = "\n".join(lines)
    parts = split_body(text)
    assert "".join(parts.text[span.start : span.end] for span in parts.spans) == text


@given(st.text(), st.text(alphabet="<>/abp=\"'- &;!"))
def test_no_text_or_html_upsets_the_splitter(text: str, html: str) -> None:
    parts = split_body(text, html=html)
    assert parts.spans[-1].end == len(parts.text)
    assert isinstance(html_to_text(html), str)
