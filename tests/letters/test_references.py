"""Structured references: what is printed has the check digits of its standard, and is found again when it is paid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letters.references import NoReference, Scheme, is_qr_iban, is_valid, make, scheme_of, written
from matching.structured import find_structured

PUBLISHED: list[tuple[Scheme, str, str, str]] = [
    # ISO 11649's own example, as the European Payments Council and SIX (annex A, example 3) print it
    ("RF", "5390 0754 7034", "RF18539007547034", "RF18 5390 0754 7034"),
    # Febelfin's example
    ("OGM", "0909337554", "090933755493", "+++090/9337/55493+++"),
    # Finance Finland: 1234567 x (7 1 3 7 1 3 7) = 7+2+9+28+5+18+49 = 118, 120 - 118 = 2
    ("FI", "1234567", "12345672", "123 45672"),
    # SIX, QR-bill guidelines, annex A, example 2
    ("QRR", "21000000000313947143000901", "210000000003139471430009017", "21 00000 00003 13947 14300 09017"),
    # Nets: 234567 -> from the right doubled 14 6 10 4 6 2 -> 5+6+1+4+6+2 = 24, 30 - 24 = 6
    ("KID10", "234567", "2345676", "2345 676"),
    # 123456: 6x2 5x3 4x4 3x5 2x6 1x7 = 12+15+16+15+12+7 = 77 = 7 x 11, so 0
    ("KID11", "123456", "1234560", "1234 560"),
    # 1000: 1x5 = 5, 11 - 5 = 6
    ("KID11", "1000", "10006", "1000 6"),
    # 10: 1x3 + 0x2 = 3 -> 8; 12: 1x3 + 2x2 = 7 -> 4; 6: 6x2 = 12, 12 mod 11 = 1, 11 - 1 = 10 -> a hyphen
    ("KID11", "6", "6-", "6-"),
    # Bankgirot, soft level
    ("OCR", "1234", "12344", "1234 4"),
    # Bankgirot, variable length: 7 digits + length digit (9) + check digit
    ("OCR_LENGTH", "2019121", "201912193", "2019 1219 3"),
]


@pytest.mark.parametrize(("scheme", "number", "reference", "printed"), PUBLISHED)
def test_the_published_examples(scheme: Scheme, number: str, reference: str, printed: str) -> None:
    assert make(scheme, number) == reference
    assert written(scheme, reference) == printed
    assert is_valid(scheme, reference)
    assert is_valid(scheme, printed)


@pytest.mark.parametrize("scheme", ["RF", "OGM", "FI", "QRR", "KID10", "KID11", "OCR", "OCR_LENGTH"])
@given(number=st.integers(min_value=1, max_value=10**10 - 1))
def test_what_is_made_is_valid_and_one_wrong_digit_is_noticed(scheme: Scheme, number: int) -> None:
    reference = make(scheme, str(number))
    assert is_valid(scheme, reference)
    middle = len(reference) - 2
    digit = reference[middle]
    if digit.isdigit():
        spoiled = f"{reference[:middle]}{(int(digit) + 1) % 10}{reference[middle + 1 :]}"
        assert not is_valid(scheme, spoiled)


@pytest.mark.parametrize(("scheme", "kind"), [("RF", "RF"), ("OGM", "OGM"), ("QRR", "QR")])
@given(number=st.integers(min_value=1000, max_value=10**9))
def test_what_we_print_the_mailroom_recognises(scheme: Scheme, kind: str, number: int) -> None:
    printed = written(scheme, make(scheme, str(number)))
    found = find_structured(f"PAID WITH {printed}, THANK YOU")
    assert [(one.kind, one.digits) for one in found] == [(kind, str(number))]


def test_letters_count_only_where_the_scheme_has_them() -> None:
    assert make("RF", "FA-2026/0187")[4:] == "FA20260187"
    assert make("FI", "FA-2026/0187")[:-1] == "20260187"


@pytest.mark.parametrize(
    ("scheme", "number", "words"),
    [
        ("RF", "X" * 22, "1 to 21"),
        ("OGM", "12345678901", "1 to 10"),
        ("KID10", "ABC", "0 usable characters"),
        ("RF", "发票", "0 usable characters"),
    ],
)
def test_a_number_that_does_not_fit_is_refused_in_words(scheme: Scheme, number: str, words: str) -> None:
    with pytest.raises(NoReference, match=words):
        make(scheme, number)


@pytest.mark.parametrize(
    ("account", "is_one"),
    [
        ("CH44 3199 9123 0008 8901 2", True),
        ("CH6431961000004421557", True),
        ("CH5204835012345671000", False),
        ("CH5800791123000889012", False),
        ("DE33100205000001194700", False),
        ("", False),
    ],
)
def test_qr_ibans_of_the_guidelines(account: str, is_one: bool) -> None:
    assert is_qr_iban(account) == is_one


def test_each_country_has_its_scheme() -> None:
    assert scheme_of("BE") == "OGM"
    assert scheme_of("FR") == "RF"
    assert scheme_of("CH", "CH5204835012345671000") == "RF"
    assert scheme_of("CH", "CH6431961000004421557") == "QRR"
