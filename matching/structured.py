"""References with a checksum, tried before anything fuzzy: a valid checksum is near-proof (standards.md)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import re2
from stdnum import iso11649
from stdnum.be import ogm_vcs
from stdnum.ch import esr

from matching.text import digit_runs

_RF = re2.compile(r"\bRF\d{2}(?: ?[A-Z0-9]{1,4}){1,7}\b")
_OGM = re2.compile(r"[+*]{3} ?\d{3}[/. ]?\d{4}[/. ]?\d{5} ?[+*]{3}|\b\d{3}/\d{4}/\d{5}\b")
_QR = re2.compile(r"\b(?:\d{2} ?(?:\d{5} ?){5}|\d{27})\b")
_QR_DIGITS = 27
_CHECK_DIGITS = {"RF": 0, "OGM": 2, "QR": 1}


@dataclass(frozen=True, slots=True)
class Structured:
    """A valid structured reference: its span in the text and the digits it carries, check digits left out."""

    kind: str
    start: int
    end: int
    digits: str


def find_structured(text: str) -> list[Structured]:
    """ISO 11649 `RF` references, Belgian OGM/VCS and Swiss QR references in folded text, those that check out."""
    found = list(_rf(text)) if "RF" in text else []
    if text.count("/") > 1 or "+++" in text or "***" in text:
        found.extend(_checked("OGM", _OGM, text))
    if sum(map(len, digit_runs(text))) >= _QR_DIGITS:
        found.extend(_checked("QR", _QR, text))
    return found


def _rf(text: str) -> Iterator[Structured]:
    """RF, two check digits and up to 21 characters; words behind the reference may look like more of it."""
    for found in _RF.finditer(text):
        parts = found[0].split(" ")
        for count in range(len(parts), 0, -1):
            written = " ".join(parts[:count])
            if iso11649.is_valid(written):
                yield _made("RF", found.start(), written, written[4:])
                break


def _checked(kind: str, pattern: Any, text: str) -> Iterator[Structured]:
    valid = ogm_vcs.is_valid if kind == "OGM" else esr.is_valid
    for found in pattern.finditer(text):
        if valid("".join(char for char in found[0] if char.isdigit())):
            yield _made(kind, found.start(), found[0], found[0])


def _made(kind: str, start: int, written: str, carried: str) -> Structured:
    digits = "".join(char for char in carried if char.isdigit())
    kept = digits[: len(digits) - _CHECK_DIGITS[kind]]
    return Structured(kind, start, start + len(written), kept.lstrip("0"))
