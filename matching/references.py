"""Integer keys of document numbers: what the ledger stores and what a mention in a mail is looked up by."""

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import re2

from matching.text import digit_runs

_LETTERS = re2.compile(r"[A-Z]+")
_KEY_DIGITS = 18  # 10**18 < 2**63: such a key fits the BIGINT columns of SQLite and PostgreSQL
_SHORT = 4  # a number with so few digits is only told apart by its letters (ACME-0012)
_YEARS = (2000, 2049)
_GLUED_YEAR = range(7, 13)  # lengths of a run that may be a year with a serial glued to it (20240187)
_YEAR_DIGITS = 4
_SHORTEST_SERIAL = 3


class NumberKeys(NamedTuple):
    """
    The four look-up keys of a document number, each below 2**63 or None where there are no digits.

    For INV-2024-00187: `kd` all digits (202400187; for short numbers with letters a hash of letters and serial),
    `kc` years to two digits and zeros stripped per run (24187), `ks` the serial (187; the last two runs where
    there are more than two), `k4` the last four digits of the last run (187).
    """

    kd: int | None
    kc: int | None
    ks: int | None
    k4: int | None


_NO_KEYS = NumberKeys(None, None, None, None)


def as_key(digits: str) -> int:
    """A string of digits as a key; of more than 18 digits the last 18 count."""
    return int(digits[-_KEY_DIGITS:])


def split_glued_year(run: str) -> tuple[str, ...]:
    """Split 20240187 into 2024 and 0187; a run that does not begin with a likely year stays whole."""
    if len(run) in _GLUED_YEAR and is_year(run[:_YEAR_DIGITS]):
        return run[:_YEAR_DIGITS], run[_YEAR_DIGITS:]
    return (run,)


def is_year(run: str) -> bool:
    """Whether a run of digits is a year an open invoice can carry."""
    return len(run) == _YEAR_DIGITS and _YEARS[0] <= int(run) <= _YEARS[1]


def compact(runs: tuple[str, ...]) -> int:
    """The runs joined with years cut to two digits and leading zeros dropped: FA-2024-00187 and FA24/187 agree."""
    return as_key("".join(run[2:] if is_year(run) else run.lstrip("0") for run in runs) or "0")


def lettered_key(letters: str, digits: str) -> int:
    """A hash of letters and serial (ACME-0012): 62 bits, stable across processes and machines."""
    text = f"{letters}-{digits.lstrip('0')}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 2


def number_keys(number: str, year: int = 0) -> NumberKeys:
    """The keys a document number issued in `year` (0 = unknown) is stored under (see NumberKeys)."""
    upper = unicodedata.normalize("NFKC", number).upper()
    found = digit_runs(upper)
    if not found:
        return _NO_KEYS
    runs = tuple(part for run in found for part in split_glued_year(run))
    digits = "".join(found)
    letters = "".join(_LETTERS.findall(upper)) if len(digits) <= _SHORT else ""
    kd = lettered_key(letters, digits) if letters else as_key(digits)
    counting = without_year_behind(runs, year)
    # Of a glued number the digits before its serial count among the last four: people who quote its end write 4187.
    last = counting[-1] if counting != runs else found[-1]
    return NumberKeys(kd, compact(runs), compact(serial_runs(counting)), int(last[-4:]))


def without_year_behind(runs: tuple[str, ...], year: int) -> tuple[str, ...]:
    """The runs without the year of issue (or one beside it: books do not change at midnight) where it stands last.

    87/26 and 1187/2026 are the 87th and the 1187th of 2026. A year that stands first as well (26-26) is no year behind.
    """
    if len(runs) < 2 or not year:  # noqa: PLR2004 - a year stands behind something
        return runs
    years = {text for near in (year - 1, year, year + 1) for text in (str(near), f"{near % 100:02}")}
    return runs[:-1] if runs[-1] in years and runs[0] not in years else runs


def serial_runs(runs: tuple[str, ...]) -> tuple[str, ...]:
    """The runs that count within a year: the last, or the last two of more than two (2024-03-0187)."""
    return runs[-2:] if len(runs) > 2 else runs[-1:]  # noqa: PLR2004 - prefix and year go before the serial


def serial_run(runs: Sequence[str]) -> str:
    """The run that counts: the last, or the one before where the last is a year or too short to count (R.1871.25)."""
    if not runs:
        return ""
    tail = len(runs[-1]) < _SHORTEST_SERIAL or is_year(runs[-1])
    longer = [run for run in runs[:-1] if len(run) >= _SHORTEST_SERIAL and not is_year(run)] if tail else []
    return longer[-1] if longer else runs[-1]


def digits_key(text: str) -> int | None:
    """The look-up key of a PO, order, delivery or payment reference: its digits, or None without any."""
    digits = "".join(digit_runs(unicodedata.normalize("NFKC", text)))
    return as_key(digits) if digits else None


_PHONE_DIGITS = 9  # the end of a number is the same with and without country code and trunk zero


def phone_key(text: str) -> str | None:
    """The last nine digits of a phone number, the same however it was written; None for fewer than six digits."""
    digits = "".join(digit_runs(unicodedata.normalize("NFKC", text)))
    return digits[-_PHONE_DIGITS:] if len(digits) > 5 else None  # noqa: PLR2004 - shorter ones are extensions
