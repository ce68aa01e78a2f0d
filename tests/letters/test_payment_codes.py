"""Payment codes: the payloads are those of the standards' own examples, and what a bank would refuse is refused."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Money
from letters.payment_codes import NoPaymentCode, PostalAddress, epc, swiss
from letters.references import make

MUSTER = PostalAddress(
    name="Max Muster & Söhne",
    street="Musterstrasse",
    building="123",
    postal_code="8000",
    town="Seldwyla",
    country="CH",
)
SIMON = replace(MUSTER, name="Simon Muster", building="1")
QR_IBAN, PLAIN_IBAN = "CH6431961000004421557", "CH5204835012345671000"
QRR = "000008207791225857421286694"


def chf(text: str) -> Money:
    return Money(Decimal(text), "CHF")


def eur(text: str) -> Money:
    return Money(Decimal(text), "EUR")


def test_the_first_example_of_the_swiss_guidelines() -> None:
    # SIX, QR-bill guidelines 2.3, annex A, example 1
    code = swiss(
        account="CH64 3196 1000 0044 2155 7",
        creditor=MUSTER,
        money=chf("50.00"),
        debtor=SIMON,
        reference="00 00082 07791 22585 74212 86694",
        message="Payment of travel",
    )
    assert code.payload.split("\n") == [
        *("SPC", "0200", "1", QR_IBAN),
        *("S", "Max Muster & Söhne", "Musterstrasse", "123", "8000", "Seldwyla", "CH"),
        *("", "", "", "", "", "", ""),
        *("50.00", "CHF"),
        *("S", "Simon Muster", "Musterstrasse", "1", "8000", "Seldwyla", "CH"),
        *("QRR", QRR, "Payment of travel", "EPD"),
    ]


def test_the_example_with_a_creditor_reference() -> None:
    # SIX, QR-bill guidelines 2.3, annex A, example 3: an ordinary IBAN with an ISO 11649 reference
    code = swiss(
        account=PLAIN_IBAN, creditor=MUSTER, money=chf("199.95"), debtor=SIMON, reference="RF18 5390 0754 7034"
    )
    lines = code.payload.split("\n")
    assert lines[27:31] == ["SCOR", "RF18539007547034", "", "EPD"]


def test_without_debtor_and_reference_and_with_bill_information() -> None:
    code = swiss(account=PLAIN_IBAN, creditor=MUSTER, money=eur("10"), bill_information="//S1/10/10201409")
    lines = code.payload.split("\n")
    assert lines[18:20] == ["10.00", "EUR"]
    assert lines[20:] == [*("", "", "", "", "", "", ""), "NON", "", "", "EPD", "//S1/10/10201409"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"account": PLAIN_IBAN, "reference": QRR}, "a QR reference needs a QR-IBAN"),
        ({"reference": ""}, "needs a QR reference"),
        ({"reference": QRR[:-1] + "5"}, "needs a QR reference"),
        ({"reference": "RF18539007547034"}, "needs a QR reference"),
        ({"account": "DE33100205000001194700"}, "Switzerland or Liechtenstein, not DE"),
        ({"account": "CH6431961000004421558"}, "is no IBAN"),
        ({"money": Money(Decimal(5), "USD")}, "CHF or EUR, not USD"),
        ({"money": chf("0")}, "asks for 0.01"),
        ({"money": chf("-3")}, "asks for 0.01"),
        ({"money": chf("1000000000")}, "to 999999999.99"),
        ({"message": "x" * 80, "bill_information": "y" * 61}, "140 characters together"),
        ({"creditor": replace(MUSTER, name="M" * 71)}, "at most 70"),
        ({"creditor": replace(MUSTER, town="")}, "needs the town"),
        ({"debtor": replace(SIMON, name="株式会社")}, "Latin letters only"),
    ],
)
def test_a_qr_bill_no_bank_would_read_is_refused(changed: dict[str, object], words: str) -> None:
    good: dict[str, object] = {"account": QR_IBAN, "creditor": MUSTER, "money": chf("50"), "reference": QRR}
    with pytest.raises(NoPaymentCode, match=words):
        swiss(**{**good, **changed})  # type: ignore[arg-type] # the table holds one wrong value of each kind


def test_a_debtor_that_cannot_be_printed_says_so() -> None:
    assert SIMON.fits()
    assert replace(SIMON, name="Żółć Ţăranu €").fits()
    assert not replace(SIMON, name="شركة").fits()
    assert not replace(SIMON, postal_code="").fits()


def test_the_example_of_the_payments_council() -> None:
    # the Red Cross example that goes with EPC069-12, in version 002 and with the cents written out
    code = epc(
        name="Red Cross of Belgium",
        iban="BE72 0000 0000 1616",
        bic="BPOTBEB1",
        money=eur("1"),
        purpose="CHAR",
        text="Urgency fund",
    )
    assert code.payload.split("\n") == [
        *("BCD", "002", "1", "SCT", "BPOTBEB1", "Red Cross of Belgium", "BE72000000001616"),
        *("EUR1.00", "CHAR", "", "Urgency fund"),
    ]


def test_a_reference_ends_the_payload_and_the_bic_may_be_empty() -> None:
    code = epc(name="Duval SA", iban="FR1420041010050500013M02606", money=eur("1234.5"), reference=make("RF", "FA-17"))
    assert code.payload.split("\n")[4:] == [
        *("", "Duval SA", "FR1420041010050500013M02606", "EUR1234.50", "", make("RF", "FA-17"))
    ]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"money": chf("5")}, "pays euros, not CHF"),
        ({"money": eur("0")}, "asks for 0.01"),
        ({"reference": "RF18539007547034", "text": "both"}, "never both"),
        ({"reference": "090933755493"}, "no ISO 11649"),
        ({"iban": "FR1420041010050500013M02607"}, "is no IBAN"),
        ({"bic": "NOPE"}, "is no BIC"),
        ({"name": ""}, "needs the name"),
        ({"name": "N" * 71}, "at most 70"),
        ({"text": "t" * 141}, "at most 140"),
        ({"text": "é" * 140, "name": "é" * 70}, "331 bytes"),
        ({"text": "a\x00b"}, "control character"),
    ],
)
def test_a_sepa_code_no_bank_would_read_is_refused(changed: dict[str, object], words: str) -> None:
    good: dict[str, object] = {"name": "Duval SA", "iban": "FR1420041010050500013M02606", "money": eur("5")}
    with pytest.raises(NoPaymentCode, match=words):
        epc(**{**good, **changed})  # type: ignore[arg-type] # the table holds one wrong value of each kind


@given(text=st.text(max_size=60), name=st.text(min_size=1, max_size=30))
def test_no_text_moves_another_line(text: str, name: str) -> None:
    try:
        code = epc(name=name, iban="FR1420041010050500013M02606", money=eur("5"), text=text)
    except NoPaymentCode:
        return
    lines = code.payload.split("\n")
    assert lines[6:8] == ["FR1420041010050500013M02606", "EUR5.00"]
    assert len(lines) <= 11


def test_the_picture_is_well_formed_and_always_the_same() -> None:
    code = swiss(account=QR_IBAN, creditor=MUSTER, money=chf("50"), debtor=SIMON, reference=QRR)
    drawn = code.svg(46)
    root = ET.fromstring(drawn)  # noqa: S314 - our own picture
    assert root.attrib["width"] == root.attrib["height"] == "46.0mm"
    assert len([part for part in root if part.tag.endswith("rect")]) == 4
    assert drawn == code.svg(46)
    sepa = epc(name="Duval SA", iban="FR1420041010050500013M02606", money=eur("5")).svg(30)
    assert "rect" not in sepa


def test_the_largest_codes_the_standards_allow_can_be_drawn() -> None:
    full = replace(MUSTER, name="é" * 70, street="s" * 70, building="b" * 16, postal_code="p" * 16, town="t" * 35)
    bill = swiss(
        account=QR_IBAN, creditor=full, money=chf("999999999.99"), debtor=full, reference=QRR, message="m" * 140
    )
    assert bill.svg(46).startswith("<svg")
    transfer = epc(
        name="n" * 70, iban="FR1420041010050500013M02606", money=eur("999999999.99"), bic="BNPAFRPPXXX", text="t" * 140
    )
    assert transfer.svg(30).startswith("<svg")
