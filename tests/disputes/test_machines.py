from datetime import UTC, datetime

import pytest

from disputes.concepts import shipped_concepts
from disputes.machines import colleague_rule, machine_rule, stranger_rule
from disputes.passages import read_passages
from disputes.reading import CaseFacts, MailText

SENT = datetime(2026, 10, 7, 9, 0, tzinfo=UTC)


def mail(
    subject: str = "Invoice", text: str = "Hello", sender: str = "ann@customer.example", **more: object
) -> MailText:
    return MailText(subject=subject, new_text=text, from_email=sender, sent_at=SENT, **more)  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Reminder",
        "Réponse automatique : Relance",
        "Absence Re: Facture",
        "Absente jusqu'au 31/07 Re: Tarif",
        "Abwesenheitsnotiz: Mahnung",
        "Respuesta automática: Extracto",
        "Risposta automatica: Sollecito",
        "Automatisch antwoord: Herinnering",
        "Read: Friendly reminder",
        "Lu : Facture échue",
        "Gelezen: Betalingsherinnering",
        "Out of office Re: Reminder",
    ],
)
def test_m16_the_subject_a_mail_program_writes_is_an_automatic_reply(subject: str) -> None:
    found = machine_rule(mail(subject))
    assert found is not None
    assert found[0] == "auto_reply"


def test_m16_the_header_of_rfc_3834_is_enough() -> None:
    assert machine_rule(mail(headers={"auto-submitted": ("auto-replied (vacation)",)})) is not None
    assert machine_rule(mail(headers={"auto-submitted": ("no",)})) is None


@pytest.mark.parametrize(
    "subject", ["Read this before you call", "Ausstehende Gutschrift", "Lu et approuvé", "Absence of a credit note"]
)
def test_people_writing_similar_words_are_people(subject: str) -> None:
    assert machine_rule(mail(subject)) is None


@pytest.mark.parametrize(
    ("subject", "sender"),
    [
        ("Undelivered Mail Returned to Sender", "MAILER-DAEMON@mx.seller.example"),
        ("Non remis : Relevé de compte", "postmaster@customer.example"),
        ("Unzustellbar: Mahnung", "postmaster@seller.example"),
        ("AVVISO DI MANCATA CONSEGNA: Estratto", "posta-certificata@pec.example"),
    ],
)
def test_m17_a_delivery_report_is_known_by_its_sender_and_wording(subject: str, sender: str) -> None:
    assert machine_rule(mail(subject, sender=sender)) == ("bounce", "rule:undeliverable_wording")


def test_m17_a_customer_forwarding_an_undelivered_mail_is_no_bounce() -> None:
    assert machine_rule(mail("Undeliverable: your statement", sender="ann@customer.example")) is None


def test_a_mail_that_says_nothing_is_noise() -> None:
    assert machine_rule(mail("Fwd:", "  \n")) == ("spam", "rule:empty_mail")
    assert machine_rule(mail("Invoice 4711 wrong price", "")) is None
    assert machine_rule(mail("", "", attachment_names=("invoice.pdf",))) is None


@pytest.mark.parametrize(
    "text",
    [
        "We have received your request. Ticket 204941 has been opened.",
        "Votre demande a bien été enregistrée sous le numéro de dossier 20494.",
        "Ihre Anfrage ist bei uns eingegangen und wird unter der Vorgangsnummer KSC-204941 bearbeitet.",
        "Uw bericht is ontvangen. Zaaknummer 88123.",
    ],
)
def test_a_ticket_system_that_confirms_a_mail_is_a_machine(text: str) -> None:
    assert machine_rule(mail(text=text)) == ("auto_reply", "rule:request_confirmed")


def test_a_person_who_has_received_a_reminder_is_a_person() -> None:
    assert machine_rule(mail(text="We have received your reminder for invoice 204941, but it was paid.")) is None


def test_a_device_line_alone_says_nothing() -> None:
    assert machine_rule(mail("", "Envoyé depuis l'application Mail pour Android")) == ("spam", "rule:empty_mail")


def test_a_stranger_who_gives_an_account_is_spam_and_a_customer_who_asks_about_one_is_not() -> None:
    text = "Pay to our new account from now on: IBAN LT12 1000 0111 0100 1000."
    new = read_passages(mail(text=text), shipped_concepts()["en"]).new
    flags = frozenset({"payment_diversion"})
    assert stranger_rule(new, CaseFacts(sender_known=False), flags) == ("spam", "rule:stranger_with_new_account")
    assert stranger_rule(new, CaseFacts(sender_known=True), flags) is None
    assert stranger_rule(new, CaseFacts(), flags) is None
    assert stranger_rule(new, CaseFacts(sender_known=False), frozenset()) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hi all, whoever has the key of the forklift please bring it back.", "en"),
        ("Hallo zusammen, die Weihnachtsfeier ist am 11.12. in der Alm.", "de"),
        ("Bonjour à tous, le gâteau est en salle de pause.", "fr"),
        ("Ciao a tutti, venerdì l'ufficio chiude alle 13.", "it"),
        ("Chicos, mañana arreglan el aire de la segunda planta.", "es"),
        ("Lieve collega's, er staat taart in de kantine.", "nl"),
    ],
)
def test_a_colleagues_word_to_everybody_is_not_for_receivables(text: str, language: str) -> None:
    inside = mail("cake", text, direction="internal")
    new = read_passages(inside, shipped_concepts()[language]).new
    assert colleague_rule(inside, new) == ("not_ar", "rule:colleague_to_all")
    assert colleague_rule(mail("cake", text), new) is None, "a customer's is read as any other"


def test_a_colleagues_word_to_everybody_about_an_invoice_is_read_as_any_other() -> None:
    inside = mail(
        "INV-2026-0101", "All, please do not chase INV-2026-0101, 1,240.00 is disputed.", direction="internal"
    )
    new = read_passages(inside, shipped_concepts()["en"]).new
    assert colleague_rule(inside, new) is None
