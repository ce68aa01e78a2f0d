"""Structured payment references to print on a letter, so that the payment finds its invoice by itself. Pure.

What is made here is found again by matching.structured where that reads the scheme (RF, OGM, QRR).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from stdnum import iso11649, luhn
from stdnum.be import ogm_vcs
from stdnum.ch import esr
from stdnum.iso7064 import mod_97_10

from app.core.errors import BadInput

Scheme = Literal["RF", "OGM", "FI", "QRR", "KID10", "KID11", "OCR", "OCR_LENGTH"]


class NoReference(BadInput):
    """A number that cannot become a reference of that scheme."""


def make(scheme: Scheme, number: str) -> str:
    """The reference for an invoice or account number, without spaces. Raises NoReference in words.

    Only letters and digits (RF) or digits (all others) of the number count: "FA-1" and "FA1" give the same reference.
    """
    rule = _SCHEMES[scheme]
    usable = str.isalnum if rule.letters else str.isdigit
    base = "".join(char for char in number.upper() if char.isascii() and usable(char))
    if not rule.least <= len(base) <= rule.most:
        raise NoReference(
            f"{number!r} cannot become a reference of the scheme {scheme}: it has {len(base)} usable characters, "
            f"{rule.least} to {rule.most} are allowed; choose another scheme for this entity"
        )
    return rule.complete(base)


def is_valid(scheme: Scheme, reference: str) -> bool:
    """Whether a reference, with or without its spaces and signs, has the right length and check digits."""
    return _SCHEMES[scheme].check(reference)


def written(scheme: Scheme, reference: str) -> str:
    """The reference in the groups people read and type: RF18 5390 0754 7034, +++090/9337/55493+++."""
    return _SCHEMES[scheme].group(reference)


def scheme_of(country: str, account: str = "") -> Scheme:
    """What the banks of the seller's country know best; RF elsewhere: every SEPA bank carries it (ISO 11649).

    A Swiss QR reference needs a QR-IBAN, so that it is chosen only where `account`, the seller's IBAN, is one.
    """
    return "QRR" if is_qr_iban(account) else _HOME.get(country, "RF")


def is_qr_iban(account: str) -> bool:
    """Whether a Swiss or Liechtenstein IBAN has a QR institution id, 30000 to 31999 (SIX, QR-bill guidelines)."""
    plain = "".join(account.split()).upper()
    institution = plain[4:9]
    return plain[:2] in {"CH", "LI"} and institution.isdecimal() and 30000 <= int(institution) <= 31999  # noqa: PLR2004 - range of the SIX guidelines


@dataclass(frozen=True, slots=True)
class _Rule:
    """How a scheme's references are made: lengths are those of the number without check digits."""

    least: int
    most: int
    complete: Callable[[str], str]
    check: Callable[[str], bool]
    group: Callable[[str], str]
    letters: bool = False


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isascii() and char.isdigit())


def _grouped(text: str, size: int, *, from_end: bool = False) -> str:
    """Groups of `size`; from the end the first group is the short one."""
    plain = text.replace(" ", "")
    first = len(plain) % size if from_end else 0
    cuts = [plain[:first]] if first else []
    return " ".join([*cuts, *(plain[at : at + size] for at in range(first, len(plain), size))])


def _rf(base: str) -> str:
    """ISO 11649: RF, two check digits by mod 97-10 with RF moved to the end."""
    return f"RF{mod_97_10.calc_check_digits(base + 'RF')}{base}"


def _ogm(base: str) -> str:
    """Belgian OGM/VCS: ten digits and their rest by 97, 97 where that is 0 (Febelfin)."""
    padded = base.zfill(10)
    return padded + str(ogm_vcs.calc_check_digits(padded))


def _ogm_written(reference: str) -> str:
    return f"+++{ogm_vcs.format(_digits(reference))}+++"


def _qrr(base: str) -> str:
    """Swiss QR reference: 26 digits and one by the recursive mod 10 (SIX, QR-bill guidelines, annex B)."""
    padded = base.zfill(26)
    return padded + str(esr.calc_check_digit(padded))


def _weighted(base: str, weights: tuple[int, ...]) -> int:
    """The sum of the digits times the weights, from the right, the weights repeating."""
    return sum(int(digit) * weights[at % len(weights)] for at, digit in enumerate(reversed(base)))


def _finnish(base: str) -> str:
    """Finnish viitenumero: weights 7, 3, 1 from the right, what is missing to the next ten (Finance Finland)."""
    plain = base.lstrip("0").zfill(3)
    return plain + str(-_weighted(plain, (7, 3, 1)) % 10)


def _luhn(base: str) -> str:
    """Norwegian KID by mod 10 (Nets) and Swedish OCR (Bankgirot): the Luhn check digit."""
    return base + str(luhn.calc_check_digit(base))


def _kid11(base: str) -> str:
    """Norwegian KID by mod 11: weights 2 to 7 from the right; 10 is written as a hyphen (Nets, OCR Giro)."""
    check = -_weighted(base, (2, 3, 4, 5, 6, 7)) % 11
    return base + ("-" if check == 10 else str(check))  # noqa: PLR2004 - what mod 11 leaves that is no digit


def _ocr_length(base: str) -> str:
    """Swedish OCR with a length digit: the whole length's last digit before the Luhn digit (Bankgirot)."""
    return _luhn(f"{base}{(len(base) + 2) % 10}")


def _ends_right(complete: Callable[[str], str], tail: int) -> Callable[[str], bool]:
    """Whether a reference is what its own base, without the last `tail` characters, is completed to."""

    def check(reference: str) -> bool:
        plain = "".join(reference.split())
        base = plain[:-tail]
        return bool(_digits(base)) and base == _digits(base) and complete(base) == plain

    return check


def _finnish_is_valid(reference: str) -> bool:
    plain = "".join(reference.split()).lstrip("0").zfill(4)
    return len(plain) <= 20 and _ends_right(_finnish, 1)(plain)  # noqa: PLR2004 - the standard's longest


_SCHEMES: Mapping[Scheme, _Rule] = {
    "RF": _Rule(1, 21, _rf, iso11649.is_valid, lambda text: _grouped(text, 4), letters=True),
    "OGM": _Rule(1, 10, _ogm, lambda text: ogm_vcs.is_valid(_digits(text)), _ogm_written),
    "FI": _Rule(1, 19, _finnish, _finnish_is_valid, lambda text: _grouped(text, 5, from_end=True)),
    "QRR": _Rule(
        1,
        26,
        _qrr,
        lambda text: len(_digits(text)) == 27 and bool(esr.is_valid(_digits(text))),  # noqa: PLR2004 - length by the SIX guidelines
        lambda text: _grouped(text, 5, from_end=True),
    ),
    "KID10": _Rule(1, 24, _luhn, _ends_right(_luhn, 1), lambda text: _grouped(text, 4)),
    "KID11": _Rule(1, 24, _kid11, _ends_right(_kid11, 1), lambda text: _grouped(text, 4)),
    "OCR": _Rule(1, 24, _luhn, _ends_right(_luhn, 1), lambda text: _grouped(text, 4)),
    "OCR_LENGTH": _Rule(1, 23, _ocr_length, _ends_right(_ocr_length, 2), lambda text: _grouped(text, 4)),
}
_HOME: Mapping[str, Scheme] = {"BE": "OGM", "FI": "FI", "NO": "KID10", "SE": "OCR"}
