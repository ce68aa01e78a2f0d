from decimal import Decimal

import pytest

from matching.facts import Discussed, InvoiceFacts, ThreadFacts
from matching.matcher import investigate
from matching.memory import MemoryIndex
from matching.scoring import default_weights
from tests.matching.ledger import (
    BAKER,
    BAKERS,
    COUSIN,
    HOTEL,
    INVOICES,
    SENT,
    a_file,
    a_mail,
    decide,
    likely,
    the_accounts,
    the_index,
    the_invoices,
)

ONE = BAKERS[7]  # LU26-04321
TWO = BAKERS[8]  # LU26-04324
THREE = BAKERS[9]  # LU26-04327
OTHERS = INVOICES[122]  # LU26-04322, the hotel's


@pytest.mark.parametrize(
    "text",
    [
        "Please send LU26-04321 again.",
        "la facture 4321 est fausse",
        "Rechnung 04321 bitte korrigieren",
        "factura LU26/4321: falta un saco",
        "fattura n. 4321/2026 non ricevuta",
        "factuur 4 321 klopt niet",
        "invoice 321 is wrong",
        "LU26-O432l not ours",
        "Invoice LU26 04 321 please",
    ],
)
def test_a_number_is_found_however_it_is_written(text: str) -> None:
    assert likely(a_mail("Question", text)) == [ONE.number]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("factures 4321, 24 et 27", [ONE, TWO, THREE]),
        ("invoices LU26-04321 to LU26-04327 please", [ONE, TWO, THREE]),
        ("Rechnungen 4321 bis 4325 fehlen", [ONE, TWO]),
    ],
)
def test_lists_and_ranges_mean_the_accounts_own(text: str, expected: list[InvoiceFacts]) -> None:
    assert likely(a_mail("Copies", text)) == [each.number for each in expected]


@pytest.mark.parametrize(
    "text",
    [
        f"Our {ONE.po} came short.",
        f"On delivery note {ONE.delivery} two sacks are missing.",
        f"Your order {ONE.order} was cancelled.",
        f"We refuse to pay {ONE.gross} for this.",
    ],
)
def test_other_references_and_the_amount_will_do(text: str) -> None:
    assert likely(a_mail("Problem", text)) == [ONE.number]


def test_a_payment_reference_means_the_invoices_it_paid() -> None:
    assert likely(a_mail("VIR5522117", "Please tell us what VIR5522117 was put against.")) == [BAKERS[0].number]


def test_goods_and_quantity_point_to_an_invoice() -> None:
    line = ONE.lines[0]
    decision = decide(a_mail("wrong", f"the {line.quantity} {line.text} of April are spoiled"))
    assert decision.links[0].invoice_id == ONE.id


def test_a_swapped_number_of_somebody_else_is_the_senders_own() -> None:
    own = BAKERS[4]  # LU26-04312; 04321 is the baker's as well, 04313 the hotel's
    decision = decide(a_mail("LU26-04313", f"LU26-04313 over {own.gross} is wrong"))
    assert [link.invoice_id for link in decision.likely] == [own.id]
    assert decision.review


def test_another_accounts_invoice_is_never_linked_without_a_person() -> None:
    decision = decide(a_mail(OTHERS.number, f"Please credit {OTHERS.number}"))
    assert all(link.state == "propose" for link in decision.links)
    assert decision.account is not None
    assert decision.account.id == BAKER


def test_a_reply_to_a_statement_that_speaks_of_one_links_one() -> None:
    table = "\n".join(f"> {each.number}  {each.due}  {each.gross}" for each in BAKERS)
    mail = a_mail("Re: statement", f"{ONE.number} was short, we pay less.", quoted_text=table)
    assert likely(mail) == [ONE.number]


def test_a_reply_that_only_quotes_means_the_quoted_invoice() -> None:
    quote = f"> Our invoice {ONE.number} of {ONE.gross} EUR was due on {ONE.due}."
    assert likely(a_mail("Re: Reminder", "Paid on Friday.", quoted_text=quote)) == [ONE.number]


def test_a_reply_without_a_number_inherits_the_threads_invoice() -> None:
    thread = ThreadFacts((ONE.id,), BAKER, (ONE.id,))
    decision = decide(a_mail("Re: your reminder", "Thank you, all clear now."), thread=thread)
    assert [link.invoice_id for link in decision.likely] == [ONE.id]
    assert any(each.source == "thread" for each in decision.likely[0].evidence)


