import pytest

from matching.structured import find_structured
from matching.text import clean, fold
from tests.matching.ledger import BAKERS, a_mail, likely

ONE = BAKERS[7]


@pytest.mark.parametrize(
    ("text", "kind", "digits"),
    [
        ("ref RF18 5390 0754 7034 thanks", "RF", "539007547034"),
        ("RF18539007547034", "RF", "539007547034"),
        ("communication +++090/9337/55493+++", "OGM", "909337554"),
        ("***090/9337/55493***", "OGM", "909337554"),
        ("Referenz 21 00000 00003 13947 14300 09017", "QR", "21000000000313947143000901"),
    ],
)
def test_valid_references_are_read_without_their_check_digits(text: str, kind: str, digits: str) -> None:
    found = find_structured(fold(clean(text)))
    assert [(each.kind, each.digits) for each in found] == [(kind, digits)]


@pytest.mark.parametrize(
    "text", ["RF19 5390 0754 7034", "+++090/9337/55494+++", "21 00000 00003 13947 14300 09018", "RF", ""]
)
def test_a_wrong_checksum_is_no_reference(text: str) -> None:
    assert not find_structured(text)


def test_a_creditor_reference_carries_the_invoice_number() -> None:
    body = "00" + ONE.number[-5:]
    check = 98 - int(f"{body}271500") % 97  # ISO 11649: RF is 2715, check digits make the whole 1 mod 97
    assert likely(a_mail("payment", f"paid with reference RF{check:02d}{body} today")) == [ONE.number]


@pytest.mark.parametrize("written", ["+++202/6001/10734+++", "+++202.6001.10734+++", "*** 202 6001 10734 ***"])
def test_a_belgian_reference_is_read_with_any_signs(written: str) -> None:
    assert [each.digits for each in find_structured(f"Mededeling {written} betaald".upper())] == ["2026001107"]