def test_a_reply_that_names_another_invoice_leaves_the_thread() -> None:
    thread = ThreadFacts((TWO.id,), BAKER, (TWO.id,))
    assert likely(a_mail("Re: copy", f"Different matter: {ONE.number} is short."), thread=thread) == [ONE.number]


def test_a_chaser_is_rather_about_what_was_discussed_in_the_same_words() -> None:
    """Rather than about what was not: whether it means that one is for the case to tell (disputes/carrying.py)."""
    index = the_index()
    said = (("torn pallet wrapping, photos attached", ONE), ("copy of the invoice please", TWO))
    for text, invoice in said:
        index.discuss(BAKER, Discussed(invoice.id, SENT.replace(day=1), "ap@perrin.example", text))
    decision = decide(a_mail("wrapping", "Still waiting for an answer about the torn wrapping!"), index=index)
    chance = {link.invoice_id: link.probability for link in decision.links}
    assert chance[ONE.id] > max([p for one, p in chance.items() if INVOICES[one].issued < ONE.issued], default=0.0)
    assert chance[ONE.id] > chance.get(TWO.id, 0.0)
    assert {link.state for link in decision.links} == {"propose"}


@pytest.mark.parametrize(
    "text",
    [
        "Ab Mai bitte nur noch XRechnung an rechnung@perrin.example, Stammdaten anpassen.",
        "Please send us a statement of our account as at 30 April.",
        "Our new billing address is 4 Mill Lane from June.",
    ],
)
def test_a_mail_about_the_account_links_no_invoice(text: str) -> None:
    decision = decide(a_mail("Account", text))
    assert decision.account is not None
    assert decision.account.id == BAKER
    assert not decision.likely


def test_an_attached_remittance_lists_its_invoices() -> None:
    rows = "\n".join(f"{each.number};{each.issued};{each.gross};{each.gross}" for each in (ONE, TWO, THREE))
    mail = a_mail(
        "Payment advice", "Details attached.", attachments=a_file("advice.csv", f"ref;date;gross;paid\n{rows}")
    )
    assert likely(mail) == [ONE.number, TWO.number, THREE.number]


def test_a_freemail_address_tells_its_contact_and_nobody_else() -> None:
    known = decide(a_mail("hello", "hello", from_email="bellevue.ap@gmail.com", from_name="Tom"))
    assert known.account is not None
    assert known.account.id == HOTEL
    assert decide(a_mail("hello", "hello", from_email="someone@gmail.com", from_name="Someone")).account is None


def test_a_colleague_on_the_road_names_the_account() -> None:
    mail = a_mail(
        "Perrin Vins",
        "They want a call, the wine people.",
        from_email="rep@seller.example",
        from_name="Rep",
        direction="internal",
    )
    decision = decide(mail)
    assert decision.account is not None
    assert decision.account.id == COUSIN


def test_our_own_answer_is_about_the_one_it_goes_to() -> None:
    mail = a_mail(
        "Re: hello",
        "We look into it.",
        from_email="ar@seller.example",
        direction="out",
        to_emails=("ap@perrin.example",),
    )
    decision = decide(mail)
    assert decision.account is not None
    assert decision.account.id == BAKER


def test_a_sure_link_needs_no_review_and_shows_where_it_stands() -> None:
    mail = a_mail(f"Invoice {ONE.number}", f"Good morning,\ninvoice {ONE.number} of {ONE.gross} EUR is short by two.")
    decision = decide(mail)
    assert [(link.invoice_id, link.state) for link in decision.links if link.state == "auto"] == [(ONE.id, "auto")]
    assert not decision.review
    number = next(each for each in decision.links[0].evidence if each.what == "full")
    text = {"subject": mail.subject, "new": mail.new_text}[number.source]
    assert "04321" in text[number.start : number.end]
    assert number.bits > 0


def test_an_invoice_issued_later_is_not_meant() -> None:
    early = a_mail(text=f"about the {ONE.gross}", sent_at=SENT.replace(month=1, day=20))
    assert ONE.number not in likely(early)


def test_numbers_of_banks_phones_and_tax_offices_are_none() -> None:
    text = "IBAN FR76 3000 4043 2100 0123 4567 890, TVA FR40 404 321 432, Tel. 01 43 21 43 24, SIRET 404 321 432 00043"
    decision = decide(a_mail("bank", text))
    assert not decision.references


@pytest.mark.parametrize(("written", "key"), [("FA2025000857", 2025000857), ("25.11.001416", 2511001416)])
def test_a_number_that_begins_like_an_account_or_a_day_is_a_number(written: str, key: int) -> None:
    trial = investigate(
        a_mail("invoice", f"Please check invoice {written}."),
        the_index(),
        weights=default_weights(),
        thread=ThreadFacts(),
    )
    keys = {found for section in trial.sections for window in section.windows for found in window.kd}
    assert key in keys


def test_a_long_mail_asks_the_index_a_bounded_number_of_questions() -> None:
    text = "\n".join(f"line {number} {number * 37}" for number in range(5000))
    trial = investigate(a_mail("flood", text), the_index(), weights=default_weights(), thread=ThreadFacts())
    assert len(trial.candidates) <= len(INVOICES)
    assert sum(len(section.windows) for section in trial.sections) < 12_000


def test_a_half_payment_is_named_by_what_is_open() -> None:
    part = INVOICES[ONE.id]
    assert part.open == part.gross
    assert likely(a_mail("rest", f"we still owe {Decimal(part.gross)} EUR, coming Friday")) == [ONE.number]


def test_a_padded_number_beside_its_column_is_no_phone_number() -> None:
    table = f"Invoice            Amount       Date\nLU26-{ONE.number[-5:]}     1 297,44     18/05/2026"
    assert likely(a_mail("advice", table)) == [ONE.number]


def test_a_word_before_a_short_number_is_no_wrong_prefix() -> None:
    link = decide(a_mail("facture", f"la {int(ONE.number[-5:])} de mars est fausse")).links[0]
    assert link.invoice_id == ONE.id
    assert "wrong_letters" not in {each.what for each in link.evidence}


def test_a_number_alone_of_a_known_sender_is_linked_by_itself() -> None:
    for text in (f"{ONE.number} is wrong", f"please cancel {ONE.po}", f"delivery note {ONE.delivery} was short"):
        (link,) = decide(a_mail("hello", text)).likely
        assert (link.invoice_id, link.state) == (ONE.id, "auto")


def test_of_several_only_carried_along_a_person_says_which_is_meant() -> None:
    quoted = f"our statement: {ONE.number} {ONE.gross} due, {TWO.number} {TWO.gross} due"
    decision = decide(a_mail("Re: statement", "the first is paid", quoted_text=quoted))
    assert decision.likely
    assert all(link.state == "propose" for link in decision.likely)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("please resend 321/324", [ONE, TWO]),
        ("mi rimandi 4321-4324-4327?", [ONE, TWO, THREE]),
        ("Rechnungen 321, 324 und 327 fehlen", [ONE, TWO, THREE]),
        ("PODs for 04321-24 please", [ONE, TWO]),
    ],
)
def test_ends_of_numbers_parted_by_signs_are_a_list(text: str, expected: list[InvoiceFacts]) -> None:
    assert likely(a_mail("Copies", text)) == [each.number for each in expected]


def test_a_sum_of_several_means_them_all() -> None:
    owed = [each for each in BAKERS if each.open > 0]
    total = sum(each.open for each in owed[-3:])
    found = likely(a_mail("Instalments", f"we owe you {total} in all, may we pay it in three parts?"))
    assert found == [each.number for each in owed[-3:]]


@pytest.mark.parametrize(
    "text", ["Statement of account for 2026 please", "call me on +33 4 32 10 43 21", "art. 321 c.c."]
)
def test_years_phones_and_laws_are_no_numbers_of_invoices(text: str) -> None:
    assert not [link for link in decide(a_mail("Question", text)).links if link.state == "auto"]


def test_all_invoices_of_a_day_are_meant_where_several_are_spoken_of() -> None:
    same_day = [each._replace(issued=ONE.issued) if each.id == TWO.id else each for each in the_invoices()]
    index = MemoryIndex(the_accounts(), same_day, [])
    day = f"{ONE.issued:%d.%m.%Y}"
    match = decide(a_mail("Rechnungen", f"die Rechnungen vom {day} fehlen uns"), index=index)
    assert {link.invoice_id for link in match.likely} == {ONE.id, TWO.id}


def test_who_asks_after_a_credit_note_means_its_invoice_as_well() -> None:
    note = ONE._replace(
        id=900, number="CN26-00031", kind="credit_note", gross=-ONE.gross, open=-ONE.open, credits=ONE.number
    )
    other = note._replace(id=901, number="CN26-00032", credits="LU25-00001")
    index = MemoryIndex(the_accounts(), [*the_invoices(), note, other], [])
    match = decide(a_mail("credit", "Credit note CN26-00031 is still not set off, please check."), index=index)
    assert {link.invoice_id for link in match.likely} == {note.id, ONE.id}
